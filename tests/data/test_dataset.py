"""What a data set must be, and its checksum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plausible.data.dataset import intensities, make_dataset
from plausible.errors import DataError

RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 256, (30, 2, 3))
LABELS = np.arange(30) % 10


def build(**changes):
    arguments = {
        "name": "own",
        "train_images": IMAGES[:20],
        "train_labels": LABELS[:20],
        "test_images": IMAGES[20:],
        "test_labels": LABELS[20:],
        "image_shape": (2, 3),
        "white": 255,
    }
    return make_dataset(**{**arguments, **changes})


def fault(**changes) -> str:
    with pytest.raises(DataError) as caught:
        build(**changes)
    sentence = str(caught.value)
    assert "own" in sentence and "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_types_and_shapes():
    dataset = build()
    assert dataset.train_images.shape == (20, 6) and dataset.test_images.shape == (10, 6)
    assert dataset.train_images.dtype == np.uint8 and dataset.train_labels.dtype == np.int64
    assert np.array_equal(dataset.test_images.reshape(10, 2, 3), IMAGES[20:])
    for array in dataset[1:5]:
        assert array.flags.writeable and array.flags.c_contiguous


def test_count_mismatch():
    assert "20 training images but 19 training labels" in fault(train_labels=LABELS[:19])
    assert "10 test images but 30 test labels" in fault(test_labels=LABELS)


def test_not_ten_classes():
    assert "class 10" in fault(train_labels=np.arange(20) % 11)
    assert "class -1" in fault(test_labels=LABELS[20:] - 1)
    assert "hold 3 classes (0, 1, 2)" in fault(train_labels=np.arange(20) % 3)


def test_two_classes():
    two = build(train_labels=LABELS[:20] % 2, test_labels=LABELS[20:] % 2, classes=2)
    assert set(two.train_labels) == {0, 1}
    assert "the 2 classes 0 to 1 are allowed" in fault(classes=2)
    one = {"train_labels": LABELS[:20] * 0, "test_labels": LABELS[20:] * 0}
    assert "all 2 classes 0 to 1 are needed" in fault(classes=2, **one)


def test_a_test_part_need_not_hold_every_class():
    assert len(build(test_images=IMAGES[:3], test_labels=LABELS[:3]).test_labels) == 3


def test_no_images_and_wrong_image_size():
    assert "at least one image" in fault(test_images=IMAGES[:0], test_labels=LABELS[:0])
    assert "2 x 4 pixels" in fault(image_shape=(2, 4))


def test_grey_level_above_white():
    assert "0 to 16" in fault(white=16)


def test_checksum_depends_on_the_content_alone():
    whole = build()
    assert build(name="other").checksum == whole.checksum
    assert build(train_images=IMAGES[:20].reshape(20, 6)).checksum == whole.checksum
    changed = IMAGES.copy()
    changed[0, 0, 0] ^= 1
    others = [
        build(train_images=changed[:20]),
        build(test_labels=LABELS[20:][::-1]),
        build(image_shape=(3, 2)),
        build(train_images=IMAGES[1:20], train_labels=LABELS[1:20]),
        build(white=254, train_images=IMAGES[:20] // 2, test_images=IMAGES[20:] // 2),
        build(white=255, train_images=IMAGES[:20] // 2, test_images=IMAGES[20:] // 2),
    ]
    checksums = [whole.checksum, *(other.checksum for other in others)]
    assert len(set(checksums)) == len(checksums)


@given(grey=st.integers(0, 255), white=st.sampled_from([16, 255]))
def test_intensity_is_the_correctly_rounded_quotient(grey, white):
    grey = min(grey, white)
    for dtype in (np.float32, np.float64):
        value = intensities(np.array([[grey]], np.uint8), white, dtype)
        assert value.dtype == dtype and value.shape == (1, 1)
        assert value[0, 0] == dtype(grey / white)


def test_intensities_span_zero_to_one():
    assert intensities(np.array([[0, 255]], np.uint8), 255).tolist() == [[0.0, 1.0]]
