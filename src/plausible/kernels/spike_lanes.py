"""Adding a row to potentials and finding those beyond the threshold, as vector instructions.

Few potentials cross the threshold at an event, so that a look at each of them would cost more than
the addition. Here the comparisons of up to 64 potentials become the bits of one word, which is
nearly always zero; numba's compiler does not find that by itself.

The arithmetic is that of the arrays, float64 or int64: one addition per element, so that results
have the bits of the plain loop.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.vectors import broadcast, multiply_add

_INT = ir.IntType(64)
_BIT = ir.IntType(1)
_BYTES = 8


def _add_real(builder, phi, row, positive):
    """phi + row or phi - row; a product with 1 or -1 is exact, so a fused one changes no bit."""
    kind = phi.type
    one, minus = (ir.Constant(kind.element, sign) for sign in (1.0, -1.0))
    sign = broadcast(builder, builder.select(positive, one, minus), kind)
    return multiply_add(builder, sign, row, phi)


def _add_lanes(width, rectified):
    """Intrinsic: a row added to (or subtracted from) ``width`` potentials; word of those beyond.

    Arguments: addresses of potentials and row (int64), whether to add, threshold, whose type is
    that of the numbers. Bit k of the result is set where potential k is above the threshold, or,
    if not ``rectified``, beyond it on either side.
    """

    @intrinsic
    def add(typing_context, potential, row, positive, half):
        number = types.float64 if isinstance(half, types.Float) else types.int64

        def generate(context, builder, signature, arguments):
            real = isinstance(number, types.Float)
            vector = ir.VectorType(ir.DoubleType() if real else _INT, width)
            compare = builder.fcmp_ordered if real else builder.icmp_signed
            potential, row, positive, half = arguments
            positive = builder.trunc(positive, _BIT) if positive.type != _BIT else positive
            place = builder.inttoptr(potential, vector.as_pointer())
            phi = builder.load(place, align=_BYTES)
            change = builder.load(builder.inttoptr(row, vector.as_pointer()), align=_BYTES)
            if real:
                phi = _add_real(builder, phi, change, positive)
            else:
                phi = builder.add(phi, builder.select(positive, change, builder.neg(change)))
            builder.store(phi, place, align=_BYTES)
            beyond = compare(">", phi, broadcast(builder, half, vector))
            if not rectified:
                below = builder.fneg(half) if real else builder.neg(half)
                below = compare("<", phi, broadcast(builder, below, vector))
                beyond = builder.or_(beyond, below)
            word = builder.bitcast(beyond, ir.IntType(width))
            return word if width == 64 else builder.zext(word, _INT)

        return types.uint64(types.int64, types.int64, types.boolean, number), generate

    return add


add_above_64, add_above_8, add_above_1 = (_add_lanes(width, True) for width in (64, 8, 1))
add_beyond_64, add_beyond_8, add_beyond_1 = (_add_lanes(width, False) for width in (64, 8, 1))
