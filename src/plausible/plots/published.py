"""What a document published, for drawing beside our results: curves as tables, values as data.

Numbers that a document shows but does not print, such as the cells of a heat map, are in
``recovered.yaml``.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from plausible.errors import StudyError
from plausible.files import read_yaml

# Rows of Thuesen's table 1 that hold one trained network: (model, optimizer, batch norm).
NETWORK_ROWS = {
    "snn": ("SNN", "Adam", True),
    "spcn_sgd": ("SPCN", "SGD", False),
    "spcn_adam": ("SPCN", "Adam", False),
    "spcn_adam_bn": ("SPCN", "Adam", True),
}


class PublishedCurves(NamedTuple):
    """Published curves and entries of one document; keys are result names without the study.

    ``recovered`` holds entries of numbers that were read off the document's graphics.
    """

    study: str
    curves: dict[str, pd.DataFrame]
    entries: dict[str, dict[str, Any]]
    recovered: dict[str, dict[str, Any]] = {}

    def curve(self, name: str) -> pd.DataFrame:
        """Published curve such as ``fig2a`` or ``fig5.loss``; StudyError where there is none."""
        if name not in self.curves:
            known = ", ".join(sorted(self.curves)) or "none"
            raise StudyError(
                f"{self.study}: no published curve '{name}' in the folder of published curves; "
                f"known are {known}."
            )
        return self.curves[name]

    def values(self, name: str) -> dict[str, Any]:
        """Published numbers of a result, such as those of ``table1``."""
        if name not in self.entries:
            raise StudyError(f"{self.study}: no published result '{name}'.")
        return self.entries[name].get("values") or {}

    def recovered_values(self, name: str) -> dict[str, Any]:
        """Numbers of a result that were read off its graphics, such as the cells of ``fig3``."""
        if name not in self.recovered:
            known = ", ".join(sorted(self.recovered)) or "none"
            raise StudyError(
                f"{self.study}: no recovered numbers of '{name}' in recovered.yaml; known are "
                f"{known}."
            )
        return self.recovered[name]["values"]

    def table1(self) -> pd.DataFrame:
        """Rows of table 1, numbered from 1 in column ``row``."""
        table = pd.DataFrame(self.values("table1")["rows"])
        table.insert(0, "row", range(1, len(table) + 1))
        return table

    def network_accuracy(self, network: str, spiking: bool) -> float:
        """Published test accuracy in percent of a network of table 1; NaN where none is printed."""
        model, optimizer, batch_norm = NETWORK_ROWS.get(network, (None, None, None))
        table = self.table1()
        chosen = table[
            (table["model"] == model)
            & (table["optimizer"] == optimizer)
            & (table["batch_norm"] == batch_norm)
            & (table["spiking"] == spiking)
        ]
        return float(chosen["test_accuracy_percent"].iloc[0]) if len(chosen) else float("nan")


def load_curves(curves_folder: str | Path, study: str = "thuesen2022") -> PublishedCurves:
    """Read ``<study>.*.csv`` in ``curves_folder`` and ``<study>.yaml`` in the folder that holds it.

    So is ``recovered.yaml`` beside it, where there is one.

    Raises
    ------
    StudyError
        If the file of published results is missing.
    """
    folder = Path(curves_folder)
    source = folder.parent / f"{study}.yaml"
    if not source.is_file():
        raise StudyError(f"{source} is missing; it must hold the published results of {study}.")
    prefix = f"{study}."
    entries = _entries(source, "results", prefix)
    recovered = folder.parent / "recovered.yaml"
    others = _entries(recovered, "entries", prefix) if recovered.is_file() else {}
    curves = {
        path.name.removeprefix(prefix).removesuffix(".csv"): pd.read_csv(path)
        for path in sorted(folder.glob(f"{prefix}*.csv"))
    }
    return PublishedCurves(study, curves, entries, others)


def _entries(path: Path, key: str, prefix: str) -> dict[str, dict[str, Any]]:
    """Entries of one study in a file of published results, by the rest of their id."""
    document = read_yaml(path)
    return {
        entry["id"].removeprefix(prefix): entry
        for entry in document[key]
        if entry["id"].startswith(prefix)
    }
