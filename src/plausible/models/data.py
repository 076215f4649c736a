"""Data as users give them, numpy or torch, and results in the same form."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.errors import ModelError

Data = Tensor | np.ndarray


def as_reals(values: Data, name: str) -> NDArray[np.float64]:
    """Finite real numbers as float64. Raises ModelError for another type or what is not finite."""
    array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    if array.dtype.kind not in "fiub":
        raise ModelError(f"{name}: found the type {array.dtype}, expected real numbers.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ModelError(f"{name}: found values that are not finite, expected real numbers.")
    return array


def as_samples(inputs: Data, features: int, name: str = "inputs") -> NDArray[np.float64]:
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


def as_classes(labels: Data, samples: int, classes: int) -> NDArray[np.int64]:
    """Labels as int64 [n]. Raises ModelError for another shape, type or range."""
    array = np.asarray(labels.detach().cpu() if isinstance(labels, Tensor) else labels)
    if array.shape != (samples,) or array.dtype.kind not in "iu":
        raise ModelError(
            f"labels have shape {list(array.shape)} and type {array.dtype}, expected integers "
            f"[{samples}]."
        )
    if array.min() < 0 or array.max() >= classes:
        raise ModelError(
            f"labels lie between {array.min()} and {array.max()}, expected classes from 0 to "
            f"{classes - 1}, one for each output."
        )
    return array.astype(np.int64)


def as_given(array: NDArray, like: Data) -> Data:
    """``array`` as a tensor on the device of ``like`` if that is one; reals in its precision."""
    if not isinstance(like, Tensor):
        return array
    tensor = torch.from_numpy(np.ascontiguousarray(array)).to(like.device)
    if not tensor.is_floating_point():
        return tensor
    return tensor.to(like.dtype if like.is_floating_point() else torch.get_default_dtype())
