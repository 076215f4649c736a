"""Figure 5.7: new top layers upon a fixed trunk, as a PD-coded and as an ordinary network.

Both are shown the same labelled clips in the same order. The trunk of the first is PD-coded as
well; it does not learn, so each frame goes through it once, and its additions count again in every
epoch.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import DataError
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule
from plausible.learning.stream_training import (
    MLP,
    NETWORKS,
    PDNN,
    Progress,
    Recipe,
    Stream,
    mlp_operations,
    operations_per_sample,
    test_stream,
    train_stream,
)
from plausible.measure.operations import INT32_ADD_PJ, original_energy_nj, original_operations
from plausible.networks.conv_graph import geometry, read_graph
from plausible.networks.conv_streams import Costs, run_stream
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.video.material import Clip, Material
from plausible.studies.oconnor2020.video.rates import pd_scales
from plausible.studies.oconnor2020.video.settings import Video

Rows = list[dict[str, Any]]
MULTIPLY_ADD_PJ = 3.2
"""A multiplication of 3.1 pJ and its addition of 0.1 pJ, 32-bit integers (section 4.4.3)."""
MNIST_NORM = 88.0
"""Mean squared norm of its images: 784 (0.1307^2 + 0.3081^2)."""


class Features(NamedTuple):
    """Features of clips, [frames, features] each, in both forms, and what they cost."""

    clips: list[Clip]
    """Of each the first frame alone."""
    found: dict[str, list[NDArray[np.float64]]]
    """By the network that is to learn from them."""
    trunk_nj: dict[str, float]
    """Mean energy of a frame in the trunk."""


def clip_features(material: Material, settings: Video) -> Features:
    """Send every clip through both trunks; the PD-coded one has its state from clip to clip."""
    graph, prepare = read_graph(material.network.trunk), material.network.prepare
    stream = material.clips()
    opening = next(stream, None)
    if opening is None:
        raise DataError(f"{material.name}: no labelled clip was found, expected some.")
    first = prepare(opening.frames[:1])
    sizes = geometry(graph, first.shape[1:])
    trunk = material._replace(graph=graph, sizes=sizes)
    scales = pd_scales(trunk, first, settings.rates)
    found: dict[str, list] = {name: [] for name in NETWORKS}
    costs, state, clips = Costs(graph, sizes, "pd"), None, []
    for clip in chain([opening], stream):
        clips.append(clip._replace(frames=clip.frames[:1]))
        kept: dict[str, list] = {name: [] for name in NETWORKS}
        for begin in range(0, len(clip.frames), settings.window):
            inputs = prepare(clip.frames[begin : begin + settings.window])
            plain = run_stream(graph, inputs, "original").outputs
            coded = run_stream(
                graph, inputs, "pd", scales, state, k_alpha=settings.rates.k_alpha, observe=costs
            )
            state = coded.state
            kept[MLP].append(plain.numpy().astype(np.float64))
            kept[PDNN].append(coded.outputs.numpy().astype(np.float64))
        for name, parts in kept.items():
            found[name].append(np.concatenate(parts))
    dense = original_operations(np.array(sizes.multiply_adds), sizes.outputs, count_biases=True)
    additions = float(costs.per_frame().sum(dim=1).mean())
    energy = {
        MLP: float(original_energy_nj(dense, "by_kind")),
        PDNN: additions * INT32_ADD_PJ / 1e3,
    }
    return Features(clips, found, energy)


def top_layers(material: Material, settings: Video, seeds: Sequence[int]) -> Rows:
    """Rows ``curve``: score on the test clips, and energy of the training, against samples."""
    features = clip_features(material, settings)
    return [row for seed in seeds for row in _trained(features, settings, seed)]


def _streams(features: Features, name: str, seed: int) -> tuple[Stream, Stream]:
    """Training clips in an order of the seed, test clips in theirs.

    Features are scaled to the mean squared norm of MNIST, to which the learning rate belongs.
    """
    streams = []
    rng = numpy_generator("oconnor2020", "video", "order of clips", seed)
    for part in ("training", "test"):
        places = [place for place, clip in enumerate(features.clips) if clip.part == part]
        if part == "training":
            places = rng.permutation(places).tolist()
        values = [features.found[name][place] for place in places]
        labels = [
            np.full(len(each), features.clips[place].label)
            for place, each in zip(places, values, strict=True)
        ]
        streams.append((np.concatenate(values), np.concatenate(labels)))
    norm = float(np.square(streams[0][0]).sum(axis=1).mean())
    size = np.sqrt(norm / MNIST_NORM) or 1.0
    train, test = (
        Stream(values / size, labels.astype(np.int64), 1.0) for values, labels in streams
    )
    return train, test


def _trained(features: Features, settings: Video, seed: int) -> Rows:
    chosen, rows = settings.top_layers, []
    for name in NETWORKS:
        train, test = _streams(features, name, seed)
        classes = int(train.labels.max()) + 1
        sizes = (train.images.shape[1], *chosen.hidden_sizes, classes)
        rule = make_rule(
            chosen.learning_rate,
            settings.rates.k_alpha,
            settings.rates.k_beta_relative,
            chosen.tuning_rate,
        )
        rng = numpy_generator("oconnor2020", "video", "top layers", seed)
        network = make_network(initial_weights(sizes, rng), rule)
        recipe = Recipe(name, rule)
        spent = [0.0]

        def measured(
            progress: Progress, epoch: float, recipe=recipe, test=test, sizes=sizes, spent=spent
        ) -> Rows:
            tested = test_stream(recipe, progress.network, test, epoch)
            if recipe.network == MLP:
                each = sum(mlp_operations(sizes).values()) * MULTIPLY_ADD_PJ / 1e3
            else:
                each = sum(operations_per_sample(progress).values()) * INT32_ADD_PJ / 1e3
            spent[0] += progress.samples * (each + features.trunk_nj[recipe.network])
            return [
                {
                    "element": "curve",
                    "seed": seed,
                    "network": recipe.network,
                    "epoch": epoch,
                    "test_score_percent": tested.score_percent,
                    "test_frames": len(test.labels),
                    "classes": sizes[-1],
                    "energy_mj": spent[0] / 1e6,
                    "trunk_uj_per_frame": features.trunk_nj[recipe.network] / 1e3,
                    "top_uj_per_frame": each / 1e3 if progress.samples else None,
                    "diverged_epoch": progress.diverged_epoch,
                }
            ]

        parts = chosen.tests_per_epoch
        stops = [part / parts for part in range(parts * chosen.epochs + 1)]
        rows += train_stream(recipe, network, train, stops, measured).rows
    return rows
