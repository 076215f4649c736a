"""Theorems of chapter 4 and appendix B of O'Connor 2020: operations and energies.

One function per published entry, as in `theorems`.
"""

from collections.abc import Sequence
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
from plausible.reproduction.theorem_checks import Check
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import (
    SIZES,
    random_parameters,
    theorem_generator,
)

MNIST_SIZES = (784, 200, 200, 10)
ENERGIES = {
    "32-bit float multiplication": 3.7,
    "32-bit float addition": 0.9,
    "32-bit integer multiplication": 3.1,
    "32-bit integer addition": 0.1,
}
"""Published, in pJ; the entry of the published file lists them in the same order."""


def sparse_dot_product(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.3: whole messages as a sum of N signed one-hot vectors, N d_out additions."""
    check = partial(Check, "product_and_additions")
    generator = theorem_generator("eq4.3", seed)
    wrong, miscounted, rounding = 0.0, 0, 0.0
    for _ in range(20):
        units, outputs = generator.integers(1, 30, 2)
        events = generator.integers(-3, 4, units) * (generator.random(units) < 0.5)
        whole = generator.integers(-9, 10, (outputs, units)).astype(float)
        real = generator.standard_normal((outputs, units))
        product, additions = sparse_product(events, whole)
        wrong = max(wrong, float(np.abs(product - whole @ events).max()))
        rounding = max(
            rounding, float(np.abs(sparse_product(events, real)[0] - real @ events).max())
        )
        number = sum(abs(int(event)) for event in events)
        miscounted += abs(additions - number * outputs)
    return [
        check("sum of columns against the product, whole weights: difference", wrong, 0.0, "=="),
        check("sum of columns against the product, real weights: difference", rounding, 1e-12),
        check("additions that were made against N d_out: difference", miscounted, 0.0, "=="),
    ]


def operation_counts(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.12-B.15: formulas against operations that are counted one at a time."""
    check = partial(Check, "dense_count")
    dense = {
        biases: float(
            original_operations(
                layer_multiply_adds(MNIST_SIZES), MNIST_SIZES[1:], count_biases=biases
            ).total
        )
        for biases in (True, False)
    }
    return [
        check("operations of a dense 784-200-200-10, biases counted", dense[True], 397600.0, "=="),
        check(
            "operations of a dense 784-200-200-10, biases not counted (table B.1)",
            dense[False],
            397600.0,
            "==",
            "as_coded",
        ),
        *_counted_one_at_a_time(theorem_generator("flops", seed)),
    ]


def _counted_one_at_a_time(generator: np.random.Generator) -> list[Check]:
    """Multiplications and additions of a small network by slow loops, against the formulas."""
    weights, biases = random_parameters(generator)
    layers = dense_network(weights, biases, output="relu")
    frames = 2.0 * generator.standard_normal((20, SIZES[0]))
    off = {"dense (B.12)": 0.0, "sparse (B.13)": 0.0, "rounding (B.14)": 0.0}
    off["sigma-delta (B.15)"] = 0.0
    activities = run(layers, frames, "original").messages
    nonzero = [
        nonzero_multiply_adds(activity, len(weight))
        for activity, weight in zip(activities, weights, strict=True)
    ]
    for time in range(len(frames)):
        products = {
            "dense (B.12)": layer_multiply_adds(SIZES),
            "sparse (B.13)": np.array([each[time] for each in nonzero]),
        }
        for name, multiply_adds in products.items():
            formula = original_operations(multiply_adds, SIZES[1:], count_biases=True).total
            counted = sum(
                _multiply_and_add(weight, activity[time], skip=name.startswith("sparse"))
                for weight, activity in zip(weights, activities, strict=True)
            )
            off[name] = max(off[name], abs(float(formula) - counted))
    for name, kind in (("rounding (B.14)", "rounding"), ("sigma-delta (B.15)", "sigma_delta")):
        messages = run(layers, frames, kind).messages
        events = [
            event_additions(sent, len(weight))
            for sent, weight in zip(messages, weights, strict=True)
        ]
        formula = discretised_additions(np.stack(events, axis=1), SIZES[1:], kind == "rounding")
        for time in range(len(frames)):
            counted = sum(
                _add(sent[time], weight, bias if kind == "rounding" else ())
                for sent, weight, bias in zip(messages, weights, biases, strict=True)
            )
            off[name] = max(off[name], abs(float(formula[time]) - counted))
    return [
        Check(
            "dense_count",
            f"{name}: formula against operations counted one at a time",
            worst,
            0.0,
            "==",
        )
        for name, worst in off.items()
    ]


def _add(sent: NDArray, weight: NDArray, bias: Sequence[float]) -> int:
    """Additions of w s + b for whole numbers s, weight by weight and bias by bias."""
    operations = sparse_product(sent, weight)[1]
    for _ in bias:
        operations += 1
    return operations


def _multiply_and_add(weight: NDArray, activity: NDArray, skip: bool) -> int:
    """Operations of w x + b in a loop over its entries; zeros of x may be skipped."""
    operations = 0
    for row in weight:
        terms = [w * x for w, x in zip(row, activity, strict=True) if x != 0 or not skip]
        operations += len(terms) + max(len(terms) - 1, 0) + 1
    return operations


def energies_of_operations(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4.4.3: energies by which counts are converted; what 1000 operations cost, in pJ."""
    thousand, none = np.array(1000.0), np.array(0.0)
    found = {
        "32-bit float multiplication": FLOAT32_MULTIPLY_PJ,
        "32-bit float addition": float(spiking_energy_nj(thousand)),
        "32-bit integer multiplication": float(
            original_energy_nj(Operations(thousand, none), "by_kind")
        ),
        "32-bit integer addition": float(discretised_energy_nj(thousand, none)),
    }
    return [
        Check("energies_in_use", f"energy of a {name} (pJ)", round(found[name], 9), published, "==")
        for name, published in ENERGIES.items()
    ]


def energy_advantage(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Figure 4.4: the ratio of energies is 16 times the ratio of operations.

    The code takes the mean of 3.1 and 0.1 pJ for every operation of the original network, which
    gives exactly 16. By kind, its additions are a little fewer than its multiplications.
    """
    generator = theorem_generator("energy_advantage", seed)
    weights, biases = random_parameters(generator, MNIST_SIZES)
    layers = dense_network(weights, biases)
    # About as many dark pixels as an image of MNIST has.
    frames = generator.random((50, 784)) * (generator.random((50, 784)) < 0.19)
    sent = run(layers, frames, "original").messages
    pairs = list(zip(sent, MNIST_SIZES[1:], strict=True))
    sparse = np.stack([nonzero_multiply_adds(each, above) for each, above in pairs], axis=1)
    rounded = run(layers, frames, "rounding", [4.0] * 3).messages
    additions = sum(
        event_additions(each, above) for each, above in zip(rounded, MNIST_SIZES[1:], strict=True)
    )
    counts = {"dense": np.tile(layer_multiply_adds(MNIST_SIZES), (50, 1)), "sparse": sparse}
    checks = []
    for name, multiply_adds in counts.items():
        operations = original_operations(multiply_adds, MNIST_SIZES[1:])
        ratio = operations.total.sum() / additions.sum()
        for convention, protocol in (("mean_operation", "as_coded"), ("by_kind", "as_published")):
            energy = original_energy_nj(operations, convention).sum()
            energy_ratio = energy / discretised_energy_nj(additions, np.zeros_like(additions)).sum()
            checks.append(
                Check(
                    "ratio_of_energies",
                    f"energy ratio over 16 times the ratio of operations, distance from 1: {name} "
                    f"original, rounding network, energies {convention.replace('_', ' ')}",
                    abs(float(energy_ratio / (16.0 * ratio)) - 1.0),
                    0.01,
                    "<=",
                    protocol,
                )
            )
    return checks
