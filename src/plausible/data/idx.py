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
QMNIST_LABELS = 0x0C02
"""Labels of QMNIST: 32-bit integers of eight columns, the first of which is the class."""
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
    return _values(Path(path), read_bytes(path, sha256), IMAGE_MAGIC)


def read_labels(path: str | Path, sha256: str | None = None) -> NDArray[np.integer]:
    """Labels of an IDX label file (plain or gzip), [images]; errors as in `read_images`.

    Of QMNIST's labels of eight columns, the first one.
    """
    path = Path(path)
    content = read_bytes(path, sha256)
    if content[:4] == QMNIST_LABELS.to_bytes(4, "big"):
        if len(content) < 12 or len(content) != 12 + 4 * math.prod(_counts(content, 2)):
            raise DataError(f"{path}: the file is truncated or too long; get it again.")
        return np.frombuffer(content, ">i4", offset=12).reshape(_counts(content, 2))[:, 0]
    return _values(path, content, LABEL_MAGIC)


def _counts(content: bytes, dimensions: int) -> tuple[int, ...]:
    return struct.unpack(f">{dimensions}I", content[4 : 4 * (1 + dimensions)])


def _values(path: Path, content: bytes, magic: int) -> NDArray[np.uint8]:
    kind, dimensions = _KINDS[magic]
    header = 4 * (1 + dimensions)
    found = struct.unpack(">I", content[:4])[0] if len(content) >= 4 else None
    if found is not None and found != magic:
        raise DataError(
            f"{path}: an IDX file of {kind} starts with the magic number {magic}, but "
            f"{_what_it_is(content, found)}."
        )
    if len(content) < header:
        raise DataError(
            f"{path}: the file is truncated, {len(content)} bytes were found where the header "
            f"alone takes {header}; get it again."
        )
    shape = _counts(content, dimensions)
    announced, present = math.prod(shape), len(content) - header
    if announced != present:
        fault = "truncated" if present < announced else "longer than it says"
        raise DataError(
            f"{path}: the file is {fault}, its header announces {' x '.join(map(str, shape))} = "
            f"{announced} values but {present} follow; get it again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


_STARTS = (
    (b"version https://git-lfs", "this is a pointer of Git LFS, not the data; run `git lfs pull`"),
    (b"\x1f\x8b", "this is a gzip file within a gzip file; decompress it once"),
    (b"PK\x03\x04", "this is a zip archive; unpack it"),
    (b"\x93NUMPY", "this is an array of numpy; export it as IDX"),
    (b"<", "this is a web page or XML, perhaps the message of a failed download; get it again"),
)
_NUMBERS = {
    0x08: "bytes",
    0x09: "signed bytes",
    0x0B: "16-bit integers",
    0x0C: "32-bit integers",
    0x0D: "floats",
    0x0E: "doubles",
}


def _what_it_is(content: bytes, magic: int) -> str:
    """What the first bytes of a file say that it is, and what to do."""
    for start, words in _STARTS:
        if content.startswith(start):
            return words
    if magic in _KINDS:
        return (
            f"{magic} (the number of {_KINDS[magic][0]}) was found; check that the files are not "
            "swapped"
        )
    if int.from_bytes(content[:4], "little") in _KINDS:
        return "its numbers are little-endian; write them big-endian, as IDX has them"
    if content[:2] == b"\0\0" and content[2] in _NUMBERS and 0 < content[3] < 8:
        return (
            f"this one holds {_NUMBERS[content[2]]} of {content[3]} dimensions; images are bytes "
            "of three dimensions, labels bytes of one"
        )
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in content[:64]):
        return "this is a text file; export the data as IDX"
    return f"{magic} was found; get the file again"
