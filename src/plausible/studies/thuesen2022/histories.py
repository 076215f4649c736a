"""Final accuracies from the histories of training runs."""

import pandas as pd

from plausible.reproduction.markdown import (
    as_they_are,  # noqa: F401 (named by study files)
    theorems_markdown,  # noqa: F401
)

KEYS = ["run", "protocol", "seed"]


def final_accuracy(histories: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy after the last update: columns run, protocol, seed, test_accuracy_percent."""
    tests = histories[histories["quantity"] == "test_accuracy_percent"]
    last = tests.sort_values("step", kind="stable").groupby(KEYS, sort=False).tail(1)
    return (
        last[[*KEYS, "value"]]
        .rename(columns={"value": "test_accuracy_percent"})
        .sort_values(KEYS, kind="stable")
        .reset_index(drop=True)
    )
