"""Experiments, tables and settings of chapter 1 of O'Connor 2020."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.kernels import event_router
from plausible.networks.hopfield import retrieval_overlap
from plausible.studies.oconnor2020.ch1.experiment import (
    gaps,
    hopfield_capacity,
    hopfield_recall,
    spiking_neurons,
)
from plausible.studies.oconnor2020.checks_chapter1 import RULES
from plausible.studies.oconnor2020.ch1.tables import gaps_markdown, spiking_panels
from plausible.studies.setting_rules import check_settings
from plausible.reproduction.study_files import read_study_file

SPIKING = {
    "time_constant_s": 0.02,
    "input_rate_hz": 1000,
    "weight_mean": 0.09,
    "weight_deviation": 0.15,
    "trace_s": 0.05,
    "drives_hz": [-20, 50, 100],
    "rate_s": 5,
    "windows": {"one": {"a_plus": 1.0, "a_minus": 0.5, "tau_plus_s": 0.02, "tau_minus_s": 0.04}},
    "window_s": 0.1,
    "k_p": 0.1,
    "k_d": 2.0,
    "alpha": 0.9,
    "kernel_steps": 10,
}
RECALL = {
    "units": 60,
    "loads": [0.05, 0.3],
    "gains": [0.5, 6.0],
    "turned_fraction": 0.2,
    "recalls": 2,
    "sweeps": 4,
}
CAPACITY = {
    "sizes": [60],
    "loads": [0.05, 0.5],
    "turned_fractions": [0.0, 0.2],
    "networks": 2,
    "recalls": 3,
    "sweeps": 30,
}


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


def test_panels_are_selected_without_empty_columns(spiking):
    table = spiking_panels({"sweep.spiking_neurons": spiking}, {"panels": ["rate"]})
    assert set(table.columns) == {"panel", "neuron", "seed", "drive_hz", "rate_hz"}
    assert set(table["panel"]) == {"rate"}
    with pytest.raises(StudyError, match="'rates'"):
        spiking_panels({"a": spiking}, {"panels": ["rates"]})


def test_gaps_for_people(project_root):
    table = gaps({}, [0], None, None)
    assert table["found"].all()
    # Empty cells are missing ones once they were in a file.
    text = gaps_markdown(pd.read_csv(StringIO(table.to_csv(index=False))), {})
    lines = text.splitlines()
    assert lines[2].startswith("| 1. no backprop |") and lines[6].startswith("| 5. no shared")
    assert "`kernels.event_router.route`" in lines[5] and "| none | none |" in lines[6]
    folder = project_root / "workflow" / "studies"
    results = read_study_file(folder / "oconnor2020.yaml")["results"]
    for cell in table["measured_in"]:
        for name in cell.split("; "):
            if name.startswith("ch1."):
                assert name in results


def test_a_gap_whose_code_is_gone_is_seen(monkeypatch):
    monkeypatch.delattr(event_router, "route")
    assert gaps({}, [0], None, None)["found"].tolist() == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loads": [0.05, 0.0]}, ["sweep.x.loads", "0.0", "above 0"]),
        ({"turned_fraction": 1.2}, ["turned_fraction", "1.2", "0 to 1"]),
        ({"alpha": 1.0}, ["alpha", "1.0", "between 0 and 1"]),
        ({"windows": {"one": {"tau_plus_s": 0}}}, ["windows.one.tau_plus_s", "above 0"]),
        ({"networks": 2.5}, ["networks", "2.5", "whole number"]),
        ({"weight_mean": "big"}, ["weight_mean", "big", "finite number"]),
    ],
)
def test_settings_that_cannot_be_meant(settings, words):
    with pytest.raises(StudyError) as caught:
        check_settings("sweep.x", settings, RULES)
    assert all(word in str(caught.value) for word in words) and str(caught.value).endswith(".")


def test_the_settings_of_the_study_file_are_allowed_and_complete(project_root):
    folder = project_root / "workflow" / "studies"
    sweeps = read_study_file(folder / "oconnor2020.yaml")["sweep"]
    for name, example, experiment in (
        ("hopfield_recall", RECALL, hopfield_recall),
        ("hopfield_capacity", CAPACITY, hopfield_capacity),
        ("spiking_neurons", SPIKING, spiking_neurons),
    ):
        for settings in (sweeps[name]["settings"], *sweeps[name].get("scales", {}).values()):
            check_settings(name, settings, RULES)
            assert set(settings) <= set(example)
        assert set(sweeps[name]["settings"]) == set(example)
        with pytest.raises(StudyError, match="was not found"):
            experiment({}, [0], None, None)
