"""Training and evaluation of one proportional-derivative network, compiled for one core.

O'Connor 2020, section 5.3.5. One sample is one time step; every sum crosses a layer as spikes, and
what neurons remember outlives the sample. With codes as in ``plausible.neurons.pd_coding``:

    s^l = Q(enc(h^l)),  z^(l+1) = dec(s^l W^l) + b^(l+1),  h^l = max(0, z^l), h^L = softmax(z^L)
    e^l = Q(enc(d^l)),  d^(l-1) = dec(W^(l-1) e^l) * [z^(l-1) > 0],  d^L = h^L - target

from the input h^0, where d is the gradient of the negative log likelihood by z (eq. 5.10 to 5.12).
All of a step uses the weights from before it. Then W^l moves by one of the rules of
``plausible.learning.pd_updates`` between s^l and e^(l+1), b by d itself, and each code's scale
follows what it encodes, forward and backward apart (eq. C.8). By the past rule, rows of W^0 wait
until they are read (``pdnn_late``). The same in vectors, where all is done at once, is in
``pdnn_reference``.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.kernels.compiling import inner, kernel, merged
from plausible.kernels.deep_spiking_types import check_order
from plausible.kernels.pdnn_late import (
    begin_block,
    block_length,
    end_block,
    end_sample,
    make_late,
    read_rows,
    unread_rows,
)
from plausible.kernels.pdnn_types import (
    LARGEST,
    SMALLEST,
    Network,
    Predictions,
    Rule,
    Side,
    Training,
    Work,
    check_samples,
    starts,
    weight_starts,
)

_RECONSTRUCTION, _PAST = 0, 1


@inner
def _flushed(value):
    return 0.0 if abs(value) < SMALLEST else value


@inner
def _send(units, scales, layer, begin, end, values, spikes, before, active, rule):
    """Encode, quantize and remember the values of a layer; number of units that spike.

    ``before`` is what remains of the reconstruction before the spikes. -1 if a value cannot be
    encoded.
    """
    k_beta, magnitude = scales[0, layer], scales[1, layer]
    last, potential, trace = units[0], units[1], units[2]
    size, number, finite = 0.0, 0, True
    limit = LARGEST * k_beta
    for i in range(begin, end):
        value = values[i]
        finite &= abs(value) <= limit
        size += abs(value)
        encoded = (value - rule.k_alpha * last[i]) / k_beta
        last[i] = value
        if rule.quantized:
            phi = potential[i] + encoded
            count = np.ceil(abs(phi) - 0.5) if abs(phi) > 0.5 else 0.0
            spike = count if phi > 0.0 else -count
            potential[i] = phi - spike
        else:
            spike = encoded
        spikes[i] = spike
        rest = _flushed(rule.k_alpha * trace[i])
        before[i] = rest
        trace[i] = rest + k_beta * spike
    if not finite:
        return -1
    for i in range(begin, end):
        if spikes[i] != 0.0:
            active[begin + number] = i
            number += 1
    scales[0, layer] += rule.tuning_rate * (rule.k_beta_relative * magnitude - k_beta)
    scales[1, layer] += rule.tuning_rate * (size / (end - begin) - magnitude)
    return number


@inner
def _add_rows(weights, edge, width, begin, active, number, spikes, sums):
    """sums[j] = sum over spiking units i of s_i W_ij."""
    for j in range(width):
        sums[j] = 0.0
    for place in range(begin, begin + number):
        i = active[place]
        spike = spikes[i]
        row = weights[edge + (i - begin) * width : edge + (i - begin + 1) * width]
        for j in range(width):
            sums[j] += spike * row[j]


@inner
def _add_columns(weights, edge, height, width, begin, active, number, spikes, sums):
    """sums[i] = sum over spiking units j of W_ij e_j.

    Four rows at a time, because each sum waits for its own additions alone.
    """
    whole = height - height % 4
    for i in range(0, whole, 4):
        low = edge + i * width - begin
        one, two, three, four = 0.0, 0.0, 0.0, 0.0
        for place in range(begin, begin + number):
            j = active[place]
            spike = spikes[j]
            one += weights[low + j] * spike
            two += weights[low + width + j] * spike
            three += weights[low + 2 * width + j] * spike
            four += weights[low + 3 * width + j] * spike
        sums[i], sums[i + 1], sums[i + 2], sums[i + 3] = one, two, three, four
    for i in range(whole, height):
        total = 0.0
        for place in range(begin, begin + number):
            j = active[place]
            total += weights[edge + i * width + j - begin] * spikes[j]
        sums[i] = total


@inner
def _receive(units, begin, end, sums, k_beta, rule):
    decoded = units[3]
    for j in range(begin, end):
        decoded[j] = _flushed(k_beta * sums[j - begin] + rule.k_alpha * decoded[j])


@inner
def _forward(first, edges, weights, biases, units, scales, values, work, rule, late, step):
    """Values of all layers from those of the input; False if one cannot be encoded.

    ``step`` is that of the block in which the first matrix is updated late; -1: it is up to date.
    """
    top = len(first) - 2
    for layer in range(top):
        begin, end, beyond = first[layer], first[layer + 1], first[layer + 2]
        k_beta = scales[0, layer]
        number = _send(
            units, scales, layer, begin, end, values, work.spikes, work.before, work.active, rule
        )
        if number < 0:
            return False
        work.numbers[layer] = number
        width = beyond - end
        if layer == 0 and step >= 0:
            rate = rule.learning_rate
            factor = rate / (1.0 - rule.k_alpha * rule.k_alpha)
            read_rows(
                late, weights, step, work.active, number, work.spikes, units[2], work.sums, rate,
                factor,
            )  # fmt: skip
            for place in range(number):
                work.seen[work.active[place]] = True
        else:
            edge = edges[layer]
            _add_rows(weights, edge, width, begin, work.active, number, work.spikes, work.sums)
        _receive(units, end, beyond, work.sums, k_beta, rule)
        for j in range(end, beyond):
            z = units[3, j] + biases[j]
            work.inputs[j] = z
            values[j] = z if layer + 1 == top or z > 0.0 else 0.0
    begin, end = first[top], first[top + 1]
    largest = values[begin]
    for j in range(begin, end):
        largest = max(largest, values[j])
    total = 0.0
    for j in range(begin, end):
        values[j] = np.exp(values[j] - largest)
        total += values[j]
    for j in range(begin, end):
        values[j] /= total
    return np.isfinite(total)


@inner
def _backward(first, edges, weights, units, scales, deltas, work, rule):
    """Gradients of all layers from that of the output; False if one cannot be encoded."""
    for layer in range(len(first) - 2, 0, -1):
        begin, end = first[layer], first[layer + 1]
        k_beta = scales[0, layer]
        number = _send(
            units, scales, layer, begin, end, deltas, work.errors, work.behind, work.failed, rule
        )
        if number < 0:
            return False
        work.error_numbers[layer] = number
        if layer > 1:
            low = first[layer - 1]
            _add_columns(
                weights, edges[layer - 1], begin - low, end - begin, begin, work.failed, number,
                work.errors, work.sums,
            )  # fmt: skip
            _receive(units, low, begin, work.sums, k_beta, rule)
            for i in range(low, begin):
                deltas[i] = units[3, i] if work.inputs[i] > 0.0 else 0.0
    return True


@merged
def _change(row, area, pre, pre_before, post, post_before, factor, rule):
    """Update of the weights of one input whose units all may have spiked."""
    if rule.update == _PAST:
        for j in range(len(row)):
            row[j] -= factor * (area[j] - pre_before * post_before[j])
            area[j] = pre * post[j]
    elif rule.update == _RECONSTRUCTION:
        for j in range(len(row)):
            row[j] -= factor * pre * post[j]
    else:
        for j in range(len(row)):
            row[j] -= factor * (pre * post[j] - pre_before * post_before[j])


@merged
def _change_some(row, area, pre, pre_before, post, post_before, sent, factor):
    """Past rule for an input that did not spike: where units spiked, told without a branch."""
    for j in range(len(row)):
        change, new = factor * (area[j] - pre_before * post_before[j]), pre * post[j]
        row[j] -= change if sent[j] != 0.0 else 0.0
        area[j] = new if sent[j] != 0.0 else area[j]


@inner
def _update(lowest, first, edges, weights, areas, forward, backward, work, rule):
    """The weights from layer ``lowest`` on by the traces of both sides."""
    rest = 1.0 - rule.k_alpha * rule.k_alpha
    factor = rule.learning_rate if rule.update == _RECONSTRUCTION else rule.learning_rate / rest
    for layer in range(lowest, len(first) - 2):
        begin, end, beyond = first[layer], first[layer + 1], first[layer + 2]
        width, number = beyond - end, work.error_numbers[layer + 1]
        post, post_before = backward[2, end:beyond], work.behind[end:beyond]
        sent = work.errors[end:beyond]
        for i in range(begin, end):
            pre, pre_before = forward[2, i], work.before[i]
            low = edges[layer] + (i - begin) * width
            row, area = weights[low : low + width], areas[low : low + width]
            if work.spikes[i] != 0.0:
                work.seen[i] = True
                _change(row, area, pre, pre_before, post, post_before, factor, rule)
            elif not work.seen[i]:
                continue
            elif rule.update == _RECONSTRUCTION:
                if pre != 0.0:
                    _change(row, area, pre, pre_before, post, post_before, factor, rule)
            elif 4 * number > width and rule.update == _PAST:
                _change_some(row, area, pre, pre_before, post, post_before, sent, factor)
            elif 2 * number > width and rule.update != _PAST:
                if pre != 0.0:
                    step = factor * pre
                    for j in range(width):
                        row[j] -= step * (post[j] - post_before[j])
            else:
                for place in range(end, end + number):
                    j = work.failed[place] - end
                    if rule.update == _PAST:
                        row[j] -= factor * (area[j] - pre_before * post_before[j])
                        area[j] = pre * post[j]
                    else:
                        row[j] -= factor * pre * (post[j] - post_before[j])


@kernel
def _train(
    first, edges, weights, biases, areas, forward, forward_scales, backward, backward_scales,
    inputs, white, labels, order, work, rule, counts, late, block,
):  # fmt: skip
    top, step = len(first) - 2, -1
    values, deltas = np.zeros(first[-1]), np.zeros(first[-1])
    pre, post = forward[2, : first[1]], backward[2, first[1] : first[2]]
    rate, rest = rule.learning_rate, 1.0 - rule.k_alpha * rule.k_alpha
    for done in range(len(order)):
        sample = order[done]
        if block > 0:
            step = done % block
            if step == 0:
                begin_block(late, pre, post, rule.k_alpha)
        for i in range(first[1]):
            values[i] = inputs[sample, i] / white
        finite = _forward(
            first, edges, weights, biases, forward, forward_scales, values, work, rule, late, step
        )
        if finite:
            for j in range(first[top], first[top + 1]):
                deltas[j] = values[j]
            deltas[first[top] + labels[sample]] -= 1.0
            finite = _backward(first, edges, weights, backward, backward_scales, deltas, work, rule)
        if block > 0:
            if finite:
                end_sample(late, step, post, work.errors[first[1] : first[2]])
            else:
                unread_rows(late, weights, step, rate, rate / rest)
            if step + 1 == block or done + 1 == len(order) or not finite:
                end_block(late, weights, work.seen, rate, rate / rest)
        if not finite:
            return done
        lowest = 1 if block > 0 else 0
        _update(lowest, first, edges, weights, areas, forward, backward, work, rule)
        for j in range(first[1], first[-1]):
            biases[j] -= rule.learning_rate * deltas[j]
        for layer in range(top + 1):
            for i in range(first[layer], first[layer + 1]):
                if layer < top:
                    counts[0, layer] += np.int64(abs(work.spikes[i]))
                if layer > 0:
                    counts[1, layer] += np.int64(abs(work.errors[i]))
            if layer < top:
                x, e = work.numbers[layer], work.error_numbers[layer + 1]
                below = first[layer + 1] - first[layer]
                above = first[layer + 2] - first[layer + 1]
                counts[2, layer] += x * above + e * below - x * e
    return len(order)


@kernel
def _predict(
    first, edges, weights, biases, units, scales, inputs, white, work, rule, classes, counts, late
):  # fmt: skip
    top = len(first) - 2
    values = np.zeros(first[-1])
    for sample in range(len(inputs)):
        for i in range(first[1]):
            values[i] = inputs[sample, i] / white
        if not _forward(first, edges, weights, biases, units, scales, values, work, rule, late, -1):
            return
        best = first[top]
        for j in range(first[top], first[top + 1]):
            if values[j] > values[best]:
                best = j
        classes[sample] = best - first[top]
        for layer in range(top):
            for i in range(first[layer], first[layer + 1]):
                counts[sample, layer] += np.int64(abs(work.spikes[i]))


def _make_work(network: Network) -> Work:
    units, layers = sum(network.sizes), len(network.sizes)
    areas, seen = network.matrices, np.zeros(units, np.bool_)
    first = starts(network.sizes)
    for layer in range(len(areas)):
        part = slice(first[layer], first[layer + 1])
        seen[part] = network.forward.units[2, part] != 0
        rows = network.areas[slice(*weight_starts(network.sizes)[layer : layer + 2])]
        seen[part] |= rows.reshape(areas[layer].shape).any(axis=1)
    return Work(
        *(np.zeros(units) for _ in range(5)),
        np.zeros(max(network.sizes)),
        *(np.zeros(units, np.int64) for _ in range(2)),
        *(np.zeros(layers, np.int64) for _ in range(2)),
        seen,
    )


def train(
    network: Network,
    rule: Rule,
    inputs: NDArray,
    white: float,
    labels: NDArray,
    order: NDArray | None = None,
) -> Training:
    """Train ``network`` in place, one sample after another.

    Parameters
    ----------
    network, rule:
        From `pdnn_types.make_network` and `make_rule`.
    inputs:
        Samples [samples, n_0]; divided by ``white`` they are the input.
    labels:
        Their classes, whole numbers [samples].
    order:
        Indices of the samples to be shown, in this order (None: all in theirs).

    Returns
    -------
    What happened; ``samples`` are fewer than asked for if the network diverged, whose weights are
    then those of the moment before.

    Raises
    ------
    StudyError
        If samples, labels or order do not fit.
    """
    check_samples(network, inputs, white, labels)
    order = np.arange(len(inputs)) if order is None else check_order(order, len(inputs))
    counts = np.zeros((3, len(network.sizes)), np.int64)
    block = block_length(rule, len(order))
    done = _train(
        starts(network.sizes), weight_starts(network.sizes), network.weights, network.biases,
        network.areas, *network.forward, *network.backward, inputs, float(white),
        labels.astype(np.int64), order, _make_work(network), rule, counts,
        make_late(network, rule, block), block,
    )  # fmt: skip
    return Training(done, done < len(order), *counts)


def predict(
    network: Network, rule: Rule, inputs: NDArray, white: float, side: Side | None = None
) -> Predictions:
    """Send samples through the network in their order, as spikes.

    Parameters
    ----------
    side:
        What the neurons remember of earlier samples, changed in place, scales included (None: that
        of the network itself). The author tests with neurons of their own, which share the scales
        of the training.

    Returns
    -------
    Classes, and spikes of each layer for each sample.
    """
    check_samples(network, inputs, white, None)
    side = network.forward if side is None else side
    classes = np.full(len(inputs), -1)
    counts = np.zeros((len(inputs), len(network.sizes)), np.int64)
    _predict(
        starts(network.sizes), weight_starts(network.sizes), network.weights, network.biases,
        *side, inputs, float(white), _make_work(network), rule, classes, counts,
        make_late(network, rule, 0),
    )  # fmt: skip
    return Predictions(classes, counts)
