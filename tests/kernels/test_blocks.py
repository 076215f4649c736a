"""Compiled products and the logistic function against numpy and exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from plausible.kernels import blocks
from plausible.kernels.blocks import BLOCK, SIGMOID, TANH, padded
from plausible.kernels.vectors import aligned_zeros

SIZES = [
    (1, 1, 1), (4, 3, 4), (16, 9, 17), (5, 7, 3), (8, 1, 8), (13, 20, 9), (20, 32, 10), (6, 33, 37),
]  # fmt: skip
UNTOUCHED = -7.5


def at(*arrays: np.ndarray) -> list[int]:
    """Addresses."""
    return [array.ctypes.data for array in arrays]


def product(a, b, out, rows, inner, columns):
    widths = (a.shape[1], b.shape[1], out.shape[1])
    blocks.product(*at(a, b, out), rows, inner, columns, widths)


def outer_sum(a, b, out, rows, inner, columns):
    widths = (a.shape[1], b.shape[1], out.shape[1])
    blocks.outer_sum(*at(a, b, out), rows, inner, columns, widths)


def operands(rows: int, inner: int, columns: int, seed: int = 0, spare: int = 0):
    """Arrays of the rounded sizes, ``spare`` blocks wider than needed, random throughout."""
    rng = np.random.default_rng(seed)
    wide = padded(columns) + BLOCK * spare
    high = padded(rows) + BLOCK * spare
    return (
        rng.standard_normal((high, inner + spare)),
        rng.standard_normal((inner + spare, wide)),
        np.full((high, wide), UNTOUCHED),
    )


def test_padded_is_the_next_multiple_of_a_block():
    assert [padded(size) for size in (0, 1, 3, 4, 5, 8, 33)] == [0, 4, 4, 4, 8, 8, 36]


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize(("rows", "inner", "columns"), SIZES)
def test_product_is_that_of_numpy(rows, inner, columns, spare):
    a, b, out = operands(rows, inner, columns, spare=spare)
    product(a, b, out, rows, inner, columns)
    high, wide = padded(rows), padded(columns)
    assert np.allclose(out[:high, :wide], a[:high, :inner] @ b[:inner, :wide], rtol=0, atol=1e-13)
    assert (out[high:] == UNTOUCHED).all() and (out[:, wide:] == UNTOUCHED).all()


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize(("rows", "inner", "columns"), SIZES)
def test_outer_sum_is_the_product_with_the_transpose(rows, inner, columns, spare):
    a, b, out = operands(rows, inner, columns, spare=spare)
    a = np.ascontiguousarray(np.pad(a.T, ((0, 0), (0, 3))))
    outer_sum(a, b, out, rows, inner, columns)
    high, wide = padded(rows), padded(columns)
    expected = a[:inner, :high].T @ b[:inner, :wide]
    assert np.allclose(out[:high, :wide], expected, rtol=0, atol=1e-13)
    assert (out[high:] == UNTOUCHED).all() and (out[:, wide:] == UNTOUCHED).all()


def in_order(a: np.ndarray, b: np.ndarray, fused: bool) -> float:
    """sum_k a_k b_k in ascending order, rounded as the processor does with or without fusing."""
    total = 0.0
    for left, right in zip(a.tolist(), b.tolist(), strict=True):
        exact = Fraction(left) * Fraction(right)
        total = float(exact + Fraction(total)) if fused else float(exact) + total
    return total


@pytest.mark.parametrize("function", [product, outer_sum])
def test_every_entry_is_summed_in_ascending_order(function):
    rows, inner, columns = 5, 40, 13
    a, b, out = operands(rows, inner, columns, seed=3)
    function(a if function is product else np.ascontiguousarray(a.T), b, out, rows, inner, columns)
    shown = out[:rows, :columns]
    for fused in (True, False):
        expected = [[in_order(a[i], b[:, j], fused) for j in range(columns)] for i in range(rows)]
        if np.array_equal(shown, expected):
            return
    pytest.fail("neither the fused nor the plain sums in ascending order, bit by bit")


def test_same_operands_give_the_same_bits_wherever_they_stand():
    rows, inner, columns = 20, 32, 44
    a, b, out = operands(rows, inner, columns, seed=4)
    product(a, b, out, rows, inner, columns)
    for row in (0, 3, 11, 19):
        # Alone among other rows, and in the narrow as well as in the wide columns.
        alone = operands(4, inner, columns, seed=5)[0]
        alone[2] = a[row]
        for first, width in ((0, 44), (8, 20), (40, 4), (36, 8), (4, 12)):
            part = np.ascontiguousarray(b[:, first : first + width])
            result = np.zeros((4, width))
            product(alone, part, result, 3, inner, width)
            assert np.array_equal(result[2], out[row, first : first + width])
    again = np.zeros_like(out)
    product(a, b, again, rows, inner, columns)
    assert np.array_equal(again, out)


@pytest.mark.parametrize("width", [8, 24, 32, 40, 72])
@pytest.mark.parametrize("number", [0, 1, 50])
def test_gather_and_scatter_rows(width, number):
    rng = np.random.default_rng(width + number)
    values = rng.standard_normal(256)
    matrix = rng.standard_normal((60, width))
    levels = rng.integers(0, 256, number).astype(np.uint8)
    indices = rng.choice(60, number, replace=False).astype(np.int32)
    if number:
        levels[-1], indices[:] = 255, np.sort(indices)
    vector = rng.standard_normal(width)

    dense = np.zeros(60)
    dense[indices] = values[levels]
    gathered = vector.copy()
    blocks.gather_rows(*at(values, levels, indices), number, *at(matrix), width, *at(gathered))
    assert np.allclose(gathered, vector + dense @ matrix, rtol=0, atol=1e-13)

    scattered = matrix.copy()
    blocks.scatter_rows(*at(values, levels, indices), number, *at(vector, scattered), width)
    assert np.allclose(scattered, matrix + np.outer(dense, vector), rtol=0, atol=1e-14)
    others = np.setdiff1d(np.arange(60), indices)
    assert np.array_equal(scattered[others], matrix[others])


def test_gathered_columns_do_not_depend_on_the_width():
    rng = np.random.default_rng(1)
    values, matrix = rng.standard_normal(256), rng.standard_normal((30, 40))
    levels, indices = rng.integers(0, 256, 20).astype(np.uint8), np.arange(20, dtype=np.int32)
    whole = np.zeros(40)
    blocks.gather_rows(*at(values, levels, indices), 20, *at(matrix), 40, *at(whole))
    for first in range(0, 40, 8):
        part = np.zeros(8)
        columns = np.ascontiguousarray(matrix[:, first:][:, :8])
        blocks.gather_rows(*at(values, levels, indices), 20, *at(columns), 8, *at(part))
        assert np.array_equal(part, whole[first : first + 8])


def applied(x: np.ndarray, kind: int = SIGMOID) -> np.ndarray:
    """The compiled function of a flat array whose length is a multiple of 8."""
    y = np.empty_like(x)
    blocks.activate(kind, *at(x, y), len(x))
    return y


@pytest.mark.parametrize(
    ("low", "high"), [(-700, -37), (-37, -5), (-5, 0), (-0.01, 0.01), (0, 5), (5, 700)]
)
def test_sigmoid_is_the_rounded_true_value_up_to_one_epsilon_and_a_half(low, high):
    """torch and numpy reach 2.5 units in the last place below zero; so does this one (2.4)."""
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("long double is no longer than double on this machine")
    x = np.random.default_rng(0).uniform(low, high, 160_000)
    exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    error = np.abs(applied(x) - exact)
    assert (error / np.spacing(exact.astype(float))).max() <= 2.6
    assert (error / exact).max() <= 1.5 * np.finfo(float).eps
    assert (error / np.spacing(exact.astype(float))).mean() < 0.6


def test_sigmoid_at_its_ends():
    x = np.array([0.0, -0.0, np.inf, 1e308, 710.0, 40.0, 5e-324, -1e-300])
    assert applied(x).tolist() == [0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    down = applied(np.array([-np.inf, -1e308, -745.2, -701.0, -700.0, -690.0, -40.0, -37.5]))
    assert (down > 0).all() and (np.diff(down) >= 0).all() and down[4] < 1e-304
    assert np.array_equal(down[:4], down[[4] * 4])
    mixed = applied(np.array([np.nan, 1.0, -np.nan, -1.0, np.inf, np.nan, 0.0, 2.0]))
    assert np.isnan(mixed[[0, 2, 5]]).all() and np.isfinite(mixed[[1, 3, 4, 6, 7]]).all()


def test_tanh_is_that_of_numpy():
    x = np.random.default_rng(1).normal(0, 3, 8000)
    assert np.allclose(applied(x, TANH), np.tanh(x), rtol=0, atol=4 * np.finfo(float).eps)
    assert np.abs(applied(x) - np.tanh(x)).max() > 0.5


def test_sigmoid_in_place_and_of_some_numbers_only():
    x = np.random.default_rng(2).normal(0, 5, 96)
    expected, y = applied(x), np.full(96, UNTOUCHED)
    blocks.activate(SIGMOID, *at(x, y), 64)
    assert np.array_equal(y[:64], expected[:64]) and (y[64:] == UNTOUCHED).all()
    blocks.activate(SIGMOID, *at(x, x), 96)
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aligned_zeros_begin_at_a_cache_line(dtype):
    for shape in ((3,), (5, 7), (2, 0)):
        zeros = aligned_zeros(shape, dtype)
        assert zeros.shape == shape and zeros.dtype == dtype and not zeros.any()
        assert zeros.ctypes.data % 64 == 0 or not zeros.size
