"""Table 3.1 with the published values beside ours."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text

DIVISIONS = {
    "file_order": "7 : 1 in the order of the file",
    "shuffled": "7 : 1 shuffled",
    "shuffled_4to1": "4 : 1 shuffled",
}
"""Divisions of the samples, by their ids in the study file."""
IN_FILE_ORDER = "file_order"
"""Division that no random stream enters."""
ORDERS = (IN_FILE_ORDER, "shuffled")
"""Divisions of one size in two orders."""
MACHINES = ("svm_linear", "svm_rbf")
ERRORS = ("test_error_percent", "training_error_percent")
POSTS = "newsgroups"
"""Beginning of the names of data sets whose errors the published ones may be compared with."""


def readings(published: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Name and published row of every classifier: what a row may be is not always stated."""
    return {kind: (name, row) for row in published["rows"] for kind, name in row["read_as"].items()}


def division_name(division: str) -> str:
    """Name of a division for people."""
    return DIVISIONS.get(division, division)


def enters_chance(division: str, classifier: str) -> bool:
    """Whether seeds differ: a support vector machine has none of its own, a shuffled order does."""
    return division != IN_FILE_ORDER or classifier not in MACHINES


def last_epochs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows after the last epoch of each classifier, division and seed."""
    keys = ["seed", "division", "classifier"]
    return table.loc[table.groupby(keys, sort=False)["epoch"].idxmax()]


def table3_1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Errors in percent after the last epoch, mean over seeds with its 95 % interval."""
    known = readings(published)
    last = last_epochs(table)
    rows = []
    for (division, kind), part in last.groupby(["division", "classifier"], sort=False):
        (name, printed), first = known[kind], part.iloc[0]
        samples = f"{first.training_samples} : {first.test_samples} of {first.data_set}"
        # The same number for every seed has no interval over seeds.
        counted = part if enters_chance(division, kind) else part.iloc[:1]
        errors = [(f"{printed[error]:g}", mean_text(counted[error])) for error in ERRORS]
        rows.append([f"{division_name(division)} ({samples})", name, *errors[0], *errors[1]])
    header = ["division", "classifier", "published test error (%)", "test error (%)"]
    header += ["published training error (%)", "training error (%)"]
    note = (
        f"Mean with its 95 % interval (seeds: {table['seed'].nunique()}); a support vector "
        "machine (SVM) in the order of the file is the same for every seed. "
        + kernel_note(last, published)
    )
    return markdown_table(header, rows) + "\n" + note.rstrip() + "\n"


def kernel_note(last: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Which kernel's mean errors are nearer to the printed ones of the SVM; '' for a stand-in.

    The thesis does not state the kernel.
    """
    if not last["data_set"].str.startswith(POSTS).all():
        return ""
    known = readings(published)
    found = []
    for division, part in last.groupby("division", sort=False):
        nearer = []
        for error in ERRORS:
            means = part.groupby("classifier")[error].mean()
            apart = {known[kind][0]: abs(means[kind] - known[kind][1][error]) for kind in MACHINES}
            least = min(apart.values()) + 1e-9
            nearer.append(" and ".join(name for name, far in apart.items() if far <= least))
        test, training = nearer
        found.append(f"{division_name(division)}: {test} (test), {training} (training)")
    return (
        "The thesis does not state the kernel of its machine. Nearer to its printed errors comes: "
        f"{'; '.join(found)}.\n"
    )
