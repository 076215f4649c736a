"""What a step does to 16 units that hear and send bits, as vector instructions.

All that a unit remembers goes through registers once in a step. numba's compiler takes a pass over
the layer for each line, because it cannot prove that rows of one array do not overlap; and it
counts the references of every row that is handed on. Addresses are int64, in bytes.
"""

from functools import partial

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plausible.kernels.vectors import BLOCK, Lanes, broadcast, multiply_add

S, PHI, V, AVERAGE, BIAS, SQUARE, SPREAD, HEARD, BELOW, BITS, ANCHOR = range(11)
ROWS = 11
"""Of what units remember, [rows, units]."""
COLUMNS = 4 * BLOCK
"""Of a sum of rows."""
_INT = ir.IntType(64)


def _stepping(adaptive):
    """Code of a step of a block; see ``adapting_step``."""

    def generate(context, builder, signature, arguments):
        units, row, below, bias, target, left, begun, *numbers = arguments
        lanes = Lanes(context, builder, signature.args[-1], left)
        keep, kept, decay, unit, nudge, strength, rate, rest, constant = map(lanes.spread, numbers)
        zero, half, one = (ir.Constant(lanes.type, [value] * BLOCK) for value in (0.0, 0.5, 1.0))
        fused = partial(multiply_add, builder)

        def place(which):
            return builder.add(units, builder.mul(row, ir.Constant(_INT, which)))

        def remembered(which):
            return lanes.load(place(which))

        def remember(which, value):
            lanes.store(value, place(which))

        heard = lanes.plus(lanes.load(below), remembered(HEARD))
        decoded = fused(keep, remembered(V), lanes.times(decay, heard))
        remember(V, decoded)
        old = remembered(S)
        pressure = lanes.plus(decoded, lanes.load(bias))
        pull = lanes.times(nudge, lanes.minus(lanes.load(target), old))
        pressure = lanes.plus(pressure, pull)
        pressure = fused(strength, lanes.minus(remembered(ANCHOR), old), pressure)
        if adaptive:
            average, spread = remembered(AVERAGE), remembered(SPREAD)
            error = lanes.minus(pressure, average)
            change = lanes.times(rate, error)
            mean = fused(rest, remembered(BIAS), change)
            square = fused(change, error, lanes.times(rest, remembered(SQUARE)))
            above = fused(square, spread, lanes.times(mean, mean))
            below = lanes.times(lanes.plus(one, spread), lanes.plus(square, constant))
            size = builder.fdiv(above, below)
            remains = lanes.minus(one, size)
            spread = fused(size, size, lanes.times(remains, remains, spread))
            begun = lanes.spread_bit(begun)
            size, spread = builder.select(begun, size, one), builder.select(begun, spread, one)
            average = fused(size, error, average)
            for which, value in (
                (BIAS, mean), (SQUARE, square), (SPREAD, spread), (AVERAGE, average)
            ):  # fmt: skip
                remember(which, value)
        else:
            size = rate
        new = fused(size, lanes.minus(pressure, old), old)
        new = builder.select(builder.fcmp_ordered(">", new, zero), new, zero)
        new = builder.select(builder.fcmp_ordered("<", new, one), new, one)
        remember(S, new)
        phi = fused(fused(builder.fneg(kept), old, new), unit, remembered(PHI))
        bit = builder.select(builder.fcmp_ordered(">", phi, half), one, zero)
        remember(PHI, lanes.minus(phi, bit))
        changed = builder.fcmp_unordered("!=", bit, remembered(BITS))
        remember(BITS, bit)
        return lanes.word(changed)

    return generate


def _step_types(constant):
    return types.uint64(*(types.int64,) * 6, types.boolean, *(types.unliteral(constant),) * 9)


@intrinsic
def adapting_step(
    typing_context, units, row, below, bias, target, left, begun, keep, kept, decay, unit, nudge,
    strength, rate, rest, constant,
):  # fmt: skip
    """One step of a block of units with adaptive step sizes; word of those whose bit changes.

    ``units`` is the address of the block in the first row of what units remember, rows are ``row``
    bytes apart; ``below`` what they hear from below, ``bias`` and ``target`` are theirs; ``left``
    of them are units, at most 16 are. ``begun`` is false in the first step. ``keep`` is 1 - lambda
    and ``decay`` lambda, ``kept`` what is kept of the last state in its code, ``unit`` 1 / lambda.
    """
    return _step_types(constant), _stepping(True)


@intrinsic
def plain_step(
    typing_context, units, row, below, bias, target, left, begun, keep, kept, decay, unit, nudge,
    strength, rate, rest, constant,
):  # fmt: skip
    """The same with the step size ``rate``; ``rest`` and ``constant`` mean nothing."""
    return _step_types(constant), _stepping(False)


@intrinsic
def add_block(typing_context, target, row, factor, left, like):
    """target += factor row for ``left`` numbers of a block, at most 16, of the type of ``like``.

    Where ``factor`` is of a wider type, the sum is rounded once, from that type.
    """

    def generate(context, builder, signature, arguments):
        target, row, factor, left, _ = arguments
        lanes = Lanes(context, builder, signature.args[-1], left)
        old, change = lanes.load(target), lanes.load(row)
        wide = ir.VectorType(factor.type, BLOCK)
        if wide != lanes.type:
            old, change = builder.fpext(old, wide), builder.fpext(change, wide)
        new = multiply_add(builder, broadcast(builder, factor, wide), change, old)
        lanes.store(new if wide == lanes.type else builder.fptrunc(new, lanes.type), target)
        return context.get_dummy_value()

    numbers = types.unliteral(factor), types.int64, types.unliteral(like)
    return types.void(types.int64, types.int64, *numbers), generate


@intrinsic
def add_rows(typing_context, base, target, rows, length, signs, slots, first, last, like):
    """target = base + sum_k sign_k row_k over entries ``first`` to ``last`` of ``slots``.

    Of 64 columns. ``rows`` and ``signs`` are the addresses of all rows and their signs, a row has
    ``length`` bytes; ``slots`` int64 says which are meant, in the order of the sum. The type of
    ``like`` is that of the numbers.
    """

    def generate(context, builder, signature, arguments):
        base, target, rows, length, signs, slots, first, last, _ = arguments
        lanes = Lanes(context, builder, signature.args[-1])
        blocks = [ir.Constant(_INT, k * BLOCK * lanes.bytes) for k in range(COLUMNS // BLOCK)]
        start = [lanes.load(builder.add(base, block)) for block in blocks]
        before = builder.block
        check, body, done = map(builder.append_basic_block, ("check", "body", "done"))
        builder.branch(check)
        builder.position_at_end(check)
        k, totals = builder.phi(_INT), [builder.phi(lanes.type) for _ in blocks]
        builder.cbranch(builder.icmp_signed("<", k, last), body, done)
        builder.position_at_end(body)
        slot = builder.load(builder.gep(builder.inttoptr(slots, _INT.as_pointer()), [k]), align=8)
        sign, row = lanes.number(signs, slot), builder.add(rows, builder.mul(slot, length))
        for phi, value, block in zip(totals, start, blocks, strict=True):
            change = lanes.times(sign, lanes.load(builder.add(row, block)))
            phi.add_incoming(value, before)
            phi.add_incoming(lanes.plus(phi, change), body)
        k.add_incoming(first, before)
        k.add_incoming(builder.add(k, ir.Constant(_INT, 1)), body)
        builder.branch(check)
        builder.position_at_end(done)
        for total, block in zip(totals, blocks, strict=True):
            lanes.store(total, builder.add(target, block))
        return context.get_dummy_value()

    return types.void(*(types.int64,) * 8, types.unliteral(like)), generate
