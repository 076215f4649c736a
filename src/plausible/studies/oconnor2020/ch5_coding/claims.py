"""What was found on the pictures of PD coding; theorems stand in the table of theorems."""

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured


def _slopes(evidence: Evidence, quantity: str) -> list[Measured]:
    """Slope of a mean over the grid against either coefficient, by seed."""
    frame = evidence.table("ch5.fig5.1", "seed", "k_p", "k_d", quantity)
    cells = frame.drop_duplicates(["seed", "k_p", "k_d"])
    # Every k_d of the grid but 0, which has no partner where k_p is 0.
    cells = cells[cells["k_d"] > 0]

    def slopes(coefficient: str) -> list[float]:
        found = []
        for _, rows in cells.groupby("seed"):
            means = rows.groupby(coefficient)[quantity].mean()
            found.append(float(np.polyfit(means.index, np.log(means), 1)[0]))
        return found

    return [Measured("", {"k_p": slopes("k_p"), "k_d": slopes("k_d")})]


def error_falls_with_coefficients(evidence: Evidence) -> list[Measured]:
    """Slope of the logarithm of the mean error against k_p and against k_d."""
    return _slopes(evidence, "mean_error")


def spikes_grow_with_coefficients(evidence: Evidence) -> list[Measured]:
    """Slope of the logarithm of the number of spikes against k_p and against k_d."""
    return _slopes(evidence, "number_of_spikes")


def differences_only_round(evidence: Evidence) -> list[Measured]:
    """Largest difference of the reconstruction from the rounded signal, of every seed, k_p = 0."""
    columns = ("seed", "k_p", "reconstruction", "rounded", "signal")
    frame = evidence.table("ch5.fig5.1", *columns)
    rows = frame[frame["k_p"] == 0]
    off, plain = (
        (rows["reconstruction"] - rows[column]).abs().groupby(rows["seed"]).max()
        for column in ("rounded", "signal")
    )
    controls = {"not_rounded": plain}
    return [Measured("", off, seeded=False, exact_seeds=len(off), controls=controls)]


def _errors(evidence: Evidence) -> pd.DataFrame:
    columns = ("seed", "k_p", "quantized", "step", "product", "estimate")
    frame = evidence.table("ch5.fig5.2", *columns)
    return frame.assign(error=(frame["estimate"] - frame["product"]).abs())


def _differences(table: pd.DataFrame, larger: str, smaller: str) -> list[Measured]:
    """Mean error of one k_p less that of another, by seed, with quantization and without."""
    values = sorted(table["k_p"].unique())
    places = {"none": values[0], "some": values[1], "most": values[-1]}
    found = []
    for quantized, rows in table.groupby("quantized"):
        means = rows.groupby(["k_p", "seed"])["error"].mean()
        change = means[places[larger]] - means[places[smaller]]
        found.append(Measured("", change, variant="quantized" if quantized else "not quantized"))
    return found


def error_stays_without_k_p(evidence: Evidence) -> list[Measured]:
    """Error over the last tenth, with k_p = 0 less with the smallest k_p above."""
    table = _errors(evidence)
    return _differences(table[table["step"] >= 0.9 * table["step"].max()], "none", "some")


def error_falls_with_k_p(evidence: Evidence) -> list[Measured]:
    """Mean error with the largest k_p less with the smallest above 0."""
    return _differences(_errors(evidence), "most", "some")
