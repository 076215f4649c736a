"""Chapter 1 in motion: Hopfield networks at work, integrate-and-fire neurons, STDP, the gaps.

Beyond the thesis, which has no experiment in chapter 1 (O'Connor 2020, sections 1.1.2, 1.4, 1.5 and
1.6.1); the exact statements about its equations are its theorems.
"""

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import numpy as np
import pandas as pd

from plausible.networks.hopfield import (
    Recall,
    overlap,
    overlaps,
    recall,
    recall_continuous,
    retrieval_overlap,
    store,
)
from plausible.neurons.integrate_and_fire import IntegrateAndFire, decay, kernel_sum, simulate
from plausible.neurons.plasticity import DoubleExponential, stdp, stdp_online
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch1.settings import (
    Gaps,
    HopfieldCapacity,
    HopfieldRecall,
    SpikingNeurons,
)

POINTS_PER_SWEEP = 10
"""Points of a recall that are kept, for each update of every unit."""


generator = partial(numpy_generator, "oconnor2020")
"""Random stream of an experiment, a seed and a purpose."""


def gaps(settings: Gaps, seeds, dataset, networks) -> pd.DataFrame:
    """Section 1.5: one row a gap, who closes it, and where it is implemented and measured here.

    Columns: number, gap, brain, deep_learning, closed_by, partly_by (systems with their chapters),
    implemented_in (names within the package, which are looked up), found (whether all of them
    exist), measured_in (results); lists are separated by semicolons.
    """
    rows = []
    for number, gap in enumerate(settings.gaps, start=1):
        closed, partly = (
            [f"{s.name} (ch{s.chapter})" for s in settings.systems if number in getattr(s, how)]
            for how in ("closes", "partly")
        )
        places = [name.rpartition(".") for name in gap.implemented_in]
        found = all(hasattr(import_module(f"plausible.{room}"), name) for room, _, name in places)
        listed = map("; ".join, (closed, partly, gap.implemented_in))
        texts = (gap.name, gap.brain, gap.deep_learning, *listed)
        rows.append((number, *texts, found, "; ".join(gap.measured_in)))
    columns = ["number", "gap", "brain", "deep_learning", "closed_by", "partly_by"]
    return pd.DataFrame(rows, columns=[*columns, "implemented_in", "found", "measured_in"])


# --------------------------------------------------------------------------- Hopfield networks


def hopfield_recall(settings: HopfieldRecall, seeds, dataset, networks) -> pd.DataFrame:
    """Energy and overlap while damaged patterns are recalled, with binary and continuous states.

    Columns: states (binary, continuous), load, gain (infinite if binary), seed, pattern,
    updates_per_unit, energy_per_unit, overlap. The network of a seed and a load serves all gains.
    Once nothing changes, the last value stands for the rest of the sweeps.
    """
    units, sweeps = settings.units, settings.sweeps
    rows = []
    for seed in seeds:
        for load in settings.loads:
            rng = generator("hopfield_recall", seed, round(1e6 * load))
            patterns = rng.choice([-1.0, 1.0], (max(1, round(load * units)), units))
            network = store(patterns)
            for number, pattern in enumerate(patterns[: settings.recalls]):
                start = _damaged(pattern, settings.turned_fraction, rng)
                result = recall(network, start, rng, sweeps)
                key = ("binary", load, np.inf, seed, number)
                rows += _points(key, result, start, pattern, sweeps)
                inner = 0.5 * start  # Inside the cube, where every state is possible.
                for gain in settings.gains if load == settings.loads[0] else ():
                    result = recall_continuous(network, inner, gain, rng, sweeps)
                    key = ("continuous", load, gain, seed, number)
                    rows += _points(key, result, inner, pattern, sweeps)
    columns = ["states", "load", "gain", "seed", "pattern"]
    columns += ["updates_per_unit", "energy_per_unit", "overlap"]
    return pd.DataFrame(rows, columns=columns)


def _damaged(pattern: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """The pattern with a fraction of its units turned over."""
    damaged = pattern.copy()
    damaged[rng.permutation(len(pattern))[: round(fraction * len(pattern))]] *= -1
    return damaged


def _points(
    key: tuple, result: Recall, start: np.ndarray, pattern: np.ndarray, sweeps: int
) -> Iterator[tuple]:
    """Rows of one recall, evenly spaced over ``sweeps`` updates of every unit."""
    along = overlaps(result, start, pattern)
    for point in range(sweeps * POINTS_PER_SWEEP + 1):
        time = point / POINTS_PER_SWEEP
        update = min(round(time * len(pattern)), len(along) - 1)
        yield *key, time, result.energies[update] / len(pattern), along[update]


def hopfield_capacity(settings: HopfieldCapacity, seeds, dataset, networks) -> pd.DataFrame:
    """Overlap with a stored pattern after recall, against the number of patterns per unit.

    Columns: units, load (as it is: a whole number of patterns by units), turned_fraction, seed,
    overlap (mean over all recalls), recovered_fraction (of the recalls that end at overlap 1),
    unsettled_fraction (of those still changing after the last sweep). Rows of infinitely many units
    hold the theory; no start and no seed belongs to them.
    """
    rows = []
    for units in settings.sizes:
        for count in sorted({max(1, round(load * units)) for load in settings.loads}):
            for seed in seeds:
                for fraction in settings.turned_fractions:
                    rng = generator("hopfield_capacity", seed, units, count)
                    found = _recall_often(settings, rng, units, count, fraction)
                    rows.append((units, count / units, fraction, seed, *found))
    for load in np.arange(0.002, max(settings.loads) + 0.001, 0.002):
        rows.append((np.inf, load, np.nan, np.nan, retrieval_overlap(load), np.nan, np.nan))
    columns = ["units", "load", "turned_fraction", "seed"]
    columns += ["overlap", "recovered_fraction", "unsettled_fraction"]
    return pd.DataFrame(rows, columns=columns)


def _recall_often(
    settings: HopfieldCapacity, rng: np.random.Generator, units: int, count: int, fraction: float
) -> tuple[float, float, float]:
    """Mean overlap, share of complete recalls and of unsettled ones, over networks and patterns."""
    ends, settled = [], []
    for _ in range(settings.networks):
        patterns = rng.choice([-1.0, 1.0], (count, units))
        network = store(patterns)
        for pattern in patterns[: settings.recalls]:
            result = recall(network, _damaged(pattern, fraction, rng), rng, settings.sweeps)
            ends.append(overlap(result.state, pattern))
            settled.append(result.settled)
    return np.mean(ends), np.mean(np.array(ends) == 1.0), 1.0 - np.mean(settled)


# ----------------------------------------------------------------- spiking neurons and synapses


def spiking_neurons(settings: SpikingNeurons, seeds, dataset, networks) -> pd.DataFrame:
    """Integrate-and-fire neurons and STDP windows, as four tables one below the other.

    Column ``panel`` says which, and each has its own columns beside it:

    - ``potential`` (first seed): neuron, time_s, potential (of the sum of kernels, eq. 1.10), event
      (input, spike, or sample), event_potential (of the simulation by events, eq. 1.9);
    - ``rate``: neuron, seed, drive_hz (mean input per second in units of the threshold), rate_hz;
    - ``window``: rule, dt_s, weight_change (eq. 1.11), weight_change_online (by two decaying
      traces, spike by spike);
    - ``kernel``: rule, protocol, dt_steps, kernel (formula), correlation (numerical sum): the
      windows of chapters 5 and 6, which eq. 1.11 becomes.
    """
    further = (_rates(settings, seeds), _windows(settings), _kernels(settings))
    return pd.concat([*_potentials(settings, seeds[0]), *further], ignore_index=True)


def _neurons(settings: SpikingNeurons) -> dict[str, IntegrateAndFire]:
    """Neurons with rest and reset 0 and threshold 1, by name."""
    leak = settings.time_constant_s
    return {
        "reset_to_rest": IntegrateAndFire(leak, reset_mode="value"),
        "subtract": IntegrateAndFire(leak, reset_mode="subtract"),
        "subtract_no_leak": IntegrateAndFire(np.inf, reset_mode="subtract"),
    }


def _input(
    settings: SpikingNeurons, rng: np.random.Generator, duration_s: float, mean: float
) -> tuple[np.ndarray, np.ndarray]:
    """Poisson times of input spikes within the duration, and normal weights."""
    count = rng.poisson(settings.input_rate_hz * duration_s)
    times = np.sort(rng.uniform(0.0, duration_s, count))
    return times, rng.normal(mean, settings.weight_deviation, count)


def _potentials(settings: SpikingNeurons, seed: int) -> Iterator[pd.DataFrame]:
    rng, duration = generator("spiking_neurons", seed, "potential"), settings.trace_s
    times, weights = _input(settings, rng, duration, settings.weight_mean)
    for name, neuron in _neurons(settings).items():
        trace = simulate(neuron, times, weights)
        spikes, drops = trace.spike_times_s, trace.drops
        # The moment before each input too, so that its jump is upright in a picture.
        between = np.linspace(0.0, duration, 1 + round(duration / 1e-3))
        between = np.sort(np.concatenate([between, times, np.nextafter(times, -np.inf)]))
        last = np.searchsorted(times, between, side="right") - 1
        before = np.where(last >= 0, trace.event_potentials[last], neuron.rest)
        elapsed = between - np.where(last >= 0, times[last], 0.0)
        for event, at, potential in (
            ("sample", between, decay(neuron, before, elapsed)),
            ("input", times, trace.event_potentials),
            ("spike", np.unique(spikes), np.nan),
        ):
            table = {"panel": "potential", "neuron": name, "event": event, "time_s": at}
            table["potential"] = kernel_sum(neuron, at, times, weights, spikes, drops)
            yield pd.DataFrame({**table, "event_potential": potential})


def _rates(settings: SpikingNeurons, seeds: list[int]) -> pd.DataFrame:
    duration, rows = settings.rate_s, []
    for seed in seeds:
        for number, drive in enumerate(settings.drives_hz):
            rng = generator("spiking_neurons", seed, "rate", number)
            times, weights = _input(settings, rng, duration, drive / settings.input_rate_hz)
            for name, neuron in _neurons(settings).items():
                count = len(simulate(neuron, times, weights).spike_times_s)
                rows.append(("rate", name, seed, drive, count / duration))
    return pd.DataFrame(rows, columns=["panel", "neuron", "seed", "drive_hz", "rate_hz"])


def _windows(settings: SpikingNeurons) -> pd.DataFrame:
    rows = []
    for name, constants in settings.windows.items():
        window = DoubleExponential(**dict(constants))
        # An even number of points, so that both sides of the jump at 0 are there and 0 is not.
        for dt in np.linspace(-settings.window_s, settings.window_s, 80):
            online = stdp_online(np.array([0.0]), np.array([dt]), window)
            rows.append(("window", name, dt, float(stdp(dt, window)), online))
    columns = ["panel", "rule", "dt_s", "weight_change", "weight_change_online"]
    return pd.DataFrame(rows, columns=columns)


def _kernels(settings: SpikingNeurons) -> pd.DataFrame:
    """Chapter 5: product of two decoded trains; chapter 6: of one and the change of the other.

    Both are summed over time for one spike at 0 (pre) and one at ``dt`` (post).
    """
    alpha, steps = settings.alpha, settings.kernel_steps
    k_beta = 1.0 / (settings.k_p + settings.k_d)
    k_alpha = settings.k_d / (settings.k_p + settings.k_d)
    dts = np.arange(-steps, steps + 1)
    time = np.arange(-steps - 2, steps + 2 + round(40 / -np.log(max(k_alpha, alpha))))

    def decoded(start: int, base: float, height: float) -> np.ndarray:
        return height * np.where(time >= start, base ** np.maximum(time - start, 0.0), 0.0)

    symmetric, antisymmetric = [], []
    for dt in dts:
        pre, post = decoded(0, k_alpha, k_beta), decoded(dt, k_alpha, k_beta)
        symmetric.append(float(pre @ post))
        pre, post = decoded(0, alpha, 1.0), decoded(dt, alpha, 1.0)
        antisymmetric.append(float(pre[1:-1] @ (post[2:] - post[:-2]) / 2.0))
    size = np.abs(dts)
    height = k_beta**2 / (1.0 - k_alpha**2)
    parts = [
        ("chapter5", "as_published", k_beta * k_alpha**size, symmetric),
        ("chapter5", "corrected", height * k_alpha**size, symmetric),
        ("chapter6", "corrected", np.sign(dts) * alpha ** (size - 1.0) / 2.0, antisymmetric),
    ]
    columns = ("panel", "rule", "protocol", "dt_steps", "kernel", "correlation")
    parts = [("kernel", rule, protocol, dts, *numbers) for rule, protocol, *numbers in parts]
    return pd.concat(pd.DataFrame(dict(zip(columns, part, strict=True))) for part in parts)
