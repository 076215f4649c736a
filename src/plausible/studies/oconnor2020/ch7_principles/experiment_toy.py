"""Figure 7.2: a random student learns each layer of a random teacher, with local or global loss.

Source: O'Connor 2020, section 7.3.4, with the settings of the author's code, which the thesis does
not state: h(x) = clip(x, -1/2, 1/2) + 0.01 x, no biases, the loss of a layer |s_f - s_target|^2
(no 1/2) as mean over the batch, heavy-ball momentum.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.learning.initialiser import (
    LayerGradients,
    global_gradients,
    layer_losses,
    local_gradients,
)
from plausible.networks.equilibrium import States
from plausible.networks.initialiser import Initialiser, forward_pass
from plausible.networks.leaky_clip import LeakyClip
from plausible.reproduction.shards import part_of, stored
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch7_principles.settings import (
    GLOBAL,
    LOCAL,
    DistantGradients,
    EarlyLayers,
    LayerwiseTraining,
)

generator = partial(numpy_generator, "oconnor2020", "ch7_principles")
RULES: dict[str, Callable[..., LayerGradients]] = {LOCAL: local_gradients, GLOBAL: global_gradients}


class Toy(NamedTuple):
    """A student and what it is to learn."""

    student: Initialiser
    teacher: Initialiser
    inputs: NDArray
    targets: States


def make_toy(settings: LayerwiseTraining, rng: np.random.Generator) -> Toy:
    """Student and teacher with normal weights, standard normal inputs, targets of all layers."""
    size, scale = settings.width, settings.weight_scale / np.sqrt(settings.width)
    squash, networks = LeakyClip(-0.5, 0.5, settings.leak), []
    for _ in range(2):
        weights = tuple(
            rng.normal(0.0, scale, (size, size)).astype(np.float32) for _ in range(settings.layers)
        )
        biases = (np.zeros(size, np.float32),) * settings.layers
        networks.append(Initialiser(weights, biases, squash))
    inputs = rng.normal(size=(settings.samples, size)).astype(np.float32)
    return Toy(*networks, inputs, forward_pass(networks[1], inputs).states)


class Course(NamedTuple):
    """Losses of all layers at each test, [tests, layers], and the student at the end."""

    iterations: NDArray[np.int64]
    losses: NDArray[np.float64]
    alignments: NDArray[np.float64]
    """Of local and distant gradients of layers 1 .. L - 1, [tests, L - 1]; empty if not asked."""
    student: Initialiser


def train(
    toy: Toy,
    settings: LayerwiseTraining,
    loss: str,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    layers: Sequence[int] | None = None,
    iterations: int | None = None,
    every: int | None = None,
    aligned: bool = False,
    until: Callable[[NDArray], bool] | None = None,
) -> Course:
    """Train a copy of the student by one of the losses; ``layers`` (from 0) alone if given.

    It is tested on all samples every so many iterations; ``until`` losses fulfil a condition.
    """
    rate = settings.learning_rate if rate is None else rate
    last = settings.iterations if iterations is None else iterations
    every = settings.test_every if every is None else every
    chosen = range(settings.layers) if layers is None else layers
    student = toy.student._replace(weights=tuple(each.copy() for each in toy.student.weights))
    speeds = [np.zeros_like(each) for each in student.weights]
    times, losses, cosines = [], [], []
    for iteration in range(last + 1):
        if iteration % every == 0 or iteration == last:
            passed = forward_pass(student, toy.inputs)
            times.append(iteration)
            # Twice: no 1/2 in this loss.
            losses.append(2.0 * layer_losses(passed.states, toy.targets).astype(np.float64))
            if aligned:
                cosines.append(alignments(student, toy))
            known = np.isfinite(losses[-1]).all()
            if not known or iteration == last or (until is not None and until(losses[-1])):
                break
        pick = rng.permutation(settings.samples)[: settings.batch]
        inputs, targets = toy.inputs[pick], tuple(layer[pick] for layer in toy.targets)
        found = RULES[loss](student, inputs, forward_pass(student, inputs), targets).weights
        for layer in chosen:
            speeds[layer] *= settings.momentum
            speeds[layer] -= 2.0 * rate * found[layer]
            student.weights[layer][...] += speeds[layer]
    return Course(np.array(times), np.array(losses), np.array(cosines), student)


def alignments(student: Initialiser, toy: Toy) -> NDArray[np.float64]:
    """Cosine of local and distant gradient of layers 1 .. L - 1, of each input's row, then mean."""
    passed = forward_pass(student, toy.inputs)
    local = local_gradients(student, toy.inputs, passed, toy.targets).weights
    whole = global_gradients(student, toy.inputs, passed, toy.targets).weights
    found = []
    for near, both in zip(local[:-1], whole[:-1], strict=True):
        far = both - near
        sizes = np.linalg.norm(near, axis=1) * np.linalg.norm(far, axis=1)
        products = (near * far).sum(axis=1)
        found.append(float(np.mean(np.divide(products, sizes, where=sizes > 0, out=0 * products))))
    return np.array(found)


def layerwise_training(settings: LayerwiseTraining, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 7.2: losses and alignments of both ways to train.

    Columns: seed, training (local, global), iteration, layer (from 1), layer_loss, loss (sum over
    layers), alignment (of local and distant gradient; none of the last layer).
    """
    rows = []
    for seed in part_of(list(seeds), [1.0] * len(seeds), settings):
        for loss in RULES:
            compute = partial(_figure_rows, settings, seed, loss)
            rows += stored(settings.checkpoints, f"{seed}.{loss}", compute)
    columns = ["seed", "training", "iteration", "layer", "layer_loss", "loss", "alignment"]
    return pd.DataFrame(rows, columns=columns)


def _figure_rows(settings: LayerwiseTraining, seed: int, loss: str) -> list[list[Any]]:
    toy = make_toy(settings, generator("toy", seed))
    found = train(toy, settings, loss, generator("toy", "batches", seed), aligned=True)
    rows = []
    for time, losses, cosines in zip(found.iterations, found.losses, found.alignments, strict=True):
        for layer, value in enumerate(losses):
            cosine = float(cosines[layer]) if layer < len(cosines) else None
            rows.append(
                [seed, loss, int(time), layer + 1, float(value), float(losses.sum()), cosine]
            )
    return rows


def distant_gradients(settings: DistantGradients, seeds, dataset, networks) -> pd.DataFrame:
    """Iterations until a loss has fallen to a share of its first value.

    Columns: seed, comparison (lower_layers: their loss, upper layers at the target if global;
    all_layers: the loss of all, at each rate), training (local, global), learning_rate, iterations
    (the last one where it was not reached), reached.
    """
    rows = []
    tasks = [(seed, loss) for seed in seeds for loss in RULES]
    for seed, loss in part_of(tasks, [1.0] * len(tasks), settings):
        rows += stored(
            settings.checkpoints, f"{seed}.{loss}", partial(_speeds, settings, seed, loss)
        )
    columns = ["seed", "comparison", "training", "learning_rate", "iterations", "reached"]
    return pd.DataFrame(rows, columns=columns)


def _speeds(settings: DistantGradients, seed: int, loss: str) -> list[list[Any]]:
    toy = make_toy(settings, generator("toy", seed))
    lower = range(settings.lower_layers)
    first = 2.0 * layer_losses(forward_pass(toy.student, toy.inputs).states, toy.targets)
    held = toy._replace(
        student=toy.student._replace(
            weights=(
                *toy.student.weights[: settings.lower_layers],
                *toy.teacher.weights[settings.lower_layers :],
            )
        )
    )
    runs = [("lower_layers", held, lower, settings.learning_rate)]
    runs += [("all_layers", toy, range(settings.layers), rate) for rate in settings.learning_rates]
    rows = []
    for comparison, problem, layers, rate in runs:
        counted = list(layers)
        goal = settings.loss_share * float(first[counted].sum())

        def reached(losses: NDArray, counted=counted, goal=goal) -> bool:
            return float(losses[counted].sum()) <= goal

        rng = generator("toy", "batches", seed)
        found = train(problem, settings, loss, rng, rate=rate, layers=counted, until=reached)
        done = reached(found.losses[-1])
        iterations = int(found.iterations[-1]) if done else settings.iterations
        rows.append([seed, comparison, loss, rate, iterations, done])
    return rows


def early_layers(settings: EarlyLayers, seeds, dataset, networks) -> pd.DataFrame:
    """What local training of earlier layers does for later ones.

    Columns: draw, loss_change (of layer 2, over its first loss, when layer 1 alone learns, the
    others held at random values), permuted_change (the same with targets of other samples),
    together_iterations, alone_iterations (until the last layer has half of its first loss: all
    layers learn together; one after the other, each until its own loss is half).
    """
    rows = []
    for draw in part_of(list(range(settings.draws)), [1.0] * settings.draws, settings):
        rows.append(stored(settings.checkpoints, f"{draw}", partial(_early, settings, draw)))
    columns = [
        "draw", "loss_change", "permuted_change", "together_iterations", "alone_iterations",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _early(settings: EarlyLayers, draw: int) -> list[Any]:
    toy = make_toy(settings, generator("early", draw))
    short, last = settings.test_every, settings.layers - 1

    def change(problem: Toy) -> float:
        rng = generator("early", "batches", draw)
        found = train(problem, settings, LOCAL, rng, layers=[0], every=settings.iterations)
        after = forward_pass(found.student, toy.inputs).states
        before = forward_pass(toy.student, toy.inputs).states
        losses = [layer_losses(states, toy.targets)[1] for states in (before, after)]
        return float(losses[1] / losses[0] - 1.0)

    order = generator("early", "permuted", draw).permutation(settings.samples)
    permuted = toy._replace(targets=tuple(layer[order] for layer in toy.targets))
    first = 2.0 * layer_losses(forward_pass(toy.student, toy.inputs).states, toy.targets)

    def halved(layer: int) -> Callable[[NDArray], bool]:
        return lambda losses: bool(losses[layer] <= 0.5 * first[layer])

    rng = generator("early", "order", draw)
    together = train(toy, settings, LOCAL, rng, every=short, until=halved(last))
    total, student = 0, toy.student
    for layer in range(settings.layers):
        found = train(
            toy._replace(student=student), settings, LOCAL, rng,
            layers=[layer], every=short, until=halved(layer),
        )  # fmt: skip
        total, student = total + int(found.iterations[-1]), found.student
    return [draw, change(toy), change(permuted), int(together.iterations[-1]), total]
