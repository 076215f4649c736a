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
    gather_rows,
    outer_sum,
    product,
    scatter_rows,
    sigmoid,
)
from plausible.kernels.compiling import copy, inner, kernel, merged

ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8


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
    for b in range(len(batch)):
        copy(common, out[b], width)
        first, last = images.start[batch[b]], images.start[batch[b] + 1]
        gather_rows(values, images.level[first:last], images.pixel[first:last], weights, out[b])


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
    for b in range(len(batch)):
        first, last = images.start[batch[b]], images.start[batch[b] + 1]
        scatter_rows(values, images.level[first:last], images.pixel[first:last], error[b], out)


@inner
def _activate(kind, x, activity, rows):
    """f(x) of a layer ``[batch, width]``."""
    if kind == 0:
        sigmoid(x, activity, rows)
        return
    for b in range(rows):
        for j in range(x.shape[1]):
            activity[b, j] = 2.0 * x[b, j]
    sigmoid(activity, activity, rows)
    for b in range(rows):
        for j in range(x.shape[1]):  # tanh(x) = 2 sigmoid(2 x) - 1
            activity[b, j] = 2.0 * activity[b, j] - 1.0


@inner
def _scale_by_slope(kind, activity, message, size):
    """message * f'(x), the slope written by f: f (1 - f), or 1 - f^2 for tanh; flat arrays."""
    if kind == 0:
        for i in range(size):
            message[i] *= activity[i] * (1.0 - activity[i])
    else:
        for i in range(size):
            message[i] *= 1.0 - activity[i] * activity[i]


@inner
def _subtract(x, mu, error, size):
    """error = x - mu on flat arrays."""
    for i in range(size):
        error[i] = x[i] - mu[i]


@inner
def _predict(parameters, work, layer, rows, biased):
    """mu of ``layer`` from the activity of the layer above it, which is not the input."""
    product(
        work.activity[layer + 1], parameters.weights[layer], work.mu[layer], rows,
        parameters.sizes[layer + 1], parameters.sizes[layer],
    )  # fmt: skip
    if biased:
        bias = parameters.biases[layer]
        mu = work.mu[layer]
        for b in range(rows):
            for j in range(parameters.sizes[layer]):
                mu[b, j] += bias[j]


@inner
def _add_noise(x, sigma, rows, columns, generator):
    for b in range(rows):
        for j in range(columns):
            x[b, j] += sigma * generator.standard_normal()


@inner
def _prediction_phase(parameters, rule, work, images, table, batch, sigma, generator):
    """Value nodes at their predictions, from the input to the output, with the noise of C1."""
    layers = len(parameters.biases)
    rows = padded_rows(len(batch))
    top = layers - 1
    _drive(images, table, batch, parameters.input_weights, parameters.biases[top], work.mu[top])
    for layer in range(top, 0, -1):
        copy(work.flat_mu[layer], work.flat_x[layer], rows * work.x.shape[2])
        if sigma > 0.0:
            _add_noise(work.x[layer], sigma, len(batch), parameters.sizes[layer], generator)
        _activate(rule.activation, work.x[layer], work.activity[layer], rows)
        _predict(parameters, work, layer - 1, rows, rule.biased)


@merged
def padded_rows(number):
    """``number`` rounded up to whole blocks."""
    return (number + BLOCK - 1) // BLOCK * BLOCK


@inner
def _errors(work, number):
    """eps = x - mu of every layer."""
    size = number * work.x.shape[2]
    for layer in range(len(work.x)):
        _subtract(work.flat_x[layer], work.flat_mu[layer], work.flat_error[layer], size)


@inner
def _refresh(parameters, rule, work, number):
    """Activities, predictions and errors that belong to the value nodes.

    All but the drive: the input is clamped, so ``_infer_and_learn`` makes it anew where theta^L has
    changed.
    """
    rows = padded_rows(number)
    for layer in range(1, len(parameters.biases)):
        _activate(rule.activation, work.x[layer], work.activity[layer], rows)
        _predict(parameters, work, layer - 1, rows, rule.biased)
    _errors(work, number)


@inner
def _message(parameters, work, layer, error, rows):
    """theta^layer^T error of the layer below, ``[batch, width]``, into ``work.message``.

    Of all columns: those beyond the layer's size would keep the message of a wider layer.
    """
    product(
        error, parameters.transposed[layer - 1], work.message, rows,
        parameters.sizes[layer - 1], work.message.shape[1],
    )  # fmt: skip


@inner
def _move(parameters, rule, work, number, generator):
    """One change of the hidden value nodes, from errors and slopes at time t (eq. 7, 8)."""
    size = number * work.x.shape[2]
    for layer in range(1, len(parameters.biases)):
        _message(parameters, work, layer, work.error[layer - 1], padded_rows(number))
        message, activity = work.flat_message, work.flat_activity[layer]
        _scale_by_slope(rule.activation, activity, message, size)
        x, error = work.flat_x[layer], work.flat_error[layer]
        for i in range(size):
            x[i] += rule.gamma * (message[i] - error[i])
        if rule.noise == 2:
            _add_noise(work.x[layer], rule.sigma, number, parameters.sizes[layer], generator)


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
    outer_sum(work.activity[layer + 1], error, work.change, rows, number, columns)
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
def _backprop(parameters, moments, rule, work, images, table, labels, batch, generator):
    """delta^0 = s_out - y^0, delta^l = f'(y^l) * w^l^T delta^(l-1) (eq. 4), then eq. 3."""
    layers = len(parameters.biases)
    _prediction_phase(parameters, rule, work, images, table, batch, 0.0, generator)
    _clamp(rule, work, labels, batch, parameters.sizes[0])
    size = len(batch) * work.x.shape[2]
    _subtract(work.flat_x[0], work.flat_mu[0], work.flat_error[0], size)
    for layer in range(1, layers):
        _message(parameters, work, layer, work.error[layer - 1], padded_rows(len(batch)))
        _scale_by_slope(rule.activation, work.flat_activity[layer], work.flat_message, size)
        copy(work.flat_message, work.flat_error[layer], size)
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
def _infer_and_learn(parameters, moments, rule, work, images, table, labels, batch, generator):
    """The learning phase of a batch: methods fixed_t, t_equals_l and fazil."""
    layers = len(parameters.biases)
    number = len(batch)
    sigma = rule.sigma if rule.noise > 0 else 0.0
    _prediction_phase(parameters, rule, work, images, table, batch, sigma, generator)
    _clamp(rule, work, labels, batch, parameters.sizes[0])
    _errors(work, number)
    last = layers - 1 if rule.method == 2 else rule.steps
    # A converged prediction phase precedes: the error nodes have long been zero.
    work.quiet[:] = rule.detection_steps
    for t in range(last + 1):
        if t > 0:
            _refresh(parameters, rule, work, number)
        if t < last:
            _move(parameters, rule, work, number, generator)
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
            elif rule.method == 1 and t < last:
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
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        if len(batch) < batch_size:
            work.error[:] = 0.0
        if rule.method == 0:
            _backprop(parameters, moments, rule, work, images, table, labels, batch, generator)
        else:
            _infer_and_learn(
                parameters, moments, rule, work, images, table, labels, batch, generator
            )


@kernel
def count_errors(parameters, rule, work, images, table, labels, batch_size, generator):
    """Number of images whose largest output is not that of their label (NaN counts as an error)."""
    wrong = 0
    for start in range(0, len(labels), batch_size):
        batch = np.arange(start, min(start + batch_size, len(labels)))
        _prediction_phase(parameters, rule, work, images, table, batch, 0.0, generator)
        for b in range(len(batch)):
            output = work.mu[0, b]
            best = 0
            for j in range(1, parameters.sizes[0]):
                if output[j] > output[best]:
                    best = j
            if best != labels[batch[b]] or np.isnan(output[best]):
                wrong += 1
    return wrong
