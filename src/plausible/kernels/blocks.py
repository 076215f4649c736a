"""Small dense products and the logistic function, compiled for one core.

The networks of Song et al. 2020 have layers of 32 units and batches of 20: too small for a BLAS
call, whose overhead exceeds the work. The inner loops are written as vector instructions of LLVM,
which it translates to what the processor has (numba offers scalars only, and its compiler does not
find the vectors by itself here).

Every product sums over its inner index in ascending order for each entry of the result, so the same
operands give the same bits, whoever calls. That is what condition C1 (error nodes exactly zero at
t = 0) rests on: a prediction is the same number in the prediction phase and during inference.
"""

import math

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.compiling import inner, kernel

BLOCK = 4
"""Rows and columns of all operands are padded to multiples of this."""

_ROWS = 4
_WIDE = 8
"""Numbers of one vector instruction (512 bits; LLVM splits them where there are fewer)."""
_WIDTHS = (32, 16, 8, 4)
"""Columns of a block of a product: the widest has sums enough to hide the latency of additions."""
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


def _broadcast(builder, scalar, width):
    start = ir.Constant(_vector(width), ir.Undefined)
    first = builder.insert_element(start, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(first, start, zeros)


def _multiply_add(builder, a, b, c):
    """a b + c, fused where the processor has it."""
    kind = a.type
    name = f"llvm.fmuladd.v{kind.count}f64"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * 3), name
    )
    return builder.call(function, [a, b, c])


def _block_product(width):
    """Intrinsic: four rows and ``width`` columns of a product, held in registers.

    Arguments (int64): addresses of a, b, out (at their blocks' first elements); distance in
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
            sums = [builder.phi(_vector(width)) for _ in range(_ROWS)]
            row = _load(builder, b, builder.mul(k, b_inner), width)
            for i, partial in enumerate(sums):
                partial.add_incoming(_constant(0.0, width), before)
                place = builder.add(
                    builder.mul(a_row, ir.Constant(_INT, i)), builder.mul(k, a_inner)
                )
                scalar = _element(builder, a, place, _DOUBLE)
                total = _multiply_add(builder, _broadcast(builder, scalar, width), row, partial)
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


_multiply_32, _multiply_16, _multiply_8, _multiply_4 = map(_block_product, _WIDTHS)


@inner
def _product(a, a_row, a_inner, b, b_inner, out, out_row, rows, inner, columns):
    for i in range(0, rows, _ROWS):
        from_a = a + 8 * i * a_row
        j = 0
        while j < columns:
            from_b, to = b + 8 * j, out + 8 * (i * out_row + j)
            left = columns - j
            if left > 28:
                _multiply_32(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 32
            elif left > 12:
                _multiply_16(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 16
            elif left > 4:
                _multiply_8(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 8
            else:
                _multiply_4(from_a, from_b, to, a_row, a_inner, b_inner, out_row, inner)
                j += 4


@kernel
def product(a, b, out, rows, inner, columns):
    """out[i, j] = sum_k a[i, k] b[k, j] for i < rows, j < columns, k < inner (inner >= 1).

    C-contiguous float64 arrays. ``rows`` and ``columns`` are rounded up to multiples of ``BLOCK``;
    the arrays must be that large.
    """
    _product(
        a.ctypes.data, a.shape[1], 1, b.ctypes.data, b.shape[1], out.ctypes.data, out.shape[1],
        rows, inner, columns,
    )  # fmt: skip


@kernel
def outer_sum(a, b, out, rows, inner, columns):
    """out[i, j] = sum_k a[k, i] b[k, j] for i < rows, j < columns, k < inner (inner >= 1).

    C-contiguous float64 arrays. ``rows`` and ``columns`` are rounded up to multiples of ``BLOCK``;
    the arrays must be that large.
    """
    _product(
        a.ctypes.data, 1, a.shape[1], b.ctypes.data, b.shape[1], out.ctypes.data, out.shape[1],
        rows, inner, columns,
    )  # fmt: skip


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
            value = _broadcast(builder, _element(builder, values, level, _DOUBLE), _WIDE)
            index = builder.sext(_element(builder, indices, k, ir.IntType(32)), _INT)
            first = builder.mul(index, stride)
            for i, place in enumerate(places):
                column = builder.add(first, place)
                row = _load(builder, matrix, column, _WIDE)
                if scatter:
                    total = _multiply_add(builder, value, held[i], row)
                    _store(builder, total, matrix, column, _WIDE)
                else:
                    total = _multiply_add(builder, value, row, held[i])
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
def gather_rows(values, levels, indices, matrix, out):
    """out += sum_k values[levels[k]] matrix[indices[k]]: a sparse vector times a matrix.

    ``values`` float64 ``[256]``; ``levels`` uint8 and ``indices`` int32 ``[k]``; ``matrix``
    ``[rows, 8 n]`` and ``out`` ``[8 n]`` float64; all C-contiguous.
    """
    width = matrix.shape[1]
    j = 0
    while j < width:
        if width - j >= 4 * _WIDE:
            _gather_wide(
                values.ctypes.data, levels.ctypes.data, indices.ctypes.data, len(levels),
                matrix.ctypes.data + 8 * j, width, out.ctypes.data + 8 * j,
            )  # fmt: skip
            j += 4 * _WIDE
        else:
            _gather_narrow(
                values.ctypes.data, levels.ctypes.data, indices.ctypes.data, len(levels),
                matrix.ctypes.data + 8 * j, width, out.ctypes.data + 8 * j,
            )  # fmt: skip
            j += _WIDE


@kernel
def scatter_rows(values, levels, indices, vector, matrix):
    """matrix[indices[k]] += values[levels[k]] vector, for every k: an outer product's update.

    Shapes as for ``gather_rows``, ``vector`` ``[8 n]``.
    """
    width = matrix.shape[1]
    j = 0
    while j < width:
        if width - j >= 4 * _WIDE:
            _scatter_wide(
                values.ctypes.data, levels.ctypes.data, indices.ctypes.data, len(levels),
                matrix.ctypes.data + 8 * j, width, vector.ctypes.data + 8 * j,
            )  # fmt: skip
            j += 4 * _WIDE
        else:
            _scatter_narrow(
                values.ctypes.data, levels.ctypes.data, indices.ctypes.data, len(levels),
                matrix.ctypes.data + 8 * j, width, vector.ctypes.data + 8 * j,
            )  # fmt: skip
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
    shifted = _multiply_add(
        builder, x, _constant(1.0 / math.log(2.0), width), _constant(_ROUNDING, width)
    )
    k = builder.fsub(shifted, _constant(_ROUNDING, width))
    r = _multiply_add(builder, k, _constant(-_LN2_HIGH, width), x)
    r = _multiply_add(builder, k, _constant(-_LN2_LOW, width), r)
    polynomial = _constant(_TAYLOR[0], width)
    for coefficient in _TAYLOR[1:]:
        polynomial = _multiply_add(builder, polynomial, r, _constant(coefficient, width))
    integers = ir.VectorType(_INT, width)
    exponent = builder.add(
        builder.bitcast(shifted, integers), ir.Constant(integers, [1023] * width)
    )
    # The low bits of `shifted` are k; the rest leaves the word with the shift.
    scale = builder.shl(exponent, ir.Constant(integers, [52] * width))
    return builder.fmul(polynomial, builder.bitcast(scale, x.type))


@intrinsic
def _sigmoid_vector(typing_context, source, target):
    """Write 1 / (1 + e^-x) of the numbers at the first address to the second."""

    def generate(context, builder, signature, arguments):
        zero = ir.Constant(_INT, 0)
        x = _load(builder, arguments[0], zero, _WIDE)
        one = _constant(1.0, _WIDE)
        down = _exp(builder, builder.fsub(_constant(-0.0, _WIDE), x))
        _store(builder, builder.fdiv(one, builder.fadd(one, down)), arguments[1], zero, _WIDE)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@kernel
def sigmoid(x, y, rows):
    """y = 1 / (1 + e^-x) for the first ``rows`` of C-contiguous float64 arrays ``[rows, 8 n]``."""
    source, target = x.ctypes.data, y.ctypes.data
    for k in range(0, rows * x.shape[1], _WIDE):
        _sigmoid_vector(source + 8 * k, target + 8 * k)
