"""Arithmetic of one inference in integers: additions, multiplications, energy.

Sources: O'Connor 2020, sections 4.4.3 and B.2. A real-valued network multiplies and adds; a network
of integer messages only adds, one weight per unit of a message and unit that it reaches. Energies
are those of 32-bit integer arithmetic in a 45 nm process (M. Horowitz, "Computing's energy problem
(and what we can do about it)", ISSCC 2014); ``plausible.measure.energy`` has those of floats.

Biases: equations B.12 and B.14 count their addition, which gives 397,600 operations for
784-200-200-10; the numbers of table B.1 come from code that does not (397,190). ``count_biases``
chooses, and is off by default.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import StudyError

INT32_ADD_PJ = 0.1
"""Energy of a 32-bit integer addition, 45 nm, in picojoules (Horowitz 2014)."""

INT32_MULTIPLY_PJ = 3.1
"""Energy of a 32-bit integer multiplication, 45 nm, in picojoules (Horowitz 2014)."""

ORIGINAL_CONVENTIONS = ("mean_operation", "by_kind")
DISCRETISED_CONVENTIONS = ("table", "figure")


class Operations(NamedTuple):
    """How often a forward pass multiplies and adds (scalars, or one number per sample)."""

    multiplications: NDArray
    additions: NDArray

    @property
    def total(self) -> NDArray:
        """What the thesis calls flops."""
        return self.multiplications + self.additions


def layer_multiply_adds(layer_sizes: Sequence[int]) -> NDArray[np.int64]:
    """Weights of each dense layer, [layers]: products of a dense forward pass."""
    sizes = np.asarray(layer_sizes, dtype=np.int64)
    return sizes[:-1] * sizes[1:]


def original_operations(
    multiply_adds: ArrayLike, outputs: Sequence[int], count_biases: bool = False
) -> Operations:
    """Operations of a real-valued network (eq. B.12, B.13).

    ``multiply_adds`` ``[..., layers]`` are the products of each layer: its weights in a dense pass
    (B.12), non-zero inputs times fan-out in a sparse one (B.13). A sum of n products takes n - 1
    additions for each of the ``outputs`` ``[layers]``, and one more for its bias.
    """
    products = np.asarray(multiply_adds)
    _check_layers("multiply_adds", products, len(outputs))
    reached = np.asarray(outputs, dtype=np.int64)
    additions = np.maximum(products - reached, 0) + (reached if count_biases else 0)
    return Operations(products.sum(axis=-1), additions.sum(axis=-1))


def event_additions(messages: NDArray, fan_out: float | NDArray) -> NDArray[np.float64]:
    """Additions that integer messages cause, sum |s| fan_out (eq. 4.3, B.14, B.15).

    ``messages`` ``[samples, *features]``; ``fan_out`` is the number of weights that an input unit
    sends to, one for all of them or an array ``[*features]``. Returns float64 ``[samples]``, exact
    below 2**53 and not finite where a message is not.
    """
    return _weighted(np.abs(messages), fan_out)


def discretised_additions(
    events: NDArray, outputs: Sequence[int], adds_biases: bool
) -> NDArray[np.float64]:
    """Additions of a network of integer messages, ``[samples]`` (eq. B.14, B.15).

    ``events`` ``[samples, layers]`` are those that messages cause (``event_additions``), and
    ``outputs`` ``[layers]`` the units of each layer. A rounding network ``adds_biases``, one for
    each unit and sample (B.14); a sigma-delta network holds them in its sums (B.15).
    """
    events = np.asarray(events)
    _check_layers("events", events, len(outputs))
    return events.sum(axis=-1) + (sum(outputs) if adds_biases else 0)


def nonzero_multiply_adds(messages: NDArray, fan_out: float | NDArray) -> NDArray[np.float64]:
    """Products left when zeros are skipped, nnz(s) fan_out, ``[samples]`` (eq. B.13)."""
    return _weighted(messages != 0, fan_out)


def original_energy_nj(operations: Operations, convention: str = "mean_operation") -> NDArray:
    """Energy in nJ of multiplications and additions of 32-bit integers.

    - ``mean_operation``: every operation costs the mean of the two, (3.1 + 0.1) / 2 pJ, as in the
      code behind table B.1 and figure 4.4;
    - ``by_kind``: 3.1 pJ a multiplication and 0.1 pJ an addition, as section 4.4.3 says.
    """
    if convention == "mean_operation":
        return operations.total * ((INT32_MULTIPLY_PJ + INT32_ADD_PJ) / 2 * 1e-3)
    if convention == "by_kind":
        picojoules = operations.multiplications * INT32_MULTIPLY_PJ
        return (picojoules + operations.additions * INT32_ADD_PJ) * 1e-3
    raise _unknown(convention, ORIGINAL_CONVENTIONS)


def discretised_energy_nj(
    additions: ArrayLike, nonzero_products: ArrayLike, convention: str = "table"
) -> NDArray:
    """Energy in nJ of a network of integer messages, 0.1 pJ an addition.

    - ``table``: sum |s| fan_out additions, as in table B.1 (``additions``);
    - ``figure``: 2 nnz(s) fan_out, the count of multiply-adds that skips zeros, which is what the
      energy panels of figure 4.4 multiply by 0.1 pJ (``nonzero_products``).
    """
    if convention == "table":
        return np.asarray(additions) * (INT32_ADD_PJ * 1e-3)
    if convention == "figure":
        return np.asarray(nonzero_products) * (2 * INT32_ADD_PJ * 1e-3)
    raise _unknown(convention, DISCRETISED_CONVENTIONS)


def _weighted(amounts: NDArray, fan_out: float | NDArray) -> NDArray[np.float64]:
    if np.ndim(fan_out) == 0:
        return amounts.sum(axis=tuple(range(1, amounts.ndim)), dtype=np.float64) * fan_out
    if np.shape(fan_out) != amounts.shape[1:]:
        raise StudyError(
            f"operations: fan_out has shape {np.shape(fan_out)}, expected one number or the "
            f"features of the messages, {amounts.shape[1:]}."
        )
    flat = amounts.reshape(len(amounts), -1).astype(np.float64)
    return flat @ np.asarray(fan_out, np.float64).ravel()


def _check_layers(name: str, values: NDArray, layers: int) -> None:
    if values.ndim == 0 or values.shape[-1] != layers:
        raise StudyError(
            f"operations: {name} has shape {values.shape}, expected (..., {layers}), a number for "
            "each layer."
        )


def _unknown(convention: str, known: Sequence[str]) -> StudyError:
    return StudyError(
        f"energy: found the convention {convention!r}, expected one of {', '.join(known)}."
    )
