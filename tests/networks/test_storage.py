"""Files of trained networks: round trip, bytes, errors; no torch needed."""

import subprocess
import sys

import numpy as np
import pytest

from plausible.errors import DataError
from plausible.networks.storage import load_networks, save_networks


def arrays(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes, result = (4, 3, 2), {}
    for layer in range(2):
        result[f"weight.{layer}"] = rng.normal(size=(sizes[layer + 1], sizes[layer])).T
        result[f"bias.{layer}"] = rng.normal(size=sizes[layer + 1]).astype(np.float32)
    for name in ("gain", "shift", "mean", "variance"):
        result[f"batch_norm.0.{name}"] = rng.normal(size=3)
    result["batch_norm.0.epsilon"] = np.array(1e-8)
    return result


def test_round_trip(tmp_path):
    path = tmp_path / "networks.npz"
    settings = {"activation": "soft_rate", "hidden_sizes": [3], "train_limit": None}
    save_networks(path, {12: arrays(12), 0: arrays(0)}, settings)
    loaded = load_networks(path)
    assert list(loaded) == [0, 12]
    for seed, network in loaded.items():
        expected = arrays(seed)
        assert network.settings == settings
        for layer in range(2):
            np.testing.assert_array_equal(network.weights[layer], expected[f"weight.{layer}"])
            assert network.weights[layer].strides == expected[f"weight.{layer}"].strides
            np.testing.assert_array_equal(network.biases[layer], expected[f"bias.{layer}"])
            assert network.biases[layer].dtype == np.float32
        assert network.batch_norms[0]["epsilon"] == 1e-8
        np.testing.assert_array_equal(
            network.batch_norms[0]["variance"], expected["batch_norm.0.variance"]
        )
        assert network.batch_norms[1] is None


def test_same_content_gives_same_bytes(tmp_path):
    save_networks(tmp_path / "a.npz", {0: arrays(0), 1: arrays(1)}, {"b": 1, "a": 2})
    save_networks(tmp_path / "b.npz", {1: arrays(1), 0: arrays(0)}, {"a": 2, "b": 1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="no such file.*training first"):
        load_networks(tmp_path / "absent.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", b"something else"])
def test_damaged_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "networks.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a file of trained networks"):
        load_networks(path)


def test_other_archive_is_refused(tmp_path):
    path = tmp_path / "networks.npz"
    np.savez(path, images=np.zeros(3))
    with pytest.raises(DataError, match="not a file of trained networks"):
        load_networks(path)
    np.savez(path, images=np.zeros(3), settings=np.array("{}"))
    with pytest.raises(DataError, match="not a file of trained networks"):
        load_networks(path)


def test_matrices_that_stand_the_other_way_are_refused(tmp_path):
    path = tmp_path / "networks.npz"
    turned = {name: array.T for name, array in arrays(0).items()}
    save_networks(path, {0: turned}, {})
    with pytest.raises(DataError, match=r"weight.0 is \(3, 4\), expected \[inputs, 3\]"):
        load_networks(path)


def test_truncated_file_is_refused(tmp_path):
    path = tmp_path / "networks.npz"
    save_networks(path, {0: arrays(0)}, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="not a file of trained networks"):
        load_networks(path)


def test_reading_networks_does_not_import_torch():
    code = "import sys, plausible.networks.storage; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
