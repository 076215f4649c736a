"""Training on a stream, one sample at a time: a PDNN, or the ordinary network beside it.

O'Connor 2020, section 5.4.1. Samples come in the order of the data, epoch after epoch; what the
neurons of a PDNN remember outlives samples and epochs. At each stop, given in epochs, a checkpoint
is written, from which a killed run goes on.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.kernels import pdnn, softmax_network
from plausible.kernels.pdnn_types import Network, Rule, fresh_side
from plausible.learning.checkpoint import load_checkpoint, save_checkpoint
from plausible.measure.accuracy import accuracy_percent

PDNN, MLP = "pdnn", "mlp"
NETWORKS = (PDNN, MLP)
_IDENTITY = "stream training"
"""Of checkpoints, whose names and folder say all the rest."""


class Stream(NamedTuple):
    """Samples ``[n, units]`` as grey levels up to ``white``, and their labels, in their order."""

    images: NDArray
    labels: NDArray
    white: float


class Recipe(NamedTuple):
    """How a network is trained."""

    network: str
    """One of `NETWORKS`."""
    rule: Rule
    """Codes and updates; of an ordinary network the learning rate alone counts."""
    k_alphas: Mapping[float, float] = {}
    """k_alpha from an epoch on, in the place of the rule's."""
    share_scales: bool = True
    """Whether the scales of the codes go on following their signals while the network is tested."""

    def at(self, epoch: float) -> Rule:
        """The rule that holds from ``epoch`` on, until the next change."""
        due = [start for start in sorted(self.k_alphas) if start <= epoch]
        return self.rule._replace(k_alpha=self.k_alphas[due[-1]]) if due else self.rule


class Progress(NamedTuple):
    """A run between two of its stops: what changes, and the rows so far.

    ``counts`` int64 [3, L + 1] are spikes, error spikes and entries that updates touch, since the
    stop before; ``diverged_epoch`` is -1 as long as everything is finite.
    """

    network: Network
    counts: NDArray[np.int64]
    samples: int
    """Since the stop before."""
    stops_done: int
    diverged_epoch: float
    rows: list[dict[str, Any]]


Measure = Callable[[Progress, float], list[dict[str, Any]]]
"""Rows of a stop, from the progress and the epoch."""


def train_stream(
    recipe: Recipe,
    network: Network,
    stream: Stream,
    stops: Iterable[float],
    measure: Measure,
    checkpoint: Path | None = None,
) -> Progress:
    """Train ``network`` in place, up to the last of ``stops`` (epochs), measuring at each of them.

    A ``checkpoint`` file is kept at each stop. A network that diverged is trained no further.
    """
    counts = np.zeros((3, len(network.sizes)), np.int64)
    progress = Progress(network, counts, 0, 0, -1.0, [])
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        progress = _load(checkpoint, progress)
    stops, images = sorted(set(stops)), len(stream.images)
    for position in range(progress.stops_done, len(stops)):
        before = round(stops[position - 1] * images) if position else 0
        after = round(stops[position] * images)
        progress = progress._replace(counts=0 * progress.counts, samples=0)
        if after > before and progress.diverged_epoch < 0:
            progress = _stretch(recipe, progress, stream, range(before, after))
        rows = measure(progress, stops[position])
        progress = progress._replace(stops_done=position + 1, rows=[*progress.rows, *rows])
        if checkpoint is not None:
            _save(checkpoint, progress)
    return progress


def _stretch(recipe: Recipe, progress: Progress, stream: Stream, samples: range) -> Progress:
    """Train on samples, numbered since the beginning; rules change where they are due."""
    images = len(stream.images)
    changes = {round(epoch * images) for epoch in recipe.k_alphas}
    edges = sorted({samples.start, samples.stop, *(changes & set(samples))})
    for first, last in zip(edges, edges[1:], strict=False):
        order, rule = np.arange(first, last) % images, recipe.at(first / images)
        given = (stream.images, stream.white, stream.labels, order)
        counts = np.zeros_like(progress.counts)
        if recipe.network == MLP:
            done = softmax_network.train(progress.network, rule.learning_rate, *given)
        else:
            found = pdnn.train(progress.network, rule, *given)
            done, counts = found.samples, np.array([found.spikes, found.errors, found.touched])
        progress = progress._replace(
            counts=progress.counts + counts, samples=progress.samples + done
        )
        if done < last - first:
            return progress._replace(diverged_epoch=(first + done) / images)
    return progress


class Test(NamedTuple):
    """What a trained network does with a stream."""

    score_percent: float
    spikes: NDArray[np.float64]
    """Mean over samples of sum |s| of each layer, [L + 1]; of an ordinary network, units not 0."""


def plain_test(network: Network, stream: Stream) -> Test:
    """Test of the ordinary network with the weights of ``network``."""
    probabilities, nonzero = softmax_network.outputs(network, stream.images, stream.white)
    score = accuracy_percent(probabilities.argmax(axis=1), stream.labels)
    return Test(score, np.append(nonzero.mean(axis=0), 0.0))


def test_stream(recipe: Recipe, network: Network, stream: Stream, epoch: float) -> Test:
    """Test with neurons of their own, which have seen nothing yet."""
    if recipe.network == MLP:
        return plain_test(network, stream)
    rule = recipe.at(epoch)
    scales = network.forward.scales
    scales = scales if recipe.share_scales else scales.copy()
    side = fresh_side(network.sizes, rule)._replace(scales=scales)
    found = pdnn.predict(network, rule, stream.images, stream.white, side)
    return Test(accuracy_percent(found.classes, stream.labels), found.spikes.mean(axis=0))


test_stream.__test__ = Test.__test__ = False  # no tests of pytest


def operations_per_sample(progress: Progress) -> dict[str, float]:
    """Mean additions of a sample since the stop before: forward, backward, update.

    sum |s| fan-out; sum |e| fan-in, of all layers but the first, which sends nothing further; and
    sum |s| fan-out + sum |e| fan-in of the updates (table of C.6).
    """
    sizes = np.array(progress.network.sizes, np.float64)
    spikes, errors, _ = progress.counts / max(progress.samples, 1)
    out, back = spikes[:-1] * sizes[1:], errors[1:] * sizes[:-1]
    return {
        "forward": float(out.sum()),
        "backward": float(back[1:].sum()),
        "update": float(out.sum() + back.sum()),
    }


def mlp_operations(sizes: Iterable[int]) -> dict[str, float]:
    """Multiply-adds of an ordinary network for a sample: forward, backward, update."""
    sizes = [float(size) for size in sizes]
    layers = [below * above for below, above in zip(sizes, sizes[1:], strict=False)]
    return {"forward": sum(layers), "backward": sum(layers[1:]), "update": sum(layers)}


def _arrays(network: Network) -> dict[str, NDArray]:
    return {
        "weights": network.weights,
        "biases": network.biases,
        "areas": network.areas,
        "forward_units": network.forward.units,
        "forward_scales": network.forward.scales,
        "backward_units": network.backward.units,
        "backward_scales": network.backward.scales,
    }


def _save(path: Path, progress: Progress) -> None:
    words = {
        "samples": progress.samples,
        "stops_done": progress.stops_done,
        "diverged_epoch": progress.diverged_epoch,
        "rows": progress.rows,
    }
    arrays = _arrays(progress.network) | {"counts": progress.counts}
    save_checkpoint(path, _IDENTITY, words, arrays)


def _load(path: Path, fresh: Progress) -> Progress:
    """What a killed job had saved, copied into the network of ``fresh``, or ``fresh`` itself."""
    found = load_checkpoint(path, _IDENTITY)
    if found is None:
        return fresh
    for name, array in _arrays(fresh.network).items():
        array[...] = found.arrays[name]
    return fresh._replace(counts=found.arrays["counts"], **found.words)
