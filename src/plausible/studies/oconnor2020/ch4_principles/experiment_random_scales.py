"""Figure 4.2 of O'Connor 2020: a badly scaled random network with random and optimised scales."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.networks.sigma_delta import Layer, dense_network, run
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles.settings import RandomScales

COMPUTATION = {"as_coded": "sum", "as_published": "mean"}
"""How the computation of a batch enters the loss: the code sums over its samples, eq. 4.8-4.10
average."""
RANDOM_SCALES = "corrected"
"""Protocol of the rows that no loss enters."""


def random_weights(
    sizes: Sequence[int], generator: np.random.Generator, factors: Sequence[float] | None = None
) -> list[NDArray]:
    """Normal weights [below, above] of deviation sqrt(2 / below), times a factor each."""
    factors = factors or [1.0] * (len(sizes) - 1)
    return [
        generator.standard_normal((above, below)).T * (np.sqrt(2.0 / below) * factor)
        for (below, above), factor in zip(pairwise(sizes), factors, strict=True)
    ]


def relative_error(outputs: NDArray, original: NDArray) -> float:
    """mean |out - true| / mean |true|."""
    return float(np.abs(outputs - original).mean() / np.abs(original).mean())


def kops_per_sample(layers: Sequence[Layer], messages: Sequence[NDArray]) -> float:
    """Thousands of additions, sum |s| fan_out, per frame."""
    pairs = zip(layers, messages, strict=True)
    additions = sum(float(np.abs(sent).sum()) * layer.fan_out for layer, sent in pairs)
    return additions / (1000.0 * len(messages[0]))


def random_scales(settings: RandomScales, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Figure 4.2: error and computation of a rounding network, for random and optimised scales.

    The text calls the network "2-layer (100-100-100)" and its weights Glorot's; the author's code
    has three matrices (so that the three factors 1/2, 8, 1/4 leave the function as it was), normal
    with the deviation sqrt(2 / fan-in), no biases, ReLU outputs.

    Beyond the figure: scales for single units, on this network and on one whose hidden units have a
    factor each (log-normal; the weights above are divided by it, so the function stays).

    Columns: protocol (how the computation of a batch is counted; `corrected` for random scales),
    network (layers: as published; units: with a factor for each unit), kind (start, random,
    trajectory, end), unitwise (a scale for each unit), seed, lambda, epoch, scale_0 to scale_2
    (geometric means over the units if unitwise; number n is that of the input of matrix n),
    error_fraction, kops_per_sample, diverged, dominating_fraction (of ends that the figure shows:
    share of many more random scales with less error and less computation).
    """
    torch.set_num_threads(1)
    rows: list[tuple] = []
    clouds: dict[int, NDArray] = {}
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "random_scales", seed)
        weights = random_weights(settings.layer_sizes, generator, settings.weight_factors)
        inputs = generator.standard_normal((settings.samples, settings.layer_sizes[0]))
        shape = (settings.random_triples, len(weights))
        drawn = np.abs(generator.normal(settings.triple_mean, settings.triple_deviation, shape))
        problem = _Problem(weights, inputs)
        for kind, several in (("start", np.ones((1, len(weights)))), ("random", drawn)):
            rows += [
                (RANDOM_SCALES, "layers", kind, False, seed, np.nan, 0.0, *scales)
                + (*problem.point(scales), False)
                for scales in several
            ]
        apart = _Problem(_with_unit_factors(weights, settings.unit_spread, generator), inputs)
        for protocol, name, unitwise, each in (
            ("as_coded", "layers", False, problem),
            ("as_published", "layers", False, problem),
            ("as_coded", "layers", True, problem),
            ("as_coded", "units", False, apart),
            ("as_coded", "units", True, apart),
        ):
            found = _optimised(each, settings, COMPUTATION[protocol], unitwise)
            rows += [(protocol, name, row[0], unitwise, seed, *row[1:]) for row in found]
        clouds[seed] = _cloud(problem, settings, seed)
    columns = ["protocol", "network", "kind", "unitwise", "seed", "lambda", "epoch"]
    columns += [f"scale_{index}" for index in range(len(settings.weight_factors))]
    columns += ["error_fraction", "kops_per_sample", "diverged"]
    table = pd.DataFrame([[_shortened(value) for value in row] for row in rows], columns=columns)
    shown = (table["kind"] == "end") & (table["network"] == "layers") & ~table["unitwise"]
    table["dominating_fraction"] = [
        _dominating(row, clouds[row.seed]) if is_shown else np.nan
        for row, is_shown in zip(table.itertuples(), shown, strict=True)
    ]
    return table


def _cloud(problem: "_Problem", settings: RandomScales, seed: int) -> NDArray:
    """Error and computation of random rescalings, [rescalings, 2], distributed as the figure's."""
    generator = numpy_generator("oconnor2020", "random_scales", "rescalings", seed)
    shape = (settings.rescalings, len(problem.weights))
    drawn = np.abs(generator.normal(settings.triple_mean, settings.triple_deviation, shape))
    return np.array([problem.point(scales) for scales in drawn])


def _dominating(row, cloud: NDArray) -> float:
    """Share of the cloud with less error and less computation; all, if the run diverged."""
    if not np.isfinite(row.error_fraction):
        return 1.0
    return float(np.all(cloud < [row.error_fraction, row.kops_per_sample], axis=1).mean())


class _Problem:
    """A network, its inputs and what it makes of them."""

    def __init__(self, weights: Sequence[NDArray], inputs: NDArray):
        self.weights, self.inputs = weights, inputs
        self.layers = dense_network(weights, output="relu")
        self.original = run(self.layers, inputs, "original").outputs

    def point(self, scales: Sequence[ArrayLike]) -> tuple[float, float]:
        """Error and computation of the rounding network with these scales."""
        result = run(self.layers, self.inputs, "rounding", scales)
        error = relative_error(result.outputs, self.original)
        return error, kops_per_sample(self.layers, result.messages)


def _with_unit_factors(
    weights: Sequence[NDArray], spread: float, generator: np.random.Generator
) -> list[NDArray]:
    """The same function by hidden units each of which is larger or smaller by a factor."""
    widths = [len(weights[0]), *(weight.shape[1] for weight in weights)]
    factors = [np.exp(spread * generator.standard_normal(width)) for width in widths[1:-1]]
    factors = [np.ones(widths[0]), *factors, np.ones(widths[-1])]
    return [
        weight * above / below[:, np.newaxis]
        for weight, (below, above) in zip(weights, pairwise(factors), strict=True)
    ]


def _shortened(value):
    """Six significant digits of a real number: thousands of points are drawn and compared."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _optimised(
    problem: _Problem, settings: RandomScales, computation: str, unitwise: bool
) -> list[tuple]:
    """Rows of the trajectories: kind, lambda, epoch, scales, error, computation, diverged."""
    optimisation = ScaleSettings(
        lambdas=settings.lambdas,
        unitwise=unitwise,
        error="l2",
        computation=computation,
        learning_rate=settings.unitwise_learning_rate if unitwise else settings.learning_rate,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        record_every_epochs=1.0,
    )
    maps = dense_maps([torch.from_numpy(weight) for weight in problem.weights], output="relu")
    history = optimise_scales(maps, torch.from_numpy(problem.inputs), optimisation)
    rows = []
    for record, epoch in enumerate(history.epoch.tolist()):
        if epoch != settings.epochs and epoch not in settings.recorded_epochs:
            continue
        for index, weight in enumerate(settings.lambdas):
            scales = [layer[record, index] for layer in history.scales]
            good = all(np.all((each > 0) & np.isfinite(each)) for each in scales)
            error, operations = problem.point(scales) if good else (np.nan, np.nan)
            with np.errstate(divide="ignore", invalid="ignore"):
                means = [float(np.exp(np.mean(np.log(each)))) for each in scales]
            kind = "end" if epoch == settings.epochs else "trajectory"
            rows.append((kind, weight, epoch, *means, error, operations, not good))
    return rows


def correlated_frames(noise: NDArray, correlation: float) -> NDArray:
    """x_t = r x_(t-1) + sqrt(1 - r^2) n_t, starting from x_0 = n_0, [frames, units]."""
    frames = np.empty_like(noise)
    frames[0] = noise[0]
    fresh = np.sqrt(1.0 - correlation**2)
    for time in range(1, len(noise)):
        frames[time] = correlation * frames[time - 1] + fresh * noise[time]
    return frames
