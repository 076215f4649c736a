"""Beyond O'Connor 2020, chapter 4: when differences pay, and what makes scales hard to find.

Three experiments on small random networks, in one sweep because each takes seconds.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch

from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.networks.sigma_delta import Run, dense_network, run
from plausible.seeds import numpy_generator, torch_seed
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    correlated_frames,
    kops_per_sample,
    random_weights,
    relative_error,
)
from plausible.studies.oconnor2020.ch4_principles.settings import (
    ChangeRate,
    HigherLayers,
    NoiseTraining,
    SmallNetworks,
)


def small_networks(settings: SmallNetworks, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Rows of all experiments, with their name in the column ``experiment``."""
    parts = [
        change_rate(settings.change_rate, seeds).assign(experiment="change_rate"),
        noise_training(settings.noise_training, seeds).assign(experiment="noise_training"),
        higher_layers(settings.higher_layers, seeds).assign(experiment="higher_layers"),
    ]
    return pd.concat(parts, ignore_index=True)


def change_rate(settings: ChangeRate, seeds: list[int]) -> pd.DataFrame:
    """What sigma-delta networks save, against how fast their frames change.

    Frames are x_t = r x_(t-1) + sqrt(1 - r^2) n_t with standard normal n: whatever r, a frame by
    itself looks the same, so the rounding network always needs the same. Ratio of the additions of
    a sigma-delta network to those of the rounding network, per layer and in all.

    Columns: scale, correlation, change_fraction (mean |x_t - x_(t-1)| / mean |x_t|), layer (-1 for
    all), seed, rounding_kops, sigma_delta_kops, ratio.
    """
    sizes = settings.layer_sizes
    parts = [(-1, slice(None)), *((n, slice(n, n + 1)) for n in range(len(sizes) - 1))]
    rows = []
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "change_rate", seed)
        weights = random_weights(sizes, generator)
        layers = dense_network(weights, output="relu")
        noise = generator.standard_normal((settings.frames, sizes[0]))
        for correlation in settings.correlations:
            frames = correlated_frames(noise, correlation)
            change = float(np.abs(np.diff(frames, axis=0)).mean() / np.abs(frames).mean())
            for scale in settings.scales:
                sent = [
                    run(layers, frames, kind, [scale] * len(layers)).messages
                    for kind in ("rounding", "sigma_delta")
                ]
                for layer, part in parts:
                    rounding, delta = (kops_per_sample(layers[part], each[part]) for each in sent)
                    # A layer that rounds to nothing sends no differences either.
                    ratio = delta / rounding if rounding else np.nan
                    key = (scale, correlation, change, layer, seed)
                    rows.append((*key, rounding, delta, ratio))
    columns = ["scale", "correlation", "change_fraction", "layer", "seed"]
    return pd.DataFrame(rows, columns=[*columns, "rounding_kops", "sigma_delta_kops", "ratio"])


def noise_training(settings: NoiseTraining, seeds: list[int]) -> pd.DataFrame:
    """Scales found with rounding and with noise in its place, from good and from bad starts.

    Section 4.6.3 replaces round(k x) by k x + U(-1/2, 1/2) while scales are optimised, because some
    layers of VGG-19 went silent for good. A layer that rounds to nothing passes no gradient on;
    with noise it does. Trained either way, the rounding network is what is evaluated.

    Columns: quantizer (rounding, noise), initial_scale, seed, error_fraction, kops_per_sample,
    silent_layers (of the end, that send nothing), diverged.
    """
    torch.set_num_threads(1)
    rows = []
    for seed in seeds:
        network = _RandomNetwork("noise_training", settings, seed)
        for start, quantizer in product(settings.initial_scales, ("rounding", "noise")):
            stream = torch_seed("oconnor2020", "noise_training", "noise", seed)
            noise = torch.Generator().manual_seed(stream)
            (end,) = network.optimised(
                (settings.price,), noise, quantizer=quantizer, initial_scale=start
            )
            rows.append((quantizer, start, seed, *end))
    columns = ["quantizer", "initial_scale", "seed", "error_fraction", "kops_per_sample"]
    table = pd.DataFrame(rows, columns=[*columns, "silent_layers", "diverged", "loss_change"])
    return table.drop(columns="loss_change")


def higher_layers(settings: HigherLayers, seeds: list[int]) -> pd.DataFrame:
    """Scales found by the computation of their own layer (eq. 4.10), and by that of all above it.

    Section 4.6.3 says of VGG-19 that the latter is unstable.

    Columns: computation_of (own layer, higher layers), lambda, seed, error_fraction,
    kops_per_sample, silent_layers, diverged, loss_change (error + lambda * computation of a batch,
    end less start), unstable (diverged, with silent layers, or with a larger loss in the end).
    """
    torch.set_num_threads(1)
    rows = []
    for seed in seeds:
        network = _RandomNetwork("higher_layers", settings, seed)
        for name, higher in (("own layer", False), ("higher layers", True)):
            ends = network.optimised(settings.lambdas, higher_layers=higher)
            for weight, end in zip(settings.lambdas, ends, strict=True):
                *_, silent, diverged, change = end
                unstable = diverged or silent > 0 or not change <= 0
                rows.append((name, weight, seed, *end, unstable))
    columns = ["computation_of", "lambda", "seed", "error_fraction", "kops_per_sample"]
    columns += ["silent_layers", "diverged", "loss_change", "unstable"]
    return pd.DataFrame(rows, columns=columns)


class _RandomNetwork:
    """A network and inputs from the random stream of an experiment, and its scales."""

    def __init__(self, experiment: str, settings: NoiseTraining | HigherLayers, seed: int):
        generator = numpy_generator("oconnor2020", experiment, seed)
        weights = random_weights(settings.layer_sizes, generator)
        self.settings = settings
        self.inputs = generator.standard_normal((settings.samples, settings.layer_sizes[0]))
        self.layers = dense_network(weights, output="relu")
        self.original = run(self.layers, self.inputs, "original").outputs
        self.maps = dense_maps([torch.from_numpy(each) for each in weights], output="relu")

    def optimised(
        self, lambdas: Sequence[float], noise: torch.Generator | None = None, **chosen: Any
    ) -> list[tuple[float, float, int, bool, float]]:
        """Error, computation, silent layers, divergence and change of the loss for each lambda."""
        settings = self.settings
        optimisation = ScaleSettings(
            lambdas=tuple(lambdas),
            error="l2",
            learning_rate=settings.learning_rate,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            record_every_epochs=float(settings.epochs),
            **chosen,
        )
        history = optimise_scales(self.maps, torch.from_numpy(self.inputs), optimisation, noise)
        found = []
        for index, weight in enumerate(lambdas):
            if history.diverged[index]:
                found.append((np.nan, np.nan, -1, True, np.nan))
                continue
            start, end = (
                run(
                    self.layers, self.inputs, "rounding", [k[record, index] for k in history.scales]
                )
                for record in (0, -1)
            )
            silent = sum(not sent.any() for sent in end.messages)
            change = self._loss(end, weight) - self._loss(start, weight)
            error = relative_error(end.outputs, self.original)
            cost = kops_per_sample(self.layers, end.messages)
            found.append((error, cost, silent, False, change))
        return found

    def _loss(self, found: Run, weight: float) -> float:
        error = float(np.square(found.outputs - self.original).sum(axis=1).mean())
        additions = 1000.0 * kops_per_sample(self.layers, found.messages)
        return error + weight * self.settings.batch_size * additions
