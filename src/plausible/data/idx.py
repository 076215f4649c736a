"""Reader of IDX files, the format of MNIST and of many data sets made in its likeness.

A file holds, big-endian: a magic number (2051 for images, 2049 for labels: two zero bytes, 8 for
unsigned bytes, the number of dimensions), one 32-bit count per dimension, then one byte per value.
"""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plausible.data.fetch import read_bytes
from plausible.errors import DataError

IMAGE_MAGIC = 2051
LABEL_MAGIC = 2049
_KINDS = {IMAGE_MAGIC: ("images", 3), LABEL_MAGIC: ("labels", 1)}


def read_images(path: str | Path, sha256: str | None = None) -> NDArray[np.uint8]:
    """Grey levels of an IDX image file (plain or gzip), [images, rows, columns].

    Raises
    ------
    DataError
        If the file is missing, a damaged gzip file, of another SHA-256 (uncompressed) than given,
        no IDX image file, or shorter or longer than it announces.
    """
    return _read(Path(path), IMAGE_MAGIC, sha256)


def read_labels(path: str | Path, sha256: str | None = None) -> NDArray[np.uint8]:
    """Labels of an IDX label file (plain or gzip), [images]; errors as in `read_images`."""
    return _read(Path(path), LABEL_MAGIC, sha256)


def _read(path: Path, magic: int, sha256: str | None) -> NDArray[np.uint8]:
    content = read_bytes(path, sha256)
    kind, dimensions = _KINDS[magic]
    header = 4 * (1 + dimensions)
    found = struct.unpack(">I", content[:4])[0] if len(content) >= 4 else None
    if found is not None and found != magic:
        actual = f" (the number of {_KINDS[found][0]})" if found in _KINDS else ""
        raise DataError(
            f"{path}: an IDX file of {kind} starts with the magic number {magic}, but {found}"
            f"{actual} was found; check that the files are not swapped."
        )
    if len(content) < header:
        raise DataError(
            f"{path}: the file is truncated, {len(content)} bytes were found where the header "
            f"alone takes {header}; get it again."
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    announced, present = math.prod(shape), len(content) - header
    if announced != present:
        fault = "truncated" if present < announced else "longer than it says"
        raise DataError(
            f"{path}: the file is {fault}, its header announces {' x '.join(map(str, shape))} = "
            f"{announced} values but {present} follow; get it again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
