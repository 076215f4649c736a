"""Experiments of chapter 1 of O'Connor 2020, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.networks.hopfield import retrieval_overlap
from plausible.studies.oconnor2020.ch1.experiment import (
    hopfield_capacity,
    hopfield_recall,
    spiking_neurons,
)
from plausible.studies.oconnor2020.ch1.settings import (
    HopfieldCapacity,
    HopfieldRecall,
    SpikingNeurons,
)

SPIKING = SpikingNeurons(
    time_constant_s=0.02,
    input_rate_hz=1000,
    weight_mean=0.09,
    weight_deviation=0.15,
    trace_s=0.05,
    drives_hz=(-20, 50, 100),
    rate_s=5,
    windows={"one": {"a_plus": 1.0, "a_minus": 0.5, "tau_plus_s": 0.02, "tau_minus_s": 0.04}},
    window_s=0.1,
    k_p=0.1,
    k_d=2.0,
    alpha=0.9,
    kernel_steps=10,
)
RECALL = HopfieldRecall(
    units=60, loads=(0.05, 0.3), gains=(0.5, 6.0), turned_fraction=0.2, recalls=2, sweeps=4
)
CAPACITY = HopfieldCapacity(
    sizes=(60,), loads=(0.05, 0.5), turned_fractions=(0.0, 0.2), networks=2, recalls=3, sweeps=30
)


@pytest.fixture(scope="module")
def spiking():
    return spiking_neurons(SPIKING, [0, 1], None, None)


@pytest.fixture(scope="module")
def recalls():
    return hopfield_recall(RECALL, [0, 1], None, None)


def test_recalls_start_damaged_and_never_rise(recalls):
    series = recalls.groupby(["states", "load", "gain", "seed", "pattern"])
    # Two loads of binary states, two gains at the first load, of two seeds and two patterns.
    assert len(series) == 16 and set(series.size()) == {41}
    assert (series["energy_per_unit"].diff().dropna() <= 1e-12).all()
    first = recalls[recalls["updates_per_unit"] == 0].groupby("states")["overlap"]
    np.testing.assert_allclose(first.get_group("binary"), 0.6, atol=1e-12)
    np.testing.assert_allclose(first.get_group("continuous"), 0.3, atol=1e-12)
    last = recalls[recalls["updates_per_unit"] == 4].set_index("states")
    binary, continuous = last.loc["binary"], last.loc["continuous"]
    assert (binary.loc[binary["load"] == 0.05, "overlap"] == 1.0).all()
    assert (binary.loc[binary["load"] == 0.3, "overlap"] < 1.0).any()
    assert (continuous.loc[continuous["gain"] == 6.0, "overlap"] > 0.9).all()
    assert (continuous.loc[continuous["gain"] == 0.5, "overlap"] < 0.3).all()


def test_same_seed_same_recall_whatever_the_others(recalls):
    alone = hopfield_recall(RECALL, [1], None, None)
    pd.testing.assert_frame_equal(
        alone, recalls[recalls["seed"] == 1].reset_index(drop=True), check_exact=True
    )


def test_capacity_falls_with_load_and_holds_the_theory():
    table = hopfield_capacity(CAPACITY, [0, 1], None, None)
    theory = table[np.isinf(table["units"])]
    assert (theory["overlap"] == [retrieval_overlap(load) for load in theory["load"]]).all()
    assert theory["load"].max() == pytest.approx(0.5) and theory["seed"].isna().all()
    measured = table[np.isfinite(table["units"])]
    assert len(measured) == 8  # two loads, two starts, two seeds
    assert set(measured["load"]) == {3 / 60, 0.5}
    means = measured.groupby("load")[["overlap", "recovered_fraction"]].mean()
    assert (means.loc[3 / 60] == 1.0).all()
    assert means.loc[0.5, "overlap"] < 0.8 and means.loc[0.5, "recovered_fraction"] < 0.2
    assert (measured["unsettled_fraction"] == 0).all()


def test_potentials_by_kernels_are_those_by_events(spiking):
    trace = spiking[spiking["panel"] == "potential"]
    assert set(trace["neuron"]) == {"reset_to_rest", "subtract", "subtract_no_leak"}
    known = trace[trace["event"] != "spike"]
    np.testing.assert_allclose(known["potential"], known["event_potential"], rtol=0, atol=1e-12)
    assert (known["potential"] < 1.0).all()
    assert (trace["event"] == "spike").sum() > 3


def test_a_neuron_without_leak_is_rectified(spiking):
    rates = spiking[spiking["panel"] == "rate"]
    means = rates.pivot_table(index="drive_hz", columns="neuron", values="rate_hz")
    free = means["subtract_no_leak"]
    # Weights of deviation 0.15 at 1000 Hz over 10 s in all: sqrt(1000 (0.15^2 + ..) / 10) = 1.8 Hz.
    assert free[-20] < 1.0 and free[50] == pytest.approx(50, abs=7)
    assert free[100] == pytest.approx(100, abs=7)
    assert (means["reset_to_rest"] <= means["subtract"]).all()
    assert (means.loc[[50, 100], "subtract"] < free[[50, 100]]).all()


def test_windows_by_formula_and_spike_by_spike(spiking):
    windows = spiking[spiking["panel"] == "window"]
    np.testing.assert_allclose(
        windows["weight_change"], windows["weight_change_online"], rtol=0, atol=1e-15
    )
    assert (np.sign(windows["weight_change"]) == np.sign(windows["dt_s"])).all()


def test_kernels_against_their_correlations(spiking):
    kernels = spiking[spiking["panel"] == "kernel"]
    for (rule, protocol), rows in kernels.groupby(["rule", "protocol"]):
        apart = np.abs(rows["kernel"] - rows["correlation"]).max()
        assert apart < 1e-12 if protocol == "corrected" else apart > 0.1, (rule, protocol)
    sixth = kernels[kernels["rule"] == "chapter6"].set_index("dt_steps")["kernel"]
    assert sixth[0] == 0 and sixth[1] == 0.5 and sixth[-2] == pytest.approx(-0.45)
