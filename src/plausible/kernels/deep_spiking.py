"""Training and evaluation of one deep spiking network, event by event, compiled for one core.

In each of T time steps the input spikes of the step run through the layers (algorithm 3):

    phi^l += s W^(l-1)[i, :]  for a spike of sign s of unit i of layer l-1;
    units with phi^l > 1/2 spike, phi^l -= 1,   u^l = phi^l + spikes so far,

u^l being the sum of the input of the sample so far. At the end of the step the output spikes less
the target spike (one of the labelled unit in each step) are sent back as unit error spikes, one at
a time (algorithm 13). An error spike s of unit j of layer l passes where u^l_j >= 0 (eq. 3.5), then

    back^(l-1) += s W^(l-1)[:, j],  quantized to error spikes of layer l-1,
    W^(l-1)[:, j] -= s (eta / T^2) max(c^(l-1), 0)

with the counts c of input spikes so far (FSGD, eq. 3.7), or of the whole sample at its end (SGD,
eq. 3.6). Both equations print eta / T; eta / T^2 is what makes the step of T spikes at either side
that of the rates. What FSGD sends back is read before the change; the author's depth-first router
changes first, which is the routing ``depth_first_as_coded`` (see ``make_rule``). The same in a few
lines per rule is in ``deep_spiking_reference``; both give the same bits.

The types of all arrays are those of two arithmetics, whatever the number of layers, so that the
loops are compiled twice and no more.
"""

import numpy as np

from plausible.kernels.compiling import inlined, inner, kernel, merged
from plausible.kernels.deep_spiking_types import (
    Network,
    Predictions,
    Rule,
    SpikeTrains,
    Training,
    check_order,
    check_training,
    check_trains,
    make_work,
)
from plausible.kernels.spike_emission import code_type, unit_of
from plausible.kernels.spike_loops import (
    add_credit,
    add_rows,
    append_spikes,
    change_rows,
    change_transposed,
    count_errors,
    filter_errors,
    note_spikes,
    penalise_columns,
    smooth_credit,
    sum_rows,
)


@inlined
def _rows(network, layer):
    """Weights from ``layer`` to the next."""
    return network.weights[network.first[layer] : network.first[layer + 1]]


@inlined
def _columns(network, layer):
    """The same transposed; nothing of layer 0."""
    first = network.first_transposed
    return network.transposed[first[layer] : first[layer + 1]]


@inlined
def _note_spikes(work, layer, end, rule):
    rate = rule.rate * 0 if rule.smooth or rule.as_coded else rule.rate
    note_spikes(
        work.queue[layer], end, work.spent[layer], work.credit[layer], work.active[layer],
        work.numbers, layer, rule.unit, rate,
    )  # fmt: skip


@inlined
def _refresh(work, layer, rule):
    """Make the credit of ``layer`` ready for a change of weights."""
    if rule.smooth:
        work.numbers[layer] = smooth_credit(
            work.potential[layer], work.spent[layer], work.credit[layer], work.active[layer],
            rule.rate, work.sizes[layer],
        )  # fmt: skip


@inner
def _penalise(network, work, layer, queue, end, rule):
    """The regulariser: spikes of the layer above ``layer`` as error spikes."""
    _refresh(work, layer, rule)
    penalise_columns(
        _rows(network, layer), work.sizes[layer + 1], _columns(network, layer), work.sizes[layer],
        queue, end, rule.penalty, work.credit[layer], work.active[layer], work.numbers[layer],
    )  # fmt: skip


@inner
def _change_due(network, work):
    """The changes that error spikes since the last call have made due, in the rows of weights.

    A forward pass reads rows and the way back the transposed matrices, which change at once; so the
    rows can wait as long as neither spikes are counted nor a forward pass goes on.
    """
    for layer in range(1, len(work.sizes)):
        change_rows(
            _rows(network, layer - 1), work.sizes[layer], work.due[layer], work.due_end[layer],
            work.credit[layer - 1], work.active[layer - 1], work.numbers[layer - 1],
        )  # fmt: skip
        work.due_end[layer] = 0


@inner
def _note_due(network, work, layer, end):
    """The error spikes in the queue of ``layer`` are due to change the rows of its weights."""
    due = work.due[layer]
    if work.due_end[layer] + end > work.capacity[layer]:
        _change_due(network, work)
    work.due_end[layer] = append_spikes(
        work.back_queue[layer], np.int64(0), end, due, work.due_end[layer]
    )


@inner
def _send_back(network, work, end, rule, errors, passed):
    """The error spikes in the queue of the output layer and all they cause; False on overflow.

    Layer by layer also where routing is depth first: each layer sees the same events in the same
    order, since nothing comes back from the layers below.
    """
    top = len(work.sizes) - 1
    for layer in range(top, 0, -1):
        queue = work.back_queue[layer]
        errors[layer] += end
        number = filter_errors(queue, end, work.potential[layer], work.spent[layer])
        passed[layer] += number
        if number == 0:
            break
        if rule.fractional:
            _refresh(work, layer - 1, rule)
            _note_due(network, work, layer, number)
        else:
            count_errors(queue, number, work.net_errors[layer])
        end = np.int64(0)
        # Breadth first, a layer sends back all its errors before the weights change.
        stretch = 1 if rule.depth_first else number
        for first in range(0, number, stretch):
            last = first + stretch
            if layer > 1:
                columns, size = _columns(network, layer - 1), work.sizes[layer - 1]
                if rule.fractional and rule.as_coded:
                    change_transposed(columns, queue, first, last, work.credit[layer - 1], size)
                end = add_rows(
                    columns, queue, first, last, False, rule.unit, rule.half, rule.half_below,
                    network.back[layer - 1], size, work.back_queue[layer - 1],
                    work.capacity[layer - 1], work.keys, end,
                )  # fmt: skip
                if end < 0:
                    return False
                if rule.fractional and not rule.as_coded:
                    change_transposed(columns, queue, first, last, work.credit[layer - 1], size)
        if end == 0:
            break
    if rule.fractional and not rule.hold_error:
        _change_due(network, work)
    return True


@inlined
def _advance(network, work, rule, layer, first, last):
    """Spikes ``first`` to ``last`` in the queue of the layer below into ``layer``."""
    return add_rows(
        _rows(network, layer - 1), work.queue[layer - 1], first, last, True, rule.unit, rule.half,
        rule.half, work.potential[layer], work.sizes[layer], work.queue[layer],
        work.capacity[layer], work.keys, np.int64(0),
    )  # fmt: skip


@merged
def _breadth_first(network, work, rule, end, spikes, errors, passed):
    """The spikes in the queue of layer 0 through the network, layer by layer."""
    top = len(work.sizes) - 1
    for layer in range(1, top + 1):
        # For a literal integer numba would compile the function once more, here and below.
        end = _advance(network, work, rule, layer, np.int64(0), end)
        if end < 0:
            return False
        _note_spikes(work, layer, end, rule)
        spikes[layer] += end
        if rule.penalty > 0 and rule.fractional:
            _penalise(network, work, layer - 1, work.queue[layer], end, rule)
    for place in range(end):
        j = work.queue[top][place]
        work.back_queue[top][place] = j
        if rule.hold_error:
            work.held[j] += 1
    return rule.hold_error or _send_back(network, work, end, rule, errors, passed)


@inner
def _output_spike(network, work, code, rule, errors, passed):
    """A spike of the output layer, or (negative) of the target."""
    if rule.hold_error:
        work.held[unit_of(code)] += 1 if code >= 0 else -1
        return True
    work.back_queue[len(work.sizes) - 1][0] = code
    return _send_back(network, work, np.int64(1), rule, errors, passed)


@merged
def _depth_first(network, work, rule, end, spikes, errors, passed):
    """The spikes in the queue of layer 0 through the network, each to its end before the next."""
    top = len(work.sizes) - 1
    work.place[0], work.end[0] = 0, end
    layer = 0
    while True:
        if work.place[layer] == work.end[layer]:
            if layer == 0:
                return True
            layer -= 1
            if rule.as_coded and not rule.smooth:
                # The spike whose consequences are over now.
                add_credit(
                    work.queue[layer][work.place[layer] - 1], work.credit[layer],
                    work.active[layer], work.numbers, layer, rule.rate,
                )  # fmt: skip
            continue
        code = work.queue[layer][work.place[layer]]
        work.place[layer] += 1
        if layer > 0 and rule.penalty > 0 and rule.fractional:
            work.back_queue[layer][0] = code
            _penalise(network, work, layer - 1, work.back_queue[layer], np.int64(1), rule)
        if layer == top:
            if not _output_spike(network, work, np.int64(code), rule, errors, passed):
                return False
            continue
        layer += 1
        place = work.place[layer - 1]
        number = _advance(network, work, rule, layer, place - 1, place)
        if number < 0:
            return False
        _note_spikes(work, layer, number, rule)
        spikes[layer] += number
        work.place[layer], work.end[layer] = 0, number


@inner
def _start_sample(network, work, rule, generator):
    """Everything back to zero but the quantizers of errors, which follow the rule."""
    for layer in range(len(work.sizes)):
        for i in range(work.sizes[layer]):
            work.potential[layer, i] = 0
            work.spent[layer, i] = 0
            work.credit[layer, i] = 0
            work.net_errors[layer, i] = 0
    work.numbers[:] = 0
    if rule.back_reset > 0:
        for layer in range(1, len(network.back)):
            back = network.back[layer]
            for i in range(work.sizes[layer]):
                back[i] = generator.random() - 0.5 if rule.back_reset == 2 else 0


@inlined
def _take_input(work, trains, sample, step, rule):
    """Input spikes of a step into the queue of layer 0; returns their number."""
    first, last = trains.start[sample, step], trains.start[sample, step + 1]
    for place in range(first, last):
        work.queue[0][place - first] = trains.code[place]
    if rule.smooth:
        _sum_input(work, trains, sample, step if rule.as_coded else step + 1)
    else:
        _note_spikes(work, np.int64(0), last - first, rule)
    return last - first


@inlined
def _sum_input(work, trains, sample, steps):
    """The sum that the input spikes of ``steps`` steps quantize."""
    for i in range(work.sizes[0]):
        work.potential[0, i] = steps * trains.values[sample, i] / trains.white


@merged
def _end_sample(network, work, rule):
    """SGD: the changes of all weights by the counts of the whole sample."""
    for layer in range(1, len(work.sizes)):
        _refresh(work, layer - 1, rule)
        net_errors, one = work.net_errors[layer], work.back_queue[layer]
        for j in range(work.sizes[layer]):
            one[0] = j if net_errors[j] > 0 else -1 - j
            for _ in range(abs(net_errors[j])):
                _note_due(network, work, layer, np.int64(1))
                if layer > 1:
                    change_transposed(
                        _columns(network, layer - 1), one, np.int64(0), np.int64(1),
                        work.credit[layer - 1], work.sizes[layer - 1],
                    )  # fmt: skip
        _change_due(network, work)
        if rule.penalty > 0:
            for j in range(work.sizes[layer]):
                one[0] = j
                for _ in range(int(work.spent[layer][j])):
                    _penalise(network, work, layer - 1, one, np.int64(1), rule)


@merged
def _train_sample(network, work, rule, trains, sample, label, generator, spikes, errors, passed):
    """One iteration of algorithm 13; False if the network diverged."""
    top = len(work.sizes) - 1
    _start_sample(network, work, rule, generator)
    for step in range(rule.steps):
        number = _take_input(work, trains, sample, step, rule)
        spikes[0] += number
        if rule.depth_first:
            healthy = _depth_first(network, work, rule, number, spikes, errors, passed)
            if rule.smooth and rule.as_coded:
                _sum_input(work, trains, sample, step + 1)
        else:
            healthy = _breadth_first(network, work, rule, number, spikes, errors, passed)
        # The quantized target is one spike of the labelled unit per step.
        if not (healthy and _output_spike(network, work, -1 - label, rule, errors, passed)):
            return False
        if rule.hold_error:
            for j in range(len(work.held)):
                code = j if work.held[j] > 0 else -1 - j
                for _ in range(abs(work.held[j])):
                    work.back_queue[top][0] = code
                    if not _send_back(network, work, np.int64(1), rule, errors, passed):
                        return False
                work.held[j] = 0
            if rule.fractional:
                _change_due(network, work)
    if not rule.fractional:
        _end_sample(network, work, rule)
    # An infinite weight shows in the potentials as an overflow or as what is not a number.
    for j in range(work.sizes[top]):
        if not abs(work.potential[top][j]) < rule.unit * 2**40:
            return False
    return True


@kernel
def _train(network, work, rule, trains, labels, order, generator, spikes, errors, passed):
    for place in range(len(order)):
        sample = order[place]
        if not _train_sample(
            network, work, rule, trains, sample, labels[sample], generator, spikes, errors, passed
        ):
            return place
    return len(order)


@kernel
def _predict(network, work, rule, trains, outputs, classes, spikes, generator):
    top = len(work.sizes) - 1
    for sample in range(len(outputs)):
        _start_sample(network, work, rule, generator)
        total = work.potential[top]
        for step in range(rule.steps):
            end = _take_input(work, trains, sample, step, rule)
            spikes[sample, step, 0] = end
            for layer in range(1, top):
                end = _advance(network, work, rule, layer, np.int64(0), end)
                if end < 0:
                    break
                spikes[sample, step, layer] = end
            if end < 0:
                break
            sum_rows(_rows(network, top - 1), work.queue[top - 1], end, total, work.sizes[top])
            best = 0
            for j in range(work.sizes[top]):
                outputs[sample, step, j] = total[j]
                if total[j] > total[best]:
                    best = j
            classes[sample, step] = best


def _as_compiled(trains: SpikeTrains, rule: Rule) -> SpikeTrains:
    """The same in the types of `input_trains`, for which alone the loops need to be compiled.

    Values, which only smooth updates read, are left out elsewhere.
    """
    code = trains.code.astype(code_type(trains.values.shape[1]), copy=False)
    values = trains.values if rule.smooth else np.empty((0, 0), np.uint8)
    return SpikeTrains(trains.start, code, values, float(trains.white))


def train(
    network: Network,
    rule: Rule,
    trains: SpikeTrains,
    labels: np.ndarray,
    order: np.ndarray,
    generator: np.random.Generator,
) -> Training:
    """Train on the samples ``order``, one after another; ``network`` is changed in place.

    ``labels`` int64 ``[samples]``; ``order`` samples in their order, any number of times.
    ``generator`` is read by the random reset alone. Nothing but ``network`` and ``generator``
    outlives a sample, so that a training can be cut into stretches at will. Raises StudyError for
    arrays that do not fit; a divergence is no error but part of the result.
    """
    check_training(network, trains, labels, rule)
    order = check_order(order, len(labels))
    spikes, errors, passed = (np.zeros(len(network.sizes), np.int64) for _ in range(3))
    work = make_work(network, trains)
    done = _train(
        network.flat, work, rule, _as_compiled(trains, rule), labels, order, generator, spikes,
        errors, passed,
    )  # fmt: skip
    healthy = done == len(order) and all(np.isfinite(matrix).all() for matrix in network.weights)
    return Training(done, not healthy, spikes, errors, passed)


def predict(network: Network, rule: Rule, trains: SpikeTrains) -> Predictions:
    """Running outputs of all samples (algorithm 3); the network is not changed.

    The output is not quantized: the rows that spikes of the last hidden layer select are summed.
    Raises StudyError for arrays that do not fit.
    """
    check_trains(network, trains, rule)
    samples, sizes = len(trains.start), network.sizes
    outputs = np.zeros((samples, rule.steps, sizes[-1]), network.weights[0].dtype)
    classes = np.full((samples, rule.steps), -1, np.int64)
    spikes = np.zeros((samples, rule.steps, len(sizes) - 1), np.int64)
    # The quantizers of errors have no part in a prediction.
    forward = rule._replace(back_reset=0, smooth=False)
    _predict(
        network.flat, make_work(network, trains), forward, _as_compiled(trains, forward), outputs,
        classes, spikes, np.random.default_rng(0),
    )  # fmt: skip
    return Predictions(outputs, classes, spikes)
