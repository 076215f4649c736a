"""Each data set by its name: embedded, from a folder of IDX files, unknown."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from plausible.data import idx
from plausible.data.registry import dataset_names, prepare, source_files
from plausible.errors import DataError


def fault(*arguments) -> str:
    with pytest.raises(DataError) as caught:
        prepare(*arguments)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_embedded_digits():
    digits = prepare("digits")
    assert digits.train_images.shape == (1437, 64) and digits.test_images.shape == (360, 64)
    assert digits.white == 16 and digits.image_shape == (8, 8)
    assert digits.train_images.max() == digits.test_images.max() == 16
    # Facts of the source: 1,797 images in all, of this many per digit.
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_embedded_digits_are_those_of_the_source():
    """MD5 of the pixels, row by row, of the file that scikit-learn ships."""
    import csv
    import gzip
    from importlib.resources import files

    digits = prepare("digits")
    packed = files("sklearn.datasets.data").joinpath("digits.csv.gz").read_bytes()
    rows = list(csv.reader(gzip.decompress(packed).decode().splitlines()))
    pixels = bytes(int(float(value)) for row in rows for value in row[:-1])
    ours = digits.train_images.tobytes() + digits.test_images.tobytes()
    assert hashlib.md5(ours).digest() == hashlib.md5(pixels).digest()


def test_a_folder_of_idx_files_is_a_data_set(idx_folder):
    sets = {"own": {"folder": str(idx_folder)}}
    own = prepare("own", None, sets)
    assert own.name == "own" and own.image_shape == (5, 7) and own.white == 255
    assert own.train_images.shape == (40, 35) and own.test_images.shape == (20, 35)
    pixels = idx.read_images(idx_folder / "t10k-images-idx3-ubyte")
    assert np.array_equal(own.test_images, pixels.reshape(20, 35))
    assert own.test_labels.tolist() == [*range(10), *range(10)]
    assert dataset_names(sets)[:2] == ("digits", "mnist") and dataset_names(sets)[-1] == "own"


def test_source_files(idx_folder):
    sets = {"own": {"folder": str(idx_folder)}}
    assert [path.name for path in source_files("own", None, sets)] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ]
    assert source_files("digits") == []


def test_unknown_name():
    sentence = fault("fasion", None, {"fashion": {"folder": "x"}})
    assert "known are digits, mnist, " in sentence and ", fashion" in sentence
    assert "nearest: fashion" in sentence


def test_missing_file_of_a_folder(idx_folder):
    (idx_folder / "t10k-labels-idx1-ubyte").unlink()
    sentence = fault("own", None, {"own": {"folder": str(idx_folder)}})
    assert str(idx_folder / "t10k-labels-idx1-ubyte") in sentence and "own" in sentence


def test_mislabelled_folder(idx_folder, write_idx):
    sets = {"own": {"folder": str(idx_folder)}}
    labels = idx_folder / "t10k-labels-idx1-ubyte"
    write_idx(labels, np.arange(19) % 10)
    assert "20 test images but 19 test labels" in fault("own", None, sets)
    write_idx(labels, np.arange(20))
    assert "class 19" in fault("own", None, sets)
    labels.write_bytes((idx_folder / "t10k-images-idx3-ubyte").read_bytes())
    assert "2049" in fault("own", None, sets)


def test_image_sizes_that_differ(idx_folder, write_idx):
    write_idx(idx_folder / "t10k-images-idx3-ubyte", np.zeros((20, 7, 5)))
    sentence = fault("own", None, {"own": {"folder": str(idx_folder)}})
    assert "5 x 7" in sentence and "7 x 5" in sentence


def test_start_up_is_cheap():
    """Reading a prepared data set must load neither torch nor scikit-learn nor pooch."""
    code = (
        "import sys, plausible.data.registry, plausible.data.store; "
        "print([m for m in ('torch', 'sklearn', 'pooch', 'pandas') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
