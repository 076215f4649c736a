"""Trained networks whose weights stay, shown the same images faster, still, or in other codes.

O'Connor 2020, sections 5.1, 5.6, C.2 and C.8, without the video: frames of a higher rate are cross-
fades of neighbouring test images. A PDNN's scales stay where the training left them.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.cross_fade import cross_faded
from plausible.data.dataset import Dataset
from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import Network, Rule, Side, fresh_side
from plausible.learning.stream_training import (
    Progress,
    Stream,
    mlp_operations,
    operations_per_sample,
    train_stream,
)
from plausible.measure.accuracy import accuracy_percent
from plausible.networks.sigma_delta import dense_network, evaluate
from plausible.neurons.linear_prediction import fitted_coefficients, transmit_predicted
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.studies.oconnor2020.ch5_causes.data import fresh_network, recipe_of, say, streams
from plausible.studies.oconnor2020.ch5_causes.settings import (
    MLP,
    ORDERS,
    PDNN,
    WAYS,
    FrameRates,
)

BLOCK = 50
"""Images that are cross-faded at once."""
STILL_SHOWN = 50
"""Frames of a still picture in which late spikes are counted, with k_p and without."""


class Trained(NamedTuple):
    """Networks of one seed, trained in the order of the file."""

    pdnn: Network
    rule: Rule
    """With scales that stay."""
    training: dict[str, float]
    """Operations of the PDNN for a sample of its last epoch."""
    mlp: Network

    @property
    def k_p(self) -> float:
        """Of the code of the input."""
        return (1.0 - self.rule.k_alpha) / float(self.pdnn.forward.scales[0, 0])

    def side(self, factor: float = 1.0) -> Side:
        """Neurons that have seen nothing, with the steps of the trained codes times ``factor``."""
        side = fresh_side(self.pdnn.sizes, self.rule)
        side.scales[...] = self.pdnn.forward.scales
        side.scales[0] *= factor
        return side

    def additions(self, spikes: NDArray) -> NDArray[np.float64]:
        """sum |s| fan-out, of spikes [samples, L + 1]."""
        return spikes[:, :-1] @ np.array(self.pdnn.sizes[1:], np.float64)


def frame_rates(
    settings: FrameRates, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Operations of trained networks on other frames than those of the training; one shard.

    Columns: ``element``, ``seed`` and, of

    - ``fade`` (cross-faded test images): ``order``, ``network`` (pdnn; memoryless: the same with
      k_d = 0 and its k_p; differences: with k_p = 0; mlp), ``sub_frames`` n, ``forward``
      (operations of a sub-frame), and of the ordinary network ``input_change`` and
      ``hidden_change`` (mean over sub-frames of
      |a_t - a_(t-1)| / (2 (|a_t| + |a_(t-1)|)), sums over a layer);
    - ``still`` (pictures of these images that do not move): ``order``, ``forward`` (of a frame,
      once it has settled), ``input_deviation`` (largest |spikes of the input per frame / (k_p sum
      |x|) - 1| of a picture), ``moving_deviation`` (the same of one image after the other),
      ``late_spikes`` and ``late_spikes_without_k_p`` (of all layers after the first frame, the
      least and the most of a picture);
    - ``code`` (all test images): ``order``, ``network`` (pdnn, sigma_delta, rounding; training: the
      PDNN in its last epoch), ``fineness``, ``forward``, ``operations`` (all passes of the
      training), ``score_percent``;
    - ``predictor`` (cross-fades in temporal order, coded with two coefficients at most):
      ``layer`` (input, hidden), ``sub_frames``, ``network`` (pd: k_alpha of the training; first,
      second: fitted coefficients of this order), ``step``, ``spikes`` (sum |s| of a sub-frame),
      ``error`` (mean |reconstruction - signal| over mean |signal|).
    """
    dataset = require(dataset, "frame_rates", "data set")
    chosen = part_of(seeds, [1.0] * len(seeds), settings)
    data = {order: streams(dataset, order, settings.buffer_size) for order in ORDERS}
    rows: list[dict[str, Any]] = []
    for seed in chosen:
        rows += stored(
            settings.checkpoints,
            f"frames.{seed}",
            lambda seed=seed: list(_rows(seed, data, dataset, settings)),
        )
    return pd.DataFrame(rows)


def _rows(
    seed: int, data: dict[str, tuple[Stream, Stream]], dataset: Dataset, settings: FrameRates
) -> Iterator[dict[str, Any]]:
    trained = _trained(seed, data["file"][0], dataset, settings)
    say(f"seed {seed}: trained")
    frames = {
        order: test.images[: settings.images] / test.white for order, (_, test) in data.items()
    }
    parts = {
        "fade": (
            row
            for order, parts in product(ORDERS, settings.sub_frames)
            for row in _fade(trained, frames[order], order, parts, settings)
        ),
        "still": ({"order": order} | _still(trained, frames[order], settings) for order in ORDERS),
        "code": (
            row for order in ORDERS for row in _codes(trained, data[order][1], order, settings)
        ),
        "predictor": _predictors(trained, frames["temporal"], settings),
    }
    for element, found in parts.items():
        yield from ({"element": element, "seed": seed} | row for row in found)
        say(f"seed {seed}: {element}")


def _trained(seed: int, train: Stream, dataset: Dataset, settings: FrameRates) -> Trained:
    networks: dict[str, Progress] = {}
    for name in (PDNN, MLP):
        recipe = recipe_of(WAYS[name], settings)
        network = fresh_network(dataset, settings, recipe.rule, seed)
        stops = range(settings.epochs + 1)
        networks[name] = train_stream(recipe, network, train, stops, lambda progress, epoch: [])
    rule = recipe_of(WAYS[PDNN], settings).at(settings.epochs)._replace(tuning_rate=0.0)
    training = operations_per_sample(networks[PDNN])
    return Trained(networks[PDNN].network, rule, training, networks[MLP].network)


# ------------------------------------------------------------- frame rates


def _fade(
    trained: Trained, frames: NDArray, order: str, parts: int, settings: FrameRates
) -> Iterator[dict[str, Any]]:
    """Rows of one number of sub-frames."""
    rules = {
        PDNN: (trained.rule, trained.side()),
        # k_p = (1 - k_alpha) / k_beta stays where k_d and with it k_alpha become 0.
        "memoryless": (
            trained.rule._replace(k_alpha=0.0),
            trained.side(1.0 / (1.0 - trained.rule.k_alpha)),
        ),
        "differences": (trained.rule._replace(k_alpha=1.0), trained.side()),
    }
    spikes: dict[str, list[NDArray]] = {name: [] for name in rules}
    changes: list[NDArray] = []
    for begin in range(0, len(frames) - 1, BLOCK):
        faded = cross_faded(frames[begin : begin + BLOCK + 1], parts)
        for name, (rule, side) in rules.items():
            found = pdnn.predict(trained.pdnn, rule, faded[:-1], 1.0, side)
            spikes[name].append(found.spikes)
        changes.append(np.stack([_changes(faded), _changes(_hidden(trained.mlp, faded))]))
    row = {"order": order, "sub_frames": parts}
    settled = settings.settling_images * parts
    for name, counted in spikes.items():
        forward = trained.additions(np.concatenate(counted)[settled:]).mean()
        yield row | {"network": name, "forward": float(forward)}
    means = np.concatenate(changes, axis=1).mean(axis=1)
    forward = mlp_operations(trained.mlp.sizes)["forward"]
    changed = {"input_change": float(means[0]), "hidden_change": float(means[1])}
    yield row | {"network": MLP, "forward": forward} | changed


def _hidden(network: Network, values: NDArray) -> NDArray[np.float64]:
    """Values of the hidden layer of an ordinary network."""
    inputs, units, _ = network.sizes
    return np.maximum(values @ network.matrices[0] + network.biases[inputs : inputs + units], 0.0)


def _changes(values: NDArray) -> NDArray[np.float64]:
    """Relative change of each step, as in figure C.4."""
    sizes = np.abs(values).sum(axis=1)
    total = 2.0 * (sizes[1:] + sizes[:-1])
    change = np.abs(np.diff(values, axis=0)).sum(axis=1)
    return np.divide(change, total, out=np.zeros_like(change), where=total > 0)


def _still(trained: Trained, frames: NDArray, settings: FrameRates) -> dict[str, float]:
    """Pictures that do not move, each shown to neurons that have seen nothing."""
    count = settings.still_frames
    places = np.linspace(settings.settling_images, len(frames) - 1, settings.still_images)
    without = trained.rule._replace(k_alpha=1.0)
    forward, off, late, late_without = [], [], [], []
    for picture in frames[places.astype(int)]:
        shown = np.repeat(picture[None], 2 * count, axis=0)
        spikes = pdnn.predict(trained.pdnn, trained.rule, shown, 1.0, trained.side()).spikes
        forward.append(trained.additions(spikes[count:]).mean())
        off.append(abs(spikes[count:, 0].mean() / (trained.k_p * picture.sum()) - 1.0))
        late.append(spikes[1:STILL_SHOWN].sum())
        shown = shown[:STILL_SHOWN]
        spikes = pdnn.predict(trained.pdnn, without, shown, 1.0, trained.side()).spikes
        late_without.append(spikes[1:].sum())
    # The first frame of all is sent whole.
    spikes = pdnn.predict(trained.pdnn, trained.rule, frames, 1.0, trained.side()).spikes[1:, 0]
    moving = spikes.mean() / (trained.k_p * frames[1:].sum(axis=1).mean()) - 1.0
    return {
        "forward": float(np.mean(forward)),
        "input_deviation": float(max(off)),
        "moving_deviation": float(moving),
        "late_spikes": float(min(late)),
        "late_spikes_without_k_p": float(max(late_without)),
    }


# ------------------------------------------------------------- other codes


def _codes(
    trained: Trained, test: Stream, order: str, settings: FrameRates
) -> Iterator[dict[str, Any]]:
    """The trained weights with codes of chapter 5 and of chapter 4."""
    layers = dense_network(trained.pdnn.matrices, _biases(trained.pdnn))
    steps = trained.pdnn.forward.scales[0, :-1]
    for fineness in settings.fineness:
        row = {"order": order, "fineness": fineness}
        found = pdnn.predict(
            trained.pdnn, trained.rule, test.images, test.white, trained.side(1.0 / fineness)
        )
        score = accuracy_percent(found.classes, test.labels)
        forward = float(trained.additions(found.spikes).mean())
        yield row | {"network": PDNN, "forward": forward, "score_percent": score}
        for kind in ("sigma_delta", "rounding"):
            run = evaluate(layers, test.images, kind, list(fineness / steps), test.white)
            score = accuracy_percent(run.predictions, test.labels)
            forward = float(run.event_additions.sum(axis=1).mean())
            yield row | {"network": kind, "forward": forward, "score_percent": score}
    if order == "file":
        total = sum(trained.training.values())
        row = {"order": order, "network": "training", "fineness": 1.0, "operations": total}
        yield row | {"forward": trained.training["forward"]}


def _biases(network: Network) -> list[NDArray]:
    edges = np.cumsum(network.sizes)
    return [network.biases[begin:end] for begin, end in zip(edges, edges[1:], strict=False)]


def _predictors(
    trained: Trained, frames: NDArray, settings: FrameRates
) -> Iterator[dict[str, Any]]:
    """Predictors of first and second order, at the same steps."""
    for parts in settings.predicted_sub_frames:
        faded = cross_faded(frames[: settings.predicted_images], parts)
        for layer, signal in (("input", faded), ("hidden", _hidden(trained.mlp, faded))):
            coefficients = {"pd": np.array([trained.rule.k_alpha])}
            coefficients |= {
                name: fitted_coefficients(signal, order)
                for order, name in enumerate(("first", "second"), start=1)
            }
            size = np.abs(signal).mean()
            for (name, omega), step in product(coefficients.items(), settings.prediction_steps):
                coded = transmit_predicted(signal, omega, step * size)
                yield {
                    "layer": layer,
                    "sub_frames": parts,
                    "network": name,
                    "step": step,
                    "spikes": float(np.abs(coded.spikes).sum(axis=1).mean()),
                    "error": float(np.abs(coded.reconstruction - signal).mean() / size),
                }
