"""Theorems of chapter 4 and appendix B of O'Connor 2020: operations.

One function per published entry, as in `theorems`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.measure.operations import (
    discretised_additions,
    event_additions,
    layer_multiply_adds,
    nonzero_multiply_adds,
    original_operations,
)
from plausible.networks.sigma_delta import dense_network, run, sparse_product
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import (
    random_parameters,
    relative,
    theorem_generator,
)

MNIST_SIZES = (784, 200, 200, 10)
COUNTED_SIZES = (40, 12, 9, 4)
"""A network small enough to count its operations one at a time, of layers of different widths."""


class Counted(NamedTuple):
    """Operations of slow loops."""

    multiplications: int
    additions: int

    @property
    def total(self) -> int:
        """Both kinds."""
        return self.multiplications + self.additions


def sparse_dot_product(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.3: whole messages as a sum of N signed one-hot vectors, N d_out additions."""
    check, generator = "product_and_additions", theorem_generator("eq4.3", seed)
    apart = miscounted = dense = 0.0
    products, unsigned, additions, nonzero = [], [], 0, 0
    for _ in range(20):
        units, outputs = (int(size) for size in generator.integers(1, 30, 2))
        events = generator.integers(-3, 4, units) * (generator.random(units) < 0.5)
        weight = generator.integers(-9, 10, (outputs, units)).astype(float).T
        found, made = sparse_product(events, weight)
        apart = max(apart, float(np.abs(found - events @ weight).max()))
        number = sum(abs(int(event)) for event in events)
        miscounted += abs(made - number * outputs)
        counted = _multiply_and_add(events, weight, skip=False)
        dense += abs(counted.multiplications - units * outputs)
        dense += abs(counted.additions - (units - 1) * outputs)
        products.append(events @ weight)
        unsigned.append(sparse_product(np.abs(events), weight)[0])
        additions, nonzero = additions + made, nonzero + np.count_nonzero(events) * outputs
    found = {
        "product": ("sum of columns against the product", apart),
        "additions": ("additions that were made against N d_out", miscounted),
        "dense": ("operations of a dense product against d_in d_out and (d_in - 1) d_out", dense),
    }
    broken = {
        "signs_left_out": relative(np.concatenate(unsigned), np.concatenate(products)),
        "nonzero_entries_counted": 1.0 - nonzero / additions,
    }
    return checks(check, found) + controls(check, broken)


def operation_counts(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.12-B.15: formulas against operations that are counted one at a time."""
    check, generator = "formulas_count_operations", theorem_generator("flops", seed)
    dense = _counted_dense_pass(generator).total
    formula, without = (
        int(original_operations(layer_multiply_adds(MNIST_SIZES), MNIST_SIZES[1:], biases).total)
        for biases in (True, False)
    )
    text = "dense 784-200-200-10 (B.12): formula against operations counted one at a time"
    size = "dense_784_200_200_10"
    off = {size: (text, abs(formula - dense))}
    coded = {size: (f"{text}; the code leaves biases out", abs(without - dense))}
    found, broken = _counted_one_at_a_time(generator)
    return [
        *checks(check, off, "as_published"),
        *checks(check, coded, "as_coded"),
        *checks(check, found),
        *controls(check, {"biases_not_counted": abs(without - dense), **broken}),
    ]


def _counted_dense_pass(generator: np.random.Generator) -> Counted:
    """Operations of one frame through 784-200-200-10 with biases, counted one at a time."""
    weights, biases = random_parameters(generator, MNIST_SIZES)
    frame = generator.random((1, MNIST_SIZES[0]))
    sent = run(dense_network(weights, biases), frame, "original").messages
    pairs = zip(sent, weights, strict=True)
    layers = [_multiply_and_add(each[0], weight, skip=False, bias=True) for each, weight in pairs]
    return Counted(*map(sum, zip(*layers, strict=True)))


def _counted_one_at_a_time(
    generator: np.random.Generator,
) -> tuple[dict[str, tuple[str, float]], dict[str, float]]:
    """Formulas against slow loops over a small network with large messages, right and broken."""
    weights, biases = random_parameters(generator, COUNTED_SIZES)
    layers = dense_network(weights, biases, output="relu")
    frames = 2.0 * generator.standard_normal((20, COUNTED_SIZES[0]))
    outputs, scales = COUNTED_SIZES[1:], [4.0] * len(layers)
    sent = {
        kind: run(layers, frames, kind, scales).messages
        for kind in ("original", "rounding", "sigma_delta")
    }

    def per_layer(count: Callable, kind: str, widths=outputs) -> NDArray:
        return np.stack([count(*each) for each in zip(sent[kind], widths, strict=True)], axis=1)

    def by_loops(count: Callable, kind: str) -> NDArray:
        """Operations of each frame; ``count`` is given what a layer is sent, and its weights."""
        frame_by_frame = zip(*sent[kind], strict=True)
        return np.array([sum(map(count, each, weights)) for each in frame_by_frame])

    rounded = by_loops(lambda each, weight: _add(each, weight, bias=True), "rounding")
    products = np.tile(layer_multiply_adds(COUNTED_SIZES), (len(frames), 1))
    sparse = per_layer(nonzero_multiply_adds, "original")
    formulas = {
        "dense": original_operations(products, outputs, count_biases=True).total,
        "sparse": original_operations(sparse, outputs, count_biases=True).total,
        "rounding": discretised_additions(per_layer(event_additions, "rounding"), outputs, True),
        "sigma_delta": discretised_additions(
            per_layer(event_additions, "sigma_delta"), outputs, False
        ),
    }
    counts = {
        "dense": by_loops(
            lambda each, weight: _multiply_and_add(each, weight, False, True).total, "original"
        ),
        "sparse": by_loops(
            lambda each, weight: _multiply_and_add(each, weight, True, True).total, "original"
        ),
        "rounding": rounded,
        "sigma_delta": by_loops(lambda each, weight: _add(each, weight), "sigma_delta"),
    }
    number = dict(zip(formulas, range(12, 16), strict=True))
    found = {
        name: (
            f"{name.replace('_', '-')} (B.{number[name]}): formula against operations counted one "
            "at a time",
            float(np.abs(formula - counts[name]).max()),
        )
        for name, formula in formulas.items()
    }
    entries = discretised_additions(per_layer(nonzero_multiply_adds, "rounding"), outputs, True)
    lower = per_layer(event_additions, "rounding", COUNTED_SIZES[:-1])
    widths = discretised_additions(lower, outputs, True)
    return found, {
        "nonzero_entries_counted": relative(entries, rounded),
        "width_of_the_lower_layer": relative(widths, rounded),
    }


def _add(sent: NDArray, weight: NDArray, bias: bool = False) -> int:
    """Additions of s w + b for whole numbers s, weight by weight and bias by bias."""
    operations = sparse_product(sent, weight)[1]
    for _ in weight.T if bias else ():
        operations += 1
    return operations


def _multiply_and_add(
    activity: NDArray, weight: NDArray, skip: bool, bias: bool = False
) -> Counted:
    """Operations of x w + b in a loop over its entries; zeros of x may be skipped."""
    multiplications = additions = 0
    for column in weight.T:
        terms = [w * x for w, x in zip(column, activity, strict=True) if x != 0 or not skip]
        multiplications += len(terms)
        additions += max(len(terms) - 1, 0) + bias
    return Counted(multiplications, additions)


def energy_advantage(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Figure 4.4: half of the original operations are multiplications, if biases are counted."""
    check = "half_are_multiplications"
    counted = _counted_dense_pass(theorem_generator("energy_advantage", seed))
    without = counted._replace(additions=counted.additions - sum(MNIST_SIZES[1:]))
    text = "2 multiplications - operations of a dense 784-200-200-10, biases {}counted"
    off = [float(abs(2 * each.multiplications - each.total)) for each in (counted, without)]
    return [
        *checks(check, {"": (text.format(""), off[0])}, "as_published"),
        *checks(check, {"": (text.format("not "), off[1])}, "as_coded"),
        *controls(check, {"biases_not_counted": off[1]}),
    ]
