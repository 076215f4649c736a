"""Beyond O'Connor 2020, chapter 4: when differences pay, and why noise helps to find scales.

Two experiments on small random networks, in one sweep because each takes seconds.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.networks.sigma_delta import dense_network, run
from plausible.reproduction.inputs import Settings, read
from plausible.seeds import numpy_generator, torch_seed
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    correlated_frames,
    kops_per_sample,
    random_weights,
    relative_error,
)


def small_networks(settings: Settings, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Rows of both experiments, with their name in the column ``experiment``.

    Settings: ``change_rate`` and ``noise_training``, each with the settings of its experiment.
    """
    change, noise = read(settings, "small_networks", "change_rate", "noise_training")
    parts = [
        change_rate(change, seeds).assign(experiment="change_rate"),
        noise_training(noise, seeds).assign(experiment="noise_training"),
    ]
    return pd.concat(parts, ignore_index=True)


def change_rate(settings: Mapping, seeds: list[int]) -> pd.DataFrame:
    """What sigma-delta networks save, against how fast their frames change.

    Frames are x_t = r x_(t-1) + sqrt(1 - r^2) n_t with standard normal n: whatever r, a frame by
    itself looks the same, so the rounding network always needs the same. Ratio of the additions of
    a sigma-delta network to those of the rounding network, per layer and in all.

    Settings: ``layer_sizes``, ``frames``, ``correlations`` (r), ``scales`` (one for all layers).
    Columns: scale, correlation, change_fraction (mean |x_t - x_(t-1)| / mean |x_t|), layer (-1 for
    all), seed, rounding_kops, sigma_delta_kops, ratio.
    """
    sizes, count, correlations, scales = read(
        settings, "change_rate", "layer_sizes", "frames", "correlations", "scales"
    )
    rows = []
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "change_rate", seed)
        weights = random_weights(sizes, [1.0] * (len(sizes) - 1), generator)
        layers = dense_network(weights, output="relu")
        noise = generator.standard_normal((count, sizes[0]))
        for correlation in correlations:
            frames = correlated_frames(noise, correlation)
            change = float(np.abs(np.diff(frames, axis=0)).mean() / np.abs(frames).mean())
            for scale in scales:
                sent = {
                    kind: run(layers, frames, kind, [scale] * len(layers)).messages
                    for kind in ("rounding", "sigma_delta")
                }
                parts = [(-1, slice(None)), *((n, slice(n, n + 1)) for n in range(len(layers)))]
                for layer, part in parts:
                    rounding, delta = (
                        kops_per_sample(layers[part], sent[kind][part]) for kind in sent
                    )
                    # A layer that rounds to nothing sends no differences either.
                    ratio = delta / rounding if rounding else np.nan
                    key = (scale, correlation, change, layer, seed)
                    rows.append((*key, rounding, delta, ratio))
    columns = ["scale", "correlation", "change_fraction", "layer", "seed"]
    return pd.DataFrame(rows, columns=[*columns, "rounding_kops", "sigma_delta_kops", "ratio"])


def noise_training(settings: Mapping, seeds: list[int]) -> pd.DataFrame:
    """Scales found with rounding and with noise in its place, from good and from bad starts.

    Section 4.6.3 replaces round(k x) by k x + U(-1/2, 1/2) while scales are optimised, because some
    layers of VGG-19 went silent for good. A layer that rounds to nothing passes no gradient on;
    with noise it does. Trained either way, the rounding network is what is evaluated.

    Settings: ``layer_sizes``, ``samples`` (standard normal inputs), ``initial_scales``, ``lambda``,
    ``learning_rate``, ``epochs``, ``batch_size``. Columns: quantizer (rounding, noise),
    initial_scale, seed, error_fraction, kops_per_sample, silent_layers (of the end, that send
    nothing), diverged.
    """
    sizes, samples, starts, weight, rate, epochs, batch = read(
        settings,
        "noise_training",
        *("layer_sizes", "samples", "initial_scales", "lambda", "learning_rate"),
        *("epochs", "batch_size"),
    )
    torch.set_num_threads(1)
    rows = []
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "noise_training", seed)
        weights = random_weights(sizes, [1.0] * (len(sizes) - 1), generator)
        inputs = generator.standard_normal((samples, sizes[0]))
        layers = dense_network(weights, output="relu")
        original = run(layers, inputs, "original").outputs
        maps = dense_maps([torch.from_numpy(each) for each in weights], output="relu")
        for start in starts:
            for quantizer in ("rounding", "noise"):
                optimisation = ScaleSettings(
                    lambdas=(weight,),
                    error="l2",
                    quantizer=quantizer,
                    learning_rate=rate,
                    epochs=epochs,
                    batch_size=batch,
                    initial_scale=start,
                    record_every_epochs=float(epochs),
                )
                noise = torch.Generator().manual_seed(
                    torch_seed("oconnor2020", "noise_training", "noise", seed)
                )
                history = optimise_scales(maps, torch.from_numpy(inputs), optimisation, noise)
                base = (quantizer, float(start), seed)
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
