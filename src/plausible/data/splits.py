"""Other divisions of a data set into training and test images than the published one.

The experiments of O'Connor 2020 on MNIST never saw the official test set as such: the file that
they read holds (first 50,000 training images, last 10,000 training images, official test images),
and the second part was taken for the test set. So the errors of the thesis are on the last 10,000
images of the training file. Nothing is shuffled.
"""

import numpy as np

from plausible.data.dataset import Dataset, content_checksum
from plausible.errors import DataError

SPLITS = ("official", "thesis", "thesis_joined")
HELD_OUT = 6
"""One in so many training images, the last ones, is the test part: 10,000 of MNIST's 60,000."""


def split_dataset(dataset: Dataset, split: str) -> Dataset:
    """The data set divided otherwise; every image stays in the order of its file.

    - ``official``: as it is;
    - ``thesis``: trains on the first 5/6 of the training images and tests on the rest (MNIST: the
      first 50,000 and the last 10,000 of the training file); the official test images are left out;
    - ``thesis_joined``: as ``thesis``, with the official test images behind the training images
      (O'Connor 2020, chapter 5, where training and validation part were joined).

    Raises
    ------
    DataError
        If the split is unknown, or a part would be empty.
    """
    if split == "official":
        return dataset
    if split not in SPLITS:
        raise DataError(
            f"Data set {dataset.name}: the split {split} was found, where one of "
            f"{', '.join(SPLITS)} is expected."
        )
    first = len(dataset.train_images) - len(dataset.train_images) // HELD_OUT
    if first == len(dataset.train_images):
        raise DataError(
            f"Data set {dataset.name}: the split {split} tests on one training image in "
            f"{HELD_OUT}, but only {first} were found; use the split official."
        )
    images, labels = dataset.train_images[:first], dataset.train_labels[:first]
    if split == "thesis_joined":
        images = np.concatenate([images, dataset.test_images])
        labels = np.concatenate([labels, dataset.test_labels])
    parts = (images, labels, dataset.train_images[first:], dataset.train_labels[first:])
    # Copies: a part must not keep the whole alive, nor change with it.
    parts = tuple(np.array(part) for part in parts)
    return Dataset(
        f"{dataset.name}_{split}",
        *parts,
        dataset.image_shape,
        dataset.white,
        content_checksum(*parts, dataset.image_shape, dataset.white),
    )
