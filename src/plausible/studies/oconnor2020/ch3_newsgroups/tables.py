"""Table 3.1 with the published values beside ours."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text

ROWS = {
    "relu": ("1 Layer NN", "one-layer network (ReLU output)"),
    "sgd": ("Spiking Regressor", "spiking regressor, SGD"),
    "fsgd": ("Spiking Regressor", "spiking regressor, FSGD"),
    "svm_linear": ("SVM", "support vector machine, linear"),
    "svm_rbf": ("SVM", "support vector machine, Gaussian kernel"),
}
"""Row of the published table that a classifier is compared with, and our name of it."""
DIVISIONS = {
    "file_order": "7 : 1 in the order of the file",
    "shuffled": "7 : 1 shuffled",
    "shuffled_4to1": "4 : 1 shuffled",
}
KERNELS = {"svm_linear": "linear", "svm_rbf": "Gaussian"}
ERRORS = ("test_error_percent", "training_error_percent")
IN_FILE_ORDER = "file_order"
"""Division that no random stream enters."""
POSTS = "newsgroups"
"""Beginning of the names of data sets whose errors the published ones may be compared with."""


def enters_chance(division: str, classifier: str) -> bool:
    """Whether seeds differ: a support vector machine has none of its own, a shuffled order does."""
    return division != IN_FILE_ORDER or classifier not in KERNELS


def last_epochs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows after the last epoch of each classifier, division and seed."""
    keys = ["seed", "division", "classifier"]
    return table.loc[table.groupby(keys, sort=False)["epoch"].idxmax()]


def table3_1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Errors in percent after the last epoch, mean over seeds with its 95 % interval."""
    printed = {row["network"]: row for row in published["rows"]}
    last = last_epochs(table)
    rows = []
    for (division, kind), part in last.groupby(["division", "classifier"], sort=False):
        stated, name = ROWS[kind]
        first = part.iloc[0]
        row = [
            f"{DIVISIONS.get(division, division)} ({first.training_samples} : "
            f"{first.test_samples} of {first.data_set})",
            name,
        ]
        # The same number for every seed has no interval over seeds.
        counted = part if enters_chance(division, kind) else part.iloc[:1]
        for error in ERRORS:
            row += [f"{printed[stated][error]:g}", mean_text(counted[error])]
        rows.append(row)
    header = ["division", "classifier", "published test error (%)", "test error (%)"]
    header += ["published training error (%)", "training error (%)"]
    note = (
        f"Mean with its 95 % interval (seeds: {table['seed'].nunique()}); a support vector "
        "machine in the order of the file is the same for every seed. " + kernel_note(last, printed)
    )
    return markdown_table(header, rows) + "\n" + note.rstrip() + "\n"


def kernel_note(last: pd.DataFrame, printed: Mapping[str, Any]) -> str:
    """Which kernel's mean errors are nearer to the printed ones of the SVM; '' for a stand-in.

    The thesis does not state the kernel.
    """
    if not last["data_set"].str.startswith(POSTS).all():
        return ""
    found = []
    for division, part in last.groupby("division", sort=False):
        nearer = []
        for error in ERRORS:
            means = part.groupby("classifier")[error].mean()
            apart = {kind: abs(means[kind] - printed["SVM"][error]) for kind in KERNELS}
            least = min(apart.values())
            names = [KERNELS[kind] for kind in KERNELS if apart[kind] <= least + 1e-9]
            nearer.append(" and ".join(names))
        test, training = nearer
        found.append(f"{DIVISIONS.get(division, division)}: {test} (test), {training} (training)")
    return (
        "The thesis does not state the kernel of its machine. Nearer to its printed errors comes: "
        f"{'; '.join(found)}.\n"
    )
