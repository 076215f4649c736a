"""Named random streams and files that are complete or absent."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plausible.files import atomic_path, sha256_of, write_text
from plausible.seeds import numpy_generator, seed_sequence, torch_seed

keys = st.lists(st.one_of(st.text(max_size=5), st.integers(0, 2**63 - 1)), min_size=1, max_size=4)


@given(keys, keys)
def test_streams_differ_exactly_if_their_names_do(first, second):
    same = seed_sequence(*first).entropy == seed_sequence(*second).entropy
    typed = [[(type(key), key) for key in names] for names in (first, second)]
    if all("\x1f" not in str(key) for key in (*first, *second)):
        assert same == (typed[0] == typed[1])


def test_streams_are_reproducible_and_look_independent():
    draws = [numpy_generator("study", "run", seed).standard_normal(2000) for seed in range(20)]
    np.testing.assert_array_equal(
        draws[3], numpy_generator("study", "run", 3).standard_normal(2000)
    )
    correlation = np.corrcoef(draws)[~np.eye(20, dtype=bool)]
    # 380 correlations of independent streams have standard deviation 1/sqrt(2000).
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


@given(keys)
def test_torch_seeds_fit_into_63_bits(names):
    assert 0 <= torch_seed(*names) < 2**63


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "folder" / "table.csv"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        assert temporary.suffix == ".csv" and temporary.parent == path.parent
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["table.csv"]


def test_written_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "abc") == expected
