"""Training by equilibrium propagation, minibatch after minibatch in the order of the data.

Nothing is shuffled. At the stops of a `TrainingSchedule` the networks are tested, on test images
and on the first training images, and a run that has failed or diverged ends there. At each stop a
checkpoint is written, from which a killed run goes on.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.data.dataset import intensities
from plausible.kernels import binary_equilibrium
from plausible.kernels import equilibrium as kernel
from plausible.learning.binary_propagation import BinaryRecipe, check_binary_recipe
from plausible.learning.checkpoint import load_checkpoint, save_checkpoint
from plausible.learning.equilibrium_propagation import (
    Recipe,
    check_recipe,
    classes,
    learn,
    negative_phase,
)
from plausible.learning.initialiser import descend, local_gradients
from plausible.networks.equilibrium import Equilibrium, make_equilibrium
from plausible.networks.initialiser import Initialiser, forward_pass, make_initialiser
from plausible.networks.leaky_clip import LEAKY_HARD_SIGMOID

PLUS, RANDOM = "plus", "random"
SIGNS = (PLUS, RANDOM)
TEST_CHUNK = 1000
"""Images that settle together when a network is tested."""


class Images(NamedTuple):
    """Grey levels uint8 ``[n, pixels]`` up to ``white``, and classes int64 ``[n]``."""

    images: NDArray
    labels: NDArray
    white: float

    def first(self, number: int | None) -> "Images":
        """The first ``number`` of them; None: all."""
        return self._replace(images=self.images[:number], labels=self.labels[:number])


class Networks(NamedTuple):
    """What is trained, in place."""

    equilibrium: Equilibrium
    initialiser: Initialiser | None = None


class Failure(NamedTuple):
    """What makes a run one that has failed."""

    after: float
    """Epochs that it has to learn in."""
    percent: float
    """Training error that it must not exceed at any stop behind them."""


class TrainingSchedule(NamedTuple):
    """What a run does besides its recipe."""

    stops: tuple[float, ...]
    """Epochs at which it is tested; it ends with the last one."""
    batch: int
    signs: str = RANDOM
    """Of beta: `PLUS`, or drawn for each minibatch."""
    failure: Failure | None = None
    """Ends a run early; None: nothing but divergence does."""
    tested_training_images: int | None = None
    """The training error is that on so many first images; None: on all."""


class Errors(NamedTuple):
    """Of a data set, in percent."""

    minus: float
    """Of s_- after the negative phase (algorithm 8)."""
    forward: float
    """Of s_f (algorithm 7); NaN without an initialising network."""
    dead_classes: int
    """Classes that s_- gives to none of the images."""


class Progress(NamedTuple):
    """A run between two of its stops."""

    networks: Networks
    batches: int = 0
    stops_done: int = 0
    ended_epoch: float = -1.0
    """Where the run was stopped as failed or diverged; -1: nowhere."""
    diverged: bool = False
    rows: tuple[dict[str, Any], ...] = ()


def fresh_networks(
    sizes: tuple[int, ...],
    rng: np.random.Generator,
    initialised: bool,
    untied: bool = False,
    leak: float = LEAKY_HARD_SIGMOID.leak,
    dtype: str = "float32",
) -> Networks:
    """Both networks from separate draws of one generator, the equilibrium network first."""
    equilibrium = _cast(make_equilibrium(sizes, rng, untied), dtype)
    if not initialised:
        return Networks(equilibrium)
    squash = LEAKY_HARD_SIGMOID._replace(leak=leak)
    return Networks(equilibrium, _cast(make_initialiser(sizes, rng, squash), dtype))


def _cast(network, dtype: str):
    return network._replace(
        **{
            name: tuple(each.astype(dtype) for each in getattr(network, name))
            for name in ("weights", "biases", "feedback")
            if getattr(network, name, None) is not None
        }
    )


def train_batches(
    networks: Networks, recipe: Recipe | BinaryRecipe, data: Images, order: NDArray, betas: NDArray
) -> int:
    """Train in place on minibatches ``order`` [batches, batch] with ``betas`` [batches].

    The number of minibatches that were done; fewer than asked for if a parameter is no number any
    more. Compiled where the kernel has the case, which all but feedback matrices are. With a
    `BinaryRecipe` units send each other bits.
    """
    if isinstance(recipe, BinaryRecipe) and networks.initialiser is not None:
        return _train_initialised_bits(*networks, recipe, data, order, betas)
    if isinstance(recipe, BinaryRecipe):
        given = data.images, int(data.white), data.labels, order, betas
        return binary_equilibrium.train(networks.equilibrium, recipe, *given)
    if networks.equilibrium.feedback is None:
        return kernel.train(*networks, recipe, *_given(data), data.labels, order, betas)
    outputs, dtype = networks.equilibrium.biases[-1].size, networks.equilibrium.biases[-1].dtype
    one_hot = np.eye(outputs, dtype=dtype)
    for done, (samples, beta) in enumerate(zip(order, betas, strict=True)):
        inputs = intensities(data.images[samples], data.white, dtype)
        learn(*networks, recipe, inputs, one_hot[data.labels[samples]], float(beta))
        if not all(np.isfinite(array).all() for array in _arrays(networks).values()):
            return done
    return len(order)


def _train_initialised_bits(
    network: Equilibrium,
    initialiser: Initialiser,
    recipe: BinaryRecipe,
    data: Images,
    order: NDArray,
    betas: NDArray,
) -> int:
    """`learn_initialised_binary` of each minibatch, with the phases compiled."""
    alone, rates = np.arange(order.shape[1])[None], recipe.learning_rates
    for done, (samples, beta) in enumerate(zip(order, betas, strict=True)):
        images, labels = data.images[samples], data.labels[samples]
        inputs = intensities(images, data.white, network.biases[-1].dtype)
        passed = forward_pass(initialiser, inputs)
        states = np.concatenate(passed.states, axis=1)
        given = images, int(data.white), labels, alone, beta[None], states
        if binary_equilibrium.train(network, recipe, *given) == 0:
            return done
        minus = tuple(np.split(states, _edges(network), axis=1))
        found = local_gradients(initialiser, inputs, passed, minus)
        descend(initialiser.weights, found.weights, rates)
        descend(initialiser.biases, found.biases, rates)
    return len(order)


def _edges(network: Equilibrium) -> NDArray[np.int64]:
    """Where the units of the second and of further layers begin."""
    return np.cumsum([len(bias) for bias in network.biases])[:-1]


def guesses(initialiser: Initialiser, data: Images) -> NDArray:
    """s_f of all units, [n, units], in the type of the initialising network."""
    found, dtype = [], initialiser.biases[-1].dtype
    for first in range(0, len(data.images), TEST_CHUNK):
        inputs = intensities(data.images[first : first + TEST_CHUNK], data.white, dtype)
        found.append(np.concatenate(forward_pass(initialiser, inputs).states, axis=1))
    return np.concatenate(found)


def predict(
    networks: Networks, recipe: Recipe | BinaryRecipe, data: Images
) -> tuple[NDArray, NDArray | None]:
    """Classes by s_-, and by s_f if there is an initialising network, int64 [n] each."""
    network, initialiser = networks
    real = not isinstance(recipe, BinaryRecipe)
    if real and network.feedback is None:
        return kernel.predict(*networks, recipe, *_given(data))
    states = None if initialiser is None else guesses(initialiser, data)
    guessed = None if states is None else states[:, -len(network.biases[-1]) :].argmax(axis=1)
    if not real:
        given = data.images, int(data.white), states
        return binary_equilibrium.predict(network, recipe, *given), guessed
    settled, dtype = [], network.biases[-1].dtype
    for first in range(0, len(data.images), TEST_CHUNK):
        inputs = intensities(data.images[first : first + TEST_CHUNK], data.white, dtype)
        settled.append(classes(negative_phase(*networks, recipe, inputs)[0]))
    return np.concatenate(settled), guessed


def _given(data: Images) -> tuple[NDArray, float]:
    return data.images, data.white


def errors(networks: Networks, recipe: Recipe, data: Images) -> Errors:
    """Errors of both states on a data set."""
    settled, guessed = predict(networks, recipe, data)
    wrong = 100.0 * float((settled != data.labels).mean())
    outputs = len(networks.equilibrium.biases[-1])
    dead = outputs - len(np.unique(settled))
    if guessed is None:
        return Errors(wrong, float("nan"), dead)
    return Errors(wrong, 100.0 * float((guessed != data.labels).mean()), dead)


def train(
    networks: Networks,
    recipe: Recipe | BinaryRecipe,
    schedule: TrainingSchedule,
    data: Images,
    tests: dict[str, Images],
    rng: np.random.Generator,
    checkpoint: Path | None = None,
    name: str = "",
    measure=None,
) -> Progress:
    """Train ``networks`` in place and test them at each stop, on every one of ``tests``.

    ``rng`` draws the signs of beta. A row of a stop holds ``epoch``, ``training_error_percent``,
    ``training_forward_error_percent``, ``dead_classes`` (of the training images), and for each test
    ``<name>_error_percent`` and ``<name>_forward_error_percent``; ``measure``, a function of the
    networks, adds its own. ``name`` stands before lines of progress; none are written without.

    Raises
    ------
    StudyError
        If the recipe does not fit the network.
    """
    check = check_binary_recipe if isinstance(recipe, BinaryRecipe) else check_recipe
    check(recipe, len(networks.equilibrium.weights))
    progress = Progress(networks)
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        progress = _load(checkpoint, progress, rng)
    stops = sorted(set(schedule.stops))
    for stop in stops[progress.stops_done :]:
        if progress.ended_epoch >= 0:
            break
        progress = _stretch(progress, recipe, schedule, data, rng, stop)
        row = _tested(progress, recipe, schedule, data, tests, stop)
        row |= measure(networks) if measure is not None and not progress.diverged else {}
        if progress.diverged or _failed(schedule.failure, row):
            progress = progress._replace(ended_epoch=stop)
        progress = progress._replace(stops_done=progress.stops_done + 1, rows=(*progress.rows, row))
        if name:
            print(_line(name, row, stops[-1], tests), file=sys.stderr, flush=True)
        if checkpoint is not None:
            _save(checkpoint, progress, rng)
    return progress


def _stretch(
    progress: Progress,
    recipe: Recipe,
    schedule: TrainingSchedule,
    data: Images,
    rng: np.random.Generator,
    stop: float,
) -> Progress:
    """Train until ``stop``."""
    images, batch = len(data.images), schedule.batch
    until = round(stop * images / batch)
    if until <= progress.batches:
        return progress
    numbers = np.arange(progress.batches * batch, until * batch).reshape(-1, batch)
    betas = np.full(len(numbers), recipe.beta)
    if schedule.signs == RANDOM:
        betas *= rng.choice((-1.0, 1.0), len(numbers))
    done = train_batches(progress.networks, recipe, data, numbers % images, betas)
    return progress._replace(batches=until, diverged=done < len(numbers))


def _tested(progress, recipe, schedule, data, tests, stop) -> dict[str, Any]:
    row: dict[str, Any] = {"epoch": stop}
    parts = {"training": data.first(schedule.tested_training_images), **tests}
    for name, part in parts.items():
        found = errors(progress.networks, recipe, part)
        if name == "training":
            row["dead_classes"] = found.dead_classes
        row[f"{name}_error_percent"] = found.minus
        row[f"{name}_forward_error_percent"] = found.forward
    return row


def _failed(failure: Failure | None, row: dict[str, Any]) -> bool:
    if failure is None:
        return False
    return row["epoch"] > failure.after and row["training_error_percent"] > failure.percent


def _line(name: str, row: dict[str, Any], last: float, tests: Iterable[str]) -> str:
    shown = ", ".join(
        f"{part} {row[f'{part}_error_percent']:.2f} %" for part in ("training", *tests)
    )
    return f"{name}, epoch {row['epoch']:g}/{last:g}: error {shown}"


def _arrays(networks: Networks) -> dict[str, NDArray]:
    found = {}
    for kind, network in zip(networks._fields, networks, strict=True):
        for name in ("weights", "biases", "feedback"):
            for layer, array in enumerate(getattr(network, name, None) or ()):
                found[f"{kind}_{name}_{layer}"] = array
    return found


def _save(path: Path, progress: Progress, rng: np.random.Generator) -> None:
    words = progress._asdict()
    del words["networks"]
    save_checkpoint(path, path.stem, words, _arrays(progress.networks), {"signs": rng})


def _load(path: Path, fresh: Progress, rng: np.random.Generator) -> Progress:
    """What a killed job had saved, copied into the networks of ``fresh``, or ``fresh`` itself."""
    found = load_checkpoint(path, path.stem, {"signs": rng})
    if found is None:
        return fresh
    for name, array in _arrays(fresh.networks).items():
        array[...] = found.arrays[name]
    words = {**found.words, "rows": tuple(found.words["rows"])}
    return fresh._replace(**words)
