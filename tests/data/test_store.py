"""Prepared data sets on disk: what is written is read, byte for byte the same each time."""

import time

import numpy as np
import pytest

from plausible.data.dataset import make_dataset
from plausible.data.store import load_dataset, save_dataset
from plausible.errors import DataError
from plausible.files import sha256_of


@pytest.fixture
def dataset():
    images = np.random.default_rng(2).integers(0, 17, (30, 4, 5))
    labels = np.arange(30) % 10
    return make_dataset("ours", images[:20], labels[:20], images[20:], labels[20:], (4, 5), 16)


def test_round_trip(dataset, tmp_path):
    save_dataset(tmp_path / "deep" / "ours.npz", dataset)
    read = load_dataset(tmp_path / "deep" / "ours.npz")
    assert type(read) is type(dataset)
    for field, before, after in zip(dataset._fields, dataset, read, strict=True):
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype and np.array_equal(before, after), field
        else:
            assert before == after and type(before) is type(after), field


def test_bytes_do_not_depend_on_the_clock(dataset, tmp_path, monkeypatch):
    save_dataset(tmp_path / "a.npz", dataset)
    later = time.time() + 1e8
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(later))
    save_dataset(tmp_path / "b.npz", dataset)
    assert sha256_of(tmp_path / "a.npz") == sha256_of(tmp_path / "b.npz")


def fault(path) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing(tmp_path):
    assert "snakemake" in fault(tmp_path / "none.npz")


@pytest.mark.parametrize("keep", [0, 10, 200, -30])
def test_truncated(dataset, tmp_path, keep):
    path = tmp_path / "ours.npz"
    save_dataset(path, dataset)
    path.write_bytes(path.read_bytes()[:keep])
    assert "not a prepared data set" in fault(path)


def test_other_archive(tmp_path):
    np.savez(tmp_path / "other.npz", train_images=np.zeros(3))
    assert "not a prepared data set" in fault(tmp_path / "other.npz")


def test_content_that_does_not_fit_its_checksum(dataset, tmp_path):
    path = tmp_path / "ours.npz"
    save_dataset(path, dataset._replace(test_labels=dataset.test_labels[::-1]))
    assert dataset.checksum in fault(path)


def test_a_failed_write_leaves_nothing(dataset, tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        save_dataset(tmp_path / "ours.npz", dataset._replace(test_labels=np.array([None])))
    assert list(tmp_path.iterdir()) == []
