"""The past rule of the first matrix of a PDNN, whose weights nobody reads until an input spikes.

By the past rule (``plausible.learning.pd_updates``) W_ij moves wherever input i or error j spikes,
and mostly some error does: nearly every weight at nearly every sample. But nothing goes back to the
input, so a row is read only when its input spikes, and until then the reconstruction of the input
only decays. All that such a row has missed since its input last spiked, at t0, is then

    -eta pre_i(t0) sum_(t0 <= tau < t) k_alpha^(tau - t0) post_j(tau),

a difference of sums F_j that all rows share: what is due when the row is read ends at the last
spike of j, and the rest follows when it has been read. Sums are kept for a block of samples,
because their terms shrink as k_alpha^tau; at its end all rows, and the areas of the past rule, are
what they are if every weight moves at once, up to rounding.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.kernels.compiling import inner
from plausible.kernels.pdnn_types import UPDATES, Network, Rule, weight_starts

_SMALLEST_SHARE, _LONGEST, _SHORTEST = 1e-3, 64, 8
"""Of the last term of a block in the first, which costs as many digits; and samples of a block."""


class Late(NamedTuple):
    """Of a block: inputs i [n_0], units of the first hidden layer j [n_1], samples r [R]."""

    areas: NDArray[np.float64]
    """Of the past rule, up to the last spike of input or unit, [n_0 n_1]."""
    sizes: NDArray[np.float64]
    """pre_i as if extrapolated back to the beginning, pre_i(t) / k_alpha^t, [n_0]."""
    since: NDArray[np.int64]
    """Sample at which the input last spiked; -1: none in this block, [n_0]."""
    sums: NDArray[np.float64]
    """F_j, sum of k_alpha^tau post_j(tau) before each sample, [R + 1, n_1]."""
    due: NDArray[np.float64]
    """F_j at the last spike of j less F_j at r; 0 if that spike came before r, [R, n_1]."""
    posts: NDArray[np.float64]
    """post_j after each sample, [R, n_1]."""
    powers: NDArray[np.float64]
    """k_alpha^r, [R]."""
    latest: NDArray[np.int64]
    """Sample of the last spike of j; -1: none, [n_1]."""
    spiked: NDArray[np.float64]
    """1 if there was one, else 0, [n_1]."""
    last: NDArray[np.float64]
    """k_alpha^r post_j at it, [n_1]."""
    decayed: NDArray[np.float64]
    """k_alpha post_j from before the block, [n_1]."""
    older: NDArray[np.float64]
    """Of a row, what it missed before the block, [n_1]."""
    sizes_before: NDArray[np.float64]
    """``sizes`` and ``since`` of an input before the row was read last, [n_0]."""
    since_before: NDArray[np.int64]


def block_length(rule: Rule, samples: int) -> int:
    """Samples of a block in a training of ``samples``; 0: every weight had better move at once."""
    if UPDATES[rule.update] != "past" or not 0 < rule.k_alpha < 1:
        return 0
    length = math.floor(math.log(_SMALLEST_SHARE) / math.log(rule.k_alpha))
    length = min(_LONGEST, length, samples)
    return length if length >= _SHORTEST else 0


def make_late(network: Network, rule: Rule, length: int) -> Late:
    """Room for blocks of ``length`` samples."""
    inputs, units = network.sizes[:2]
    vectors = [np.zeros(units) for _ in range(4)]
    vectors += [np.zeros(inputs), np.zeros(inputs, np.int64)]
    return Late(
        network.areas[: weight_starts(network.sizes)[1]],
        np.zeros(inputs),
        np.zeros(inputs, np.int64),
        np.zeros((length + 1, units)),
        np.zeros((length, units)),
        np.zeros((length, units)),
        rule.k_alpha ** np.arange(length),
        np.zeros(units, np.int64),
        *vectors,
    )


# The loops over a row have few arrays each: with many, the compiler gives up to prove that none of
# them overlaps, and does not vectorise.


@inner
def begin_block(late, pre, post, k_alpha):
    """From the reconstructions of both sides, pre [n_0] and post [n_1]."""
    for i in range(len(pre)):
        late.sizes[i], late.since[i] = k_alpha * pre[i], -1
    for j in range(len(post)):
        late.decayed[j], late.latest[j] = k_alpha * post[j], -1
        late.sums[0, j] = late.due[0, j] = late.spiked[j] = 0.0


@inner
def _before(late, area, size, factor):
    """What a row had missed before the block."""
    older, decayed = late.older, late.decayed
    for j in range(len(older)):
        older[j] = factor * (area[j] - size * decayed[j])


@inner
def _read_first(late, row, area, size, now, spike, totals, rate, factor):
    """`read_rows` of a row that is read for the first time in the block."""
    _before(late, area, size, factor)
    older, spiked, due, step_size = late.older, late.spiked, late.due[0], rate * size
    for j in range(len(older)):
        totals[j] += spike * (row[j] - (spiked[j] * older[j] + step_size * due[j]))
    for j in range(len(older)):
        row[j] -= older[j] + step_size * now[j]


@inner
def read_rows(late, weights, step, active, number, spikes, pre, totals, rate, factor):
    """totals[j] = sum over spiking inputs i of s_i W_ij; rows that are read miss nothing after it.

    ``active`` are those inputs, ``pre`` the reconstructions with their spikes, ``rate`` is eta and
    ``factor`` eta / (1 - k_alpha^2).
    """
    sizes, since, sums, dues = late.sizes, late.since, late.sums, late.due
    width, now, power = len(late.older), late.sums[step], late.powers[step]
    for j in range(width):
        totals[j] = 0.0
    for place in range(number):
        i = active[place]
        spike, low, begun = spikes[i], i * width, since[i]
        row = weights[low : low + width]
        if begun < 0:
            area = late.areas[low : low + width]
            _read_first(late, row, area, sizes[i], now, spike, totals, rate, factor)
        else:
            due, then, step_size = dues[begun], sums[begun], rate * sizes[i]
            for j in range(width):
                weight = row[j]
                totals[j] += spike * (weight - step_size * due[j])
                row[j] = weight - step_size * (now[j] - then[j])
        late.sizes_before[i], late.since_before[i] = sizes[i], begun
        sizes[i], since[i] = pre[i] / power, step


@inner
def unread_rows(late, weights, step, rate, factor):
    """Take back what `read_rows` did in a sample by which the network has diverged."""
    width, now = len(late.older), late.sums[step]
    for i in range(len(late.sizes)):
        if late.since[i] == step:
            low, size, begun = i * width, late.sizes_before[i], late.since_before[i]
            row, step_size = weights[low : low + width], rate * size
            if begun < 0:
                _before(late, late.areas[low : low + width], size, factor)
                for j in range(width):
                    row[j] += late.older[j] + step_size * now[j]
            else:
                then = late.sums[begun]
                for j in range(width):
                    row[j] += step_size * (now[j] - then[j])
            late.sizes[i], late.since[i] = size, begun


@inner
def end_sample(late, step, post, errors):
    """Take up the reconstructions of the errors after a sample, and which of them spiked."""
    power, now, after = late.powers[step], late.sums[step], late.sums[step + 1]
    for j in range(len(post)):
        late.posts[step, j] = post[j]
        after[j] = now[j] + power * post[j]
        if errors[j] != 0.0:
            late.latest[j], late.spiked[j], late.last[j] = step, 1.0, power * post[j]
            for begun in range(step + 1):
                late.due[begun, j] = now[j] - late.sums[begun, j]
    if step + 1 < len(late.due):
        late.due[step + 1] = 0.0


@inner
def end_block(late, weights, seen, rate, factor):
    """Bring all rows up to the last spike of input or unit, and the areas to after it."""
    latest, last, spiked, older = late.latest, late.last, late.spiked, late.older
    width = len(latest)
    for i in range(len(late.sizes)):
        if not seen[i]:
            continue
        low, high = i * width, (i + 1) * width
        row, area = weights[low:high], late.areas[low:high]
        size, begun = late.sizes[i], late.since[i]
        step_size, due = rate * size, late.due[max(begun, 0)]
        if begun < 0:
            _before(late, area, size, factor)
            for j in range(width):
                row[j] -= spiked[j] * older[j] + step_size * due[j]
            for j in range(width):
                area[j] = size * last[j] if latest[j] >= 0 else area[j]
        else:
            post, pre = late.posts[begun], size * late.powers[begun]
            for j in range(width):
                row[j] -= step_size * due[j]
            for j in range(width):
                area[j] = size * last[j] if latest[j] >= begun else pre * post[j]
