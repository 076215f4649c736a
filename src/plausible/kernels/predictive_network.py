"""Training of one small predictive coding network, or of its backprop twin, compiled for one core.

Song et al. 2020, eq. 1-9, in float64. Layers are numbered from the output (0) to the input (L =
l_max); theta^(l+1) maps layer l+1 to layer l; t counts the changes of the value nodes made so far:

    mu^l_t   = theta^(l+1) f(x^(l+1)_t) + b^l                                        (eq. 5)
    eps^l_t  = x^l_t - mu^l_t                                                        (eq. 5)
    x^l_t+1  = x^l_t + gamma (-eps^l_t + f'(x^l_t) * theta^l^T eps^(l-1)_t)          (eq. 7, 8)
    theta^(l+1) += alpha sum_batch eps^l_t f(x^(l+1)_t)^T                            (eq. 9)

The output layer is linear, x^0 is clamped to the target, and x^l_0 = mu^l_0 (condition C1) up to
the noise of the ablation. Both changes of a step are computed from the state at time t. Images are
mostly black: the first product and its update visit only the pixels that are not, the rest is one
common row (zero for inputs that are zero on black).
"""

import numpy as np

from plausible.kernels.blocks import (
    BLOCK,
    activate,
    add,
    copy_numbers,
    gather_rows,
    move,
    outer_sum,
    product,
    scatter_rows,
    send,
    subtract,
)
from plausible.kernels.compiling import inner, kernel, merged
from plausible.kernels.predictive_types import Places

ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8


@inner
def _places(parameters, work):
    width = parameters.weights.shape[2]
    return Places(
        parameters.weights.ctypes.data, parameters.transposed.ctypes.data,
        parameters.biases.ctypes.data, work.x.ctypes.data, work.mu.ctypes.data,
        work.error.ctypes.data, work.activity.ctypes.data, work.message.ctypes.data, width,
        8 * work.x.shape[1] * width, 8 * width * width,
    )  # fmt: skip


@inner
def _drive(images, table, batch, weights, bias, out):
    """out[b] = theta^L s_b + bias of the images ``batch``; ``table`` is the input at each level."""
    width = weights.shape[1]
    black = table[0]
    common = bias.copy()
    if black != 0.0:
        for pixel in range(weights.shape[0]):
            for j in range(width):
                common[j] += black * weights[pixel, j]
    values = table - black
    levels, pixels = images.level.ctypes.data, images.pixel.ctypes.data
    matrix, place = weights.ctypes.data, out.ctypes.data
    for b in range(len(batch)):
        # Asked for here: an array whose address alone is used later would be freed before.
        copy_numbers(common.ctypes.data, place, width)
        first, last = images.start[batch[b]], images.start[batch[b] + 1]
        gather_rows(
            values.ctypes.data,
            levels + first,
            pixels + 4 * first,
            last - first,
            matrix,
            width,
            place,
        )
        place += 8 * width


@inner
def _input_outer(images, table, batch, error, rate, out):
    """out += rate sum_b s_b error_b^T, the change of theta^L."""
    width = out.shape[1]
    black = table[0]
    if black != 0.0:
        common = np.zeros(width)
        for b in range(len(batch)):
            for j in range(width):
                common[j] += error[b, j]
        common *= rate * black
        for pixel in range(out.shape[0]):
            for j in range(width):
                out[pixel, j] += common[j]
    values = rate * (table - black)
    levels, pixels = images.level.ctypes.data, images.pixel.ctypes.data
    matrix, place = out.ctypes.data, error.ctypes.data
    for b in range(len(batch)):
        first, last = images.start[batch[b]], images.start[batch[b] + 1]
        scatter_rows(
            values.ctypes.data,
            levels + first,
            pixels + 4 * first,
            last - first,
            place,
            matrix,
            width,
        )
        place += 8 * width


@inner
def _predict(at, sizes, layer, rows, biased):
    """mu of ``layer`` from the activity of the layer above it, which is not the input."""
    mu = at.mu + layer * at.layer
    product(
        at.activity + (layer + 1) * at.layer, at.weights + layer * at.matrix, mu, rows,
        sizes[layer + 1], sizes[layer], (at.width, at.width, at.width),
    )  # fmt: skip
    if biased:
        bias = at.biases + 8 * layer * at.width
        for b in range(rows):
            add(bias, mu + 8 * b * at.width, at.width)


@inner
def _add_noise(x, sigma, rows, columns, generator):
    for b in range(rows):
        for j in range(columns):
            x[b, j] += sigma * generator.standard_normal()


@inner
def _prediction_phase(parameters, rule, work, at, images, table, batch, sigma, generator):
    """Value nodes at their predictions, from the input to the output, with the noise of C1."""
    top = len(parameters.biases) - 1
    rows = padded_rows(len(batch))
    size = rows * at.width
    _drive(images, table, batch, parameters.input_weights, parameters.biases[top], work.mu[top])
    for layer in range(top, 0, -1):
        place = layer * at.layer
        copy_numbers(at.mu + place, at.x + place, size)
        if sigma > 0.0:
            _add_noise(work.x[layer], sigma, len(batch), parameters.sizes[layer], generator)
        activate(rule.activation, at.x + place, at.activity + place, size)
        _predict(at, parameters.sizes, layer - 1, rows, rule.biased)


@merged
def padded_rows(number):
    """``number`` rounded up to whole blocks."""
    return (number + BLOCK - 1) // BLOCK * BLOCK


@inner
def _errors(at, layers, number):
    """eps = x - mu of every layer."""
    for layer in range(layers):
        place = layer * at.layer
        subtract(at.x + place, at.mu + place, at.error + place, number * at.width)


@inner
def _refresh(at, sizes, kind, biased, number):
    """Activities, predictions and errors that belong to the value nodes.

    All but the drive: the input is clamped, so ``_infer_and_learn`` makes it anew where theta^L has
    changed.
    """
    rows, layers = padded_rows(number), len(sizes) - 1
    for layer in range(1, layers):
        place = layer * at.layer
        activate(kind, at.x + place, at.activity + place, rows * at.width)
        _predict(at, sizes, layer - 1, rows, biased)
    _errors(at, layers, number)


@inner
def _message(at, sizes, layer, rows):
    """theta^layer^T error of the layer below, ``[batch, width]``, into ``work.message``.

    Of all columns: those beyond the layer's size would keep the message of a wider layer.
    """
    product(
        at.error + (layer - 1) * at.layer, at.transposed + (layer - 1) * at.matrix, at.message,
        rows, sizes[layer - 1], at.width, (at.width, at.width, at.width),
    )  # fmt: skip


@inner
def _move(at, sizes, kind, gamma, number):
    """One change of the hidden value nodes, from errors and slopes at time t (eq. 7, 8)."""
    size = number * at.width
    for layer in range(1, len(sizes) - 1):
        _message(at, sizes, layer, padded_rows(number))
        place = layer * at.layer
        send(kind, at.activity + place, at.message, at.message, size)
        move(at.message, at.error + place, at.x + place, gamma, size)


@inner
def _adam(weight, gradient, first, second, rate, step):
    """Adam (Kingma and Ba 2015) on matrices; ``gradient`` points where the weights should go."""
    root = np.sqrt(1.0 - ADAM_BETA_2**step)
    # The root of the second correction moves into the step size, so epsilon is rescaled.
    correction, epsilon = rate * root / (1.0 - ADAM_BETA_1**step), ADAM_EPSILON * root
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            g = gradient[i, j]
            first[i, j] = ADAM_BETA_1 * first[i, j] + (1.0 - ADAM_BETA_1) * g
            second[i, j] = ADAM_BETA_2 * second[i, j] + (1.0 - ADAM_BETA_2) * g * g
            weight[i, j] += correction * first[i, j] / (np.sqrt(second[i, j]) + epsilon)


@inner
def _learn(parameters, moments, rule, work, images, table, batch, layer, error):
    """Change theta^(layer+1) and its bias by error^layer and the activity above it (eq. 9)."""
    number = len(batch)
    rate = rule.rates[layer]
    columns = parameters.sizes[layer]
    adam = rule.optimizer == 1
    if adam:
        moments.step[0] += layer == 0
    if rule.biased:
        gradient = np.zeros((1, parameters.biases.shape[1]))
        for b in range(number):
            for j in range(columns):
                gradient[0, j] += error[b, j]
        bias = parameters.biases[layer : layer + 1]
        if adam:
            _adam(
                bias, gradient, moments.biases[0, layer : layer + 1],
                moments.biases[1, layer : layer + 1], rate, moments.step[0],
            )  # fmt: skip
        else:
            for j in range(columns):
                bias[0, j] += rate * gradient[0, j]
    if layer == len(parameters.biases) - 1:
        if adam:
            work.input_change[:] = 0.0
            _input_outer(images, table, batch, error, 1.0, work.input_change)
            _adam(
                parameters.input_weights, work.input_change, moments.input_weights[0],
                moments.input_weights[1], rate, moments.step[0],
            )  # fmt: skip
        else:
            _input_outer(images, table, batch, error, rate, parameters.input_weights)
        return
    rows = parameters.sizes[layer + 1]
    width = work.change.shape[1]
    outer_sum(
        work.activity[layer + 1].ctypes.data, error.ctypes.data, work.change.ctypes.data, rows,
        number, columns, (width, width, width),
    )  # fmt: skip
    weight, transposed = parameters.weights[layer], parameters.transposed[layer]
    if adam:
        _adam(
            weight[:rows, :columns], work.change[:rows, :columns],
            moments.weights[0, layer, :rows, :columns], moments.weights[1, layer, :rows, :columns],
            rate, moments.step[0],
        )  # fmt: skip
    else:
        for i in range(rows):
            for j in range(columns):
                weight[i, j] += rate * work.change[i, j]
    for i in range(rows):
        for j in range(columns):
            transposed[j, i] = weight[i, j]


@inner
def _clamp(rule, work, labels, batch, columns):
    """x^0 = target."""
    for b in range(len(batch)):
        for j in range(columns):
            work.x[0, b, j] = rule.high if labels[batch[b]] == j else rule.low


@merged
def _backprop(parameters, moments, rule, work, at, images, table, labels, batch, generator):
    """delta^0 = s_out - y^0, delta^l = f'(y^l) * w^l^T delta^(l-1) (eq. 4), then eq. 3."""
    layers = len(parameters.biases)
    _prediction_phase(parameters, rule, work, at, images, table, batch, 0.0, generator)
    _clamp(rule, work, labels, batch, parameters.sizes[0])
    size = len(batch) * at.width
    subtract(at.x, at.mu, at.error, size)
    for layer in range(1, layers):
        _message(at, parameters.sizes, layer, padded_rows(len(batch)))
        place = layer * at.layer
        send(rule.activation, at.activity + place, at.message, at.error + place, size)
    for layer in range(layers):
        _learn(parameters, moments, rule, work, images, table, batch, layer, work.error[layer])


@inner
def _triggered(work, layer, number, columns, detection_steps):
    """phi of algorithm 3: keep errors that follow enough zeros; returns whether there are any."""
    error, due, quiet = work.error[layer], work.due[layer], work.quiet[layer]
    fired = False
    for b in range(number):
        for j in range(columns):
            due[b, j] = 0.0
            if error[b, j] == 0.0:
                quiet[b, j] += 1
            else:
                if quiet[b, j] >= detection_steps:
                    due[b, j] = error[b, j]
                    fired = True
                quiet[b, j] = 0
    return fired


@merged
def _infer_and_learn(parameters, moments, rule, work, at, images, table, labels, batch, generator):
    """The learning phase of a batch: methods fixed_t, t_equals_l and fazil."""
    layers = len(parameters.biases)
    number = len(batch)
    sigma = rule.sigma if rule.noise > 0 else 0.0
    _prediction_phase(parameters, rule, work, at, images, table, batch, sigma, generator)
    _clamp(rule, work, labels, batch, parameters.sizes[0])
    _errors(at, layers, number)
    last = layers - 1 if rule.method == 2 else rule.steps
    # A converged prediction phase precedes: the error nodes have long been zero.
    work.quiet[:] = rule.detection_steps
    for t in range(last + 1):
        if t > 0:
            _refresh(at, parameters.sizes, rule.activation, rule.biased, number)
        if t < last:
            _move(at, parameters.sizes, rule.activation, rule.gamma, number)
            if rule.noise == 2:
                for layer in range(1, layers):
                    columns = parameters.sizes[layer]
                    _add_noise(work.x[layer], rule.sigma, number, columns, generator)
            if rule.method == 1:
                continue
        # Errors and activities still hold time t; the weights used for the move were the old ones.
        for layer in range(layers):
            error = work.error[layer]
            if rule.method == 3:
                columns = parameters.sizes[layer]
                if not _triggered(work, layer, number, columns, rule.detection_steps):
                    continue
                error = work.due[layer]
            elif rule.method == 2 and layer != t:
                continue
            _learn(parameters, moments, rule, work, images, table, batch, layer, error)
            if layer == layers - 1 and t < last:
                _drive(
                    images, table, batch, parameters.input_weights, parameters.biases[layer],
                    work.mu[layer],
                )  # fmt: skip


@kernel
def train_epoch(
    parameters, moments, rule, work, images, table, labels, order, batch_size, generator
):
    """Train on the images ``order``, in batches (the last one may be smaller), in place.

    ``images`` SparseImages; ``table`` float64 ``[256]``, the input for every grey level;
    ``labels`` int64; ``order`` int64; ``generator`` the stream of the noise of C1.
    """
    at = _places(parameters, work)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        if len(batch) < batch_size:
            work.error[:] = 0.0
        if rule.method == 0:
            _backprop(parameters, moments, rule, work, at, images, table, labels, batch, generator)
        else:
            _infer_and_learn(
                parameters, moments, rule, work, at, images, table, labels, batch, generator
            )


@kernel
def count_errors(parameters, rule, work, images, table, labels, batch_size, generator):
    """Number of images whose largest output is not that of their label (NaN counts as an error)."""
    wrong = 0
    at = _places(parameters, work)
    for start in range(0, len(labels), batch_size):
        batch = np.arange(start, min(start + batch_size, len(labels)))
        _prediction_phase(parameters, rule, work, at, images, table, batch, 0.0, generator)
        for b in range(len(batch)):
            output = work.mu[0, b]
            best = 0
            for j in range(1, parameters.sizes[0]):
                if output[j] > output[best]:
                    best = j
            if best != labels[batch[b]] or np.isnan(output[best]):
                wrong += 1
    return wrong
