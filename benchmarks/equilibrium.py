"""O'Connor 2020, chapter 7: training by equilibrium propagation, against eager torch."""

from typing import NamedTuple

import numpy as np
import torch
from timing import Row, milliseconds, take_turns

from plausible.data.dataset import Dataset
from plausible.kernels import equilibrium
from plausible.learning.equilibrium_propagation import Recipe
from plausible.learning.equilibrium_training import Networks, fresh_networks

SEED, BATCH = 1234, 20
PRODUCT = 2048


class Case(NamedTuple):
    """Network and recipe, and the minibatches of a round, ours and the peer's."""

    sizes: tuple[int, ...]
    recipe: Recipe
    ours: int
    theirs: int


SMALL = Case((784, 500, 10), Recipe(20, 4, 0.5, (0.1, 0.05)), 200, 20)
LARGE = Case(
    (784, 500, 500, 500, 10), Recipe(50, 8, 1.0, (0.128, 0.032, 0.008, 0.002)), 20, 4
)  # fmt: skip
WARM_UP = 200
CHECKED, TOLERANCE = 3, 1e-10


class EagerTorch:
    """Equilibrium propagation as the equations are written down, gradients by hand.

    ``clamped``: by an author who notices that the input's drive is the same in all steps.
    """

    def __init__(self, networks: Networks, recipe: Recipe, clamped: bool):
        self.recipe, self.clamped = recipe, clamped
        self.weights, self.biases = _tensors(networks.equilibrium)
        self.forward = networks.initialiser and _tensors(networks.initialiser)

    def move(self, x, drive, states, anchors, y=None, beta=0.0):
        """One step of all layers, from the states before it."""
        top, new = len(states) - 1, []
        clipped = [state.clamp(0, 1) for state in states]
        for layer, state in enumerate(states):
            if layer == 0:
                pressure = x @ self.weights[0] + self.biases[0] if drive is None else drive
            else:
                pressure = clipped[layer - 1] @ self.weights[layer] + self.biases[layer]
            if layer < top:
                pressure = pressure + clipped[layer + 1] @ self.weights[layer + 1].t()
            force = ((state >= 0) & (state <= 1)) * pressure - state
            if anchors is not None:
                force = force + self.recipe.pull * (anchors[layer] - state)
            if y is not None and layer == top:
                force = force + 2 * beta * (y - state)
            new.append((state + self.recipe.step_size * force).clamp(0, 1))
        return new

    def guess(self, x):
        """Sums and states of the forward network."""
        sums, states = [], [x]
        for weight, bias in zip(*self.forward, strict=True):
            sums.append(states[-1] @ weight + bias)
            states.append(sums[-1].clamp(0, 1) + 0.01 * sums[-1])
        return sums, states

    def learn(self, x, y, beta):
        """A minibatch."""
        recipe, anchors = self.recipe, None
        states = [x.new_zeros(len(x), len(bias)) for bias in self.biases]
        if self.forward:
            sums, guessed = self.guess(x)
            states = anchors = guessed[1:]
        drive = x @ self.weights[0] + self.biases[0] if self.clamped else None
        for _ in range(recipe.negative_steps):
            states = self.move(x, drive, states, anchors)
        minus = states
        for _ in range(recipe.positive_steps):
            states = self.move(x, drive, states, anchors, y, beta)
        for layer, rate in enumerate(recipe.learning_rates):
            before, after = (minus[layer - 1], states[layer - 1]) if layer else (x, x)
            factor = rate / (beta * len(x))
            change = after.t() @ states[layer] - before.t() @ minus[layer]
            self.weights[layer] += factor * change
            self.biases[layer] += factor * (states[layer] - minus[layer]).sum(0)
        if self.forward:
            for layer, rate in enumerate(recipe.learning_rates):
                slope = ((sums[layer] >= 0) & (sums[layer] <= 1)).to(x.dtype) + 0.01
                error = (guessed[layer + 1] - minus[layer]) * slope * (rate / len(x))
                self.forward[0][layer] -= guessed[layer].t() @ error
                self.forward[1][layer] -= error.sum(0)


def _tensors(network) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    return tuple(
        [torch.from_numpy(array.copy()) for array in arrays]
        for arrays in (network.weights, network.biases)
    )


def _betas(recipe: Recipe, number: int) -> np.ndarray:
    return recipe.beta * np.where(np.arange(number) % 3 == 1, -1.0, 1.0)


def _ours(networks: Networks, recipe: Recipe, dataset: Dataset, first: int, number: int) -> None:
    order = np.arange(first * BATCH, (first + number) * BATCH).reshape(-1, BATCH)
    equilibrium.train(
        *networks, recipe, dataset.train_images, dataset.white, dataset.train_labels, order,
        _betas(recipe, number),
    )  # fmt: skip


def _theirs(eager: EagerTorch, dataset: Dataset, first: int, number: int) -> None:
    dtype = eager.weights[0].dtype
    for m, beta in enumerate(_betas(eager.recipe, number), start=first):
        rows = slice(m * BATCH, (m + 1) * BATCH)
        x = torch.from_numpy(dataset.train_images[rows]).to(dtype) / dataset.white
        y = torch.nn.functional.one_hot(torch.from_numpy(dataset.train_labels[rows]), 10).to(dtype)
        eager.learn(x, y, float(beta))


def check_agreement(case: Case, dataset: Dataset, initialised: bool) -> float:
    """Largest difference of the weights after some minibatches in float64, the last ones of which
    start from weights that have learnt.
    """
    rng = np.random.default_rng(SEED)
    networks = fresh_networks(case.sizes, rng, initialised, dtype="float64")
    eager = EagerTorch(networks, case.recipe, clamped=False)
    _ours(networks, case.recipe, dataset, 0, CHECKED)
    _theirs(eager, dataset, 0, CHECKED)
    pairs = list(zip(networks.equilibrium.weights, eager.weights, strict=True))
    if initialised:
        pairs += zip(networks.initialiser.weights, eager.forward[0], strict=True)
    worst = max(float(np.abs(ours - theirs.numpy()).max()) for ours, theirs in pairs)
    if not worst < TOLERANCE:
        raise RuntimeError(f"the kernel and eager torch train different networks, by {worst:.1e}")
    return worst


def operations(case: Case) -> int:
    """Floating-point operations of a minibatch with dense products, the input's once, no
    initialisation.
    """
    inputs, *rest = (a * b for a, b in zip(case.sizes, case.sizes[1:], strict=False))
    steps = case.recipe.negative_steps + case.recipe.positive_steps
    return 2 * BATCH * (2 * inputs + (2 * steps + 2) * sum(rest))


def rows(case: Case, dataset: Dataset, initialised: bool, repetitions: int) -> list[Row]:
    """Training by the kernel, in eager torch, and products of the same number of operations."""
    recipe = case.recipe._replace(pull=0.1 if initialised else 0.0)
    case = case._replace(recipe=recipe)
    worst = check_agreement(case, dataset, initialised)
    rng = np.random.default_rng(SEED)
    networks = fresh_networks(case.sizes, rng, initialised, dtype="float32")
    _ours(networks, recipe, dataset, 0, WARM_UP)
    peers = {
        "eager torch": EagerTorch(networks, recipe, clamped=False),
        "eager torch, input drive once": EagerTorch(networks, recipe, clamped=True),
    }
    left, right = torch.rand(2, PRODUCT, PRODUCT)
    result = torch.empty(PRODUCT, PRODUCT)
    work = {"plausible kernel": lambda: _ours(networks, recipe, dataset, WARM_UP, case.ours)}
    for name, eager in peers.items():
        work[name] = lambda eager=eager: _theirs(eager, dataset, WARM_UP, case.theirs)
        work[name]()
    number = dict.fromkeys(work, case.theirs) | {"plausible kernel": case.ours}
    if not initialised:
        core = "dense products at this core's sgemm peak"
        work[core] = lambda: torch.mm(left, right, out=result)
        number[core] = 2 * PRODUCT**3 / operations(case)
        work[core]()
    sizes, steps = "-".join(map(str, case.sizes)), f"{recipe.negative_steps} + "
    title = f"O'Connor chapter 7, {sizes}, {steps}{recipe.positive_steps} steps, batch {BATCH}"
    title += ", initialised" if initialised else ""
    notes = {"plausible kernel": f"weights as eager torch to {worst:.0e} in float64"}
    return milliseconds(title, take_turns(work, repetitions), number, notes)


def run(dataset: Dataset, repetitions: int) -> list[Row]:
    """Both networks, plain and initialised."""
    return [
        row
        for case in (SMALL, LARGE)
        for initialised in (False, True)
        for row in rows(case, dataset, initialised, repetitions)
    ]
