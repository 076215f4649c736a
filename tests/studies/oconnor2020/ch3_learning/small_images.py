"""Small images and short settings with which chapter 3's trainings are tested."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.dataset import Dataset, make_dataset
from plausible.learning import spiking_training as learning

WHITE = 16
SHARED = {
    "hidden_sizes": [9, 8],
    "initial_deviation": 0.3,
    "steps": 4,
    "learning_rate": 0.05,
    "epochs": 2,
    "protocols": {"as_coded": {}},
    "variants": {"sgd": {"update": "sgd"}},
    "test_epochs": [0, 0.5, 1, 2],
}
"""What every training states."""
SETTINGS = SHARED | {
    "variants": {"sgd": {"update": "sgd"}, "relu": {"form": "rectified"}},
    "tested_parts": ["train", "thesis", "official"],
    "training_images_tested": 10,
    "anytime_steps": 6,
}
"""With learning curves, and tests of the trained networks."""


def small_images() -> Dataset:
    """36 small images that train (30 by the thesis) and 12 official ones that test."""
    rng = np.random.default_rng(3)

    def part(number):
        grey = rng.integers(0, WHITE + 1, (number, 12)) * rng.integers(0, 2, (number, 12))
        return grey, np.arange(number) % 10

    return make_dataset("small", *part(36), *part(12), image_shape=(3, 4), white=WHITE)


def chosen(table: pd.DataFrame, **columns) -> pd.DataFrame:
    """Rows in which the columns have these values."""
    for name, value in columns.items():
        table = table[table[name] == value]
    return table


class Killed(Exception):
    """What ends a run from outside."""


def killed_and_resumed(run, stop, monkeypatch):
    """What ``run`` returns after it was killed at progress ``stop``, and the samples it trained."""
    save, stretch, calls, trained = learning.save_progress, learning.train_stretch, [], []

    def save_and_die(*arguments):
        save(*arguments)
        calls.append(1)
        if len(calls) == stop:
            raise Killed

    def counted(*arguments):
        trained.append(len(arguments[4]))
        return stretch(*arguments)

    monkeypatch.setattr(learning, "save_progress", save_and_die)
    with pytest.raises(Killed):
        run()
    monkeypatch.setattr(learning, "train_stretch", counted)
    return run(), sum(trained)
