"""Beyond the thesis: a camera that stands still, and what an hour of it costs in each network.

The optimised scales, all of them finer or coarser, trade operations against agreement with the
original network.
"""

from typing import Any

import numpy as np
import torch

from plausible.data.video import windows
from plausible.measure.operations import discretised_additions, original_operations
from plausible.networks.conv_streams import Costs, run_stream
from plausible.studies.oconnor2020.video.material import Material
from plausible.studies.oconnor2020.video.settings import Video

Rows = list[dict[str, Any]]


def camera(material: Material, settings: Video, scales: list[float]) -> Rows:
    """Rows ``camera``: agreement and operations of an hour, for each multiple of the scales."""
    chosen, scene = settings.camera, material.shown[0]
    graph, sizes = material.graph, material.sizes
    counts = {
        multiple: Costs(graph, sizes, "rounding", differences=True) for multiple in chosen.multiples
    }
    dense = Costs(graph, sizes, "original")
    agree: dict[float, list[torch.Tensor]] = {multiple: [] for multiple in chosen.multiples}
    follows: list[bool] = []
    for number in range(chosen.stretches):
        frames = scene.read(first=number * chosen.apart, count=chosen.frames)
        before = len(follows)
        for part in windows(frames, settings.window):
            inputs = material.network.prepare(part)
            guess = run_stream(graph, inputs, "original", observe=dense).outputs.argmax(dim=1)
            for multiple, costs in counts.items():
                finer = [multiple * scale for scale in scales]
                found = run_stream(graph, inputs, "rounding", finer, observe=costs).outputs
                agree[multiple].append(found.argmax(dim=1) == guess)
            follows += [len(follows) + place > before for place in range(len(part))]
    whole = original_operations(np.array(sizes.multiply_adds), sizes.outputs, count_biases=True)
    zeros = original_operations(dense.per_frame().numpy(), sizes.outputs, count_biases=True)
    hour = 3600.0 * scene.rate_hz
    rows: Rows = []
    for multiple, costs in counts.items():
        rounding = discretised_additions(costs.per_frame().numpy(), sizes.outputs, True)
        changes = costs.changes_per_frame().sum(dim=1).numpy()
        rows.append(
            {
                "element": "camera",
                "scene": scene.name,
                "rate_hz": scene.rate_hz,
                "frames": len(rounding),
                "multiple": multiple,
                "agreement_percent": 100.0 * float(torch.cat(agree[multiple]).double().mean()),
                "original": float(whole.total) * hour,
                "sparse": float(zeros.total.mean()) * hour,
                "rounding": float(rounding.mean()) * hour,
                # The first frame of a stretch does not follow what the network saw before it.
                "sigma_delta": float(changes[follows].mean()) * hour,
            }
        )
    return rows
