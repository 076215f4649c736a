"""Theorems of chapter 4 and appendix B of O'Connor 2020: operations and energies.

One function per published entry, as in `theorems`.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from plausible.measure.energy import FLOAT32_MULTIPLY_PJ, spiking_energy_nj
from plausible.measure.operations import (
    Operations,
    discretised_additions,
    discretised_energy_nj,
    event_additions,
    layer_multiply_adds,
    nonzero_multiply_adds,
    original_energy_nj,
    original_operations,
)
from plausible.networks.sigma_delta import dense_network, run, sparse_product
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import (
    SIZES,
    random_parameters,
    theorem_generator,
)

MNIST_SIZES = (784, 200, 200, 10)


def sparse_dot_product(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.3: whole messages as a sum of N signed one-hot vectors, N d_out additions."""
    check = partial(Check, "product_and_additions")
    generator = theorem_generator("eq4.3", seed)
    off = {"whole": 0.0, "real": 0.0}
    miscounted = 0
    for _ in range(20):
        units, outputs = generator.integers(1, 30, 2)
        events = generator.integers(-3, 4, units) * (generator.random(units) < 0.5)
        weights = {"whole": generator.integers(-9, 10, (outputs, units)).astype(float)}
        weights["real"] = generator.standard_normal((outputs, units))
        for kind, weight in weights.items():
            product, additions = sparse_product(events, weight)
            off[kind] = max(off[kind], float(np.abs(product - weight @ events).max()))
        number = sum(abs(int(event)) for event in events)
        miscounted += abs(additions - number * outputs)
    text = "sum of columns against the product, {} weights: difference"
    return [
        check(text.format("whole"), off["whole"], 0.0, "=="),
        check(text.format("real"), off["real"], 1e-12),
        check("additions that were made against N d_out: difference", miscounted, 0.0, "=="),
    ]


def operation_counts(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.12-B.15: formulas against operations that are counted one at a time."""
    check = partial(Check, "dense_count")
    dense, without = (
        original_operations(layer_multiply_adds(MNIST_SIZES), MNIST_SIZES[1:], biases).total
        for biases in (True, False)
    )
    text = "operations of a dense 784-200-200-10, biases"
    return [
        check(f"{text} counted", dense, 397600.0, "=="),
        check(f"{text} not counted (table B.1)", without, 397600.0, "==", "as_coded"),
        *_counted_one_at_a_time(theorem_generator("flops", seed)),
    ]


def _counted_one_at_a_time(generator: np.random.Generator) -> list[Check]:
    """Multiplications and additions of a small network by slow loops, against the formulas."""
    weights, biases = random_parameters(generator)
    layers = dense_network(weights, biases, output="relu")
    frames = 2.0 * generator.standard_normal((20, SIZES[0]))
    kinds = ("original", "rounding", "sigma_delta")
    messages = {kind: run(layers, frames, kind).messages for kind in kinds}

    def per_layer(count: Callable, kind: str) -> NDArray:
        sent = zip(messages[kind], weights, strict=True)
        return np.stack([count(each, len(weight)) for each, weight in sent], axis=1)

    def by_loops(count: Callable, kind: str) -> NDArray:
        """Operations of each frame; ``count`` is given what a layer is sent, and its parameters."""
        return np.array(
            [sum(map(count, sent, weights, biases)) for sent in zip(*messages[kind], strict=True)]
        )

    dense = np.broadcast_to(layer_multiply_adds(SIZES), (len(frames), len(layers)))
    sparse = per_layer(nonzero_multiply_adds, "original")
    rounding, delta = (per_layer(event_additions, kind) for kind in ("rounding", "sigma_delta"))
    formulas = {
        "dense (B.12)": original_operations(dense, SIZES[1:], count_biases=True).total,
        "sparse (B.13)": original_operations(sparse, SIZES[1:], count_biases=True).total,
        "rounding (B.14)": discretised_additions(rounding, SIZES[1:], True),
        "sigma-delta (B.15)": discretised_additions(delta, SIZES[1:], False),
    }
    counts = (
        by_loops(partial(_multiply_and_add, skip=False), "original"),
        by_loops(partial(_multiply_and_add, skip=True), "original"),
        by_loops(_add, "rounding"),
        by_loops(lambda sent, weight, _: _add(sent, weight, ()), "sigma_delta"),
    )
    off = {}
    for (name, formula), counted in zip(formulas.items(), counts, strict=True):
        text = f"{name}: formula against operations counted one at a time"
        off[text] = float(np.abs(formula - counted).max())
    return checks("dense_count", 0.0, off, "==")


def _add(sent: NDArray, weight: NDArray, bias: Sequence[float]) -> int:
    """Additions of w s + b for whole numbers s, weight by weight and bias by bias."""
    operations = sparse_product(sent, weight)[1]
    for _ in bias:
        operations += 1
    return operations


def _multiply_and_add(activity: NDArray, weight: NDArray, bias: NDArray, skip: bool) -> int:
    """Operations of w x + b in a loop over its entries; zeros of x may be skipped."""
    operations = 0
    for row, _ in zip(weight, bias, strict=True):
        terms = [w * x for w, x in zip(row, activity, strict=True) if x != 0 or not skip]
        operations += len(terms) + max(len(terms) - 1, 0) + 1
    return operations


def energies_of_operations(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4.4.3: energies by which counts are converted; what 1000 operations cost, in pJ.

    The entry of the published file lists them in the same order.
    """
    thousand, none = np.array(1000.0), np.array(0.0)
    found = {
        "32-bit float multiplication": (FLOAT32_MULTIPLY_PJ, 3.7),
        "32-bit float addition": (spiking_energy_nj(thousand), 0.9),
        "32-bit integer multiplication": (
            original_energy_nj(Operations(thousand, none), "by_kind"),
            3.1,
        ),
        "32-bit integer addition": (discretised_energy_nj(thousand, none), 0.1),
    }
    return [
        Check("energies_in_use", f"energy of a {name} (pJ)", round(float(used), 9), published, "==")
        for name, (used, published) in found.items()
    ]


def energy_advantage(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Figure 4.4: the ratio of energies is 16 times the ratio of operations.

    The code takes the mean of 3.1 and 0.1 pJ for every operation of the original network, which
    gives exactly 16. By kind, its additions are a little fewer than its multiplications.
    """
    generator = theorem_generator("energy_advantage", seed)
    layers = dense_network(*random_parameters(generator, MNIST_SIZES))
    # About as many dark pixels as an image of MNIST has.
    frames = generator.random((50, 784)) * (generator.random((50, 784)) < 0.19)
    sent = run(layers, frames, "original").messages
    sparse = np.stack(list(map(nonzero_multiply_adds, sent, MNIST_SIZES[1:])), axis=1)
    rounded = run(layers, frames, "rounding", [4.0] * 3).messages
    additions = sum(map(event_additions, rounded, MNIST_SIZES[1:]))
    counts = {"dense": np.tile(layer_multiply_adds(MNIST_SIZES), (50, 1)), "sparse": sparse}
    found = []
    for name, multiply_adds in counts.items():
        operations = original_operations(multiply_adds, MNIST_SIZES[1:])
        ratio = operations.total.sum() / additions.sum()
        for convention, protocol in (("mean_operation", "as_coded"), ("by_kind", "as_published")):
            energy = original_energy_nj(operations, convention).sum()
            energy_ratio = energy / discretised_energy_nj(additions, np.zeros_like(additions)).sum()
            text = (
                f"energy ratio over 16 times the ratio of operations, distance from 1: {name} "
                f"original, rounding network, energies {convention.replace('_', ' ')}"
            )
            apart = abs(float(energy_ratio / (16.0 * ratio)) - 1.0)
            found.append(Check("ratio_of_energies", text, apart, 0.01, "<=", protocol))
    return found
