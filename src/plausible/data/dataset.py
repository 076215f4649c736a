"""What a data set is: grey levels, labels, and a checksum of both."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from plausible.errors import DataError

CLASSES = 10
"""Number of classes unless another one is stated: the digits 0 to 9."""


class Dataset(NamedTuple):
    """Labelled grey-level images, split into training and test images."""

    name: str
    train_images: NDArray[np.uint8]
    """Grey levels, [images, rows * columns], in the order of the source."""
    train_labels: NDArray[np.int64]
    """Class of each image, [images], from 0."""
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    image_shape: tuple[int, int]
    """(rows, columns)."""
    white: int
    """Grey level of intensity 1.0: 255 for MNIST, 16 for the embedded digits."""
    checksum: str
    """SHA-256 of the content (see `content_checksum`), whatever the name and the file format."""

    @property
    def classes(self) -> int:
        """Number of classes; the training images show all of them."""
        return int(self.train_labels.max()) + 1


def intensities(
    images: NDArray[np.uint8], white: int, dtype: DTypeLike = np.float32
) -> NDArray[np.floating]:
    """Intensities in [0, 1] of grey levels: ``images / white``, [images, pixels].

    The quotient is rounded once, to ``dtype``, so float32 intensities of MNIST equal those of
    the usual "to tensor" transforms.
    """
    return np.divide(images, white, dtype=dtype)


def content_checksum(
    train_images: NDArray[np.uint8],
    train_labels: NDArray[np.int64],
    test_images: NDArray[np.uint8],
    test_labels: NDArray[np.int64],
    image_shape: tuple[int, int],
    white: int,
) -> str:
    """SHA-256 of the arrays (little-endian, row by row), their lengths, image shape and white."""
    digest = hashlib.sha256()
    header = [len(train_images), len(test_images), *image_shape, white]
    digest.update(np.array(header, "<i8").tobytes())
    for array, dtype in (
        (train_images, "u1"),
        (train_labels, "<i8"),
        (test_images, "u1"),
        (test_labels, "<i8"),
    ):
        digest.update(np.ascontiguousarray(array, dtype).tobytes())
    return digest.hexdigest()


def make_dataset(
    name: str,
    train_images: ArrayLike,
    train_labels: ArrayLike,
    test_images: ArrayLike,
    test_labels: ArrayLike,
    image_shape: tuple[int, int],
    white: int,
    classes: int = CLASSES,
) -> Dataset:
    """Dataset of the arrays, checked and with its checksum.

    Images may be given as [images, rows, columns] or [images, rows * columns], with whole grey
    levels 0 to ``white``.

    Raises
    ------
    DataError
        If images and labels differ in number, there is no image, a grey level exceeds ``white``,
        a label lies outside 0 to ``classes`` - 1, or a class has no training image.
    """
    pixels = image_shape[0] * image_shape[1]
    parts: list[NDArray] = []
    for part, images, labels in (
        ("training", train_images, train_labels),
        ("test", test_images, test_labels),
    ):
        images = np.asarray(images, np.uint8)
        labels = np.asarray(labels, np.int64)
        if len(images) != len(labels):
            raise DataError(
                f"Data set {name}: {len(images)} {part} images but {len(labels)} {part} labels "
                "were found, where each image needs exactly one label; take both files from the "
                "same release."
            )
        if images.size == 0 or images.size != len(images) * pixels:
            raise DataError(
                f"Data set {name}: the {part} images have the shape {images.shape}, where at least "
                f"one image of {image_shape[0]} x {image_shape[1]} pixels is expected."
            )
        if images.max() > white:
            raise DataError(
                f"Data set {name}: a {part} image holds the grey level {images.max()}, where "
                f"0 to {white} is allowed."
            )
        if labels.min() < 0 or labels.max() >= classes:
            outside = labels.min() if labels.min() < 0 else labels.max()
            raise DataError(
                f"Data set {name}: the {part} labels hold the class {outside}, where the "
                f"{classes} classes 0 to {classes - 1} are allowed."
            )
        # Writeable, because torch warns about sharing memory that is not.
        parts.append(np.require(images.reshape(len(images), pixels), requirements=["C", "W"]))
        parts.append(np.require(labels, requirements=["C", "W"]))
    found = np.unique(parts[1])
    if len(found) != classes:
        raise DataError(
            f"Data set {name}: the training labels hold {len(found)} classes "
            f"({', '.join(map(str, found))}), where all {classes} classes 0 to {classes - 1} are "
            "needed."
        )
    shape = (int(image_shape[0]), int(image_shape[1]))
    return Dataset(name, *parts, shape, white, content_checksum(*parts, shape, white))
