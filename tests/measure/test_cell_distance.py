"""Distance of cells from published ones that were read off a colour scale."""

import numpy as np
import pandas as pd
import pytest

from plausible.measure.cell_distance import cell_distance


def test_a_reading_at_the_end_of_the_scale_is_a_lower_bound():
    ours, theirs = pd.Series([30.0, 48.0, 500.0, np.nan]), pd.Series([49.3] * 4)
    top, names = 46.2, pd.Series(["a", "b", "c", "d"])
    found = cell_distance(ours, theirs, top, names)
    assert list(found) == pytest.approx([16.2 / 46.2, 0.0, 0.0, 0.0])
    one = pd.Series(["a"] * 4)
    assert cell_distance(ours, theirs, top, one)["a"] == pytest.approx(16.2 / (4 * 46.2))
