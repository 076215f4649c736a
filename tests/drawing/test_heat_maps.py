"""Numbers in cells, and colour scales with a linear part."""

import numpy as np
import pytest

from plausible.drawing.heat_maps import Scale, short_number


def test_numbers_of_few_characters():
    texts = [short_number(value, 2) for value in (13.2, 9.46, 0.281, 0.997, 0, 2.4e-13)]
    assert texts == ["13", "9.5", ".28", "1.0", "0", "2e−13"]
    assert short_number(0.1767, 3) == ".177"
    assert short_number(351.2, 2) == "350"
    assert short_number(12345.0, 3) == "1e4"
    assert short_number(np.nan) == short_number(np.inf) == "∞"


def test_a_colour_scale_is_linear_below_its_threshold_and_monotone():
    norm = Scale("Blues", 50.38, (0, 5, 50), linear_below=0.15).norm()
    values = np.array([0.0, 0.05, 0.1, 0.15, 0.5, 5.0, 50.38, 64.0])
    drawn = np.asarray(norm(values))
    assert drawn[0] == 0.0 and drawn[-1] == drawn[-2] == 1.0
    assert (np.diff(drawn[:-1]) > 0).all()
    assert drawn[1] == pytest.approx(drawn[2] / 2) == pytest.approx(drawn[3] / 3)
    assert Scale("Greens", 50.0, (0, 50)).norm()(25.0) == pytest.approx(0.5)
