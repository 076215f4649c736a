"""Relatives of MNIST in their real layout, and folders that do not fit what is declared."""

import gzip
import struct

import numpy as np
import pytest

from plausible.data.registry import prepare, source_files
from plausible.errors import DataError

RNG = np.random.default_rng(3)
ROWS, COLUMNS = 5, 7
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TESTS = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def images(count, top=255):
    found = RNG.integers(0, top + 1, (count, ROWS, COLUMNS), dtype=np.uint8)
    found[0, 0, 0] = top
    return found


def labels(count, classes, first=0):
    return (np.arange(count) % classes + first).astype(np.uint8)


def write(folder, names, arrays, packed=False):
    folder.mkdir(exist_ok=True)
    for name, array in zip(names, arrays, strict=True):
        content = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
        content += array.tobytes()
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)


def simple(folder, classes=10, first=0, top=255, names=(*NAMES, *TESTS)):
    """Training and test part of a data set; the arrays."""
    arrays = (
        images(60, top),
        labels(60, classes, first),
        images(30, top),
        labels(30, classes, first),
    )
    write(folder, names, arrays)
    return arrays


def read(folder, **declared):
    return prepare("own", None, {"own": {"folder": str(folder), **declared}})


def fault(folder, **declared):
    with pytest.raises(DataError) as caught:
        read(folder, **declared)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_kmnist(tmp_path):
    """MNIST's names and classes."""
    arrays = simple(tmp_path / "k")
    own = read(tmp_path / "k")
    assert np.array_equal(own.train_images, arrays[0].reshape(60, -1)) and own.classes == 10


def test_dotted_names(tmp_path):
    simple(tmp_path / "d", names=[name.replace("-idx", ".idx") for name in (*NAMES, *TESTS)])
    assert read(tmp_path / "d").image_shape == (ROWS, COLUMNS)


def test_emnist_letters(tmp_path):
    """Several sets in one folder, ``test`` for ``t10k``, transposed images, labels from 1 to 26."""
    folder = tmp_path / "e"
    for group, classes in (("balanced", 47), ("letters", 26)):
        first = int(group == "letters")
        arrays = (images(94), labels(94, classes, first), images(52), labels(52, classes, first))
        names = [
            f"emnist-{group}-{part}-{kind}"
            for part in ("train", "test")
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ]
        write(folder, names, arrays, packed=True)
    declared = {"classes": 26, "first_label": 1, "transposed": True}
    own = read(folder, prefix="emnist-letters-", **declared)
    assert own.classes == 26 and own.train_labels.min() == 0 and own.image_shape == (COLUMNS, ROWS)
    assert np.array_equal(own.train_images[4].reshape(COLUMNS, ROWS), arrays[0][4].T)
    sets = {"own": {"folder": str(folder), "prefix": "emnist-letters-"}}
    assert [path.name for path in source_files("own", None, sets)] == [f"{n}.gz" for n in names]
    assert "data.sets.own.prefix" in fault(folder, **declared)
    sentence = fault(folder, prefix="emnist-letters-")
    assert "training labels are 1 to 26" in sentence and "10 classes 0 to 9" in sentence


def test_qmnist(tmp_path):
    """Labels of eight 32-bit columns, the first of which is the digit."""
    folder = tmp_path / "q"
    for part, count in (("train", 60), ("test", 30)):
        write(folder, [f"qmnist-{part}-images-idx3-ubyte"], [images(count)])
        columns = RNG.integers(0, 4000, (count, 8)).astype(">i4")
        columns[:, 0] = np.arange(count) % 10
        header = struct.pack(">3I", 0x0C02, count, 8)
        (folder / f"qmnist-{part}-labels-idx2-int").write_bytes(header + columns.tobytes())
    own = read(folder)
    assert own.train_labels[:12].tolist() == [*range(10), 0, 1] and own.classes == 10
    path = folder / "qmnist-test-labels-idx2-int"
    path.write_bytes(path.read_bytes()[:-4])
    assert str(path) in fault(folder) and "truncated" in fault(folder)


def test_black_and_white_images_need_their_white(tmp_path):
    simple(tmp_path / "b", top=1)
    sentence = fault(tmp_path / "b")
    assert (
        "grey level of its training images is 1" in sentence and "data.sets.own.white" in sentence
    )
    assert read(tmp_path / "b", white=1).white == 1


def test_two_classes(tmp_path):
    simple(tmp_path / "t", classes=2)
    assert "0, 1, where the 10 classes 0 to 9" in fault(tmp_path / "t")
    assert read(tmp_path / "t", classes=2).classes == 2


def test_plain_and_packed_count_once(tmp_path):
    arrays = simple(tmp_path / "p")
    write(tmp_path / "p", (*NAMES, *TESTS), arrays, packed=True)
    assert read(tmp_path / "p").classes == 10


def test_folder_that_is_none(tmp_path):
    assert "is not there" in fault(tmp_path / "none")
    (tmp_path / "file").touch()
    assert "is no folder" in fault(tmp_path / "file")


def test_missing_file_is_named(tmp_path):
    simple(tmp_path / "m")
    (tmp_path / "m" / NAMES[1]).unlink()
    assert f"{NAMES[1]}: this file of the data set own is missing" in fault(tmp_path / "m")
