"""SpikeProp, target propagation, neural ODE, synthetic gradients as measured deviations.

O'Connor 2020, sections 2.2, 2.3, 2.4 and 2.6; one function per published entry.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.learning.synthetic_gradients import (
    bootstrap_targets,
    learned,
    predict,
    with_one,
)
from plausible.learning.target_propagation import difference_target
from plausible.measure.slopes import log_slope
from plausible.networks.neural_ode import (
    adjoint_gradients,
    euler_step,
    runge_kutta_step,
    solve,
)
from plausible.neurons.spike_time import Synapses, loss_gradients, spike_times, time_slopes
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import (
    Check,
    controls,
    normal,
    relative_difference,
)
from plausible.studies.oconnor2020.ch2_systems.experiment import generator, torch_generator

PRINTED = "as_published"
DRAWS = 100

# ---------------------------------------------------------------------------- SpikeProp

INPUTS, DELAYS, NEURONS = 5, 4, 50


def random_synapses(rng: np.random.Generator, neurons: int, lift: float = 1.0) -> Synapses:
    """Weights of either sign, the more of them positive the larger ``lift``."""
    weights = 0.5 * rng.standard_normal((INPUTS, DELAYS, neurons)) + lift
    return Synapses(weights, np.arange(DELAYS, dtype=np.float64))


def spikeprop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.2: derivative of a spike time, and what its linearisation leaves."""
    rng = generator("spikeprop", seed)
    derivative, linear, name = "spike_time_derivative", "linear_near_a_spike", "another_delay"
    synapses, inputs = random_synapses(rng, NEURONS, 0.4), rng.uniform(0.0, 2.0, INPUTS)
    times = spike_times(synapses, inputs)
    synapses = synapses._replace(weights=synapses.weights[:, :, np.isfinite(times)])
    times = times[np.isfinite(times)]
    # The delays of both layers differ by 1, the spike times are those of the first.
    late = synapses._replace(delays=synapses.delays + 1.0)
    right = time_slopes(synapses, inputs, times).by_weight
    with np.errstate(invalid="ignore", divide="ignore"):
        wrong = time_slopes(late, inputs, times).by_weight
    direction = rng.standard_normal(synapses.weights.shape)

    def moved(size: float) -> NDArray:
        return spike_times(synapses._replace(weights=synapses.weights + size * direction), inputs)

    sizes = 0.001 / 2.0 ** np.arange(5)
    after = np.array([moved(size) for size in sizes])
    # Where the same spike comes earlier or later, and the other delays have a derivative at all.
    kept = (np.abs(after - times) < 0.1).all(axis=0) & np.isfinite(wrong).all(axis=(0, 1))
    difference = (moved(1e-4)[kept] - moved(-1e-4)[kept]) / 2e-4

    def along(slopes: NDArray) -> NDArray:
        return (slopes * direction).sum(axis=(0, 1))[kept]

    def off(slopes: NDArray) -> float:
        return float(np.abs(along(slopes) - difference).max() / np.abs(difference).max())

    def slope(slopes: NDArray) -> float:
        left = after[:, kept] - times[kept] - sizes[:, None] * along(slopes)
        return log_slope(sizes, np.sqrt((left**2).mean(axis=1)))

    text = f"{int(kept.sum())} neurons, all weights changed along a random direction"
    return [
        Check(derivative, text, off(right)),
        *controls(derivative, {name: off(wrong)}),
        Check(linear, f"{text} by 0.001 and less", slope(right)),
        *controls(linear, {name: slope(wrong)}),
    ]


def spikeprop_silent(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.2: one small step of the rule; neurons that do not spike."""
    rng = generator("spikeprop_silent", seed)
    towards, silent = "step_moves_towards_target", "silent_neuron_learns_nothing"
    changes: dict[float, list[float]] = {-1e-4: [], 1e-4: []}
    for _ in range(DRAWS):
        synapses, inputs = random_synapses(rng, 1), rng.uniform(0.0, 2.0, INPUTS)
        target = spike_times(synapses, inputs) + rng.choice([-0.5, 0.5])
        _, (gradient,) = loss_gradients([synapses], inputs, target)
        for step, found in changes.items():
            after = synapses._replace(weights=synapses.weights + step * gradient)
            off = [abs(spike_times(one, inputs)[0] - target[0]) for one in (synapses, after)]
            found.append(off[1] - off[0])

    def largest(factor: float, count: Callable[[NDArray], bool]) -> float:
        found = []
        for _ in range(DRAWS):
            quiet = random_synapses(rng, 1)
            quiet = quiet._replace(weights=factor * quiet.weights)
            inputs = rng.uniform(0.0, 2.0, INPUTS)
            if not count(np.isfinite(spike_times(quiet, inputs))):
                continue
            _, (gradient,) = loss_gradients([quiet], inputs, np.full(1, 3.0))
            found.append(float(np.abs(gradient).max()))
        return max(found)

    return [
        Check(towards, f"largest change in {DRAWS} draws, rate 1e-4", max(changes[-1e-4])),
        *controls(towards, {"step_reversed": max(changes[1e-4])}),
        Check(silent, "neurons below the threshold", largest(0.01, lambda on: not on.any())),
        *controls(silent, {"larger_weights": largest(1.0, np.any)}),
    ]


# ------------------------------------------------------------------- target propagation

UNITS, BATCH = 10, 100


def _layer(weights: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda state: torch.tanh(state @ weights)


def _inverse(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Exact inverse of such a layer, for values within -1 and 1."""
    back = torch.linalg.inv(weights)
    return lambda state: torch.atanh(state) @ back


def _square(own: torch.Generator) -> Tensor:
    """Weights of an invertible layer: a random rotation, scaled by up to a third."""
    rotation, _ = torch.linalg.qr(normal(own, UNITS, UNITS))
    return rotation * (0.6 + 0.2 * torch.rand(UNITS, generator=own, dtype=torch.float64))


def difference_target_prop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.3: the target of a layer, with an inverse that is not exact."""
    own = torch_generator("difference_target_prop", seed)
    fixed, lowers = "target_is_fixed_point", "correction_lowers_error"
    weights, state = _square(own), 0.5 * normal(own, BATCH, UNITS)
    forward, inverse = _layer(weights), _inverse(weights + 0.1 * normal(own, UNITS, UNITS))
    above = forward(state)
    wanted = (above + 0.02 * normal(own, BATCH, UNITS)).clamp(-0.99, 0.99)
    restored, goal = inverse(above), inverse(wanted)
    corrected = difference_target(state, restored, goal)
    same = difference_target(state, restored, restored)
    # The inverse is good enough to be an inverse, and not exact.
    mixed = torch.roll(state - restored, 1, dims=0) + goal

    def off(target: Tensor) -> Tensor:
        return (forward(target) - wanted).norm(dim=1)

    def ratio(target: Tensor) -> float:
        return float((off(target) / off(goal)).log().mean())

    text = f"{BATCH} samples, {UNITS} units"
    return [
        Check(fixed, text, float((same - state).abs().max())),
        *controls(fixed, {"correction_left_out": float((state + restored - state).abs().max())}),
        Check(lowers, text, ratio(corrected)),
        *controls(lowers, {"correction_of_another_sample": ratio(mixed)}),
    ]


def target_prop_exact_inverse(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.3: the derivative of the loss on the way to the target, by autograd."""
    own, name = torch_generator("exact_inverse", seed), "step_lowers_loss"
    counts = {"right": 0, "other": 0}
    for _ in range(DRAWS):
        weights, other = _square(own), _square(own)
        state = 0.5 * normal(own, 1, UNITS).requires_grad_()
        state = state.detach().requires_grad_()
        above = _layer(weights)(state)
        step = normal(own, 1, UNITS)
        wanted = (above + 1e-3 * step / step.norm()).detach()
        (slope,) = torch.autograd.grad((above - wanted).norm(), state)
        for which, matrix in (("right", weights), ("other", other)):
            inverse = _inverse(matrix)
            towards = inverse(wanted) - (state if which == "right" else inverse(above)).detach()
            counts[which] += bool((slope * towards).sum() >= 0)
    text = f"draws of {DRAWS} in which the loss does not fall, layers of {UNITS} units"
    return [
        Check(name, text, counts["right"]),
        *controls(name, {"inverse_of_another_layer": counts["other"]}),
    ]


# --------------------------------------------------------------------------- neural ODE

SPAN = (0.0, 2.0)
FINE = 100


def neural_ode(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.4: residual layers, gradients by the adjoint system, coarse steps."""
    own = torch_generator("neural_ode", seed)
    residual, adjoint = "residual_layer_is_euler_step", "adjoint_gradient"
    coarse, half = "coarse_steps_less_accurate", 0.5
    weights = (1.5 * normal(own, UNITS, UNITS) / UNITS**half).requires_grad_()
    biases = normal(own, UNITS).requires_grad_()
    start = normal(own, 4, UNITS).requires_grad_()
    wanted = normal(own, 4, UNITS)

    def field(state: Tensor, time: float) -> Tensor:
        return torch.tanh(state @ weights + biases * np.cos(time))

    end = solve(field, start, SPAN, FINE, runge_kutta_step)
    loss = half * ((end - wanted) ** 2).sum()
    expected = list(torch.autograd.grad(loss, [start, weights, biases]))

    def deviation(factor: float) -> float:
        error = factor * (end - wanted).detach()
        found = adjoint_gradients(field, [weights, biases], end.detach(), error, SPAN, FINE)
        return relative_difference([found.start, *found.parameters], expected)

    with torch.no_grad():
        steps = [2 * 2**k for k in range(5)]
        errors = [float((solve(field, start, SPAN, n) - end).norm()) for n in steps]
        ratios = [before / after for before, after in zip(errors, errors[1:], strict=False)]
        again = float((solve(field, start, SPAN, steps[0]) - end).norm())
        layer = start + torch.tanh(start @ weights + biases)
        explicit = euler_step(field, start, 0.0, 1.0)
        implicit = start
        for _ in range(500):  # damped, towards the solution of z = start + f(z)
            implicit = 0.9 * implicit + 0.1 * (start + field(implicit, 0.0))
        off, printed = (float((one - layer).abs().max()) for one in (explicit, implicit))
    text = "step at t = 0"
    return [
        Check(residual, f"{text}, f of the state before it", off),
        Check(residual, f"{text}, f of the state after it", printed, protocol=PRINTED),
        *controls(residual, {"implicit_step": printed}),
        Check(adjoint, f"{FINE} steps of order 4: start, weights, biases", deviation(1.0)),
        *controls(adjoint, {"adjoint_doubled": deviation(2.0)}),
        Check(coarse, f"time from {SPAN[0]:g} to {SPAN[1]:g}", min(ratios)),
        *controls(coarse, {"the_same_step": errors[0] / again}),
    ]


# ------------------------------------------------------------------ synthetic gradients

LAYERS, SAMPLES = 3, 500


def synthetic_gradients(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.6: a linear predictor of the gradient in a network of tanh layers."""
    own, name = torch_generator("synthetic_gradients", seed), "predictor_learns"
    first, second, third = (normal(own, UNITS, UNITS) / UNITS**0.5 for _ in range(3))
    inputs = normal(own, 2 * SAMPLES, UNITS)
    state = torch.tanh(inputs @ first).requires_grad_()
    output = torch.tanh(state @ second) @ third
    (gradient,) = torch.autograd.grad(0.5 * ((output - torch.tanh(inputs)) ** 2).sum(), state)
    state = state.detach()

    def left(gradients: Tensor) -> float:
        """Error on the second half of a predictor that learned on the first."""
        predictor = torch.zeros(UNITS + 1, UNITS, dtype=torch.float64)
        for _ in range(400):
            (predictor,) = learned([predictor], [state[:SAMPLES]], [gradients[:SAMPLES]], 0.5)
        off = with_one(state[SAMPLES:]) @ predictor - gradients[SAMPLES:]
        return float((off**2).mean() / gradients[SAMPLES:].var(dim=0, correction=0).mean())

    permuted = gradient[torch.randperm(2 * SAMPLES, generator=own)]
    text = f"{SAMPLES} samples to learn from and {SAMPLES} fresh ones"
    return [
        Check(name, text, left(gradient)),
        *controls(name, {"gradients_permuted": left(permuted)}),
    ]


def synthetic_bootstrap(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.6: predictors that learn from each other, and the update that they give."""
    own = torch_generator("synthetic_bootstrap", seed)
    converges, biased = "converges_to_the_gradient", "constant_predictor_is_biased"
    weights = [_square(own) for _ in range(LAYERS)]
    states = [normal(own, SAMPLES, UNITS) + 0.5]
    for matrix in weights:
        states.append(states[-1] @ matrix)
    # Linear in the last state, so that a linear predictor can express it.
    last = states[-1] - (states[0] @ normal(own, UNITS, UNITS) / UNITS**0.5 + 0.3)
    exact = [last]
    for matrix in weights[:0:-1]:
        exact.insert(0, exact[0] @ matrix.T)
    slopes = [torch.ones_like(last)] * LAYERS

    def after(constant: bool = False, itself: bool = False) -> list[Tensor]:
        """Predictions after convergence."""
        predictors = [torch.zeros(UNITS + 1, UNITS, dtype=torch.float64) for _ in weights]
        read = [torch.zeros_like(one) if constant else one for one in states[1:]]
        for _ in range(600):
            found = predict(predictors, read)
            goals = bootstrap_targets(found, weights, slopes, last)
            goals = [*found[:-1], last] if itself else goals
            predictors = learned(predictors, read, goals, 0.5)
        return predict(predictors, read)

    def update(gradients: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(states[:-1], gradients, strict=True)
        return [below.T @ gradient / SAMPLES for below, gradient in pairs]

    predicted, constant = after(), after(constant=True)
    right = update(exact)
    text = f"{LAYERS} linear layers of {UNITS} units, {SAMPLES} samples"
    itself = relative_difference(after(itself=True)[:-1], exact[:-1])

    def off(gradients: Sequence[Tensor]) -> float:
        deviations = [
            float((one - other).norm() / other.norm())
            for one, other in zip(update(gradients), right, strict=True)
        ]
        return min(deviations) if gradients is constant else max(deviations)

    return [
        Check(converges, text, relative_difference(predicted, exact)),
        *controls(converges, {"bootstrapped_from_itself": itself}),
        Check(biased, f"{text}; the least biased layer", off(constant)),
        *controls(biased, {"predictor_that_can": off(predicted)}),
    ]
