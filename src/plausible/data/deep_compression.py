"""Networks in the files of "deep compression": few weights, each one of 256 values of its layer.

Source: S. Han, H. Mao, W. J. Dally, "Deep compression", ICLR 2016, and the decoder of
``songhan/SqueezeNet-Deep-Compression``. A file, little-endian, holds the number of stored weights
of every layer (uint32), then for each layer a codebook of 256 values (float32, the first is 0), the
biases (float32), one byte a stored weight, its place in the codebook, and half a byte a stored
weight, the low half first: how many places are passed over before it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from plausible.errors import DataError

CODES = 256


def decode_layers(
    content: bytes, shapes: Mapping[str, Sequence[int]], name: str
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Weights [outputs, ...] and biases [outputs] of every layer.

    ``shapes`` are those of the weights in the order of the file, ``name`` is what errors call it.

    Raises
    ------
    DataError
        If the content does not have exactly these layers.
    """
    place = 0

    def take(dtype: str, count: int) -> NDArray:
        nonlocal place
        size = np.dtype(dtype).itemsize * count
        if place + size > len(content):
            raise DataError(
                f"{name}: the file ends after {len(content)} bytes, where at least "
                f"{place + size} are expected; it is cut off or of another network."
            )
        place += size
        return np.frombuffer(content, dtype, count, place - size)

    stored = take("<u4", len(shapes)).tolist()
    found = {}
    for count, (layer, shape) in zip(stored, shapes.items(), strict=True):
        codebook, biases = take("<f4", CODES), take("<f4", shape[0])
        codes, pairs = take("u1", count), take("u1", (count + 1) // 2)
        gaps = np.stack([pairs & 15, pairs >> 4], axis=1).ravel()[:count]
        places = np.cumsum(gaps.astype(np.int64) + 1) - 1
        weights = np.zeros(int(np.prod(shape)), np.float32)
        if count and places[-1] >= len(weights):
            raise DataError(
                f"{name}: a weight of {layer} has the place {places[-1]}, where there are "
                f"{len(weights)}; the file is damaged or of another network."
            )
        weights[places] = codebook[codes]
        found[layer] = weights.reshape(shape), biases.astype(np.float32)
    if place != len(content):
        raise DataError(
            f"{name}: {len(content) - place} bytes stand behind the last layer, where none is "
            "expected; the file is damaged or of another network."
        )
    return found
