"""Song et al. 2020: the grid of figure 3 and the weight updates of table 4."""

import song_grid
import song_update
from timing import Row

from plausible.data.dataset import Dataset


def run(dataset: Dataset, repetitions: int) -> list[Row]:
    """Rows of both."""
    return song_grid.run(dataset, repetitions) + song_update.run(repetitions)
