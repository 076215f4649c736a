"""Data and arguments as users give them, and results in the same form.

Arrays are numpy arrays, torch tensors, or what numpy makes an array of. Real results have the type
of the inputs where that is a real one (so float32 gives float32), else float64; computed is in
float64.
"""

import math
import operator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.errors import ModelError

Data = Tensor | np.ndarray


def as_array(values: Any, name: str) -> NDArray:
    """Numbers as an array. Raises ModelError for anything else."""
    try:
        array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        found = "complex numbers" if array.dtype.kind == "c" else type(values).__name__
        if array.dtype.kind in "US":
            found = "texts"
        raise ModelError(f"{name}: found {found}, expected an array of real numbers.")
    return array


def as_reals(values: Any, name: str) -> NDArray[np.float64]:
    """Finite real numbers as float64. Raises ModelError for another type or what is not finite."""
    # In one order in memory, whatever it was: the same numbers give the same bits.
    array = as_array(values, name).astype(np.float64, order="C")
    if not np.isfinite(array).all():
        raise ModelError(f"{name}: found values that are not finite, expected real numbers.")
    return array


def as_samples(inputs: Any, features: int, name: str = "inputs") -> NDArray[np.float64]:
    """Samples as float64 [n, features]; those of more axes are flattened.

    Raises ModelError for another number of features, no sample, or values that are not finite.
    """
    array = as_reals(inputs, name)
    if array.ndim < 2 or not len(array) or array[0].size != features:
        raise ModelError(
            f"{name}: found the shape {list(array.shape)}, expected [n, {features}] with at least "
            "one sample."
        )
    return array.reshape(len(array), features)


def as_classes(labels: Any, samples: int, classes: int) -> NDArray[np.int64]:
    """Labels as int64 [n]. Raises ModelError for another shape, type or range."""
    array = as_array(labels, "labels")
    if array.shape != (samples,) or array.dtype.kind not in "iu":
        raise ModelError(
            f"labels: found the shape {list(array.shape)} and type {array.dtype}, expected "
            f"integers [{samples}]."
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= classes:
        hint = ""
        if low == 1 and high == classes:
            hint = "; subtract 1"
        elif classes == 1:
            hint = "; give the model two outputs, or real targets [n, 1]"
        raise ModelError(
            f"labels: found classes from {low} to {high}, expected classes from 0 to "
            f"{classes - 1}, one for each output{hint}."
        )
    return array.astype(np.int64)


def as_count(value: Any, name: str, least: int = 0) -> int:
    """A whole number from ``least``. Raises ModelError for anything else."""
    try:
        found = operator.index(value)
    except TypeError:
        found = least - 1
    if found < least:
        raise ModelError(f"{name}: found {value!r}, expected a whole number from {least}.")
    return found


def as_number(value: Any, name: str, *, zero: bool = False) -> float:
    """A finite number above 0, or from 0 with ``zero``. Raises ModelError for anything else."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found) or found < 0.0 or (found == 0.0 and not zero):
        expected = "from 0" if zero else "above 0"
        raise ModelError(f"{name}: found {value!r}, expected a finite number {expected}.")
    return found


def as_given(array: NDArray, like: Any) -> Data:
    """``array`` in the form of ``like``: see the module."""
    if not isinstance(like, Tensor):
        kind = getattr(like, "dtype", None)
        real = array.dtype.kind == "f" and isinstance(kind, np.dtype) and kind.kind == "f"
        return array.astype(kind, copy=False) if real else array
    tensor = torch.from_numpy(np.ascontiguousarray(array)).to(like.device)
    if tensor.is_floating_point() and like.is_floating_point():
        return tensor.to(like.dtype)
    return tensor
