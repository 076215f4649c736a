"""Quantizers of O'Connor 2020, sections 3.4.1 to 3.4.4 and A.1, as measured deviations.

Values are multiples of 2^-20 where a statement is exact, so that sums of floating-point numbers
are exact as well. The listings are followed word for word (`listing`), spike by spike, as what the
implementation, which counts spikes in closed form, is compared with.
"""

import numpy as np

from plausible.measure.slopes import log_slope, log_spaced
from plausible.neurons.quantizers import (
    quantize_stream,
    quantize_vector,
    rectified_counts,
    residual_bound,
    running_product,
    sampled_events,
    spike_codes,
)
from plausible.reproduction.theorem_checks import Check, checks
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.settings import Theorems

UNITS, STEPS = 100, 1000
GRID = 2.0**-20
SLOPE_TOLERANCE = 0.15
LONG = 10_000


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


def potentials(values: np.ndarray, rectified: bool = False) -> np.ndarray:
    """phi after every step, from the sums of values and of the spikes of the implementation."""
    spikes = quantize_stream(values, rectified).spikes
    return np.cumsum(values, axis=0) - np.cumsum(spikes, axis=0)


def constant(name: str, seed: int) -> np.ndarray:
    """A standard normal vector at each of ``STEPS`` steps."""
    return np.tile(on_grid(stream(name, seed).standard_normal(UNITS)), (STEPS, 1))


def changing(name: str, seed: int, mean: float = 0.0) -> np.ndarray:
    """Standard normal values around ``mean``, independent from step to step."""
    return on_grid(mean + stream(name, seed).standard_normal((STEPS, UNITS)))


def algorithm1(settings: Theorems, seed: int) -> list[Check]:
    """Spiking vector quantization."""
    values = constant("algorithm1", seed)
    return _after_step(values) + _residual_norm(values)


def _after_step(values: np.ndarray, rectified: bool = False) -> list[Check]:
    phi = potentials(values, rectified)
    largest, phi = ("phi_i", phi) if rectified else ("|phi_i|", np.abs(phi))
    loop = "steps in which spikes or their order are not those of the printed loop"
    return [
        Check("phi_after_step", f"largest {largest} after a step", phi.max(), 0.5),
        Check("phi_after_step", loop, unequal_steps(values[:200], rectified), 0.0, "=="),
    ]


def _residual_norm(values: np.ndarray) -> list[Check]:
    def share(values: np.ndarray) -> float:
        return np.abs(potentials(values)).sum(axis=1).max() / residual_bound(values.shape[1])

    text, halves = "largest L1 norm of phi over len(v)/2, ", np.full((3, UNITS), 0.5)
    at_ties = f"{text}all v_i = 1/2: the threshold is strict, so that phi = 1/2 stays"
    return [
        Check("residual_norm", f"{text}random v", share(values), 1.0, "<"),
        Check("residual_norm", at_ties, share(halves), 1.0, "<", "as_published"),
    ]


def residual(settings: Theorems, seed: int) -> list[Check]:
    """Eq. A.2 for vectors and streams of any size."""
    rng = stream("eqA.2", seed)
    values = np.tile(on_grid(rng.standard_normal(UNITS) * rng.exponential(3, UNITS)), (STEPS, 1))
    return _residual_norm(values)


def algorithm2(settings: Theorems, seed: int) -> list[Check]:
    """Rectified spiking stream quantization."""
    return _after_step(changing("algorithm2", seed), rectified=True)


def algorithm10(settings: Theorems, seed: int) -> list[Check]:
    """Stochastic sampling: the mean of many runs, in standard errors of a Poisson count."""
    rng = stream("algorithm10", seed)
    vector = rng.standard_normal(UNITS)
    mean = sampled_events(vector, LONG, rng).mean(axis=0)
    errors = (mean - vector) / np.sqrt(np.abs(vector) / LONG)
    total = abs((mean - vector).sum()) / np.sqrt(np.abs(vector).sum() / LONG)
    square = abs((errors**2).mean() - 1) / np.sqrt(2 / UNITS)
    deviations = {
        f"|sum of the estimate - sum of v| after T = {LONG}, in standard errors": total,
        f"root mean square error of the {UNITS} units after T = {LONG}, in standard errors: "
        "distance from 1, itself in standard errors": square,
    }
    return checks("unbiased", 3.0, deviations)


def algorithm11(settings: Theorems, seed: int) -> list[Check]:
    """Spiking stream quantization: the sum of the spikes is off by what is left in phi."""
    return [_mean_within_half("running_mean", changing("algorithm11", seed))]


def mean_of_constant_input(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.1, a constant vector."""
    return [_mean_within_half("mean_per_element", constant("eq3.1", seed))]


def mean_of_changing_input(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.2, a stream."""
    return [_mean_within_half("mean_per_element", changing("eq3.2", seed))]


def _mean_within_half(statement: str, values: np.ndarray) -> Check:
    text = f"largest |sum of spikes - sum of values| times 2, T = 1 to {STEPS}"
    return Check(statement, text, 2 * np.abs(potentials(values)).max(), 1.0)


def rectified_mean(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.3 for independent values around means below, at and above zero."""
    rows = []
    times = np.array(log_spaced(LONG, 25))
    late = times >= 10  # before, a spike more or less is as much as the mean
    for mean in (-0.3, 0.0, 0.3):
        values = mean + stream(f"eq3.3 {mean}", seed).standard_normal((LONG, UNITS))
        spikes = quantize_stream(values, rectified=True).spikes
        sums, counts = np.cumsum(values, axis=0)[times - 1], np.cumsum(spikes, axis=0)[times - 1]
        apart = np.abs(counts - np.maximum(sums, 0)).mean(axis=1) / times
        slope, where = log_slope(times[late], apart[late]), f"values of variance 1 around {mean:g}"
        falls = f"exponent of T with which the mean error falls, {where}"
        rows += [
            Check("difference_falls", falls, slope, -0.5 + SLOPE_TOLERANCE),
            Check("difference_falls", f"mean error at T = {LONG}, {where}", apart[-1], 0.05, "<"),
        ]
    return rows


def spike_count(settings: Theorems, seed: int) -> list[Check]:
    """Eq. A.5 against the loop, for values without ties and for multiples of 1/4."""
    rng = stream("eqA.5", seed)
    generic = on_grid(rng.standard_normal((300, UNITS)))
    quarters = rng.integers(-4, 5, (300, UNITS)) / 4
    right, as_printed = {}, {}
    for name, values in (("no ties", generic), ("multiples of 1/4", quarters)):
        highest = np.maximum.accumulate(np.cumsum(values, axis=0), axis=0)
        ties = (highest > 0) & ((highest + 0.5) % 1 == 0)
        found = np.zeros(values.shape, np.int64)
        for step, codes in enumerate(listing(values, rectified=True)[0]):
            np.add.at(found[step], codes, 1)
        found = np.cumsum(found, axis=0)
        printed = np.maximum(0, np.floor(highest + 0.5))
        text = f"counts that max(0, ceil(max of sums - 1/2)) gives otherwise, {name}"
        right[text] = (rectified_counts(values) != found).sum()
        text = "counts off ties that the printed max(0, floor(max of sums + 1/2)) gives otherwise"
        as_printed[f"{text}, {name}"] = ((printed != found) & ~ties).sum()
    one_more = float((printed - found)[ties].min())
    text = "least surplus of the printed count at a tie, multiples of 1/4: the exception is needed"
    return [
        *checks("spike_count", 0.0, right, "=="),
        *checks("spike_count", 0.0, as_printed, "==", "as_published"),
        Check("spike_count", text, one_more, 1.0, "==", "as_published"),
    ]


def dot_product(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.4: v W by adding rows."""
    rng = stream("eq3.4", seed)
    vector, weights = rng.standard_normal(UNITS), rng.standard_normal((UNITS, 20))
    times = np.array(log_spaced(STEPS, 25))
    products = running_product(quantize_vector(vector, STEPS).spikes, weights)[times - 1]
    slope = log_slope(times, np.abs(products - vector @ weights).mean(axis=1))
    text = f"|exponent of T with which the mean error of v W falls + 1|, T = 1 to {STEPS}"
    return [Check("error_falls", text, abs(slope + 1), SLOPE_TOLERANCE)]
