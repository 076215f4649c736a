"""Table 4: what is timed is one update of each algorithm, and every number is measured."""

import subprocess
import sys

import pandas as pd
import pytest
import torch

from plausible.errors import DeviceError
from plausible.studies.song2020.levels import apply, backprop_updates, il_updates, make_network
from plausible.studies.song2020.run_time.experiment import COLUMNS, make_updates, run_time

from ...part_results import read_sweep

torch.set_num_threads(1)
CHANGED = {
    "networks": {
        "imagenet": {"layer_sizes": [3000, 400, 30, 20, 5], "batch_size": 1},
        "mnist": {"layer_sizes": [20, 12, 10, 5], "batch_size": 4},
    },
    "il_steps": 6,
    "warm_up": 1,
    "repetitions": 5,
}
SETTINGS = read_sweep("song2020.run_time", "run_time", **CHANGED)
ALGORITHMS = ["bp_autograd", "bp", "il", "il_repeated", "zil", "fazil"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return run_time(SETTINGS, [5], None, None)


def test_one_row_for_every_network_and_algorithm(table):
    assert list(table.columns) == list(COLUMNS)
    cpu = table[table["device"] == "cpu"]
    expected = [(name, a) for name in SETTINGS.networks for a in ALGORITHMS]
    assert list(zip(cpu["network"], cpu["algorithm"], strict=True)) == expected
    assert set(cpu["layer_sizes"]) == {"3000-400-30-20-5", "20-12-10-5"}
    assert dict(zip(cpu["network"], cpu["batch_size"], strict=True)) == {"imagenet": 1, "mnist": 4}
    assert (table["repetitions"] == 5).all()
    assert set(table["device"]) == ({"cpu", "cuda"} if torch.cuda.is_available() else {"cpu"})


def test_times_are_medians_between_quartiles_and_ratios_follow(table):
    middle = table["milliseconds_per_update"]
    assert (table["milliseconds_low"] > 0).all()
    assert (table["milliseconds_low"] <= middle).all()
    assert (middle <= table["milliseconds_high"]).all()
    for _, rows in table.groupby(["network", "device"]):
        bp = rows.loc[rows["algorithm"] == "bp", "milliseconds_per_update"].item()
        expected = rows["milliseconds_per_update"] / bp
        assert (rows["ratio_to_bp"] - expected).abs().max() < 1e-12


def test_autograd_needs_room_for_the_gradient_and_fused_updates_do_not(tmp_path):
    """At 3000 x 400 a gradient in float32 takes 4.8 MB of the memory of the process.

    Measured in a process of its own: this one may hold free memory of earlier tests in reserve.
    """
    script = (
        "import sys; from plausible.studies.song2020.run_time.experiment import run_time; "
        "from plausible.studies.song2020.run_time.settings import RunTime; "
        "settings = RunTime.model_validate_json(sys.argv[1]); "
        "run_time(settings, [5], None, None).to_csv(sys.argv[2])"
    )
    path = tmp_path / "times.csv"
    subprocess.run(
        [sys.executable, "-c", script, SETTINGS.model_dump_json(), str(path)], check=True
    )
    table = pd.read_csv(path)
    rows = table[(table["network"] == "imagenet") & (table["device"] == "cpu")]
    memory = rows.set_index("algorithm")["peak_memory_mb"]
    if memory.isna().all():
        pytest.skip("this system does not tell how much memory a process uses")
    assert (memory > 50).all() and (memory < 4000).all()
    assert memory["bp_autograd"] - memory["bp"] > 2.5


def problem():
    generator = torch.Generator().manual_seed(1)
    weights = [
        torch.randn(above, below, generator=generator, dtype=torch.float64)
        for below, above in ((5, 10), (10, 12), (12, 20))
    ]
    inputs = torch.rand(4, 20, generator=generator, dtype=torch.float64)
    targets = torch.rand(4, 5, generator=generator, dtype=torch.float64)
    return make_network(weights, activate_input=True), inputs, targets


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_timed_is_the_whole_update(algorithm):
    network, inputs, targets = problem()
    readable = (
        il_updates(network, inputs, targets, 6, 0.1)
        if algorithm in ("il", "il_repeated")
        else backprop_updates(network, inputs, targets)
    )
    expected = apply(network, readable, 0.1)
    make_updates(network, inputs, targets, SETTINGS.changed(learning_rate=0.1))[algorithm]()
    for found, wanted in zip(network.weights, expected.weights, strict=True):
        assert torch.allclose(found, wanted, rtol=0.0, atol=1e-13)
    assert not any(weight.requires_grad for weight in network.weights)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(DeviceError, match="found 'cuda'"):
        run_time(SETTINGS.model_copy(update={"device": "cuda"}), [5], None, None)
