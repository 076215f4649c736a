"""Section 4.6.3: optimisations of scales that fail, with rounding, with noise, with higher layers.

A run has collapsed if a layer sends nothing but zeros for every frame; it is unstable if it
collapsed, diverged, or ends with a larger loss than it began with.
"""

from typing import Any

import torch
from torch import Tensor

from plausible.learning.graph_scales import (
    graph_gradients,
    optimise_graph_scales,
    original_logarithms,
    sender_fan_outs,
)
from plausible.learning.scale_optimisation import ScaleSettings
from plausible.networks.conv_streams import run_stream
from plausible.seeds import torch_seed
from plausible.studies.oconnor2020.video.material import Material
from plausible.studies.oconnor2020.video.settings import Video
from plausible.studies.oconnor2020.video.splice import optimisation_frames

Rows = list[dict[str, Any]]
WAYS = {
    "rounding": {"quantizer": "rounding"},
    "noise": {"quantizer": "noise"},
    "higher_layers": {"quantizer": "noise", "higher_layers": True},
}


def stability(material: Material, settings: Video, seed: int) -> Rows:
    """Rows ``run``, one for each way and weight of the computation."""
    chosen = settings.stability
    frames = optimisation_frames(material, chosen.frames)
    weights = [settings.scales.dense_weight * each for each in chosen.weights]
    plain = ScaleSettings(
        lambdas=tuple(weight / material.dense for weight in weights),
        error="l2",
        learning_rate=settings.scales.learning_rate,
        epochs=chosen.epochs,
        batch_size=1,
        record_every_epochs=1.0,
    )
    rows: Rows = []
    for way, changes in WAYS.items():
        noise = torch.Generator().manual_seed(
            torch_seed("oconnor2020", "video", "stability", way, seed)
        )
        found = optimise_graph_scales(material.graph, frames, plain._replace(**changes), noise)
        for run, multiple in enumerate(chosen.weights):
            before, after = (
                [float(scales[record, run]) for scales in found.scales] for record in (0, -1)
            )
            diverged = bool(found.diverged[run])
            one = plain._replace(lambdas=(plain.lambdas[run],))
            rows.append(
                {
                    "element": "run",
                    "way": way,
                    "multiple": multiple,
                    "diverged": diverged,
                    "collapsed": not diverged and _collapsed(material, frames, after),
                    "loss_before": _loss(material, frames, before, one),
                    "loss_after": None if diverged else _loss(material, frames, after, one),
                }
            )
    return rows


def _collapsed(material: Material, frames: Tensor, scales: list[float]) -> bool:
    """Whether a sender sends nothing for every frame, though it has something to send."""
    silent = [True] * len(scales)

    def observe(sender: int, values: Tensor, messages: Tensor) -> None:
        silent[sender] &= not bool(messages.any())

    for frame in frames.split(8):
        run_stream(material.graph, frame, "rounding", scales, observe=observe)
    return any(silent)


def _loss(material: Material, frames: Tensor, scales: list[float], one: ScaleSettings) -> float:
    """Error and computation of the rounding network, as the optimisation weighs them."""
    graph = material.graph
    fans = sender_fan_outs(graph, frames.shape[1:])
    ones = [1] * frames.ndim
    log_scales = [torch.tensor(scale).log().view(1, *ones) for scale in scales]
    total = 0.0
    for part in frames.split(8):
        found = graph_gradients(
            graph, fans, log_scales, part, original_logarithms(graph, part), one
        )
        each = float(found.error[0]) + one.lambdas[0] * float(found.computation[0])
        total += each * len(part)
    return total / len(frames)
