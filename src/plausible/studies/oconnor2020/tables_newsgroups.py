"""Table 3.1 with the published values beside ours."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.studies.markdown import markdown_table, mean_text

ROWS = {
    "relu": ("1 Layer NN", "one-layer network (ReLU output)"),
    "sgd": ("Spiking Regressor", "spiking regressor, SGD"),
    "fsgd": ("Spiking Regressor", "spiking regressor, FSGD"),
    "svm_linear": ("SVM", "support vector machine, linear"),
    "svm_rbf": ("SVM", "support vector machine, Gaussian kernel"),
}
"""Row of the published table that a classifier is compared with, and our name of it."""
DIVISIONS = {
    "file_order": "7 : 1, in the order of the file",
    "shuffled": "7 : 1, shuffled",
    "shuffled_4to1": "4 : 1, shuffled",
}


def last_epochs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows after the last epoch of each classifier, division and seed."""
    keys = ["seed", "division", "classifier"]
    return table.loc[table.groupby(keys, sort=False)["epoch"].idxmax()]


def table3_1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Errors in percent after the last epoch, mean over seeds with its 95 % interval."""
    printed = {row["network"]: row for row in published["rows"]}
    rows = []
    for (division, kind), part in last_epochs(table).groupby(
        ["division", "classifier"], sort=False
    ):
        stated, name = ROWS[kind]
        first = part.iloc[0]
        row = [
            f"{DIVISIONS.get(division, division)} ({first.training_samples} : "
            f"{first.test_samples} of {first.data_set})",
            name,
        ]
        for error in ("test_error_percent", "training_error_percent"):
            row += [f"{printed[stated][error]:g}", mean_text(part[error])]
        rows.append(row)
    header = ["division", "classifier", "published test error (%)", "test error (%)"]
    return markdown_table(header + ["published training error (%)", "training error (%)"], rows)
