"""Rows of table B.1: a network over one part of the data in one order, in either reading.

Operations are counted by appendix B.2, energies are those of 32-bit integers
(``plausible.measure.operations``, ``plausible.measure.integer_energy``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.conversion.quantised import evaluate_quantised, quantise_network
from plausible.measure.integer_energy import integer_energy_nj
from plausible.measure.operations import (
    Operations,
    discretised_additions,
    discretised_energy_nj,
    layer_multiply_adds,
    original_energy_nj,
    original_operations,
)
from plausible.networks.sigma_delta import dense_network, evaluate
from plausible.studies.oconnor2020.ch4_scales.settings import DISCRETISED, Reading

NAN = float("nan")
COLUMNS = (
    *("protocol", "granularity", "seed", "setting", "lambda", "network", "bits", "order", "part"),
    *("samples", "error_percent", "kflops", "kflops_sparse", "energy_nj", "energy_sparse_nj"),
    *("energy_nonzero_nj", "diverged"),
)
"""``kflops`` and ``energy_nj`` of real-valued and quantized networks are those of a dense pass, the
``sparse`` ones skip zeros. ``energy_nonzero_nj`` is the convention of figure 4.4, plots 3 and 4:
twice the non-zero messages times fan-out, 0.1 pJ each. ``scale_0``, ``scale_1``, .. follow."""

Labels = Mapping[str, Any]


class Part(NamedTuple):
    """Frames in the order in which a network sees them."""

    name: str
    order: str
    frames: NDArray[np.uint8]
    labels: NDArray[np.int64]
    white: int


def original_rows(
    common: Labels,
    reading: Reading,
    weights: Sequence[NDArray],
    biases: Sequence[NDArray],
    parts: Sequence[Part],
) -> Iterator[dict[str, Any]]:
    """The trained network itself: dense and sparse counts (eq. B.12, B.13)."""
    layers = dense_network(weights, biases, output="softmax")
    outputs = [len(weight) for weight in weights]
    dense = original_operations(_dense_products(weights), outputs, reading.count_biases)
    for part in parts:
        found = evaluate(layers, part.frames, "original", white=part.white)
        sparse = original_operations(found.nonzero_multiply_adds, outputs, reading.count_biases)
        yield _row(
            common | {"setting": "unoptimized", "network": "original"},
            part,
            found.predictions,
            kflops=_thousands(dense.total),
            kflops_sparse=_thousands(sparse.total),
            energy_nj=float(original_energy_nj(dense, reading.original_energy)),
            energy_sparse_nj=float(np.mean(original_energy_nj(sparse, reading.original_energy))),
        )


def scaled_rows(
    labels: Labels,
    reading: Reading,
    weights: Sequence[NDArray],
    biases: Sequence[NDArray],
    scales: Sequence[ArrayLike] | None,
    parts: Sequence[Part],
) -> Iterator[dict[str, Any]]:
    """The rounding and the sigma-delta network with ``scales`` (eq. B.14, B.15).

    Without scales, because their optimisation diverged, the rows hold no values.
    """
    layers = dense_network(weights, biases, output="softmax")
    outputs = [len(weight) for weight in weights]
    for kind in DISCRETISED:
        adds_biases = kind == "rounding" and reading.count_biases
        for part in parts:
            if scales is None:
                yield _row(labels | {"network": kind}, part, None, diverged=True)
                continue
            found = evaluate(layers, part.frames, kind, scales, part.white)
            additions = discretised_additions(found.event_additions, outputs, adds_biases).mean()
            products = found.nonzero_multiply_adds.sum(axis=1).mean()
            yield _row(
                labels | {"network": kind},
                part,
                found.predictions,
                kflops=_thousands(additions),
                energy_nj=float(discretised_energy_nj(additions, products, "table")),
                energy_nonzero_nj=float(discretised_energy_nj(additions, products, "figure")),
                **{f"scale_{layer}": _typical(scale) for layer, scale in enumerate(scales)},
            )


def quantised_rows(
    common: Labels,
    weights: Sequence[NDArray],
    biases: Sequence[NDArray],
    frames: NDArray,
    bits: int,
    parts: Sequence[Part],
) -> Iterator[dict[str, Any]]:
    """The network in integers of ``bits`` bits, calibrated on ``frames``; it has no memory.

    It does the products of the original network, dense or without those of zeros, in ``bits``
    bits, and the same additions in 32.
    """
    layers = quantise_network(weights, biases, frames, bits)
    outputs = [len(weight) for weight in weights]
    dense = original_operations(_dense_products(weights), outputs)
    for part in parts:
        if part.order != "file":
            continue
        found = evaluate_quantised(layers, part.frames, part.white)
        sparse = original_operations(found.nonzero_multiply_adds, outputs)
        yield _row(
            common | {"setting": "post_training", "network": "quantised", "bits": bits},
            part,
            found.predictions,
            kflops=_thousands(dense.total),
            kflops_sparse=_thousands(sparse.total),
            energy_nj=_narrow_energy(dense, bits),
            energy_sparse_nj=_narrow_energy(sparse, bits),
        )


def _dense_products(weights: Sequence[NDArray]) -> NDArray[np.int64]:
    return layer_multiply_adds((weights[0].shape[1], *map(len, weights)))


def _narrow_energy(operations: Operations, bits: int) -> float:
    return float(np.mean(integer_energy_nj(operations.multiplications, operations.additions, bits)))


def _thousands(operations: ArrayLike) -> float:
    return float(np.mean(operations)) / 1e3


def _typical(scale: ArrayLike) -> float:
    """Geometric mean over the units of a layer."""
    return float(np.exp(np.mean(np.log(scale))))


def _row(
    labels: Labels, part: Part, predictions: NDArray | None, diverged: bool = False, **values: Any
) -> dict[str, Any]:
    error = NAN if predictions is None else 100.0 * float(np.mean(predictions != part.labels))
    known = {
        **labels,
        "order": part.order,
        "part": part.name,
        "samples": len(part.labels),
        "error_percent": error,
        "diverged": diverged,
        **values,
    }
    return {**dict.fromkeys(COLUMNS, NAN), **known}
