"""O'Connor 2020, section 8.5.2: a minibatch of binary equilibrium propagation, in eager torch.

Every step is written as its equation, with one matrix product for each connection and direction:
what a careful author would write first. The kernel must train the same network.
"""

import numpy as np
import torch
from timing import Row, milliseconds, take_turns
from torch import Tensor

from plausible.data.dataset import Dataset
from plausible.kernels import binary_equilibrium
from plausible.learning.binary_propagation import BinaryRecipe
from plausible.networks.binary_equilibrium import Coding
from plausible.networks.equilibrium import Equilibrium, make_equilibrium
from plausible.neurons.step_sizes import Adaptive, Schedule

SEED, BATCH = 1234, 20
SIZES, RATES = (784, 500, 10), (0.1, 0.05)
RECIPE = BinaryRecipe(Coding(Adaptive(0.0346, 1e-15), Schedule(0.275)), 100, 50, 0.5, RATES)
WARM_UP, KERNEL_BATCHES, EAGER_BATCHES, EXACT_BATCHES = 200, 20, 2, 2
EPOCHS, TRAINING_IMAGES = 25, 50_000


def eager_minibatch(
    weights: list[Tensor], biases: list[Tensor], inputs: Tensor, targets: Tensor, beta: float
) -> None:
    """Both phases and the update in place, of ``weights`` [units below, units] and ``biases``."""
    rule, decay = RECIPE.coding.step, RECIPE.coding.decay.first
    layers = len(weights)
    states = [inputs, *(torch.zeros(len(inputs), len(bias), dtype=bias.dtype) for bias in biases)]
    zeros = [torch.zeros_like(state) for state in states]
    before, phi, bits, decoded, average, bias, square, spread = (list(zeros) for _ in range(8))
    rate, minus = 1.0, states
    for step in range(RECIPE.negative_steps + RECIPE.positive_steps):
        if step == RECIPE.negative_steps:
            minus = list(states)
        nudged = step >= RECIPE.negative_steps
        rate = rate / (1.0 + rate - rule.target)
        heard = list(bits)
        for layer in range(layers + 1):
            if layer:
                sums = heard[layer - 1] @ weights[layer - 1]
                if layer < layers:
                    sums = sums + heard[layer + 1] @ weights[layer].t()
                decoded[layer] = (1.0 - decay) * decoded[layer] + decay * sums
                pressure = decoded[layer] + biases[layer - 1]
                if nudged and layer == layers:
                    pressure = pressure + 2.0 * beta * (targets - states[layer])
                error = pressure - average[layer]
                bias[layer] = (1.0 - rate) * bias[layer] + rate * error
                square[layer] = (1.0 - rate) * square[layer] + rate * error**2
                noise = (square[layer] - bias[layer] ** 2) / (1.0 + spread[layer])
                size = 1.0 - (noise + rule.constant) / (square[layer] + rule.constant)
                size = size if step else torch.ones_like(error)
                spread[layer] = (1.0 - size) ** 2 * spread[layer] + size**2
                average[layer] = (1.0 - size) * average[layer] + size * pressure
                states[layer] = ((1.0 - size) * states[layer] + size * pressure).clamp(0.0, 1.0)
            code = (states[layer] - (1.0 - decay) * before[layer]) / decay
            before[layer] = states[layer]
            total = phi[layer] + code
            bits[layer] = (total > 0.5).to(total.dtype)
            phi[layer] = total - bits[layer]
    changes = [new - old for new, old in zip(states, minus, strict=True)]
    for layer, eta in enumerate(RATES):
        factor = eta / (beta * len(inputs))
        product = minus[layer].t() @ changes[layer + 1] + changes[layer].t() @ minus[layer + 1]
        weights[layer] += factor * product
        biases[layer] += factor * changes[layer + 1].sum(0)


def binary_rows(dataset: Dataset, repetitions: int) -> list[Row]:
    """Training by OSA and predictive coding: the kernel against eager torch, float32."""
    images, labels = dataset.train_images, dataset.train_labels.astype(np.int64)
    white = int(dataset.white)
    start = make_equilibrium(SIZES, np.random.default_rng(SEED))
    betas = 0.5 * np.random.default_rng(SEED).choice([-1.0, 1.0], WARM_UP + KERNEL_BATCHES)
    order = np.arange(len(betas) * BATCH).reshape(-1, BATCH)

    def copied(network: Equilibrium, kind: type) -> Equilibrium:
        return network._replace(
            weights=tuple(each.astype(kind) for each in network.weights),
            biases=tuple(each.astype(kind) for each in network.biases),
        )

    def kernel(network: Equilibrium, batches: int) -> Equilibrium:
        chosen = slice(WARM_UP, WARM_UP + batches)
        found = copied(network, network.weights[0].dtype)
        given = (found, RECIPE, images, white, labels, order[chosen], betas[chosen])
        binary_equilibrium.train(*given)
        return found

    def eager(network: Equilibrium, batches: int) -> list[Tensor]:
        weights, biases = ([torch.from_numpy(w.copy()) for w in each] for each in network[:2])
        for number in range(WARM_UP, WARM_UP + batches):
            inputs = torch.from_numpy(images[order[number]]).to(weights[0].dtype) / white
            targets = torch.nn.functional.one_hot(
                torch.from_numpy(labels[order[number]]), SIZES[-1]
            )
            eager_minibatch(weights, biases, inputs, targets.to(inputs.dtype), betas[number])
        return weights

    given = (start, RECIPE, images, white, labels, order[:WARM_UP], betas[:WARM_UP])
    binary_equilibrium.train(*given)
    pairs = zip(kernel(start, EXACT_BATCHES).weights, eager(start, EXACT_BATCHES), strict=True)
    worst = max(float(np.abs(ours - theirs.numpy()).max()) for ours, theirs in pairs)
    if not worst < 1e-10:
        raise RuntimeError(f"kernel and eager torch train different networks, by {worst:.1e}")
    single = copied(start, np.float32)
    work = {
        "plausible kernel": lambda: kernel(single, KERNEL_BATCHES),
        "eager torch": lambda: eager(single, EAGER_BATCHES),
    }
    number = {"plausible kernel": KERNEL_BATCHES, "eager torch": EAGER_BATCHES}
    seconds = take_turns(work, repetitions)
    title = f"O'Connor figure 8.3, {'-'.join(map(str, SIZES))}, OSA, 100 + 50 steps, float32"
    notes = {"plausible kernel": f"float64: weights as eager torch to {worst:.0e}"}
    rows = [
        row._replace(unit="ms/minibatch")
        for row in milliseconds(f"{title}: training", seconds, number, notes)
    ]
    factor = EPOCHS * TRAINING_IMAGES / BATCH / 1e3 / 60
    whole = f"{title}: {EPOCHS} epochs of {TRAINING_IMAGES} images, extrapolated"
    ours = rows[0].median
    return rows + [
        Row(
            whole, row.variant, "min", row.median * factor, row.best * factor, row.worst * factor,
            row.median / ours, "",
        )
        for row in rows
    ]  # fmt: skip
