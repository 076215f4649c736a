"""One weight update of Song et al. 2020, table 4: fused forms, autograd, readable forms, pcx."""

import importlib.util
import math
import os
from collections.abc import Callable, Sequence

import torch
from timing import Row, milliseconds, take_turns
from torch import Tensor

from plausible.networks.mlp import Network
from plausible.studies.song2020.levels import (
    apply,
    backprop_updates,
    il_updates,
    make_network,
    zil_updates,
)
from plausible.studies.song2020.run_time.experiment import make_updates
from plausible.studies.song2020.run_time.settings import Rules

RULES = Rules(learning_rate=1e-7, il_steps=20, il_gamma=0.1, detection_steps=4, tolerance=0.0)
NAMES = {
    "bp": "plausible backprop",
    "zil": "plausible Z-IL, every layer relaxing",
    "fazil": "plausible Fa-Z-IL, phi of every neuron",
    "il": "plausible IL, 20 steps",
    "bp_autograd": "autograd + torch.optim.SGD",
}
SHAPES = (((50176, 4096, 2048, 1024, 27), 1, 3), ((784, 300, 300, 10), 20, 50))
"""Layer sizes, batch size, updates in a round."""


def draw(sizes: Sequence[int], batch_size: int) -> tuple[Network, Tensor, Tensor]:
    """Xavier-uniform network, random input and target."""
    generator = torch.Generator().manual_seed(0)
    weights = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        bound = math.sqrt(6 / (fan_in + fan_out))
        weight = torch.empty(fan_in, fan_out)
        weights.append(weight.uniform_(-bound, bound, generator=generator))
    inputs = torch.rand(batch_size, sizes[0], generator=generator)
    targets = torch.rand(batch_size, sizes[-1], generator=generator)
    return make_network(weights[::-1], activate_input=True), inputs, targets


def readable_updates(
    network: Network, inputs: Tensor, targets: Tensor
) -> dict[str, Callable[[], object]]:
    """The plain forms: new tensors in every step, new weights."""
    given = (network, inputs, targets)

    def rule(function, *rest) -> Callable[[], object]:
        return lambda: apply(network, function(*given, *rest), RULES.learning_rate)

    return {
        "eager backprop": rule(backprop_updates),
        "eager Z-IL": rule(zil_updates),
        "eager IL, 20 steps": rule(il_updates, RULES.il_steps, RULES.il_gamma),
    }


def pcx_updates(
    network: Network, inputs: Tensor, targets: Tensor
) -> dict[str, Callable[[], object]]:
    """The updates of pcx from the same weights, if it is installed; checked against ours first.

    Raises
    ------
    RuntimeError
        If pcx and the readable form change the weights differently.
    """
    if importlib.util.find_spec("pcx") is None:
        return {}
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import song_pcx

    weights = [weight.numpy().copy() for weight in network.weights]
    forms = {
        "pcx Z-IL": (song_pcx.zil, 1.0, zil_updates(network, inputs, targets)),
        "pcx IL, 20 steps": (
            song_pcx.make_il(RULES.il_steps),
            RULES.il_gamma,
            il_updates(network, inputs, targets, RULES.il_steps, RULES.il_gamma),
        ),
    }
    found = {}
    for name, (rule, gamma, ours) in forms.items():
        given = (rule, weights, inputs.numpy(), targets.numpy())
        checked = song_pcx.Trainer(*given, 1e-3, gamma)
        checked.update()
        changed = zip(checked.model.weights()[::-1], weights[::-1], ours.weights, strict=True)
        for after, before, update in changed:
            difference = torch.from_numpy(after - before) / 1e-3 - update
            if not float(difference.norm() / update.norm()) < 1e-2:  # float32, small steps
                raise RuntimeError(f"{name} changes the weights in another way than ours")
        found[name] = song_pcx.Trainer(*given, RULES.learning_rate, gamma).update
    return found


def memory_limit(network: Network) -> Callable[[], None]:
    """What no update can avoid: read every weight once, then read and write it once."""

    def action() -> None:
        for weight in network.weights:
            weight.sum()
            weight.mul_(1.0)

    return action


def run(repetitions: int) -> list[Row]:
    """Rows of both networks; at the large one the eager forms are left to the small one."""
    rows = []
    for sizes, batch_size, updates in SHAPES:
        problem = draw(sizes, batch_size)
        fused = make_updates(*problem, RULES)
        forms: dict[str, Callable[[], object]] = {name: fused[key] for key, name in NAMES.items()}
        if batch_size == 1:
            forms["limit of this core: read, read and write"] = memory_limit(problem[0])
        else:
            forms |= readable_updates(*problem) | pcx_updates(*problem)
        work = {name: _repeat(form, updates) for name, form in forms.items()}
        for form in forms.values():
            form()
        seconds = take_turns(work, repetitions)
        title = (
            f"Song table 4, {'-'.join(map(str, sizes))}, batch {batch_size}, float32, one thread"
        )
        rows += milliseconds(title, seconds, dict.fromkeys(work, updates), {})
    return rows


def _repeat(form: Callable[[], object], times: int) -> Callable[[], None]:
    def action() -> None:
        for _ in range(times):
            form()

    return action
