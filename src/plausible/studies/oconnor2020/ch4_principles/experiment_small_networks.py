"""Beyond O'Connor 2020, chapter 4: when differences pay, and why noise helps to find scales.

Two experiments on small random networks, in one sweep because each takes seconds.
"""

from itertools import product

import numpy as np
import pandas as pd
import torch

from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.networks.sigma_delta import dense_network, run
from plausible.seeds import numpy_generator, torch_seed
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    correlated_frames,
    kops_per_sample,
    random_weights,
    relative_error,
)
from plausible.studies.oconnor2020.ch4_principles.settings import (
    ChangeRate,
    NoiseTraining,
    SmallNetworks,
)


def small_networks(settings: SmallNetworks, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Rows of both experiments, with their name in the column ``experiment``."""
    parts = [
        change_rate(settings.change_rate, seeds).assign(experiment="change_rate"),
        noise_training(settings.noise_training, seeds).assign(experiment="noise_training"),
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
    sizes = settings.layer_sizes
    torch.set_num_threads(1)
    rows = []
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "noise_training", seed)
        weights = random_weights(sizes, generator)
        inputs = generator.standard_normal((settings.samples, sizes[0]))
        layers = dense_network(weights, output="relu")
        original = run(layers, inputs, "original").outputs
        maps = dense_maps([torch.from_numpy(each) for each in weights], output="relu")
        for start, quantizer in product(settings.initial_scales, ("rounding", "noise")):
            optimisation = ScaleSettings(
                lambdas=(settings.price,),
                error="l2",
                quantizer=quantizer,
                learning_rate=settings.learning_rate,
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                initial_scale=start,
                record_every_epochs=float(settings.epochs),
            )
            stream = torch_seed("oconnor2020", "noise_training", "noise", seed)
            noise = torch.Generator().manual_seed(stream)
            history = optimise_scales(maps, torch.from_numpy(inputs), optimisation, noise)
            base = (quantizer, start, seed)
            if history.diverged[0]:
                rows.append((*base, np.nan, np.nan, -1, True))
                continue
            scales = [float(layer[-1, 0]) for layer in history.scales]
            found = run(layers, inputs, "rounding", scales)
            silent = sum(not sent.any() for sent in found.messages)
            error = relative_error(found.outputs, original)
            rows.append((*base, error, kops_per_sample(layers, found.messages), silent, False))
    columns = ["quantizer", "initial_scale", "seed", "error_fraction", "kops_per_sample"]
    return pd.DataFrame(rows, columns=[*columns, "silent_layers", "diverged"])
