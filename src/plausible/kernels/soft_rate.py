"""The soft rate of a layer and its slope in one pass, in single precision.

Torch takes 18 passes over the layer for them (``plausible.neurons.rates``, the readable twin). The
loop below has no branches and no calls, so that the compiler finds the vectors by itself; the two
functions that it lacks, e^x and log(1 + x), are polynomials of Cephes (expf, logf), within an unit
in the last place or two.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.compiling import branchless, branchless_kernel, wide_vectors

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_SIGNIFICANT = ir.Constant(_INT, 23)
"""Bits behind the exponent of a float32."""
_SQRT_HALF = ir.Constant(_INT, 0x3F3504F3)
"""The bits of sqrt(1/2): significands are taken from [sqrt(1/2), sqrt(2))."""

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_LOG2_E = _F(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_ROUNDING = _F(1.5 * 2.0**23 + 127)
"""Adding it rounds to an integer n and leaves n + 127, the exponent of 2^n, in the last bits."""
_SMALLEST = _F(-87.0)
"""Below, e^x would be denormal."""
_E5, _E4, _E3, _E2, _E1, _E0 = (
    _F(c)
    for c in (
        1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3,
        4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
    )
)  # fmt: skip
_L8, _L7, _L6, _L5, _L4, _L3, _L2, _L1, _L0 = (
    _F(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip


def _on_bits(work):
    """Intrinsic: a function of the bits of one float32. In integers of numba it would be 64."""

    @intrinsic
    def function(typing_context, number):
        def generate(context, builder, signature, arguments):
            return work(builder, builder.bitcast(arguments[0], _INT))

        return types.float32(types.float32), generate

    return function


def _shifted(builder, bits):
    return builder.sub(bits, _SQRT_HALF)


_power_of_two = _on_bits(
    lambda builder, bits: builder.bitcast(builder.shl(bits, _SIGNIFICANT), _FLOAT)
)
_exponent = _on_bits(
    lambda builder, bits: builder.sitofp(
        builder.ashr(_shifted(builder, bits), _SIGNIFICANT), _FLOAT
    )
)
_significand = _on_bits(
    lambda builder, bits: builder.bitcast(
        builder.sub(bits, builder.and_(_shifted(builder, bits), ir.Constant(_INT, -(1 << 23)))),
        _FLOAT,
    )
)


@branchless
def _exp(x):
    """e^x for x <= 0: e^x = 2^n e^r with |r| <= ln(2) / 2."""
    x = _SMALLEST if x < _SMALLEST else x
    rounded = x * _LOG2_E + _ROUNDING
    n = rounded - _ROUNDING
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    tail = ((((_E5 * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E0
    return (tail * (r * r) + r + _ONE) * _power_of_two(rounded)


@branchless
def _log1p(x):
    """log(1 + x) for x >= 0: that of the rounded sum, and what the sum lost, to first order."""
    total = _ONE + x
    lost = (x - (total - _ONE)) / total
    n = _exponent(total)
    r = _significand(total) - _ONE
    tail = _L8 * r + _L7
    tail = ((((((tail * r + _L6) * r + _L5) * r + _L4) * r + _L3) * r + _L2) * r + _L1) * r + _L0
    small = tail * r * (r * r) + _LN2_LOW * n - _HALF * (r * r) + lost
    return r + small + _LN2_HIGH * n


@branchless_kernel
def soft_rate_and_slope(
    current, value, slope, scale, gamma, offset, threshold, time_constant, refractory, lowest
):
    """value = scale r(j), slope = scale dr/dj (Thuesen 2022, eq. 38).

    With b = gamma log(1 + exp((j - V_th) / gamma)) + offset, r = 1 / (t_ref + tau_RC log(1 + V_th /
    b)) in Hz and dr/dj = r^2 tau_RC V_th / (b (b + V_th)) / (1 + exp(-(j - V_th) / gamma)).

    ``current`` j in units of the threshold, ``value`` and ``slope`` are ``[n]``, all numbers
    float32, times in seconds. Excess (j - V_th) / gamma below ``lowest`` follows the asymptote.
    What is not a number stays so, which is why bounds are written with what is compared last: every
    comparison with it is false.
    """
    wide_vectors()
    inverse_gamma = _ONE / gamma
    for i in range(current.size):
        scaled = (current[i] - threshold) * inverse_gamma
        bounded = lowest if scaled < lowest else scaled
        above = _ZERO if bounded < _ZERO else bounded
        decay = _exp(bounded if bounded < _ZERO else -bounded)
        smoothed = (above + _log1p(decay)) * gamma + offset
        asymptote = bounded - scaled if offset == _ZERO else _ZERO
        logarithm = _log1p(threshold / smoothed) + asymptote
        rate = _ONE / (logarithm * time_constant + refractory)
        value[i] = rate * scale
        gate = (decay if bounded < _ZERO else _ONE) / (
            (_ONE + decay) * (smoothed * (smoothed + threshold))
        )
        slope[i] = gate * (rate * rate) * (time_constant * threshold * scale)
