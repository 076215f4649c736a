"""Final accuracies from the histories of training runs."""

import pandas as pd

KEYS = ["run", "protocol", "seed"]


def final_accuracy(histories: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy after the last update: columns run, protocol, seed, test_accuracy_percent."""
    tests = histories[histories["quantity"] == "test_accuracy_percent"]
    last = tests.sort_values("step", kind="stable").groupby(KEYS, sort=False).tail(1)
    last = last[[*KEYS, "value"]].rename(columns={"value": "test_accuracy_percent"})
    return last.sort_values(KEYS, kind="stable", ignore_index=True)
