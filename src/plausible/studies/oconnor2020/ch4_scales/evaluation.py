"""Rows of table B.1: a network over one part of the data in one order, in either reading.

Operations are counted by appendix B.2, energies are those of 32-bit integers
(``plausible.measure.operations``, ``plausible.measure.integer_energy``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
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
from plausible.networks.sigma_delta import Evaluation, dense_network, evaluate
from plausible.studies.oconnor2020.ch4_scales.settings import DISCRETISED, Reading

COLUMNS = (
    *("protocol", "granularity", "seed", "setting", "lambda", "network", "bits", "order", "part"),
    *("samples", "error_percent", "kflops", "kflops_sparse", "energy_nj", "energy_sparse_nj"),
    *("energy_nonzero_nj", "diverged", "differing_predictions"),
)
"""``kflops`` and ``energy_nj`` of real-valued and quantized networks are those of a dense pass, the
``sparse`` ones skip zeros. ``energy_nonzero_nj`` is the convention of figure 4.4, plots 3 and 4:
twice the non-zero messages times fan-out, 0.1 pJ each. ``differing_predictions`` is the number of
images that are decided otherwise than by the same network, of discretised ones by the rounding
network, in the order of the file. ``scale_0``, ``scale_1``, .. follow."""

Labels = Mapping[str, Any]
Rows = Iterator[dict[str, Any]]
Parameters = tuple[Sequence[NDArray], Sequence[NDArray]]
"""Weights [inputs, units] and biases of every layer."""


class Part(NamedTuple):
    """Frames in the order in which a network sees them."""

    name: str
    order: str
    frames: NDArray[np.uint8]
    labels: NDArray[np.int64]
    places: NDArray[np.int64]
    """Of each frame in the file."""
    white: int


def original_rows(
    common: Labels, reading: Reading, parameters: Parameters, parts: Sequence[Part]
) -> Rows:
    """The trained network itself: dense and sparse counts (eq. B.12, B.13)."""
    layers = dense_network(*parameters, output="softmax")
    labels = common | {"setting": "unoptimized", "network": "original"}
    energy = partial(original_energy_nj, convention=reading.original_energy)
    first: dict[str, NDArray] = {}
    for part in parts:
        found = evaluate(layers, part.frames, "original", white=part.white)
        row = _row_of_products(labels, part, found, parameters, reading.count_biases, energy)
        yield row | {"differing_predictions": _differing(part, found.predictions, first)}


def quantised_rows(
    common: Labels, parameters: Parameters, frames: NDArray, bits: int, parts: Sequence[Part]
) -> Rows:
    """The network in integers of ``bits`` bits, calibrated on ``frames``; it has no memory.

    It does the products of the original network, dense or without those of zeros, in ``bits``
    bits, and the same additions in 32.
    """
    layers = quantise_network(*parameters, frames, bits)
    labels = common | {"setting": "post_training", "network": "quantised", "bits": bits}

    def energy(counts: Operations) -> NDArray:
        return integer_energy_nj(*counts, bits)

    for part in parts:
        if part.order == "file":
            found = evaluate_quantised(layers, part.frames, part.white)
            yield _row_of_products(labels, part, found, parameters, False, energy)


def _row_of_products(
    labels: Labels,
    part: Part,
    found: Evaluation,
    parameters: Parameters,
    count_biases: bool,
    energy: Callable[[Operations], NDArray],
) -> dict[str, Any]:
    """A network that multiplies, by a dense pass and without the products of zeros."""
    outputs = [len(bias) for bias in parameters[1]]
    products = layer_multiply_adds((len(parameters[0][0]), *outputs))
    values = {}
    for ending, counted in (("", products), ("_sparse", found.nonzero_multiply_adds)):
        operations = original_operations(counted, outputs, count_biases)
        values[f"kflops{ending}"] = _thousands(operations.total)
        values[f"energy{ending}_nj"] = float(np.mean(energy(operations)))
    return _row(labels, part, found.predictions, **values)


def scaled_rows(
    labels: Labels,
    reading: Reading,
    parameters: Parameters,
    scales: Sequence[ArrayLike] | None,
    parts: Sequence[Part],
) -> Rows:
    """The rounding and the sigma-delta network with ``scales`` (eq. B.14, B.15).

    Without scales, because their optimisation diverged, the rows hold no values.
    """
    layers = dense_network(*parameters, output="softmax")
    outputs = [layer.fan_out for layer in layers]
    first: dict[str, NDArray] = {}
    for kind, part in product(DISCRETISED, parts):
        if scales is None:
            yield _row(labels | {"network": kind}, part, None, diverged=True)
            continue
        found = evaluate(layers, part.frames, kind, scales, part.white)
        adds_biases = kind == "rounding" and reading.count_biases
        additions = discretised_additions(found.event_additions, outputs, adds_biases).mean()
        products = found.nonzero_multiply_adds.sum(axis=1).mean()
        yield _row(
            labels | {"network": kind},
            part,
            found.predictions,
            kflops=_thousands(additions),
            energy_nj=float(discretised_energy_nj(additions, products, "table")),
            energy_nonzero_nj=float(discretised_energy_nj(additions, products, "figure")),
            differing_predictions=_differing(part, found.predictions, first),
            # Geometric means over the units of each layer.
            **{f"scale_{n}": float(np.exp(np.mean(np.log(k)))) for n, k in enumerate(scales)},
        )


def _differing(part: Part, predictions: NDArray, first: dict[str, NDArray]) -> int:
    """Images that are decided otherwise than when the part was seen ``first``, in any order."""
    in_file = np.empty_like(predictions)
    in_file[part.places] = predictions
    return int(np.sum(in_file != first.setdefault(part.name, in_file)))


def _thousands(operations: ArrayLike) -> float:
    return float(np.mean(operations)) / 1e3


def _row(
    labels: Labels, part: Part, predictions: NDArray | None, diverged: bool = False, **values: Any
) -> dict[str, Any]:
    error = np.nan if predictions is None else 100.0 * float(np.mean(predictions != part.labels))
    known = {**labels, "order": part.order, "part": part.name, "samples": len(part.labels)}
    known |= {"error_percent": error, "diverged": diverged, **values}
    return {**dict.fromkeys(COLUMNS, np.nan), **known}
