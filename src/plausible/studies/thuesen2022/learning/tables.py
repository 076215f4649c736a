"""Tidy tables of figure 5."""

import pandas as pd

from plausible.reproduction.frames import Frames
from plausible.studies.thuesen2022.histories import final_accuracy


def fig5(frames: Frames) -> pd.DataFrame:
    """Figure 5: test accuracy and training loss against update steps."""
    history = frames["train"]
    return history.assign(algorithm=history["run"].str.removeprefix("fig5_"))[
        ["protocol", "algorithm", "seed", "step", "quantity", "value", "value_low", "value_high"]
    ]


def zil_final_accuracy(frames: Frames) -> pd.DataFrame:
    """Final accuracies of figure 5 (section 4.1: 97.31 %)."""
    final = final_accuracy(frames["train"])
    return final.assign(algorithm=final["run"].str.removeprefix("fig5_"))[
        ["protocol", "algorithm", "seed", "test_accuracy_percent"]
    ]
