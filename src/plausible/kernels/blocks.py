"""Small dense products and the logistic function, compiled for one core.

The networks of Song et al. 2020 have layers of 32 units and batches of 20: too small for a BLAS
call, whose overhead exceeds the work. The inner loops are written as vector instructions of LLVM,
which it translates to what the processor has (numba offers scalars only, and its compiler does not
find the vectors by itself here).

Every product sums over its inner index in ascending order for each entry of the result, so the same
operands give the same bits, whoever calls. That is what condition C1 (error nodes exactly zero at
t = 0) rests on: a prediction is the same number in the prediction phase and during inference.

Arrays are given by their addresses (int64), C-contiguous float64 unless said otherwise: handed over
as arrays, numba would count their references at every call, which costs as much as a small product.
Who asks a local array for its address does so in each call: numba frees it after its last use.
"""

import math

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.compiling import inner, kernel
from plausible.kernels.vectors import broadcast, multiply_add

BLOCK = 4
"""Rows and columns of all operands are padded to multiples of this."""

_WIDE = 8
"""Numbers of one vector instruction (512 bits; LLVM splits them where there are fewer)."""
_DOUBLE = ir.DoubleType()
_INT = ir.IntType(64)
_BYTES = 8


def padded(size: int) -> int:
    """Smallest multiple of ``BLOCK`` that is not below ``size``."""
    return -(-size // BLOCK) * BLOCK


def _vector(width):
    return ir.VectorType(_DOUBLE, width)


def _constant(value, width):
    return ir.Constant(_vector(width), [value] * width)


def _pointer(builder, address, index, to):
    """Pointer to element ``index`` of the float64 array at ``address``."""
    place = builder.add(address, builder.mul(index, ir.Constant(_INT, _BYTES)))
    return builder.inttoptr(place, to.as_pointer())


def _element(builder, address, index, kind):
    """Element ``index`` of the array of numbers of type ``kind`` at ``address``."""
    size = kind.width // 8 if isinstance(kind, ir.IntType) else _BYTES
    place = builder.add(address, builder.mul(index, ir.Constant(_INT, size)))
    return builder.load(builder.inttoptr(place, kind.as_pointer()), align=size)


def _load(builder, address, index, width):
    return builder.load(_pointer(builder, address, index, _vector(width)), align=_BYTES)


def _store(builder, value, address, index, width):
    builder.store(value, _pointer(builder, address, index, _vector(width)), align=_BYTES)


def _block_product(height, width):
    """Intrinsic: ``height`` rows and ``width`` columns of a product, held in registers.

    Few columns take more rows, for sums enough to hide the latency of additions. Arguments
    (int64): addresses of a, b, out (at their blocks' first elements); distance in
    elements between rows of a, between its inner elements, between rows of b, of out; inner size.
    """

    @intrinsic
    def multiply(typing_context, a, b, out, a_row, a_inner, b_inner, out_row, inner):
        def generate(context, builder, signature, arguments):
            a, b, out, a_row, a_inner, b_inner, out_row, inner = arguments
            zero, one = ir.Constant(_INT, 0), ir.Constant(_INT, 1)
            before = builder.block
            loop = builder.append_basic_block("inner")
            done = builder.append_basic_block("done")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(_INT)
            k.add_incoming(zero, before)
            sums = [builder.phi(_vector(width)) for _ in range(height)]
            row = _load(builder, b, builder.mul(k, b_inner), width)
            for i, partial in enumerate(sums):
                partial.add_incoming(_constant(0.0, width), before)
                place = builder.add(
                    builder.mul(a_row, ir.Constant(_INT, i)), builder.mul(k, a_inner)
                )
                scalar = _element(builder, a, place, _DOUBLE)
                total = multiply_add(
                    builder, broadcast(builder, scalar, _vector(width)), row, partial
                )
                partial.add_incoming(total, loop)
            following = builder.add(k, one)
            k.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", following, inner), loop, done)
            builder.position_at_end(done)
            for i, partial in enumerate(sums):
                total = partial.incomings[1][0]
                _store(builder, total, out, builder.mul(out_row, ir.Constant(_INT, i)), width)
            return context.get_dummy_value()

        return types.void(*(types.int64,) * 8), generate

    return multiply


_multiply_32, _multiply_16 = _block_product(4, 32), _block_product(4, 16)
_multiply_8, _multiply_4 = _block_product(4, 8), _block_product(4, 4)
_multiply_8_high, _multiply_4_high = _block_product(8, 8), _block_product(8, 4)


@inner
def _product(a, a_row, a_inner, b, b_inner, out, out_row, rows, inner, columns):
    for i in range(0, rows, 8):
        from_a, high = a + 8 * i * a_row, rows - i > 4
        next_a, below = from_a + 32 * a_row, 32 * out_row
        j = 0
        while j < columns:
            from_b, to = b + 8 * j, out + 8 * (i * out_row + j)
            left = columns - j
            if left > 28:
                _multiply_32(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                if high:
                    _multiply_32(
                        next_a, from_b, to + below, a_row, a_inner, b_inner, out_row, inner
                    )
                j += 32
            elif left > 12:
                _multiply_16(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                if high:
                    _multiply_16(
                        next_a, from_b, to + below, a_row, a_inner, b_inner, out_row, inner
                    )
                j += 16
            elif left > 4:
                if high:
                    _multiply_8_high(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                else:
                    _multiply_8(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 8
            else:
                if high:
                    _multiply_4_high(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                else:
                    _multiply_4(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 4


@kernel
def product(a, b, out, rows, inner, columns, widths):
    """out[i, j] = sum_k a[i, k] b[k, j] for i < rows, j < columns, k < inner (inner >= 1).

    ``widths``: numbers in a row of a, b and out. ``rows`` and ``columns`` are rounded up to
    multiples of ``BLOCK``; the arrays must be that large.
    """
    _product(a, widths[0], 1, b, widths[1], out, widths[2], rows, inner, columns)


@kernel
def outer_sum(a, b, out, rows, inner, columns, widths):
    """out[i, j] = sum_k a[k, i] b[k, j] for i < rows, j < columns, k < inner (inner >= 1).

    The rest as for ``product``.
    """
    _product(a, 1, widths[0], b, widths[1], out, widths[2], rows, inner, columns)


def _sparse_rows(vectors, scatter):
    """Intrinsic for ``vectors`` * 8 columns of a dense matrix and one sparse vector.

    Gather: target += sum_k value_k matrix[index_k]; scatter: matrix[index_k] += value_k target.
    Arguments (int64): addresses of the values by level (float64), of the levels (uint8) and the
    indices (int32) of the sparse vector; number of its entries; address of the matrix's first
    column; elements of its rows; address of the target.
    """

    @intrinsic
    def rows(typing_context, values, levels, indices, number, matrix, stride, target):
        def generate(context, builder, signature, arguments):
            values, levels, indices, number, matrix, stride, target = arguments
            zero, one = ir.Constant(_INT, 0), ir.Constant(_INT, 1)
            places = [ir.Constant(_INT, _WIDE * i) for i in range(vectors)]
            start = [_load(builder, target, place, _WIDE) for place in places]
            before = builder.block
            check = builder.append_basic_block("check")
            body = builder.append_basic_block("body")
            done = builder.append_basic_block("done")
            builder.branch(check)
            builder.position_at_end(check)
            k = builder.phi(_INT)
            k.add_incoming(zero, before)
            held = start if scatter else [builder.phi(_vector(_WIDE)) for _ in places]
            builder.cbranch(builder.icmp_signed("<", k, number), body, done)
            builder.position_at_end(body)
            level = builder.zext(_element(builder, levels, k, ir.IntType(8)), _INT)
            value = broadcast(builder, _element(builder, values, level, _DOUBLE), _vector(_WIDE))
            index = builder.sext(_element(builder, indices, k, ir.IntType(32)), _INT)
            first = builder.mul(index, stride)
            for i, place in enumerate(places):
                column = builder.add(first, place)
                row = _load(builder, matrix, column, _WIDE)
                if scatter:
                    total = multiply_add(builder, value, held[i], row)
                    _store(builder, total, matrix, column, _WIDE)
                else:
                    total = multiply_add(builder, value, row, held[i])
                    held[i].add_incoming(start[i], before)
                    held[i].add_incoming(total, body)
            k.add_incoming(builder.add(k, one), body)
            builder.branch(check)
            builder.position_at_end(done)
            if not scatter:
                for total, place in zip(held, places, strict=True):
                    _store(builder, total, target, place, _WIDE)
            return context.get_dummy_value()

        return types.void(*(types.int64,) * 7), generate

    return rows


_gather_wide, _gather_narrow = _sparse_rows(4, False), _sparse_rows(1, False)
_scatter_wide, _scatter_narrow = _sparse_rows(4, True), _sparse_rows(1, True)


@kernel
def gather_rows(values, levels, indices, number, matrix, width, out):
    """out += sum_k values[levels[k]] matrix[indices[k]], k < number: sparse vector times matrix.

    ``values`` ``[256]``; ``levels`` uint8 and ``indices`` int32 ``[number]``; ``matrix`` ``[rows,
    width]`` and ``out`` ``[width]``, a multiple of 8.
    """
    j = 0
    while j < width:
        if width - j >= 4 * _WIDE:
            _gather_wide(values, levels, indices, number, matrix + 8 * j, width, out + 8 * j)
            j += 4 * _WIDE
        else:
            _gather_narrow(values, levels, indices, number, matrix + 8 * j, width, out + 8 * j)
            j += _WIDE


@kernel
def scatter_rows(values, levels, indices, number, vector, matrix, width):
    """matrix[indices[k]] += values[levels[k]] vector, k < number: an outer product's update.

    Shapes as for ``gather_rows``, ``vector`` ``[width]``.
    """
    j = 0
    while j < width:
        if width - j >= 4 * _WIDE:
            _scatter_wide(values, levels, indices, number, matrix + 8 * j, width, vector + 8 * j)
            j += 4 * _WIDE
        else:
            _scatter_narrow(values, levels, indices, number, matrix + 8 * j, width, vector + 8 * j)
            j += _WIDE


_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_LARGEST_EXPONENT = 700.0
_ROUNDING = 1.5 * 2.0**52
"""Adding this and subtracting it again rounds to the nearest integer."""
_TAYLOR = [1.0 / math.factorial(n) for n in range(13, -1, -1)]


def _exp(builder, x):
    """e^x by vectors, within one unit in the last place; arguments are clipped to +-700.

    x = k ln 2 + r with |r| <= ln(2)/2; e^r from its Taylor polynomial of degree 13.
    """
    width = x.type.count
    for limit, comparison in ((_LARGEST_EXPONENT, ">"), (-_LARGEST_EXPONENT, "<")):
        limit = _constant(limit, width)
        x = builder.select(builder.fcmp_ordered(comparison, x, limit), limit, x)
    shifted = multiply_add(
        builder, x, _constant(1.0 / math.log(2.0), width), _constant(_ROUNDING, width)
    )
    k = builder.fsub(shifted, _constant(_ROUNDING, width))
    r = multiply_add(builder, k, _constant(-_LN2_HIGH, width), x)
    r = multiply_add(builder, k, _constant(-_LN2_LOW, width), r)
    polynomial = _constant(_TAYLOR[0], width)
    for coefficient in _TAYLOR[1:]:
        polynomial = multiply_add(builder, polynomial, r, _constant(coefficient, width))
    integers = ir.VectorType(_INT, width)
    exponent = builder.add(
        builder.bitcast(shifted, integers), ir.Constant(integers, [1023] * width)
    )
    # The low bits of `shifted` are k; the rest leaves the word with the shift.
    scale = builder.shl(exponent, ir.Constant(integers, [52] * width))
    return builder.fmul(polynomial, builder.bitcast(scale, x.type))


def _lanes(arguments, formula):
    """Code of an intrinsic that takes ``arguments`` addresses of 8 numbers each, then scalars.

    ``formula(builder, vectors, numbers)`` gives the vector that goes to the last address, from
    those at the addresses (the last one's among them, as the last).
    """

    def generate(context, builder, signature, given):
        zero = ir.Constant(_INT, 0)
        vectors = [_load(builder, address, zero, _WIDE) for address in given[:arguments]]
        numbers = [broadcast(builder, number, _vector(_WIDE)) for number in given[arguments:]]
        _store(builder, formula(builder, vectors, numbers), given[arguments - 1], zero, _WIDE)
        return context.get_dummy_value()

    return generate


def _logistic(builder, x):
    down = _exp(builder, builder.fsub(_constant(-0.0, _WIDE), x))
    one = _constant(1.0, _WIDE)
    return builder.fdiv(one, builder.fadd(one, down))


def _tanh(builder, x):
    """2 / (1 + e^(-2 x)) - 1."""
    two = _constant(2.0, _WIDE)
    half = _logistic(builder, builder.fmul(two, x))
    return builder.fsub(builder.fmul(two, half), _constant(1.0, _WIDE))


def _sigmoid_slope(builder, activity):
    return builder.fmul(activity, builder.fsub(_constant(1.0, _WIDE), activity))


def _tanh_slope(builder, activity):
    return builder.fsub(_constant(1.0, _WIDE), builder.fmul(activity, activity))


_TWO, _THREE = (types.void(*(types.int64,) * number) for number in (2, 3))


def _activation(function):
    @intrinsic
    def apply(typing_context, x, y):
        return _TWO, _lanes(2, lambda builder, vectors, numbers: function(builder, vectors[0]))

    return apply


def _sending(slope):
    @intrinsic
    def apply(typing_context, activity, message, out):
        return _THREE, _lanes(
            3, lambda builder, v, numbers: builder.fmul(v[1], slope(builder, v[0]))
        )

    return apply


_sigmoid_lanes, _tanh_lanes = _activation(_logistic), _activation(_tanh)
_send_sigmoid, _send_tanh = _sending(_sigmoid_slope), _sending(_tanh_slope)


@intrinsic
def _copy_lanes(typing_context, a, out):
    return _TWO, _lanes(2, lambda builder, v, numbers: v[0])


@intrinsic
def _subtract_lanes(typing_context, a, b, out):
    return _THREE, _lanes(3, lambda builder, v, numbers: builder.fsub(v[0], v[1]))


@intrinsic
def _add_lanes(typing_context, a, out):
    return _TWO, _lanes(2, lambda builder, v, numbers: builder.fadd(v[1], v[0]))


@intrinsic
def _move_lanes(typing_context, message, error, x, gamma):
    def formula(builder, vectors, numbers):
        message, error, x = vectors
        return builder.fadd(x, builder.fmul(numbers[0], builder.fsub(message, error)))

    return types.void(*(types.int64,) * 3, types.float64), _lanes(3, formula)


SIGMOID, TANH = 0, 1


@kernel
def activate(kind, x, activity, size):
    """f(x) = 1 / (1 + e^-x) or tanh(x) of ``size`` numbers, a multiple of 8; so below."""
    for place in range(0, 8 * size, 8 * _WIDE):
        if kind == SIGMOID:
            _sigmoid_lanes(x + place, activity + place)
        else:
            _tanh_lanes(x + place, activity + place)


@inner
def send(kind, activity, message, out, size):
    """message * f'(x), the slope written by f: f (1 - f), or 1 - f^2 for tanh."""
    for place in range(0, 8 * size, 8 * _WIDE):
        if kind == SIGMOID:
            _send_sigmoid(activity + place, message + place, out + place)
        else:
            _send_tanh(activity + place, message + place, out + place)


@inner
def copy_numbers(a, out, size):
    """out = a."""
    for place in range(0, 8 * size, 8 * _WIDE):
        _copy_lanes(a + place, out + place)


@inner
def subtract(a, b, out, size):
    """out = a - b."""
    for place in range(0, 8 * size, 8 * _WIDE):
        _subtract_lanes(a + place, b + place, out + place)


@inner
def add(a, out, size):
    """out += a."""
    for place in range(0, 8 * size, 8 * _WIDE):
        _add_lanes(a + place, out + place)


@inner
def move(message, error, x, gamma, size):
    """x += gamma (message - error)."""
    for place in range(0, 8 * size, 8 * _WIDE):
        _move_lanes(message + place, error + place, x + place, gamma)
