"""Quantizers of O'Connor 2020, sections 3.4.1 to 3.4.4 and A.1, as measured deviations.

Values are multiples of 2^-20 where a statement is exact, so that sums of floating-point numbers
are exact as well. The listings are followed word for word (`listing`), spike by spike, as what the
implementation, which counts spikes in closed form, is compared with.
"""

from collections.abc import Callable, Mapping

import numpy as np

from plausible.kernels.compiled_code import float_operations
from plausible.kernels.spike_loops import sum_rows
from plausible.measure.slopes import log_slope, log_spaced
from plausible.neurons.quantizers import (
    Quantized,
    quantize_stream,
    quantize_vector,
    rectified_counts,
    residual_bound,
    running_product,
    sampled_events,
    spike_codes,
    spike_numbers,
)
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.settings import Theorems

UNITS, STEPS = 100, 10_000
LISTED = 200
"""Steps that are compared spike by spike with the printed loop."""
GRID = 2.0**-20
SAMPLED = 1000
"""Units of stochastic sampling."""
MEANS = {"negative": -0.5, "zero": 0.0, "positive": 0.5}
"""Means of rectified streams, of variance 1."""


def stream(name: str, seed: int) -> np.random.Generator:
    """Random numbers of one theorem."""
    return numpy_generator("oconnor2020", "theorems", name, seed)


def on_grid(values: np.ndarray) -> np.ndarray:
    """Values as multiples of 2^-20, sums of which are exact in float64."""
    return np.rint(values / GRID) * GRID


def listing(values: np.ndarray, rectified: bool = False) -> tuple[list[list[int]], np.ndarray]:
    """Algorithms 1, 2, 9, 11 and 12 as they are printed, with a loop over single spikes.

    Returns the spikes of every step of ``values`` ``[steps, units]`` in their order (i, or -1 - i)
    and phi after every step.
    """
    phi, spikes, potentials = np.zeros(values.shape[1]), [], []
    for value in values:
        phi = phi + value
        emitted = []
        while (phi if rectified else np.abs(phi)).max() > 0.5:
            unit = int((phi if rectified else np.abs(phi)).argmax())
            sign = 1 if phi[unit] > 0 else -1
            phi[unit] -= sign
            emitted.append(unit if sign > 0 else -1 - unit)
        spikes.append(emitted)
        potentials.append(phi.copy())
    return spikes, np.array(potentials)


def unequal_steps(values: np.ndarray, rectified: bool = False) -> int:
    """Steps in which the implementation and the listing emit other spikes or in another order."""
    phi, wrong = np.zeros(values.shape[1]), 0
    for value, expected in zip(values, listing(values, rectified)[0], strict=True):
        phi += value
        wrong += spike_codes(phi, rectified).tolist() != expected
    return wrong


def potentials(
    values: np.ndarray,
    rectified: bool = False,
    quantizer: Callable[..., Quantized] | None = None,
) -> np.ndarray:
    """phi after every step, from the sums of values and of the spikes of the implementation."""
    spikes = (quantizer or quantize_stream)(values, rectified).spikes
    return np.cumsum(values, axis=0) - np.cumsum(spikes, axis=0)


def constant(name: str, seed: int) -> np.ndarray:
    """A standard normal vector at each of ``STEPS`` steps."""
    return np.tile(on_grid(stream(name, seed).standard_normal(UNITS)), (STEPS, 1))


def changing(name: str, seed: int) -> np.ndarray:
    """Normal values, independent from step to step, around a mean of each unit."""
    rng = stream(name, seed)
    means = 0.5 * rng.standard_normal(UNITS)
    return on_grid(means + 0.2 * rng.standard_normal((STEPS, UNITS)))


def _one_spike(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: a spike does not lower the potential, which emits one in each step."""
    phi = np.cumsum(values, axis=0)
    return Quantized(np.zeros(values.shape, np.int64), phi[-1])


def _set_to_zero(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: a potential that has emitted its spikes is set to 0."""
    phi, spikes = np.zeros(values.shape[1]), np.empty(values.shape, np.int64)
    for step, value in enumerate(values):
        spikes[step] = spike_numbers(phi + value, rectified)
        phi = np.where(spikes[step] == 0, phi + value, 0.0)
    return Quantized(spikes, phi)


def _threshold_of_one(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: spikes at 1 instead of 1/2."""
    phi, spikes = np.zeros(values.shape[1]), np.empty(values.shape, np.int64)
    for step, value in enumerate(values):
        phi = phi + value
        spikes[step] = spike_numbers(phi, rectified, half=1.0)
        phi = phi - spikes[step]
    return Quantized(spikes, phi)


def _unsigned(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: the sign of the spikes left out."""
    found = quantize_stream(values, rectified)
    return found._replace(spikes=np.abs(found.spikes))


def _both_signs(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: a quantizer with both thresholds where one is meant."""
    return quantize_stream(values)


def _one_late(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: spikes of a step leave in the next one."""
    found = quantize_stream(values, rectified)
    return found._replace(
        spikes=np.concatenate([np.zeros_like(found.spikes[:1]), found.spikes[:-1]])
    )


def _rounded_down(values: np.ndarray, rectified: bool = False) -> Quantized:
    """Broken: floor in the place of the nearest whole number, phi from 0 to 1."""
    sums = np.floor(np.cumsum(values, axis=0)).astype(np.int64)
    return Quantized(np.diff(sums, axis=0, prepend=0), sums[-1])


def _order(values: np.ndarray, rectified: bool = False) -> list[Check]:
    """Spikes of the first steps, and their order, against the printed loop."""
    name, values = "order_of_spikes", values[:LISTED]
    text = f"steps of {LISTED} in which spikes or their order are not those of the printed loop"
    phi, unordered = np.zeros(values.shape[1]), 0
    for value, expected in zip(values, listing(values, rectified)[0], strict=True):
        phi += value
        unordered += np.sort(spike_codes(phi, rectified)).tolist() != expected
    return [
        Check(name, text, unequal_steps(values, rectified)),
        *controls(name, {"in_order_of_units": unordered / LISTED}),
    ]


def algorithm1(settings: Theorems, seed: int) -> list[Check]:
    """Spiking vector quantization."""
    values, name = constant("algorithm1", seed), "phi_after_step"

    def largest(quantizer=None) -> float:
        return np.abs(potentials(values, quantizer=quantizer)).max()

    broken = {
        "potential_not_lowered": largest(_one_spike),
        "threshold_of_one": largest(_threshold_of_one),
    }
    return [
        Check(name, f"largest |phi_i| after a step, T = 1 to {STEPS}", largest()),
        *controls(name, broken),
        *_order(values),
    ]


def residual(settings: Theorems, seed: int) -> list[Check]:
    """Eq. A.2 for vectors of any size."""
    rng = stream("eqA.2", seed)
    sizes = rng.standard_normal(UNITS) * rng.exponential(3, UNITS)
    values, name = np.tile(on_grid(sizes), (STEPS, 1)), "residual_norm"

    def norms(quantizer=None) -> np.ndarray:
        return np.abs(potentials(values, quantizer=quantizer)).mean(axis=1)

    single = np.abs(potentials(values[:, :1], quantizer=_rounded_down))
    text = f"largest L1 norm of phi over len(v), random v, T = 1 to {STEPS}"
    broken = {
        "potential_not_lowered": norms(_one_spike).max(),
        "rounded_down": (single > residual_bound(1)).mean(),
    }
    return [Check(name, text, norms().max()), *controls(name, broken)]


def algorithm2(settings: Theorems, seed: int) -> list[Check]:
    """Rectified spiking stream quantization."""
    values, step, sums = changing("algorithm2", seed), "phi_after_step", "phi_is_the_sum"

    def largest(quantizer=None) -> float:
        return potentials(values, True, quantizer).max()

    # Their running sum never passes 1/2: mean -1/2 and no more than that above it.
    low = on_grid(-stream("algorithm2 below", seed).random((STEPS, UNITS)))

    def off(quantizer=None) -> float:
        return np.abs(potentials(low, True, quantizer) - np.cumsum(low, axis=0)).max()

    negative = "negative_spikes"
    counts = [
        int((quantizer(values, True).spikes < 0).sum())
        for quantizer in (quantize_stream, _both_signs)
    ]
    return [
        Check(step, f"largest phi_i after a step, T = 1 to {STEPS}", largest()),
        *controls(step, {"potential_not_lowered": largest(_one_spike)}),
        Check(sums, f"|phi_T - sum of v| of units below 1/2, T = 1 to {STEPS}", off()),
        *controls(sums, {"both_thresholds": off(_both_signs)}),
        Check(negative, f"negative spikes of {UNITS} units in {STEPS} steps", counts[0]),
        *controls(negative, {"both_thresholds": counts[1]}),
        *_order(values, rectified=True),
    ]


def algorithm10(settings: Theorems, seed: int) -> list[Check]:
    """Stochastic sampling: the mean of many runs, in standard errors of a Poisson count."""
    rng, name = stream("algorithm10", seed), "unbiased"
    vector = rng.standard_normal(SAMPLED)
    squares = np.sign(vector) * vector**2 * np.abs(vector).sum() / (vector**2).sum()

    def mean(drawn: np.ndarray) -> np.ndarray:
        """Mean of the events, drawn in blocks to keep the counts small."""
        blocks = [sampled_events(drawn, STEPS // 10, rng).sum(axis=0) for _ in range(10)]
        return np.sum(blocks, axis=0) / STEPS

    def error(found: np.ndarray) -> float:
        return np.sqrt(((found - vector) ** 2 / (np.abs(vector) / STEPS)).mean())

    sampled = mean(vector)
    text = f"root mean square error of the {SAMPLED} units after T = {STEPS}, in standard errors"
    broken = {
        "drawn_by_squares": error(mean(squares)),
        "signs_left_out": error(np.abs(sampled)),
        "too_many_events": error(mean(1.1 * vector)),
    }
    return [Check(name, text, error(sampled)), *controls(name, broken)]


def algorithm11(settings: Theorems, seed: int) -> list[Check]:
    """Spiking stream quantization: algorithm 1 with values that change."""
    return _order(changing("algorithm11", seed))


def mean_of_constant_input(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.1, a constant vector."""
    values = constant("eq3.1", seed)
    broken = {
        "signs_left_out": (values, _unsigned),
        "potential_set_to_zero": (values, _set_to_zero),
    }
    return _mean_within_half(values, broken)


def mean_of_changing_input(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.2, a stream."""
    values = changing("eq3.2", seed)
    jump = values.copy()
    jump[-1] = 2.0
    broken = {"potential_set_to_zero": (values, _set_to_zero), "one_step_late": (jump, _one_late)}
    return _mean_within_half(values, broken)


def _mean_within_half(values: np.ndarray, broken: Mapping[str, tuple]) -> list[Check]:
    """T |mean of the spikes - mean of the values|, and the same with other quantizers."""
    name, text = "mean_per_element", f"largest |sum of spikes - sum of values|, T = 1 to {STEPS}"
    found = {key: np.abs(potentials(v, quantizer=q)).max() for key, (v, q) in broken.items()}
    return [Check(name, text, np.abs(potentials(values)).max()), *controls(name, found)]


def _rectified_errors(values: np.ndarray, counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Root mean square over the units of |spikes / T - max(0, mean of the values)| at ``times``."""
    sums = np.cumsum(values, axis=0)[times - 1]
    return np.sqrt(((counts[times - 1] - np.maximum(sums, 0)) ** 2).mean(axis=1)) / times


def rectified_mean(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.3 for independent values around means below, at and above zero."""
    times = np.array([t for t in log_spaced(10 * STEPS, 41) if t >= 100])
    size, falls, sizes, slopes = "difference_is_small", "difference_falls", {}, {}
    for variant, mean in MEANS.items():
        values = mean + stream(f"eq3.3 {mean}", seed).standard_normal((10 * STEPS, UNITS))
        errors = _rectified_errors(values, rectified_counts(values), times)
        where = f"values of variance 1 around {mean:g}"
        text = f"root mean square error at T = {STEPS} in units of 1/sqrt(T), {where}"
        sizes[variant] = (text, errors[times == STEPS].item() * np.sqrt(STEPS))
        text = f"exponent of T with which it falls, T = 100 to {10 * STEPS}, {where}"
        slopes[variant] = (text, log_slope(times, errors))
    early = times[times <= STEPS]
    low = MEANS["negative"] + stream("eq3.3 signed", seed).standard_normal((STEPS, UNITS))
    signed = _rectified_errors(low, np.cumsum(_both_signs(low).spikes, axis=0), early)
    # Up for half of the time, then down: as many spikes as steps up.
    halves = [np.repeat([[1.0], [-1.0]], t // 2, axis=0) for t in early - early % 2]
    uneven = [_rectified_errors(v, rectified_counts(v), np.array([len(v)]))[0] for v in halves]
    broken = {"not_independent": uneven, "both_thresholds": signed}
    large = {control: errors[-1] * np.sqrt(STEPS) for control, errors in broken.items()}
    flat = {control: log_slope(early, errors) for control, errors in broken.items()}
    return [
        *checks(size, sizes),
        *controls(size, large),
        *checks(falls, slopes),
        *controls(falls, flat),
    ]


def spike_count(settings: Theorems, seed: int) -> list[Check]:
    """Eq. A.5 against the printed loop; at ties, which it counts as spikes, the loop is silent."""
    name = "spike_count"
    values = on_grid(stream("eqA.5", seed).standard_normal((300, UNITS)))
    sums = np.cumsum(values, axis=0)
    highest = np.maximum.accumulate(sums, axis=0)
    found = np.zeros(values.shape, np.int64)
    for step, codes in enumerate(listing(values, rectified=True)[0]):
        np.add.at(found[step], codes, 1)
    found = np.cumsum(found, axis=0)

    def printed(total: np.ndarray, half: float = 0.5) -> np.ndarray:
        return np.maximum(0, np.floor(total + half)) != found

    forms = {
        "printed": (
            "counts that max(0, floor(max of sums + 1/2)) gives otherwise",
            printed(highest),
        ),
        "implemented": (
            "counts of the implementation that differ",
            rectified_counts(values) != found,
        ),
    }
    broken = {
        "sum_at_the_end": printed(sums)[-1].mean(),
        "half_left_out": printed(highest, 0.0)[-1].mean(),
    }
    counted = {variant: (text, wrong.sum()) for variant, (text, wrong) in forms.items()}
    return [*checks(name, counted), *controls(name, broken)]


def dot_product(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.4: v W by adding rows."""
    rng, name = stream("eq3.4", seed), "within_half_a_column"
    vector, weights = on_grid(rng.standard_normal(UNITS)), rng.standard_normal((UNITS, 20))
    spikes = quantize_vector(vector, STEPS).spikes
    times = np.arange(1, STEPS + 1)[:, None]

    def off(spikes: np.ndarray, rows: np.ndarray) -> float:
        apart = np.abs(running_product(spikes, rows) - vector @ weights)
        return (times * apart / np.abs(weights).sum(axis=0)).max()

    text = f"T |v W - sum of rows / T| / sum_i |W_ij|, T = 1 to {STEPS}"
    broken = {
        "row_index_shifted": off(spikes, np.roll(weights, 1, axis=0)),
        "signs_left_out": off(np.abs(spikes), weights),
    }
    return [
        Check(name, text, off(spikes, weights)),
        *controls(name, broken),
        *_additions_alone(spikes[:10], weights),
    ]


def _times_spike(weights, queue, end, total, size):
    """Broken `sum_rows`: a product for each weight."""
    for place in range(end):
        code = queue[place]
        start = size * (code if code >= 0 else -1 - code)
        for j in range(size):
            total[j] += code * weights[start + j]


def _additions_alone(spikes: np.ndarray, weights: np.ndarray) -> list[Check]:
    codes = np.concatenate([spike_codes(one.astype(np.float64)) for one in spikes])
    size = weights.shape[1]
    arguments = (weights.ravel(), codes, len(codes), np.zeros(size), size)
    name, products = "additions_only", "mul|div|rem|ma|muladd"
    text = "floating-point products in the compiled loop that adds rows"
    return [
        Check(name, text, float_operations(sum_rows, arguments, products)),
        *controls(name, {"row_times_spike": float_operations(_times_spike, arguments, products)}),
    ]
