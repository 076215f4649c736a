"""What the compiled equilibrium propagation consists of, and how it is made.

Layers are numbered from the input (0) to the output (L); matrix l leads from layer l to layer l+1.
Networks and recipes are whatever has the fields that are read here, as those of
``plausible.networks`` and ``plausible.learning.equilibrium_propagation`` have.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.kernels.equilibrium_tiles import INPUT, NARROW, ROWS, wide


class Layout(NamedTuple):
    """Where layers and matrices stand in flat arrays; entry l belongs to layer l or matrix l.

    Matrices stand in panels (see ``equilibrium_tiles``): wide ones, then narrow ones.
    """

    sizes: NDArray[np.int64]
    widths: NDArray[np.int64]
    """Numbers of a row of states: sizes filled up with zeros."""
    heights: NDArray[np.int64]
    """Rows of a matrix of which each belongs to a unit of the layer."""
    states: NDArray[np.int64]
    """First state of a layer, which has a row for each sample. The input has none."""
    matrices: NDArray[np.int64]
    transposed: NDArray[np.int64]
    """First entry of a matrix that leads down; there is none to the input."""
    biases: NDArray[np.int64]
    panels: NDArray[np.int64]
    """Wide and narrow panels of a matrix that leads to the layer, [2, layers]."""
    input_panels: int
    """Those of the input's matrix, which are all alike."""


class Parameters(NamedTuple):
    """A network's arrays, flat and filled up; matrices in both orientations, if both are used."""

    weights: NDArray[np.floating]
    transposed: NDArray[np.floating]
    biases: NDArray[np.floating]


class Rule(NamedTuple):
    """How states settle and weights change."""

    free_steps: int
    nudged_steps: int
    linearised: bool
    initialised: bool
    backward: bool
    """Whether the forward network learns from the global loss."""
    nudged_target: bool


class Numbers(NamedTuple):
    """Constants of a training, 0-dimensional arrays of the type of the weights."""

    step_size: NDArray[np.floating]
    pull: NDArray[np.floating]
    leak: NDArray[np.floating]
    rates: NDArray[np.floating]
    """[L]."""
    table: NDArray[np.floating]
    """Intensity of each grey level, [256]."""


class Work(NamedTuple):
    """Of a batch; [all states] where nothing else is said."""

    states: NDArray[np.floating]
    """[2, all states]: before and after a step, in turns."""
    free: NDArray[np.floating]
    """s-."""
    constant: NDArray[np.floating]
    """What a step adds whatever the states are."""
    forward: NDArray[np.floating]
    """s_f."""
    sums: NDArray[np.floating]
    """u of the forward network, h'(u) of which is needed; then its errors."""
    change: NDArray[np.floating]
    marks: NDArray[np.floating]
    """Not 0: the unit is not zero in all of ``ROWS`` samples, [all states / ROWS]."""
    active: NDArray[np.int32]
    """Those units one after the other, by layer and ``ROWS``, [all states / ROWS]."""
    lengths: NDArray[np.int64]
    """How many, [layers, batch / ROWS]."""
    start: NDArray[np.int64]
    """Where the pixels of a sample begin, [batch + 1]."""
    pixel: NDArray[np.int32]
    value: NDArray[np.floating]


def _filled(size: int, unit: int) -> int:
    """``size``, rounded up to whole units."""
    return -(-size // unit) * unit


def _panels(size: int, columns: int) -> tuple[int, int]:
    """Panels of ``columns`` for a row of a matrix, and narrow ones for a short rest."""
    wide, rest = divmod(size, columns)
    return (wide + 1, 0) if rest > columns // 2 else (wide, -(-rest // NARROW))


def make_layout(sizes: Sequence[int], batch: int, dtype: Any) -> Layout:
    """Places for a network of ``sizes`` (input first) and batches of ``batch`` samples."""
    columns = wide(np.dtype(dtype).itemsize)
    panels = np.array([_panels(size, columns) for size in sizes]).T.copy()
    input_panels = -(-sizes[1] // INPUT)
    heights = np.array([_filled(size, ROWS) for size in sizes])
    # Beyond a power of two, at which rows would displace each other from the cache.
    widths = np.array([_filled(size, INPUT) + NARROW for size in sizes])
    rows = _filled(batch, ROWS)
    used = panels[0] * columns + panels[1] * NARROW
    first = np.zeros((4, len(sizes) + 1), np.int64)
    first[0, 2:] = rows * widths[1:]
    first[1, 1:-1] = heights[:-1] * used[1:]
    first[1, 1] = heights[0] * input_panels * INPUT
    first[2, 2:-1] = heights[2:] * used[1:-1]
    first[3, 2:] = widths[1:]
    return Layout(np.array(sizes), widths, heights, *first.cumsum(axis=1), panels, input_panels)


def layer_sizes(network: Any) -> tuple[int, ...]:
    """n_0 to n_L."""
    return (len(network.weights[0]), *(matrix.shape[1] for matrix in network.weights))


def pack(network: Any, layout: Layout, downward: bool) -> Parameters:
    """Parameters of a network; transposed matrices only if ``downward``."""
    dtype = network.weights[0].dtype
    packed = Parameters(
        np.zeros(layout.matrices[-1], dtype),
        np.zeros(layout.transposed[-1] if downward else 0, dtype),
        np.zeros(layout.biases[-1], dtype),
    )
    for layer, (matrix, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        for panel, columns in _upward(packed, layout, layer):
            panel[:] = matrix[:, columns]
        for panel, columns in _downward(packed, layout, layer) if downward else ():
            panel[:] = matrix.T[:, columns]
        packed.biases[layout.biases[layer + 1] :][: len(bias)] = bias
    return packed


def unpack(packed: Parameters, layout: Layout, network: Any) -> None:
    """Copy parameters into the arrays of the network."""
    for layer, (matrix, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        for panel, columns in _upward(packed, layout, layer):
            matrix[:, columns] = panel
        bias[:] = packed.biases[layout.biases[layer + 1] :][: len(bias)]


def _upward(packed: Parameters, layout: Layout, layer: int) -> Iterator[tuple[NDArray, slice]]:
    """Panels of W^layer, and which of its columns they hold."""
    counts, columns = layout.panels[:, layer + 1], wide(packed.weights.itemsize)
    if layer == 0:
        counts, columns = (layout.input_panels, 0), INPUT
    flat = packed.weights[layout.matrices[layer] :]
    return _views(flat, layout, layer, layer + 1, counts, columns)


def _downward(packed: Parameters, layout: Layout, layer: int) -> Iterator[tuple[NDArray, slice]]:
    """The same of its transpose; the input has none."""
    flat = packed.transposed[layout.transposed[layer] :]
    counts = layout.panels[:, layer] * (layer > 0)
    return _views(flat, layout, layer + 1, layer, counts, wide(flat.itemsize))


def _views(flat, layout, inner, outer, counts, columns):
    first = place = 0
    for count, width in zip(counts, (columns, NARROW), strict=True):
        for _ in range(count):
            size = layout.heights[inner] * width
            used = min(width, layout.sizes[outer] - first)
            panel = flat[place : place + size].reshape(-1, width)
            yield panel[: layout.sizes[inner], :used], slice(first, first + used)
            first, place = first + width, place + size


def make_rule(recipe: Any, network: Any, initialiser: Any) -> Rule:
    """What the recipe asks for.

    Raises
    ------
    StudyError
        If there are loops for something else only.
    """
    names = recipe.contrast, recipe.forward_loss, recipe.forward_target
    known = ("energy", "linearised"), ("local", "global"), ("s_minus", "s_plus")
    for name, each in zip(names, known, strict=True):
        if name not in each:
            raise StudyError(
                f"Equilibrium propagation: found {name!r}, expected {' or '.join(each)}."
            )
    steps = check_phases(recipe, network, recipe.step_size, recipe.pull)
    plain = network.rho._replace(low=0.0, high=1.0, leak=0.0, levels=0)
    leaky = plain if initialiser is None else initialiser.squash._replace(leak=0.0)
    if network.feedback is not None or not network.rho == plain == leaky:
        raise StudyError(
            "Equilibrium propagation: the compiled loops know hard sigmoids and symmetric weights "
            f"alone, found rho {tuple(network.rho)}"
            + ("" if initialiser is None else f", the initialiser's {tuple(initialiser.squash)}")
            + ("." if network.feedback is None else ", and feedback matrices.")
        )
    return Rule(
        *steps, names[0] == "linearised", initialiser is not None,
        names[1] == "global", names[2] == "s_plus",
    )  # fmt: skip


def make_numbers(recipe: Any, initialiser: Any, white: float, dtype: Any) -> Numbers:
    """Constants in the precision of the weights; intensities are rounded once."""
    pull = recipe.pull if initialiser is not None else 0.0
    leak = initialiser.squash.leak if initialiser is not None else 0.0
    numbers = (np.array(number, dtype) for number in (recipe.step_size, pull, leak))
    table = np.divide(np.arange(256), white, dtype=dtype)
    return Numbers(*numbers, np.array(recipe.learning_rates, dtype), table)


def make_work(layout: Layout, batch: int, dtype: Any) -> Work:
    """Arrays for batches."""
    total, pixels = layout.states[-1], batch * layout.sizes[0]
    return Work(
        np.zeros((2, total), dtype),
        *(np.zeros(total, dtype) for _ in range(5)),
        np.zeros(total // ROWS, dtype),
        np.zeros(total // ROWS, np.int32),
        np.zeros((len(layout.sizes), _filled(batch, ROWS) // ROWS), np.int64),
        np.zeros(batch + 1, np.int64),
        np.zeros(pixels, np.int32),
        np.zeros(pixels, dtype),
    )


def check_phases(recipe: Any, network: Any, *constants: float) -> tuple[int, int]:
    """Steps of both phases; raises StudyError if they, rates or constants are not for the loops."""
    steps = recipe.negative_steps, recipe.positive_steps
    rates = tuple(recipe.learning_rates)
    finite = np.isfinite([*rates, *constants]).all()
    if min(steps) < 1 or len(rates) != len(network.weights) or not finite:
        raise StudyError(
            f"Equilibrium propagation: found {steps[0]} and {steps[1]} steps and the rates "
            f"{rates}; the compiled loops need at least 1 step of each phase and a finite rate for "
            f"each of {len(network.weights)} layers."
        )
    return steps


def all_finite(*networks: Any) -> bool:
    """Whether all parameters are numbers; None among the networks has none."""
    return all(
        np.isfinite(array).all()
        for network in networks
        if network is not None
        for array in (*network.weights, *network.biases)
    )


def check_networks(network: Any, initialiser: Any, images: NDArray, white: float) -> None:
    """Raise StudyError unless arrays and images fit."""
    sizes, dtype = layer_sizes(network), network.weights[0].dtype
    shapes = [*zip(sizes[:-1], sizes[1:], strict=True), *((size,) for size in sizes[1:])]
    for name, each in (("network", network), ("initialiser", initialiser)):
        arrays = [] if each is None else [*each.weights, *each.biases]
        wrong = [array.shape for array in arrays] != shapes and each is not None
        if wrong or any(array.dtype != dtype for array in arrays) or dtype.char not in "fd":
            found = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
            raise StudyError(
                f"Equilibrium propagation: found the {name} {found}, expected matrices "
                "[units below, units] in a chain and biases [units], both networks alike, all "
                "float32 or all float64."
            )
    if images.dtype != np.uint8 or images.shape[1:] != sizes[:1] or not 0 < white < np.inf:
        raise StudyError(
            f"Equilibrium propagation: found {images.dtype} images of the shape {images.shape} and "
            f"white {white}, expected uint8, [images, {sizes[0]}] and a positive number."
        )


def check_batches(
    images: NDArray, labels: NDArray, order: NDArray, betas: NDArray, classes: int
) -> None:
    """Raise StudyError unless there are labels for the images, and a beta for each minibatch."""
    labels, order, betas = map(np.asarray, (labels, order, betas))
    whole = all(np.issubdtype(array.dtype, np.integer) for array in (labels, order))
    fits = whole and labels.shape == (len(images),) and order.ndim == 2 and order.shape[1] > 0
    fits = fits and betas.shape == order.shape[:1] and np.isfinite(betas).all() and betas.all()
    if fits and order.size:
        fits = 0 <= order.min() <= order.max() < len(images)
        fits = fits and 0 <= labels.min() <= labels.max() < classes
    if not fits:
        raise StudyError(
            f"Equilibrium propagation: found labels {labels.shape}, an order {order.shape} and "
            f"betas {betas.shape} for {len(images)} images; expected are a whole number from 0 to "
            f"{classes - 1} for each image, indices of images [minibatches, samples], and a beta "
            "that is not 0 for each minibatch."
        )
