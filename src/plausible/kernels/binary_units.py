"""Units that hear and send bits, one sample in time: the loops of the binary network.

The equations stand in ``plausible.networks.binary_equilibrium``. What units remember are rows of
one array ``units`` [rows, units], all free layers one after the other; ``first`` says where each
begins, ``edges`` where each matrix begins in ``up`` and, transposed, in ``down``.

Loops over units are split so that each has few arrays: the compiler vectorises only what it can
check for overlap. Numbers are compared with those of arrays of their own type, since a literal
would make float64 of all.
"""

from plausible.kernels.compiling import branchless, inner, summing

LEVELS = 256
_NARROW = 32
"""Units of a layer to which products with all bits of the layer below are cheap."""
S, PHI, V, AVERAGE, BIAS, SQUARE, SPREAD, HEARD, BELOW, BITS, ANCHOR, PRESSURE, STEP = range(13)
ROWS = 13
"""Of what units remember; the last two only within a step."""
LAMBDA, EPSILON, RATE = 0, 1, 2
"""Rows of the values of a step."""


@branchless
def _hear_both(v, pressure, below, above, bias, keep, decay):
    for j in range(len(v)):
        new = keep * v[j] + decay * (below[j] + above[j])
        v[j] = new
        pressure[j] = new + bias[j]


@branchless
def _hear(v, pressure, heard, bias, keep, decay):
    for j in range(len(v)):
        new = keep * v[j] + decay * heard[j]
        v[j] = new
        pressure[j] = new + bias[j]


@branchless
def _attract(pressure, anchor, s, strength):
    for j in range(len(pressure)):
        pressure[j] += strength * (anchor[j] - s[j])


@branchless
def _estimate(pressure, average, bias, square, rate, rest):
    for j in range(len(pressure)):
        error = pressure[j] - average[j]
        bias[j] = rest * bias[j] + rate * error
        square[j] = rest * square[j] + rate * error * error


@branchless
def _adapt(bias, square, spread, step, one, constant):
    for j in range(len(step)):
        lam = spread[j]
        new = (square[j] * lam + bias[j] * bias[j]) / ((one + lam) * (square[j] + constant))
        step[j] = new
        spread[j] = (one - new) * (one - new) * lam + new * new


@branchless
def _average(average, pressure, step):
    for j in range(len(step)):
        average[j] += step[j] * (pressure[j] - average[j])


@branchless
def _move(s, phi, pressure, step, keep, unit, zero, one):
    for j in range(len(s)):
        old = s[j]
        new = min(one, max(zero, old + step[j] * (pressure[j] - old)))
        s[j] = new
        phi[j] += (new - keep * old) * unit


@branchless
def _fire(phi, bits, changed, half, zero, one):
    for j in range(len(phi)):
        bit = one if phi[j] > half else zero
        phi[j] -= bit
        changed[j] = bit != bits[j]
        bits[j] = bit


@branchless
def add_scaled(target, row, factor):
    """target += factor row."""
    for j in range(len(target)):
        target[j] += factor * row[j]


@branchless
def _add(target, row):
    for j in range(len(target)):
        target[j] += row[j]


@branchless
def _subtract(target, row):
    for j in range(len(target)):
        target[j] -= row[j]


@summing
def _product(one, other):
    total = one[0] * other[0]
    for j in range(1, len(one)):
        total += one[j] * other[j]
    return total


@inner
def _narrow(first, layer):
    """Whether the layer above is so narrow that products with all bits are cheaper."""
    top = len(first) - 2
    return layer < top and first[layer + 2] - first[layer + 1] <= _NARROW


@inner
def _tell(units, layer, unit, first, edges, up, down):
    """A unit's row is added to what its neighbours hear, or taken away."""
    begin, end, top = first[layer], first[layer + 1], len(first) - 2
    sent = units[BITS, begin + unit] != 0
    if layer < top and not _narrow(first, layer):
        beyond = first[layer + 2]
        low = edges[layer] + unit * (beyond - end)
        row = up[low : low + beyond - end]
        if sent:
            _add(units[HEARD, end:beyond], row)
        else:
            _subtract(units[HEARD, end:beyond], row)
    if layer > 1:
        below = first[layer - 1]
        low = edges[layer - 1] + unit * (begin - below)
        row = down[low : low + begin - below]
        if sent:
            _add(units[HEARD, below:begin], row)
        else:
            _subtract(units[HEARD, below:begin], row)


@inner
def _send(units, changed, words, first, edges, up, down):
    """Everything that changed bits tell the layers next to them."""
    top, layer = len(first) - 2, 1
    for below in range(1, top):
        if not _narrow(first, below):
            continue
        # A narrow layer hears all bits anew; it is not the first one, so nothing is in the sum
        # but what the layer above it sends by its changes.
        a, b = first[below], first[below + 1]
        bits = units[BITS, a:b]
        for k in range(first[below + 2] - b):
            low = edges[below] + k * (b - a)
            units[BELOW, b + k] = _product(bits, down[low : low + b - a])
    for word in range(first[2] // 8 if _narrow(first, 1) else 0, len(words)):
        if words[word] != 0:
            for place in range(8 * word, min(8 * word + 8, first[top + 1])):
                if changed[place]:
                    while place >= first[layer + 1]:
                        layer += 1
                    _tell(units, layer, place - first[layer], first, edges, up, down)


@inner
def sample_steps(
    units, changed, words, drive, time, until, first, edges, up, down, biases, values, adaptive,
    constant, numbers, target, nudge, known, strength,
):  # fmt: skip
    """Steps ``time`` to ``until`` of one sample; ``nudge`` is 2 beta, 0 without a target.

    ``strength`` is that of the anchors, ``known`` whether neighbours know the start. Layer 0 is the
    input, whose units are not kept; those of the others begin at ``first[1]``.
    """
    zero, half, one = numbers[0], numbers[1], numbers[2]
    top = len(first) - 2
    while time < until:
        decay = values[LAMBDA, time]
        keep = one - decay
        for layer in range(1, top + 1):
            a, b = first[layer], first[layer + 1]
            pressure, step, s = units[PRESSURE, a:b], units[STEP, a:b], units[S, a:b]
            if layer == 1:
                _hear_both(
                    units[V, a:b], pressure, drive[time], units[HEARD, a:b], biases[a:b], keep,
                    decay,
                )  # fmt: skip
            elif _narrow(first, layer - 1):
                _hear_both(
                    units[V, a:b], pressure, units[BELOW, a:b], units[HEARD, a:b], biases[a:b],
                    keep, decay,
                )  # fmt: skip
            else:
                _hear(units[V, a:b], pressure, units[HEARD, a:b], biases[a:b], keep, decay)
            if layer == top and nudge != zero:
                for j in range(b - a):
                    pressure[j] += nudge * (target[j] - s[j])
            if strength != zero:
                _attract(pressure, units[ANCHOR, a:b], s, strength)
            if adaptive:
                rate = values[RATE, time]
                _estimate(
                    pressure, units[AVERAGE, a:b], units[BIAS, a:b], units[SQUARE, a:b], rate,
                    one - rate,
                )  # fmt: skip
                if time > 0:
                    _adapt(
                        units[BIAS, a:b],
                        units[SQUARE, a:b],
                        units[SPREAD, a:b],
                        step,
                        one,
                        constant,
                    )
                else:
                    for j in range(b - a):
                        step[j] = one
                        units[SPREAD, a + j] = one
                _average(units[AVERAGE, a:b], pressure, step)
            else:
                for j in range(b - a):
                    step[j] = values[EPSILON, time]
            # Before the first step nothing is known of a unit, not even of a state that was kept,
            # unless its neighbours were told.
            left = keep if time > 0 or known else zero
            _move(s, units[PHI, a:b], pressure, step, left, one / decay, zero, one)
        a = first[1]
        _fire(units[PHI, a:], units[BITS, a:], changed[a:], half, zero, one)
        _send(units, changed, words, first, edges, up, down)
        time += 1


@inner
def input_sums(image, slots, levels, sums, mostly, exceptions, begins, up, width, steps, drive):
    """What layer 1 hears of the input at each step; the number of grey levels of the image.

    ``levels`` and ``sums`` hold them, and the sum of the rows of each.
    """
    number = 0
    slots[:] = -1
    for i in range(len(image)):
        level = image[i]
        if level == 0:
            continue
        slot = slots[level]
        if slot < 0:
            slots[level] = slot = number
            levels[slot] = level
            sums[slot] = 0
            number += 1
        _add(sums[slot], up[i * width : (i + 1) * width])
    base = sums[LEVELS]
    base[:] = 0
    for slot in range(number):
        if mostly[levels[slot]]:
            _add(base, sums[slot])
    for time in range(steps):
        drive[time] = base
    for slot in range(number):
        level = levels[slot]
        for place in range(begins[level], begins[level + 1]):
            if mostly[level]:
                _subtract(drive[exceptions[place]], sums[slot])
            else:
                _add(drive[exceptions[place]], sums[slot])
    return number


@inner
def _inform(units, changed, words, levels, sums, white, numbers, first, edges, up, down):
    """All units know the states of all neighbours and of the input, and have sent one bit."""
    top, width = len(first) - 2, first[2] - first[1]
    for slot in range(len(levels)):
        add_scaled(units[V, :width], sums[slot], levels[slot] / white)
    for layer in range(1, top):
        a, b, c = first[layer], first[layer + 1], first[layer + 2]
        for i in range(a, b):
            low = edges[layer] + (i - a) * (c - b)
            add_scaled(units[V, b:c], up[low : low + c - b], units[S, i])
        for k in range(b, c):
            low = edges[layer] + (k - b) * (b - a)
            add_scaled(units[V, a:b], down[low : low + b - a], units[S, k])
    for j in range(first[top + 1]):
        changed[j] = units[S, j] > numbers[1]
        units[BITS, j] = changed[j]
        units[PHI, j] = units[S, j] - units[BITS, j]
    _send(units, changed, words, first, edges, up, down)


@inner
def begin_sample(
    units, changed, words, start, known, levels, sums, white, numbers, first, edges, up, down
):  # fmt: skip
    """States are those of ``start``, clipped; nothing heard or sent yet, unless they are known.

    ``levels`` are those of the image, ``sums`` the sums of the rows of each.
    """
    units[:] = 0
    changed[:] = 0
    for j in range(len(start)):
        units[ANCHOR, j] = start[j]
        units[S, j] = min(numbers[2], max(numbers[0], start[j]))
    if known:
        _inform(units, changed, words, levels, sums, white, numbers, first, edges, up, down)
