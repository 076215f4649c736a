"""Energy of integer arithmetic by its width."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.measure.integer_energy import integer_energy_nj, integer_multiply_pj


def test_widths_that_are_printed():
    assert integer_multiply_pj(32) == 3.1  # Horowitz 2014
    assert integer_multiply_pj(8) == pytest.approx(0.2, abs=0.01)


def test_half_the_width_is_a_quarter_of_the_energy():
    for bits in (2, 4, 6, 16, 32):
        assert integer_multiply_pj(bits) == pytest.approx(4 * integer_multiply_pj(bits // 2))


def test_energy_adds_products_and_32_bit_sums():
    found = integer_energy_nj(np.array([1000.0, 0.0]), np.array([500.0, 2000.0]), 32)
    np.testing.assert_allclose(found, [3.1 + 0.05, 0.2], rtol=1e-12)


@pytest.mark.parametrize("bits", [0, 33, 2.5])
def test_a_width_that_is_none(bits):
    with pytest.raises(StudyError, match=r"integer energy: found .* from 1 to 32\.$"):
        integer_multiply_pj(bits)
