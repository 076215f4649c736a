"""What a step of a layer of LIF neurons does to 16 of them, as vector instructions.

numba's compiler takes a pass over the layer for each addition to the currents and one for the
potentials, and does not find the vectors of a comparison whose answer is a bit. Here the currents
stay in registers from the bias to the potential.

The arithmetic and its order are those of a plain loop, no product is fused with a sum, so that
results have its bits. Addresses are int64; arrays begin at a cache line
(``vectors.aligned_zeros``).
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.vectors import Lanes

_INT = ir.IntType(64)


@intrinsic
def advance_block(
    typing_context, drive, row, taps, groups, bias, current, potential, leak, threshold
):
    """Currents and potentials of a block; word of those above the threshold, not yet reset.

    current = bias + sum_k taps[k] drive[-k], four taps at a time; v += leak (current - v).
    ``drive`` is the address of the newest row, rows lie ``row`` bytes apart, the newest last;
    ``groups`` fours of taps.
    """

    def generate(context, builder, signature, arguments):
        drive, row, taps, groups, bias, current, potential, leak, threshold = arguments
        lanes = Lanes(context, builder, signature.args[-1])
        zero, one, four = (ir.Constant(_INT, number) for number in (0, 1, 4))
        start = lanes.load(bias)
        before = builder.block
        loop, done = builder.append_basic_block("taps"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        group, newest, total = builder.phi(_INT), builder.phi(_INT), builder.phi(lanes.type)
        for phi, first in ((group, zero), (newest, drive), (total, start)):
            phi.add_incoming(first, before)
        terms, place = [], newest
        for k in range(4):
            index = builder.add(builder.mul(group, four), ir.Constant(_INT, k))
            terms.append(lanes.times(lanes.number(taps, index), lanes.load(place)))
            place = builder.sub(place, row)
        found = lanes.plus(total, lanes.plus(lanes.plus(*terms[:2]), lanes.plus(*terms[2:])))
        following = builder.add(group, one)
        for phi, value in ((group, following), (newest, place), (total, found)):
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", following, groups), loop, done)
        builder.position_at_end(done)
        lanes.store(found, current)
        old = lanes.load(potential)
        gain = lanes.times(lanes.spread(leak), lanes.minus(found, old))
        new = lanes.plus(old, gain)
        lanes.store(new, potential)
        above = builder.fcmp_ordered(">", new, lanes.spread(threshold))
        return lanes.word(above)

    number = types.unliteral(threshold)
    return types.uint64(*(types.int64,) * 7, number, number), generate


def _add_rows(rows):
    """Intrinsic: ``rows`` rows of weights, each with a factor, added to the drive of a block.

    Arguments: address of the drive, addresses of the rows, factors. Sums of four as (a + b) + (c +
    d), then added to the drive.
    """

    def generate(context, builder, signature, arguments):
        lanes = Lanes(context, builder, signature.args[-1])
        drive, places, factors = arguments[0], arguments[1 : rows + 1], arguments[rows + 1 :]
        terms = [
            lanes.times(lanes.spread(factor), lanes.load(place))
            for place, factor in zip(places, factors, strict=True)
        ]
        if rows == 4:
            terms = [lanes.plus(lanes.plus(*terms[:2]), lanes.plus(*terms[2:]))]
        lanes.store(lanes.plus(lanes.load(drive), *terms), drive)
        return context.get_dummy_value()

    return generate


@intrinsic
def add_row(typing_context, drive, a, na):
    """drive += na a for a block; see ``_add_rows``."""
    return types.void(types.int64, types.int64, types.unliteral(na)), _add_rows(1)


@intrinsic
def add_four_rows(typing_context, drive, a, b, c, d, na, nb, nc, nd):
    """drive += (na a + nb b) + (nc c + nd d) for a block; see ``_add_rows``."""
    number = types.unliteral(na)
    return types.void(*(types.int64,) * 5, *(number,) * 4), _add_rows(4)
