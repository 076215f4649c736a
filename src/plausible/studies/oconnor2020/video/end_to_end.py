"""Section 5.4.2: all layers are trained with PD codes, the trunk from where it ended before."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from plausible.learning.pd_backprop import train_frame, with_pd_codes
from plausible.neurons.pd_coding import Tuning
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.video.material import Material
from plausible.studies.oconnor2020.video.settings import Video

Rows = list[dict[str, Any]]


def end_to_end(material: Material, settings: Video, seed: int) -> Rows:
    """Rows ``step``: the loss before each frame of the labelled training clips."""
    chosen, rng = settings.end_to_end, numpy_generator("oconnor2020", "video", "end to end", seed)
    clips = [clip for clip in material.clips() if clip.part == "training"]
    order = rng.permutation(len(clips))
    frames = np.concatenate([clips[place].frames for place in order])
    labels = np.concatenate([[clips[place].label] * len(clips[place].frames) for place in order])
    take = np.linspace(0, len(frames) - 1, min(chosen.frames, len(frames))).astype(int)
    prepare = material.network.prepare
    with torch.no_grad():
        features = material.network.trunk(prepare(frames[take[:1]]))
    head = nn.Linear(features.shape[1], int(labels.max()) + 1)
    size = float(features.abs().mean()) or 1.0
    weights = rng.standard_normal(tuple(head.weight.shape)) / np.sqrt(features.shape[1]) / size
    head.weight.data = torch.from_numpy(weights.astype(np.float32))
    head.bias.data.zero_()
    codes = Tuning(settings.rates.k_alpha, settings.rates.k_beta_relative)
    trunk = copy.deepcopy(material.network.trunk)
    for parameter in trunk.parameters():
        parameter.requires_grad_(True)
    module = with_pd_codes(nn.Sequential(trunk, head), codes)
    rate = chosen.rate / float(features.square().sum())
    rows = []
    for step, place in enumerate(take):
        frame = prepare(frames[place : place + 1])
        loss = train_frame(module, frame, int(labels[place]), rate)
        rows.append({"element": "step", "step": step, "label": int(labels[place]), "loss": loss})
    return rows
