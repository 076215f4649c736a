"""Temporal order: the compiled form equals the readable one, and MNIST becomes smooth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plausible.data.dataset import content_checksum, make_dataset
from plausible.data.registry import prepare
from plausible.errors import DataError
from plausible.kernels.temporal_order import (
    frame_distances,
    label_change_fraction,
    temporal_dataset,
    temporal_order,
)
from plausible.kernels.temporal_order_reference import greedy_order


@given(
    seed=st.integers(0, 10_000),
    number=st.integers(1, 40),
    pixels=st.sampled_from([1, 3, 111, 112, 113, 230]),
    buffer_size=st.integers(1, 50),
    levels=st.sampled_from([2, 256]),
)
def test_equals_the_readable_form(seed, number, pixels, buffer_size, levels) -> None:
    """Two levels and few pixels make many equal distances."""
    frames = np.random.default_rng(seed).integers(0, levels, (number, pixels)).astype(np.uint8)
    order = temporal_order(frames, buffer_size)
    assert np.array_equal(order, greedy_order(frames, buffer_size))
    assert np.array_equal(np.sort(order), np.arange(number)) and order[0] == 0


def test_by_hand() -> None:
    """From 0: of 9, 1 the 1 is nearer; 5 takes its place and is nearer to 1 than 9 is."""
    frames = np.array([[0], [9], [1], [5], [4]], np.uint8)
    assert temporal_order(frames, 2).tolist() == [0, 2, 3, 4, 1]
    assert temporal_order(frames, 1).tolist() == [0, 1, 2, 3, 4]
    assert temporal_order(frames, 100).tolist() == [0, 2, 4, 3, 1]


def test_a_larger_buffer_gives_smaller_steps() -> None:
    digits = prepare("digits").train_images
    steps = [frame_distances(digits[temporal_order(digits, size)]).mean() for size in (1, 10, 100)]
    assert frame_distances(digits).mean() == steps[0] > steps[1] > steps[2]


def test_dataset_keeps_labels_with_images() -> None:
    digits = prepare("digits")
    temporal = temporal_dataset(digits, 50)
    train, test = greedy_order(digits.train_images, 50), greedy_order(digits.test_images, 50)
    assert np.array_equal(temporal.train_images, digits.train_images[train])
    assert np.array_equal(temporal.train_labels, digits.train_labels[train])
    assert np.array_equal(temporal.test_images, digits.test_images[test])
    assert np.array_equal(temporal.test_labels, digits.test_labels[test])
    assert temporal.name == "temporal_digits" and temporal.white == digits.white
    assert temporal.checksum == content_checksum(*temporal[1:7]) != digits.checksum


def test_facts_of_temporal_mnist(data_dir) -> None:
    """Known of the thesis's test part: 129.6 and 56.5, label changes at 14 % of the steps."""
    mnist = prepare("mnist_thesis", data_dir)
    order = temporal_order(mnist.test_images)
    assert np.array_equal(order[:60], greedy_order(mnist.test_images[:1060])[:60])
    assert frame_distances(mnist.test_images).mean() / 255 == pytest.approx(129.6, abs=0.05)
    assert frame_distances(mnist.test_images[order]).mean() / 255 == pytest.approx(56.5, abs=0.06)
    assert label_change_fraction(mnist.test_labels[order]) == pytest.approx(0.14, abs=0.005)


def test_impossible_frames() -> None:
    with pytest.raises(DataError, match="uint8"):
        temporal_order(np.zeros((3, 4)))
    with pytest.raises(DataError, match="at least one frame"):
        temporal_order(np.zeros((0, 4), np.uint8))
    with pytest.raises(DataError, match="buffer size is 0"):
        temporal_order(np.zeros((3, 4), np.uint8), 0)


def test_small_data_sets_of_the_same_kind() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(12, 2)
    labels = np.arange(12) % 10
    small = make_dataset("small", images, labels, images, labels, (1, 2), 255)
    assert temporal_dataset(small).train_labels.tolist() == labels.tolist()
