"""Boltzmann machines as measured deviations (O'Connor 2020, section 2.1, eq. 2.1 to 2.6).

Everything but the samples is enumerated; gradients are those of torch, of a likelihood written down
from the energy alone. Eq. 2.1 as printed counts every pair of units twice.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.learning.contrastive_divergence import (
    boltzmann_gradient,
    contrastive_gradient,
    exact_gradient,
    expected_contrastive_gradient,
)
from plausible.learning.stacked_machines import (
    climb,
    hidden_distribution,
    log_likelihood,
    lower_bound,
)
from plausible.measure.shares import share_limit
from plausible.networks.boltzmann import (
    all_states,
    distribution,
    gibbs_samples,
    on_probability,
    relaxation_time,
    state_numbers,
    sweep_kernel,
    total_variation,
)
from plausible.networks.hopfield import Hopfield, make_hopfield
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    as_boltzmann,
    hidden_probabilities,
    random_restricted,
    turned,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch2_systems.experiment import (
    flat,
    generator,
    random_data,
)

PRINTED = "as_published"
UNITS, MACHINES = 8, 20
VISIBLE, HIDDEN = 6, 4
DRAWS, PATTERNS, CHAINS = 200, 5, 100
LAYER, CLIMB, RATE = 5, 100, 0.2
"""Units of each layer of a stack; steps and rate of the training of a machine."""


def random_machine(
    rng: np.random.Generator, units: int = UNITS, deviation: float = 0.5
) -> Hopfield:
    """Normal weights and biases."""
    upper = np.triu(deviation * rng.standard_normal((units, units)), 1)
    return make_hopfield(upper + upper.T, deviation * rng.standard_normal(units))


def pair_energies(machine: Hopfield, pairs: float) -> NDArray[np.float64]:
    """Energies of all states by a sum over pairs i < j, each counted ``pairs`` times."""
    found = []
    for state in all_states(len(machine.biases)):
        on = np.flatnonzero(state)
        both = sum(machine.weights[i, j] for i in on for j in on if i < j)
        found.append(-pairs * both - machine.biases[on].sum())
    return np.array(found)


def _probabilities(energies: NDArray) -> NDArray[np.float64]:
    weights = np.exp(-energies)
    return weights / weights.sum()


def boltzmann(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.1 to 2.3: samples and conditional probabilities are those of the energy."""
    rng = generator("eq2.3", seed)
    machine = random_machine(rng)
    samples = gibbs_samples(machine, rng, chains=1000, kept=100, burn_in=50, every=5)
    drawn = np.bincount(state_numbers(samples), minlength=2**UNITS) / len(samples)
    right, printed = (_probabilities(pair_energies(machine, pairs)) for pairs in (1.0, 2.0))
    states = all_states(UNITS)

    def off(probabilities: NDArray) -> float:
        found = []
        for unit in range(UNITS):
            ones = states[:, unit] == 1.0
            without = states[~ones]
            conditional = probabilities[ones] / (probabilities[ones] + probabilities[~ones])
            found.append(np.abs(on_probability(machine, without, unit) - conditional).max())
        return float(max(found))

    sampled, conditional, twice = "gibbs_samples", "conditional_is_sigmoid", "pairs_counted_twice"
    far, text = total_variation(drawn, printed), f"100,000 samples of {UNITS} units"
    return [
        Check(sampled, text, total_variation(drawn, right)),
        Check(sampled, f"{text}, eq. 2.1 as printed", far, protocol=PRINTED),
        *controls(sampled, {twice: far}),
        Check(conditional, f"all units and states, {UNITS} units", off(right)),
        Check(conditional, "eq. 2.1 as printed", off(printed), protocol=PRINTED),
        *controls(conditional, {twice: off(printed)}),
    ]


def _log_likelihood(weights: Tensor, biases: Tensor, data: NDArray, visible: int) -> Tensor:
    """Mean log likelihood of a distribution over the first units, the others summed out."""
    states = torch.from_numpy(all_states(len(biases)))
    negative = 0.5 * ((states @ weights) * states).sum(dim=1) + states @ biases
    marginal = torch.logsumexp(negative.reshape(2**visible, -1), dim=1)
    return torch.from_numpy(data) @ (marginal - torch.logsumexp(negative, dim=0))


def _by_autograd(machine: Hopfield, data: NDArray, visible: int) -> tuple[NDArray, NDArray]:
    """Gradient by weights, a connection counted once, and biases."""
    tensors = [torch.from_numpy(each.copy()).requires_grad_() for each in machine]
    loss = _log_likelihood(*tensors, data, visible)
    weights, biases = torch.autograd.grad(loss, tensors)
    both = (weights + weights.T).fill_diagonal_(0.0)
    return both.numpy(), biases.numpy()


def _relative(found: NDArray, expected: NDArray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def boltzmann_learning(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.4 to 2.6: the exact rule, and what one step of contrastive divergence gives."""
    rng, exact = generator("eq2.6", seed), "exact_rule_is_gradient"
    one = random_machine(rng)
    data = random_data(rng, 2**VISIBLE, PATTERNS)
    restricted = random_restricted(rng, VISIBLE, HIDDEN)
    gradient = exact_gradient(restricted, data)
    weights, biases = _by_autograd(as_boltzmann(restricted), data, VISIBLE)
    expected = np.concatenate([weights[:VISIBLE, VISIBLE:].ravel(), biases])
    full = np.concatenate([each.ravel() for each in _by_autograd(one, data, VISIBLE)])
    found = np.concatenate([each.ravel() for each in boltzmann_gradient(one, data)])
    rules = {
        "hidden_units": (f"machine of {UNITS} units, {VISIBLE} visible", _relative(found, full)),
        "restricted": (
            f"restricted machine of {VISIBLE} + {HIDDEN} units",
            _relative(flat(gradient), expected),
        ),
    }
    swapped = min(_relative(-found, full), _relative(-flat(gradient), expected))
    return [
        *checks(exact, rules),
        *controls(exact, {"phases_swapped": swapped}),
        *_contrastive(rng),
    ]


def _contrastive(rng: np.random.Generator) -> list[Check]:
    uphill, biased, states = "cd1_points_uphill", "cd_is_biased", all_states(VISIBLE)
    rising, other, bias, long = 0, 0, [], []
    for _ in range(DRAWS):
        (machine, data), (another, others) = (
            (random_restricted(rng, VISIBLE, HIDDEN), random_data(rng, len(states), PATTERNS))
            for _ in range(2)
        )
        gradient = flat(exact_gradient(machine, data))
        rising += _sampled(machine, data, rng) @ gradient > 0
        other += _sampled(another, others, rng) @ gradient > 0
        if len(bias) < MACHINES:
            for found, steps in ((bias, 1), (long, 1000)):
                update = flat(expected_contrastive_gradient(machine, data, steps))
                found.append(_relative(update, gradient))
    text = f"{DRAWS} machines of {VISIBLE} + {HIDDEN} units, {CHAINS} samples each"
    return [
        Check(uphill, text, share_limit(rising, DRAWS)),
        *controls(uphill, {"another_machine": share_limit(other, DRAWS)}),
        Check(biased, f"smallest of {MACHINES} machines", min(bias)),
        *controls(biased, {"thousand_steps": max(long)}),
    ]


def _sampled(machine: RestrictedMachine, data: NDArray, rng: np.random.Generator) -> NDArray:
    """Sampled update of one step."""
    visible = all_states(VISIBLE)[rng.choice(len(data), CHAINS, p=data)]
    return flat(contrastive_gradient(machine, visible, 1, rng))


def rbm_independence(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.1: p(h|v) of the whole machine, by enumeration, against the product."""
    rng, name = generator("independence", seed), "hidden_units_factorise"
    restricted = random_restricted(rng, VISIBLE, HIDDEN)
    states = all_states(HIDDEN)
    on = hidden_probabilities(restricted, all_states(VISIBLE))[:, None, :]
    product = np.where(states == 1.0, on, 1.0 - on).prod(axis=2)

    def off(machine: Hopfield) -> float:
        joint = distribution(machine).reshape(2**VISIBLE, -1)
        return float(np.abs(joint / joint.sum(axis=1, keepdims=True) - product).max())

    machine = as_boltzmann(restricted)
    connected = machine.weights.copy()
    connected[VISIBLE, VISIBLE + 1] = connected[VISIBLE + 1, VISIBLE] = 1.0
    broken = {"hidden_connection": off(machine._replace(weights=connected))}
    text = f"{VISIBLE} + {HIDDEN} units, all states"
    return [Check(name, text, off(machine)), *controls(name, broken)]


def gibbs_burn_in(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.1: relaxation of Gibbs sampling between two modes, by its exact kernel."""
    rng, name = generator("burn_in", seed), "needs_thousands_of_sweeps"
    machines = []
    for _ in range(MACHINES):
        pattern = rng.choice([-1.0, 1.0], UNITS)
        upper = np.triu(0.3 * rng.standard_normal((UNITS, UNITS)) / UNITS**0.5, 1)
        weights = np.outer(pattern, pattern) / UNITS + upper + upper.T
        np.fill_diagonal(weights, 0.0)
        machines.append(weights)

    def median(scale: float) -> float:
        # Biases under which a state and its opposite are equally likely.
        centred = [make_hopfield(scale * one, -0.5 * scale * one.sum(axis=0)) for one in machines]
        return float(np.median([relaxation_time(sweep_kernel(one)) for one in centred]))

    text = f"median of {MACHINES} machines of {UNITS} units, weights of 16"
    broken = {"weights_of_a_quarter": median(4.0)}
    return [Check(name, text, median(16.0)), *controls(name, broken)]


def dbn_likelihood(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.1: a second and a third machine on top of a first one that was trained."""
    rng, name = generator("dbn", seed), "added_layer_never_lowers"
    change: dict[str, list[float]] = {"second": [], "third": [], "random": [], "likelihood": []}
    for _ in range(MACHINES):
        data = random_data(rng, 2**LAYER, PATTERNS)
        start, untied = (random_restricted(rng, LAYER, LAYER, 0.1) for _ in range(2))
        first = climb(start, data, CLIMB, RATE)
        hidden = hidden_distribution(first, data)
        second = climb(turned(first), hidden, CLIMB, RATE)
        third = climb(turned(second), hidden_distribution(second, hidden), CLIMB, RATE)
        before, tied, three = (
            float(data @ lower_bound(stack))
            for stack in ([first], [first, second], [first, second, third])
        )
        other = [first, climb(untied, hidden, CLIMB, RATE)]
        change["second"].append(tied - before)
        change["third"].append(three - tied)
        change["random"].append(float(data @ lower_bound(other)) - before)
        change["likelihood"].append(float(data @ log_likelihood(other)) - before)
    text = f"{{}}, smallest of {MACHINES} draws, {LAYER} units a layer"
    found = {
        layer: (text.format(f"lower bound with the {layer} layer"), min(change[layer]))
        for layer in ("second", "third")
    }
    printed = "log likelihood with a second layer that starts at random weights"
    as_printed = {"second": (text.format(printed), min(change["likelihood"]))}
    return [
        *checks(name, found),
        *checks(name, as_printed, PRINTED),
        *controls(name, {"start_not_tied": min(change["random"])}),
    ]
