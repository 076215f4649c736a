"""Tables of figure 5 from hand-made histories of runs."""

import pandas as pd

from plausible.studies.thuesen2022.histories import final_accuracy
from plausible.studies.thuesen2022.learning import tables


def history(run, seed, accuracies):
    """Test accuracies of a run every 100 steps."""
    return pd.DataFrame(
        {
            "run": run,
            "protocol": "corrected",
            "seed": seed,
            "quantity": "test_accuracy_percent",
            "step": range(0, 100 * len(accuracies), 100),
            "value": accuracies,
            "value_low": accuracies,
            "value_high": accuracies,
        }
    )


def test_final_accuracy_is_the_last_step_whatever_the_order_of_rows():
    frame = pd.concat([history("a", 0, [10.0, 90.0, 80.0]), history("a", 1, [20.0, 70.0])])
    assert list(final_accuracy(frame.iloc[::-1])["test_accuracy_percent"]) == [80.0, 70.0]


def test_rules_are_named_by_their_runs():
    runs = [history(f"fig5_{rule}", 0, [10.0, 97.0]) for rule in ("backprop", "zil")]
    frames = {"train": pd.concat(runs)}
    assert tables.fig5(frames)["algorithm"].unique().tolist() == ["backprop", "zil"]
    final = tables.zil_final_accuracy(frames)
    assert final[["algorithm", "test_accuracy_percent"]].to_numpy().tolist() == [
        ["backprop", 97.0],
        ["zil", 97.0],
    ]
