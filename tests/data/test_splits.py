"""The thesis's division of MNIST beside the official one."""

import numpy as np
import pytest

from plausible.data.dataset import content_checksum, make_dataset
from plausible.data.registry import prepare, source_files
from plausible.data.splits import split_dataset
from plausible.errors import DataError


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(3)
    images, labels = rng.integers(0, 256, (73, 2, 3)), np.arange(73) % 10
    return make_dataset("small", images[:62], labels[:62], images[62:], labels[62:], (2, 3), 255)


def test_official_is_the_data_set_itself(small):
    assert split_dataset(small, "official") is small


def test_thesis_split_keeps_the_order_and_leaves_out_the_official_test_part(small):
    split = split_dataset(small, "thesis")
    assert np.array_equal(split.train_images, small.train_images[:52])
    assert np.array_equal(split.test_images, small.train_images[52:])
    assert split.train_labels.tolist() == small.train_labels[:52].tolist()
    assert split.test_labels.tolist() == small.train_labels[52:].tolist()
    assert split.name == "small_thesis" and split[5:7] == small[5:7]
    assert split.checksum == content_checksum(*split[1:7]) != small.checksum


def test_joined_split_appends_the_official_test_part(small):
    split = split_dataset(small, "thesis_joined")
    assert np.array_equal(split.train_images[:52], small.train_images[:52])
    assert np.array_equal(split.train_images[52:], small.test_images)
    assert split.train_labels[52:].tolist() == small.test_labels.tolist()
    assert np.array_equal(split.test_images, small.train_images[52:])


def test_parts_share_no_memory_with_the_whole(small):
    split = split_dataset(small, "thesis")
    assert not np.shares_memory(split.train_images, small.train_images)
    assert not np.shares_memory(split.test_images, small.train_images)


def test_unknown_split_and_too_few_images(small):
    with pytest.raises(DataError, match="split halves .* official, thesis, thesis_joined"):
        split_dataset(small, "halves")
    few = small._replace(train_images=small.train_images[:5], train_labels=small.train_labels[:5])
    with pytest.raises(DataError, match="only 5 were found"):
        split_dataset(few, "thesis")


def test_registered_divisions(data_dir):
    digits, divided = prepare("digits"), prepare("digits_thesis")
    assert len(divided.train_images) == 1198 and len(divided.test_images) == 239
    assert np.array_equal(divided.train_images, digits.train_images[:1198])
    mnist, divided = prepare("mnist", data_dir), prepare("mnist_thesis", data_dir)
    assert np.array_equal(divided.train_images, mnist.train_images[:50000])
    assert np.array_equal(divided.test_images, mnist.train_images[50000:])
    # Known of the 10,000 images that the usual 50,000 : 10,000 : 10,000 division validates on.
    assert divided.test_labels[:5].tolist() == [3, 8, 6, 9, 6]
    assert source_files("mnist_thesis", data_dir) == source_files("mnist", data_dir)


def test_existing_data_keep_their_checksums(data_dir):
    """Results that are committed name these."""
    assert prepare("digits").checksum.startswith("8ec9dc48d8920dda")
    assert prepare("mnist", data_dir).checksum.startswith("f5d48197ae5afe96")
