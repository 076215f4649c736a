"""The user's own images: a folder of four IDX files, in MNIST's form or in that of its relatives.

Fashion-MNIST and KMNIST have MNIST's names; EMNIST puts ``emnist-letters-`` before them and says
``test`` where MNIST says ``t10k``; QMNIST has ``qmnist-`` and labels of eight columns; copies of
MNIST often write ``train-images.idx3-ubyte``. All of these are found by themselves.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plausible.data import idx
from plausible.data.dataset import Dataset, make_dataset
from plausible.errors import DataError

WHITE, CLASSES = 255, 10
_PARTS = {
    f"{part} {kind}": re.compile(
        rf"(?P<before>.*?){words}-{kind}[.-]idx{dimensions}-\w+?(\.gz)?", re.IGNORECASE
    )
    for part, words in (("training", "train"), ("test", "(t10k|test)"))
    for kind, dimensions in (("images", 3), ("labels", "[12]"))
}
_USUAL = {
    "training images": "train-images-idx3-ubyte",
    "training labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}


def find_files(folder: str | Path, prefix: str = "") -> dict[str, list[Path]]:
    """Files of each part of a data set in ``folder`` whose names start with ``prefix``.

    Of a file that lies there plain and as ``.gz`` the compressed one counts.
    """
    found: dict[str, list[Path]] = {part: [] for part in _PARTS}
    for path in sorted(Path(folder).glob("*")):
        for part, pattern in _PARTS.items():
            name = pattern.fullmatch(path.name)
            twin = path.with_name(f"{path.name}.gz")
            if name and path.name.startswith(prefix) and path.is_file() and not twin.is_file():
                found[part].append(path)
    return found


def source_files(declared: Mapping[str, Any]) -> list[Path]:
    """Files that a data set of the configuration is made of, as far as they are there."""
    folder = Path(os.path.expanduser(declared["folder"]))
    return sum(find_files(folder, declared.get("prefix", "")).values(), [])


def read_folder(name: str, declared: Mapping[str, Any]) -> Dataset:
    """The data set ``name`` as ``data.sets.<name>`` of the configuration declares it.

    Its keys: ``folder``; ``prefix`` of the names of its files; ``classes``; ``first_label``, the
    label of the first class; ``white``, the grey level of intensity 1; ``transposed``, whether rows
    and columns are exchanged, as in EMNIST.

    Raises
    ------
    DataError
        If a file is missing, damaged or there twice, or does not fit what is declared.
    """
    folder, prefix = Path(os.path.expanduser(declared["folder"])), declared.get("prefix", "")
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise DataError(
            f"{folder}: the folder of the data set {name} {what}; correct data.sets.{name}.folder "
            "in the configuration."
        )
    arrays = {}
    for part, paths in find_files(folder, prefix).items():
        if not paths:
            raise DataError(
                f"{folder / (prefix + _USUAL[part])}: this file of the data set {name} is missing, "
                f"plain and as .gz, and no other one of {part} is there; put it there or correct "
                f"data.sets.{name} in the configuration."
            )
        if len(paths) > 1:
            raise DataError(
                f"{folder}: {len(paths)} files of {part} are there, "
                f"{' and '.join(path.name for path in paths)}; say by data.sets.{name}.prefix how "
                "the names of those that are meant start."
            )
        read = idx.read_images if part.endswith("images") else idx.read_labels
        arrays[part] = read(paths[0])
    return _checked(name, declared, arrays)


def _checked(name: str, declared: Mapping[str, Any], arrays: dict[str, np.ndarray]) -> Dataset:
    """Dataset of what was read, turned as declared."""
    place = f"data.sets.{name}"
    white, classes = declared.get("white", WHITE), declared.get("classes", CLASSES)
    if declared.get("transposed", False):
        for part in ("training images", "test images"):
            arrays[part] = arrays[part].swapaxes(1, 2)
    shapes = [arrays[part].shape[1:] for part in ("training images", "test images")]
    if shapes[0] != shapes[1]:
        sizes = [f"{rows} x {columns}" for rows, columns in shapes]
        raise DataError(
            f"Data set {name}: the training images have {sizes[0]} pixels and the test images "
            f"{sizes[1]}, where one size is expected; take all files from the same release."
        )
    brightest = int(arrays["training images"].max(initial=0))
    if 0 < 2 * brightest < white:
        raise DataError(
            f"Data set {name}: the brightest grey level of its training images is {brightest}, "
            f"where white is {white}; every image would be dark: state the white level by "
            f"{place}.white."
        )
    first = declared.get("first_label", 0)
    labels = {part: arrays[part].astype(np.int64) - first for part in arrays if "labels" in part}
    there = np.unique(labels["training labels"]) + first
    expected = range(first, first + classes)
    if there.size and not np.array_equal(there, expected):
        raise DataError(
            f"Data set {name}: its training labels are {_listed(there)}, where the {classes} "
            f"classes {first} to {expected[-1]} are expected, each of them; state {place}.classes "
            f"and {place}.first_label as the data have them."
        )
    return make_dataset(
        name,
        arrays["training images"],
        labels["training labels"],
        arrays["test images"],
        labels["test labels"],
        shapes[0],
        white=white,
        classes=classes,
    )


def _listed(values: np.ndarray) -> str:
    if len(values) > 2 and np.array_equal(values, np.arange(values[0], values[-1] + 1)):
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))
