"""Experiments of chapter 6 of O'Connor 2020, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.signals import smooth_signals
from plausible.neurons.pair_kernels import pair_sum, stdp_kernel
from plausible.studies.oconnor2020.ch6 import experiment
from plausible.studies.oconnor2020.ch6.experiment import generator
from plausible.studies.oconnor2020.ch6.settings import Circuit, Kernels, RisingRate, Synapse

SYNAPSE = Synapse(alpha=0.8, steps=300, quiet=120, width=10)


def test_kernels_by_formula_and_by_number():
    table = experiment.kernels(Kernels(alpha=0.7, reach=9), [0], None, None)
    np.testing.assert_allclose(table["formula"], table["numerical"], rtol=0, atol=1e-14)
    assert set(table.groupby("kernel").size()) == {19}
    apart = table.groupby("kernel")[["deviation", "late_deviation"]].max()
    assert apart["deviation"].max() < 1e-14 < 0.05 < apart["late_deviation"].min()
    stdp = table[table["kernel"] == "stdp"].set_index("lag_steps")["formula"]
    assert stdp[1] == pytest.approx(0.5) and stdp[-2] == pytest.approx(-0.35) and stdp[0] == 0


def test_synapse_ends_with_the_sum_over_pairs():
    table = experiment.synapse(SYNAPSE, [0, 1], None, None)
    ends, rows = (table[table["element"] == kind] for kind in ("end", "trace"))
    assert len(ends) == 2 and set(rows["seed"]) == {0}
    pre, post = rows["pre_spike"].to_numpy(), rows["post_spike"].to_numpy()
    pairs = pair_sum(pre, post, stdp_kernel(0.8, len(pre)))
    first = ends.iloc[0]
    assert pre.sum() > 20 and set(pre) == {0.0, 1.0}
    assert first["stdp"] == pytest.approx(pairs, abs=1e-10)
    np.testing.assert_allclose(ends["approximate_dynamics"], ends["stdp"], rtol=0, atol=1e-10)
    assert ends["final_difference"].max() < 1e-10
    assert (ends["dynamics"] - ends["stdp"]).abs().min() > 1e-3
    assert ends["early_difference"].min() > 1e-3
    assert (rows["pre"].tail(120) == 0).all() and rows["pre"].iloc[0] == 0


def test_same_seed_same_rows_whatever_the_others():
    tables = [experiment.synapse(SYNAPSE, seeds, None, None) for seeds in ([0, 1], [1])]
    ends = [table[(table["element"] == "end") & (table["seed"] == 1)] for table in tables]
    pd.testing.assert_frame_equal(*(each.reset_index(drop=True) for each in ends), check_exact=True)


def test_circuit_as_drawn_is_the_implementation():
    table = experiment.circuit(Circuit(alpha=0.9, steps=200, width=20), [0, 3], None, None)
    known = table["deviation"].notna()
    assert (table.loc[known, "deviation"] == 0).all()
    assert table.loc[known, "longer_delay"].max() > 0.1
    named = set(table["block"])
    sources = table["inputs"].str.split("; ").explode()
    assert set(sources) - {""} <= named


def test_rates_are_counted():
    settings = RisingRate(
        slopes_hz_per_s=(-100, 100), middle_hz=50, window_ms=50, trials=4000, tau_ms=20
    )
    table = experiment.rising_rate(settings, [0], None, None)
    curve = table[(table["element"] == "curve") & (table["slope_hz_per_s"] == 100)]
    # 4,000 trials of 55 Hz in a millisecond: a standard error of sqrt(0.055 / 4000) = 3.7 Hz.
    assert (curve["spikes_per_s"] - curve["rate_hz"]).abs().max() < 5 * 3.7
    expected = 1e-3 * curve.loc[curve["lag_ms"] > 0, "rate_hz"].sum()
    expected -= 1e-3 * curve.loc[curve["lag_ms"] < 0, "rate_hz"].sum()
    means = table[table["element"] == "mean"].set_index("slope_hz_per_s")
    assert means.loc[100, "after_less_before"] == pytest.approx(expected, abs=0.15)
    assert means.loc[-100, "weight_change"] < 0 < means.loc[100, "weight_change"]


def test_signals_are_smooth_and_quiet_at_the_end():
    signals = smooth_signals(generator("test", 0), 3, 400, 20.0, quiet=50)
    assert signals.shape == (3, 400) and signals.min() == 0 and signals.max() <= 1
    assert (signals[:, -50:] == 0).all() and (signals[:, 0] == 0).all()
    assert np.abs(np.diff(signals, axis=1)).max() < 0.12
