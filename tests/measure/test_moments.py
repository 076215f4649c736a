"""The axis over the moments of weight updates."""

import pytest

from plausible.measure.moments import moment_axis

TIMES = ["l", "0", "1", "2", "3", "4", "16", "64"]


@pytest.mark.parametrize(
    ("l_max", "axis"),
    [
        (2, ["0", "l", "1", "2", "3", "4", "16", "64"]),
        (3, ["0", "1", "l", "2", "3", "4", "16", "64"]),
        (4, ["0", "1", "2", "l", "3", "4", "16", "64"]),
    ],
)
def test_place_of_l(l_max, axis):
    assert moment_axis(l_max, TIMES) == moment_axis(l_max, reversed(TIMES)) == axis


def test_what_is_there():
    assert moment_axis(3, ["16", "2"]) == ["2", "16"]
    assert moment_axis(2, ["l"]) == ["l"]
    with pytest.raises(ValueError):
        moment_axis(2, ["x"])
