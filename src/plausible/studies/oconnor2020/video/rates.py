"""Figures 5.8 and C.4: computation and change of the layers against the frame rate.

Every n-th frame of a scene goes through the whole network, with every message a PD code whose step
is a share of the mean size of what is sent, as the automatic tuning of appendix C.5 would have it
in the long run. Neurons have seen the first frame for a while when the counting begins.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from plausible.measure.operations import original_operations
from plausible.networks.conv_streams import Costs, StreamState, run_stream
from plausible.studies.oconnor2020.video.material import Material, Scene
from plausible.studies.oconnor2020.video.settings import Rates, Video

Rows = list[dict[str, Any]]


def pd_scales(material: Material, frame: Tensor, settings: Rates) -> list[float]:
    """1 / k_beta of each sender, from the mean size of its values for ``frame`` [1, ...]."""
    sizes: list[float] = []
    run_stream(
        material.graph,
        frame,
        "original",
        observe=lambda sender, values, messages: sizes.append(float(values.abs().mean())),
    )
    return [1.0 / (settings.k_beta_relative * max(size, 1e-12)) for size in sizes]


def rates(material: Material, settings: Video) -> Rows:
    """Rows ``rate`` (additions of a frame), ``still`` and ``rate_layer`` (relative change)."""
    rows: Rows = []
    dense = original_operations(
        np.array(material.sizes.multiply_adds), material.sizes.outputs, count_biases=True
    ).total
    for scene in material.snippets:
        rows += _scene_rows(material, scene, settings, float(dense))
    return rows


def _scene_rows(material: Material, scene: Scene, settings: Video, dense: float) -> Rows:
    chosen, prepare = settings.rates, material.network.prepare
    first = prepare(np.stack(list(scene.read(count=1))))
    scales = pd_scales(material, first, chosen)
    state, rows = None, []
    for _ in range(chosen.warm_up):
        state, still = _coded(material, first, scales, state, settings)
    common = {"scene": scene.name, "original": dense}
    rows.append({"element": "still", "every": 0, "pd": float(still.mean()), **common})
    for every in chosen.every:
        here, counted, last = state, [], _values(material, first)
        shares: list[list[float]] = []
        frames = scene.read(every=every, first=1, count=chosen.frames)
        for frame in frames:
            inputs = prepare(frame[None])
            here, additions = _coded(material, inputs, scales, here, settings)
            counted.append(float(additions.sum()))
            values = _values(material, inputs)
            shares.append([_relative(*pair) for pair in zip(values, last, strict=True)])
            last = values
        rate = {"every": every, "rate_hz": scene.rate_hz / every, "frames": len(counted)}
        rows.append({"element": "rate", **rate, "pd": float(np.mean(counted)), **common})
        rows += [
            {"element": "rate_layer", "scene": scene.name, **rate}
            | {"layer": layer, "relative_change": float(share)}
            for layer, share in enumerate(np.mean(shares, axis=0))
        ]
    return rows


def _coded(
    material: Material,
    frames: Tensor,
    scales: list[float],
    state: StreamState | None,
    settings: Video,
) -> tuple[StreamState, np.ndarray]:
    """Additions of frames, and the state after them."""
    costs = Costs(material.graph, material.sizes, "pd")
    run = run_stream(
        material.graph, frames, "pd", scales, state, k_alpha=settings.rates.k_alpha, observe=costs
    )
    return run.state, costs.per_frame().sum(dim=1).numpy()


def _values(material: Material, frames: Tensor) -> list[Tensor]:
    """Values of every sender of the original network for one frame."""
    found: list[Tensor] = []
    run_stream(
        material.graph,
        frames,
        "original",
        observe=lambda sender, values, messages: found.append(values.flatten().clone()),
    )
    return found


def _relative(now: Tensor, before: Tensor) -> float:
    """|a_t - a_(t-1)| / (2 (|a_t| + |a_(t-1)|)), L1 norms."""
    both = torch.linalg.vector_norm(now, 1) + torch.linalg.vector_norm(before, 1)
    return float(torch.linalg.vector_norm(now - before, 1) / (2.0 * both)) if both > 0 else 0.0
