"""MNIST: known facts, found in a folder, checked, downloaded."""

import gzip
import shutil

import numpy as np
import pytest

from plausible.data import mnist
from plausible.data.registry import prepare, source_files
from plausible.errors import DataError


@pytest.fixture(scope="module")
def real(data_dir):
    return prepare("mnist", data_dir)


@pytest.fixture
def copy(data_dir, tmp_path):
    """A folder with links to the four real files."""
    for path in source_files("mnist", data_dir):
        (tmp_path / path.name).symlink_to(path.resolve())
    return tmp_path


def test_known_facts(real):
    assert real.train_images.shape == (60000, 784) and real.test_images.shape == (10000, 784)
    assert real.image_shape == (28, 28) and real.white == real.train_images.max() == 255
    # Published: the first labels, the number of each digit, and the mean and standard deviation
    # 0.1307 and 0.3081 by which everybody normalises.
    assert real.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert real.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(real.test_labels).tolist() == [
        *(980, 1135, 1032, 1010, 982),
        *(892, 958, 1028, 974, 1009),
    ]
    assert real.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert real.train_images.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_the_environment_names_the_folder(real, copy, monkeypatch):
    monkeypatch.setenv("PLAUSIBLE_DATA", str(copy))
    assert [path.parent for path in source_files("mnist")] == [copy] * 4
    assert prepare("mnist").checksum == real.checksum


def test_plain_files_are_the_same_data(real, copy):
    for path in list(copy.iterdir()):
        (copy / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert prepare("mnist", copy).checksum == real.checksum


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_changed_labels_are_noticed(copy, suffix):
    path = copy / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    path.unlink()
    content[8], content[9] = content[9], content[8]  # a valid file with two labels swapped
    changed = copy / f"t10k-labels-idx1-ubyte{suffix}"
    changed.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DataError, match="SHA-256") as caught:
        prepare("mnist", copy)
    assert str(changed) in str(caught.value) and "move it away" in str(caught.value)


def test_missing_files_are_downloaded_into_the_folder(real, data_dir, tmp_path, monkeypatch):
    published = {path.name: path for path in source_files("mnist", data_dir)}
    asked = []

    def transfer(address, path, _):
        asked.append(address)
        shutil.copy(published[address.rpartition("/")[2]], path)

    monkeypatch.setattr("pooch.HTTPDownloader", lambda **_: transfer)
    assert prepare("mnist", tmp_path).checksum == real.checksum
    assert asked == [f"{mnist.MIRRORS[0]}{file.name}.gz" for file in mnist.FILES]
    assert [path.parent for path in source_files("mnist", tmp_path)] == [tmp_path / "mnist"] * 4
