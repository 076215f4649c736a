"""Small images on which chapter 3's trainings are tested."""

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset, make_dataset

WHITE = 16


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
