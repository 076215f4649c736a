"""Energy of integer arithmetic by its width in bits: narrow integers against 32-bit additions.

M. Horowitz ("Computing's energy problem (and what we can do about it)", ISSCC 2014) prints 0.2 pJ
and 3.1 pJ for a multiplication of 8 and 32 bits, 0.03 pJ and 0.1 pJ for an addition (45 nm). A
multiplier has as many cells as its widths multiply to, so between and below these widths the
product is taken as quadratic, which gives 0.19 pJ at 8 bits. Sums of products of any width are
accumulated in 32 bits.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import StudyError
from plausible.measure.operations import INT32_ADD_PJ, INT32_MULTIPLY_PJ

_WIDTH = 32


def integer_multiply_pj(bits: int) -> float:
    """Energy in pJ of a multiplication of two integers of ``bits`` bits, 1 to 32."""
    if bits != int(bits) or not 1 <= bits <= _WIDTH:
        raise StudyError(
            f"integer energy: found {bits!r} bits, expected a whole number from 1 to {_WIDTH}."
        )
    return INT32_MULTIPLY_PJ * (bits / _WIDTH) ** 2


def integer_energy_nj(
    multiplications: ArrayLike, additions: ArrayLike, bits: int
) -> NDArray[np.float64]:
    """Energy in nJ of products of ``bits``-bit integers and of their 32-bit additions."""
    products = np.asarray(multiplications) * integer_multiply_pj(bits)
    return (products + np.asarray(additions) * INT32_ADD_PJ) * 1e-3
