"""Section 4.6.3 and B.6: two videos put together, in original, rounding and sigma-delta network.

Scales are optimised on other scenes, with noise in place of rounding. Rounding and sigma-delta
network have the same outputs, so one pass of the first counts the messages of both; a few frames go
through the second as well, and their guesses are compared.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plausible.data.video import windows
from plausible.errors import DataError
from plausible.learning.graph_scales import optimise_graph_scales
from plausible.learning.scale_optimisation import ScaleSettings
from plausible.measure.operations import discretised_additions, original_operations
from plausible.networks.conv_graph import Graph
from plausible.networks.conv_streams import Costs, run_stream
from plausible.seeds import torch_seed
from plausible.studies.oconnor2020.video.material import Material
from plausible.studies.oconnor2020.video.settings import Video

Rows = list[dict[str, Any]]
CHECKED = 16
"""Frames of the beginning that the sigma-delta network itself sees."""
TOP = 5


def optimised_scales(material: Material, settings: Video, seed: int) -> list[float]:
    """k of each sender, by the settings of the author's code."""
    chosen = settings.scales
    frames = optimisation_frames(material, chosen.frames)
    descent = ScaleSettings(
        lambdas=(chosen.dense_weight / material.dense,),
        error="l2",
        quantizer="noise",
        learning_rate=chosen.learning_rate,
        epochs=chosen.epochs,
        batch_size=1,
        record_every_epochs=1.0,
    )
    noise = torch.Generator().manual_seed(torch_seed("oconnor2020", "video", "noise", seed))
    found = optimise_graph_scales(material.graph, frames, descent, noise)
    return [float(scales[-1, 0]) for scales in found.scales]


def optimisation_frames(material: Material, count: int) -> Tensor:
    """The first frames of both scenes on which scales are optimised, taking turns."""
    parts = [np.stack(list(scene.read(count=count))) for scene in material.optimised_on]
    least = min(map(len, parts))
    turns = np.stack([part[:least] for part in parts], axis=1)
    return material.network.prepare(turns.reshape(-1, *turns.shape[2:]))


class Changes:
    """What changes from frame to frame in the values of each sender, an observer of the original.

    Of each frame the L1 norm, the L1 distance from the frame before, and 1 - cosine similarity.
    """

    def __init__(self, graph: Graph) -> None:
        self._last: dict[int, Tensor] = {}
        self.found: list[list[tuple[float, float, float]]] = [[] for _ in graph.senders]

    def __call__(self, sender: int, values: Tensor, messages: Tensor) -> None:
        """Measure the frames of a window."""
        for frame in values.flatten(1).double():
            last = self._last.get(sender)
            distance = cosine = float("nan")
            if last is not None:
                distance = float(torch.linalg.vector_norm(frame - last, 1))
                both = torch.linalg.vector_norm(frame) * torch.linalg.vector_norm(last)
                cosine = 1.0 - float(frame @ last / both) if both > 0 else float("nan")
            self.found[sender].append((float(torch.linalg.vector_norm(frame, 1)), distance, cosine))
            self._last[sender] = frame.clone()


def splice(material: Material, settings: Video, seed: int, scales: list[float]) -> Rows:
    """Rows ``frame``, ``layer``, ``change`` and ``scale`` of the spliced video."""
    graph, sizes, count = material.graph, material.sizes, settings.splice_frames
    dense, changes = Costs(graph, sizes, "original"), Changes(graph)
    both = Costs(graph, sizes, "rounding", differences=True)

    def watch(*seen: Any) -> None:
        dense(*seen)
        changes(*seen)

    guesses: dict[str, list[Tensor]] = {"original": [], "rounding": [], "sigma_delta": []}
    state, seen = None, 0
    frames = chain.from_iterable(scene.read(count=count) for scene in material.shown)
    for part in windows(frames, settings.window):
        inputs = material.network.prepare(part)
        original = run_stream(graph, inputs, "original", observe=watch).outputs
        guesses["original"].append(original.topk(TOP, dim=1).indices)
        rounded = run_stream(graph, inputs, "rounding", scales, observe=both).outputs
        guesses["rounding"].append(rounded.argmax(dim=1))
        if seen < CHECKED:
            run = run_stream(graph, inputs, "sigma_delta", scales, state)
            guesses["sigma_delta"].append(run.outputs.argmax(dim=1))
            state, seen = run.state, seen + len(part)
    best, guess = torch.cat(guesses["original"]), torch.cat(guesses["rounding"])
    checked = torch.cat(guesses["sigma_delta"])
    operations = _operations(material, dense, both)
    names = [scene.name for scene in material.shown for _ in range(count)]
    if len(guess) != len(names):
        raise DataError(
            f"{' and '.join(scene.name for scene in material.shown)}: {len(guess)} frames were "
            f"found, where {count} of each are to be shown; choose a smaller splice_frames."
        )
    rows = [
        {
            "element": "frame",
            "frame": number,
            "scene": names[number],
            **{network: float(each[number].sum()) for network, each in operations.items()},
            "guess": int(guess[number]),
            "original_guess": int(best[number, 0]),
            "same_guess": bool(guess[number] == best[number, 0]),
            "in_top_5": bool((best[number] == guess[number]).any()),
            "checked_differs": bool(checked[number] != guess[number])
            if number < len(checked)
            else None,
        }
        for number in range(len(guess))
    ]
    rows += _layer_rows(material, operations, count)
    rows += [
        {"element": "change", "layer": layer, "frame": frame, "scene": names[frame]}
        | dict(zip(("l1_norm", "l1_change", "cosine_distance"), values, strict=True))
        for layer, found in enumerate(changes.found)
        for frame, values in enumerate(found)
    ]
    rows += [
        {"element": "scale", "layer": sender, "scale": scale} for sender, scale in enumerate(scales)
    ]
    return rows


def _operations(material: Material, dense: Costs, both: Costs) -> dict[str, np.ndarray]:
    """Operations of each frame and layer, [frames, layers], by equations B.12 to B.15."""
    sizes = material.sizes
    nonzero, rounding = dense.per_frame().numpy(), both.per_frame().numpy()
    whole = np.broadcast_to(np.array(sizes.multiply_adds, float), nonzero.shape)
    found: dict[str, list] = {"original": [], "sparse": [], "rounding": []}
    for layer, outputs in enumerate(sizes.outputs):
        here, one = slice(layer, layer + 1), [outputs]
        found["original"].append(original_operations(whole[:, here], one, True).total)
        found["sparse"].append(original_operations(nonzero[:, here], one, True).total)
        found["rounding"].append(discretised_additions(rounding[:, here], one, True))
    columns = {network: np.stack(each, axis=1) for network, each in found.items()}
    return {**columns, "sigma_delta": both.changes_per_frame().numpy()}


def _layer_rows(
    material: Material, operations: dict[str, np.ndarray], count: int
) -> Iterator[dict[str, Any]]:
    """Means over the frames of each scene but its first, which stands for what was before."""
    for place, scene in enumerate(material.shown):
        part = slice(place * count + 1, (place + 1) * count)
        for layer, linear in enumerate(material.graph.layers):
            yield {
                "element": "layer",
                "scene": scene.name,
                "layer": layer,
                "layer_name": linear.name,
                **{
                    network: float(each[part, layer].mean()) for network, each in operations.items()
                },
            }
