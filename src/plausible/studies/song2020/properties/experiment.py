"""Table 2 of Song et al. 2020: the properties of BP, IL, Z-IL and Fa-Z-IL, each one measured.

- **Equivalence to BP**: relative difference of the updates to those of backprop; for backprop
  itself to those of automatic differentiation.
- **Local plasticity**: every quantity that is not pre- or postsynaptic of a matrix is replaced by
  noise at the moment when the matrix learns; its update must not change. An error node keeps the
  memory of its own past. In backprop the activities must stay, so only the target and the weights
  nearer to the output are replaced: delta^l (eq. 4) reads them, eps^l (eq. 5) does not.
- **Partial autonomy**: no signal tells the nodes to change the kind of their computation. Backprop
  without the signal for its backward pass has nothing but the forward pass. In a PCN one and the
  same dynamics runs from the presentation of the input on and the target arrives at some time
  nobody announces; the updates must not change.
- **Full autonomy**: in addition no signal tells the weights when to learn. Without it they learn at
  every step of inference; the updates must be those at the moments that the rule intends.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from plausible.learning.trigger import phi, silent_start
from plausible.networks.mlp import Network
from plausible.studies.song2020.common import draw_network, random_batch, torch_generator
from plausible.studies.song2020.levels import (
    Relaxation,
    Updates,
    backprop_updates,
    depth,
    fazil_updates,
    forward,
    gather,
    il_updates,
    local_update,
    look,
    offsets,
    relax,
    thetas,
    with_parameters,
    zil_updates,
)
from plausible.studies.song2020.properties.settings import Properties


class Case(NamedTuple):
    """A random network with biases, a batch, and the settings of the rules."""

    network: Network
    inputs: Tensor
    targets: Tensor
    settings: Properties
    generator: torch.Generator


class Model(NamedTuple):
    """One rule of predictive coding: what it learns, when, and with which inference."""

    updates: Callable[[Case], Updates]
    moments: Callable[[Case], list[int]]
    """The time at which theta^{l+1} learns, for l = 0 .. l_max-1."""
    gamma: Callable[[Case], float]
    other_schedule: Callable[[Case], Updates]
    """A rule that is told when to learn: the same untold, so that it learns at every step. One that
    is never told (Fa-Z-IL): the one that is (Z-IL)."""
    triggered: bool = False
    """Whether phi decides what an error teaches."""


def _il(case: Case) -> Updates:
    return il_updates(*case[:3], case.settings.il_steps, case.settings.il_gamma)


def _zil(case: Case) -> Updates:
    return zil_updates(*case[:3])


def _fazil(case: Case) -> Updates:
    return fazil_updates(*case[:3], case.settings.detection_steps, 0.0, case.settings.steps)[0]


def _at_every_step(case: Case, steps: int, gamma: float) -> Updates:
    """Sum of the updates of all times t = 0 .. ``steps`` of inference."""
    updates = [il_updates(*case[:3], t, gamma) for t in range(steps + 1)]
    weights, biases = (zip(*kind, strict=True) for kind in zip(*updates, strict=True))
    return Updates(tuple(map(sum, weights)), tuple(map(sum, biases)))


def _layer_by_layer(case: Case) -> list[int]:
    return list(range(depth(case.network)))


PCN_MODELS = {
    "IL": Model(
        _il,
        lambda case: [case.settings.il_steps] * depth(case.network),
        lambda case: case.settings.il_gamma,
        lambda case: _at_every_step(case, case.settings.il_steps, case.settings.il_gamma),
    ),
    "Z-IL": Model(
        _zil,
        _layer_by_layer,
        lambda case: 1.0,
        lambda case: _at_every_step(case, case.settings.steps, 1.0),
    ),
    "Fa-Z-IL": Model(_fazil, _layer_by_layer, lambda case: 1.0, _zil, triggered=True),
}
TEXTS = {
    "equivalence_to_bp": "largest relative difference of an update to that of BP",
    "local_plasticity": "largest relative change of an update when all that is neither pre- nor "
    "postsynaptic becomes noise",
    "partial_autonomy": "largest relative change of an update when the same inference ran before "
    "the target came, unannounced",
    "full_autonomy": "largest relative change of an update when nothing tells the weights when to "
    "learn",
}
BP_TEXTS = {
    "equivalence_to_bp": "largest relative difference of an update to that of automatic "
    "differentiation",
    "local_plasticity": "largest relative change of an update when the target and the weights "
    "nearer to the output become noise",
    "partial_autonomy": "largest relative change of an update without the signal to switch from "
    "the forward to the backward pass",
    "full_autonomy": "the same: without that signal there is nothing to learn from",
}


def properties(settings: Properties, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Table 2: which model has which property, with the number that decides it.

    Equivalence and autonomy hold up to ``equivalence_tolerance``, locality to the last bit; full
    autonomy needs partial autonomy.

    Columns: model (BP, IL, Z-IL, Fa-Z-IL), property (equivalence_to_bp, local_plasticity,
    partial_autonomy, full_autonomy), holds, measurement, measured_value, seed.
    """
    rows = []
    tolerance = settings.equivalence_tolerance
    for seed in seeds:
        generator = torch_generator("properties", seed, "network")
        network = draw_network(settings.layer_sizes, generator, biases=True)
        batch = random_batch(settings.batch_size, settings.layer_sizes, generator)
        case = Case(network, *batch, settings, generator)
        values = {"BP": measure_backprop(case)}
        values |= {name: measure(case, model) for name, model in PCN_MODELS.items()}
        for name, found in values.items():
            holds = {key: value <= tolerance for key, value in found.items()}
            holds["local_plasticity"] = found["local_plasticity"] == 0.0
            holds["full_autonomy"] &= holds["partial_autonomy"]
            texts = BP_TEXTS if name == "BP" else TEXTS
            rows += [(name, key, holds[key], texts[key], found[key], seed) for key in found]
    columns = ["model", "property", "holds", "measurement", "measured_value", "seed"]
    return pd.DataFrame(rows, columns=columns)


def measure_backprop(case: Case) -> dict[str, float]:
    """The four measured values of backprop."""
    learned = backprop_updates(*case[:3])
    unswitched = relative_change(il_updates(*case[:3], 0, 1.0), learned)
    return {
        "equivalence_to_bp": relative_change(learned, automatic_updates(case)),
        "local_plasticity": backprop_locality(case, learned),
        "partial_autonomy": unswitched,
        "full_autonomy": unswitched,
    }


def measure(case: Case, model: Model) -> dict[str, float]:
    """The four measured values of a rule of predictive coding."""
    learned = model.updates(case)
    return {
        "equivalence_to_bp": relative_change(learned, backprop_updates(*case[:3])),
        "local_plasticity": relative_change(isolated_updates(case, model), learned),
        "partial_autonomy": relative_change(unannounced_updates(case, model), learned),
        "full_autonomy": relative_change(model.other_schedule(case), learned),
    }


def relative_change(found: Updates, reference: Updates) -> float:
    """Largest |difference| of a matrix or bias over its largest |entry| in ``reference``."""
    pairs = zip(chain(*found), chain(*reference), strict=True)
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)


def automatic_updates(case: Case) -> Updates:
    """Minus the gradient of E = 1/2 |s_out - y^0|^2 (eq. 2) by automatic differentiation."""
    levels = depth(case.network)
    parts = (*thetas(case.network), *offsets(case.network))
    copies = [part.clone().requires_grad_() for part in parts]
    network = with_parameters(case.network, copies[:levels], copies[levels:])
    loss = 0.5 * (case.targets - forward(network, case.inputs)[0]).square().sum()
    changes = tuple(-gradient for gradient in torch.autograd.grad(loss, copies))
    return Updates(changes[:levels], changes[levels:])


def backprop_locality(case: Case, learned: Updates) -> float:
    """Largest relative change over the hidden matrices; see the module's text."""
    changes = []
    for level in range(1, depth(case.network)):
        # Layers l+1 and l, which the matrix connects, keep their activities.
        network = _with_noise(case, set(range(level, depth(case.network))))
        other = backprop_updates(network, case.inputs, _noise(case, case.targets))
        one = slice(level, level + 1)
        pair = [Updates(each.weights[one], each.biases[one]) for each in (other, learned)]
        changes.append(relative_change(*pair))
    return max(changes)


def isolated_updates(case: Case, model: Model) -> Updates:
    """Updates from states in which all but a matrix and its two layers is noise."""
    record = _learning(case, model)
    changes = []
    for level, moment in enumerate(model.moments(case)):
        network = _with_noise(case, {level})
        values = [
            value if layer in (level, level + 1) else _noise(case, value)
            for layer, value in enumerate(record.values[moment])
        ]
        past = [errors[level] for errors in record.errors[:moment]]
        state = look(network, values)
        changes.append(_taught(case, model, network, level, values, [*past, state.errors[level]]))
    return gather(case.network, changes)


def unannounced_updates(case: Case, model: Model) -> Updates:
    """Updates when inference with a free output has run for ``steps`` before the target arrives."""
    before = relax(case.network, case.inputs, None, case.settings.steps, model.gamma(case))
    record = _learning(case, model, before.values[-1][:-1])
    changes = []
    for level, moment in enumerate(model.moments(case)):
        # What the error nodes remember reaches back before the target.
        past = [errors[level] for errors in (before.errors + record.errors)]
        course = past[: len(before.errors) + moment + 1]
        changes.append(_taught(case, model, case.network, level, record.values[moment], course))
    return gather(case.network, changes)


def _learning(case: Case, model: Model, values: Sequence[Tensor] | None = None) -> Relaxation:
    """Inference with clamped output up to the last moment of learning."""
    steps = max(model.moments(case))
    return relax(*case[:3], steps, model.gamma(case), values=values)


def _taught(
    case: Case,
    model: Model,
    network: Network,
    level: int,
    values: Sequence[Tensor],
    course: Sequence[Tensor],
) -> tuple[Tensor, Tensor | None]:
    """Update of theta^{l+1} from x^{l+1} and the ``course`` of eps^l up to now."""
    errors = course[-1]
    if model.triggered:
        silent = silent_start(errors, case.settings.detection_steps)
        for past in course:
            fires, silent = phi(past, silent, case.settings.detection_steps)
        errors = torch.where(fires, errors, 0.0)
    return local_update(network, level, values[level + 1], errors)


def _with_noise(case: Case, kept: set[int]) -> Network:
    """The network with all parameters replaced by noise, but for ``kept`` (l of theta^{l+1})."""
    weights, biases = (
        tuple(part if level in kept else _noise(case, part) for level, part in enumerate(parts))
        for parts in (thetas(case.network), offsets(case.network))
    )
    return with_parameters(case.network, weights, biases)


def _noise(case: Case, array: Tensor) -> Tensor:
    return torch.randn(array.shape, generator=case.generator, dtype=array.dtype)
