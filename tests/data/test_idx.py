"""The IDX reader against files written by hand, whole and damaged in every way."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plausible.data import idx
from plausible.errors import DataError

LABELS = bytes.fromhex("00000801 00000003 070105")
IMAGES = bytes.fromhex("00000803 00000001 00000002 00000003 000102 fdfeff")


@pytest.fixture
def put(tmp_path):
    def write(content: bytes, name="file"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def fault(read, path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_reads_what_the_format_says(put):
    assert idx.read_labels(put(LABELS)).tolist() == [7, 1, 5]
    assert idx.read_images(put(IMAGES)).tolist() == [[[0, 1, 2], [253, 254, 255]]]


def test_gzip_is_known_by_its_content_not_by_its_name(put):
    assert idx.read_labels(put(gzip.compress(LABELS), "labels")).tolist() == [7, 1, 5]
    assert idx.read_labels(put(LABELS, "labels.gz")).tolist() == [7, 1, 5]


def test_missing(tmp_path):
    assert "missing" in fault(idx.read_images, tmp_path / "none.gz")


def test_folder_in_place_of_a_file(tmp_path):
    assert "cannot be read" in fault(idx.read_images, tmp_path)


def test_swapped_files_are_named(put):
    sentence = fault(idx.read_images, put(LABELS))
    assert "2051" in sentence and "2049 (the number of labels)" in sentence
    assert "(the number of images)" in fault(idx.read_labels, put(IMAGES))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"PK\x03\x04" + bytes(90), "zip archive"),
        (b"\x93NUMPY\x01\x00", "numpy"),
        (gzip.compress(gzip.compress(IMAGES, mtime=0), mtime=0), "gzip file within a gzip file"),
        (struct.pack("<4I", 2051, 1, 2, 3), "little-endian"),
        (struct.pack(">3I", 0x0C02, 1, 8), "32-bit integers of 2 dimensions"),
        (struct.pack(">5I", 0x0804, 1, 1, 2, 3), "bytes of 4 dimensions"),
        (b"label,pixel\n1,2\n", "text file"),
        (bytes(range(200, 256)), "3368667851 was found; get the file again"),
    ],
)
def test_what_is_no_image_file_is_told_by_its_first_bytes(put, content, words):
    sentence = fault(idx.read_images, put(content))
    assert "2051" in sentence and words in sentence and "swapped" not in sentence


def test_announced_count_against_bytes(put):
    sentence = fault(idx.read_labels, put(LABELS[:-1]))
    assert "truncated" in sentence and "3 values but 2" in sentence
    sentence = fault(idx.read_labels, put(LABELS + b"\0"))
    assert "longer" in sentence and "3 values but 4" in sentence
    assert "1 x 2 x 3 = 6 values but 5" in fault(idx.read_images, put(IMAGES[:-1]))


@pytest.mark.parametrize("length", range(16))
def test_truncated_within_the_header(put, length):
    assert "truncated" in fault(idx.read_images, put(IMAGES[:length]))


def test_truncated_gzip(put):
    whole = gzip.compress(IMAGES)
    assert "gzip file is truncated" in fault(idx.read_images, put(whole[:-9]))


def test_corrupted_gzip(put):
    whole = bytearray(gzip.compress(bytes(range(256)) * 40, mtime=0))
    whole[60] ^= 0xFF
    assert "gzip file is corrupted" in fault(idx.read_images, put(bytes(whole)))


@given(
    shape=st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_array_survives(write_idx, tmp_path, shape, seed):
    images = np.random.default_rng(seed).integers(0, 256, shape)
    for name in ("images", "images.gz"):
        assert np.array_equal(idx.read_images(write_idx(tmp_path / name, images)), images)


@given(position=st.integers(0, 10**6), change=st.integers(1, 255), cut=st.booleans())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_never_another_error_nor_other_values(put, position, change, cut):
    """A gzip file with one byte changed or its end cut off is refused, or reads the same.

    (The time stamp and the name in the header, for example, carry no data.)
    """
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, 300, dtype=np.uint8)
    damaged = bytearray(gzip.compress(struct.pack(">2I", 2049, 300) + values.tobytes(), mtime=1))
    position %= len(damaged)
    if cut:
        del damaged[position:]
    else:
        damaged[position] ^= change
    try:
        read = idx.read_labels(put(bytes(damaged)))
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert np.array_equal(read, values)
