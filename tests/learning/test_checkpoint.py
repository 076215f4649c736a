"""The one form of checkpoints: what comes back, and what is refused."""

import logging
import math

import numpy as np
import pytest
import torch

from plausible.learning.checkpoint import identity_of, load_checkpoint, save_checkpoint

WORDS = {"epoch": 3, "loss": [0.1, math.inf, 1e-300], "name": "a", "none": None}


def generators():
    return {"numpy": np.random.default_rng(3), "torch": torch.Generator().manual_seed(3)}


def draws(streams):
    return streams["numpy"].random(), float(torch.rand(1, generator=streams["torch"]))


def test_everything_comes_back_bit_by_bit(tmp_path):
    path, streams = tmp_path / "a.npz", generators()
    draws(streams)
    arrays = {
        "w": np.random.default_rng(0).normal(size=(3, 2)).T,
        "n": np.arange(3, dtype=np.int32),
    }
    save_checkpoint(path, "me", WORDS, arrays, streams)
    expected, fresh = draws(streams), generators()
    found = load_checkpoint(path, "me", fresh)
    assert found.words == WORDS and draws(fresh) == expected != draws(generators())
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert np.array_equal(found.arrays[name], array)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_nothing_there_is_no_warning(tmp_path, caplog):
    assert load_checkpoint(tmp_path / "none.npz", "me") is None and not caplog.records


@pytest.mark.parametrize(
    "damage", ["empty", "text", "half", "foreign", "other", "fewer", "shape", "value"]
)
def test_what_cannot_be_used_is_told_and_left_out(tmp_path, caplog, damage):
    path, streams = tmp_path / "a.npz", generators()
    save_checkpoint(path, "other" if damage == "other" else "me", WORDS, {}, streams)
    if damage == "foreign":
        np.savez(path, weights=np.ones(3))
    elif damage in ("fewer", "shape", "value"):
        save_checkpoint(path, "me", WORDS, {"a": np.ones(3), "b": np.ones(3)}, streams)
        with np.load(path) as archive:
            content = dict(archive)
        if damage == "fewer":
            del content["a"]
        else:
            content["a"] = np.ones((3, 1)) if damage == "shape" else content["a"] * 2
        np.savez(path, **content)
    elif damage != "other":
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "text": b"{}", "half": whole[: len(whole) // 2]}[damage])
    with caplog.at_level(logging.WARNING):
        assert load_checkpoint(path, "me", streams) is None
    assert draws(streams) == draws(generators())  # generators are left where they are
    words = "other settings" if damage == "other" else "unreadable"
    assert words in caplog.text and "a.npz" in caplog.text


def test_identity_sees_settings_values_types_and_shapes():
    array = np.arange(4.0)
    same = identity_of(("a", 1), array)
    assert same == identity_of(("a", 1), array.copy())
    others = [
        identity_of(("a", 2), array),
        identity_of(("a", 1), array + 1e-15),
        identity_of(("a", 1), array.astype(np.float32)),
        identity_of(("a", 1), array.reshape(2, 2)),
    ]
    assert same not in others and len(set(others)) == 4
