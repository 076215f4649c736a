"""Experiments on update rules, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.studies.oconnor2020.ch5_updates import experiment
from plausible.studies.oconnor2020.ch5_updates.settings import (
    Approximation,
    Areas,
    FourRules,
    UpdateKernels,
)

AREAS = Areas(steps=800, warm_up=200, cutoff=0.002, k_p=0.01, k_d=0.5)
RULES = FourRules(steps=400, spike_probability=0.1, k_p=0.05, k_d=1.0)
MAPS = Approximation(
    steps=3000,
    signal_cutoff=0.02,
    weight_cutoff=0.004,
    k_p_range=(0.001, 0.1),
    k_d_range=(0.1, 10.0),
    points=3,
    example_k_p=0.01,
    example_k_d=1.0,
    shown_steps=100,
)


def test_areas_by_sums_and_by_formulas():
    table = experiment.areas(AREAS, [0, 1, 2], None, None)
    ones = table[table["element"] == "area"]
    np.testing.assert_allclose(ones["past_area"], ones["past_formula"], rtol=1e-12)
    np.testing.assert_allclose(ones["future_area"], ones["future_formula"], rtol=1e-12)
    assert ones[["past_difference", "future_difference"]].to_numpy(float).max() < 1e-12
    assert (ones["undecayed_difference"] > 0.01).all() and len(ones) == 3
    np.testing.assert_allclose(ones["printed_difference"].astype(float), 2.0, rtol=1e-9)
    rows = table[table["element"] == "trace"].set_index("step")
    last, now = (int(ones[name].iloc[0]) for name in ("last_event", "event"))
    either = (rows["x_spikes"] != 0) | (rows["e_spikes"] != 0)
    assert last < now and either[last] and rows["e_spikes"][now] != 0
    assert not either[last + 1 : now - 1].any()


def test_kernels_are_what_the_rule_does():
    settings = UpdateKernels(k_p=0.2, k_d=1.0, reach=12, other_k_p=0.6, tau_steps=5)
    table = experiment.update_kernels(settings, [0], None, None)
    coded = table[table["panel"] != "classic"]
    np.testing.assert_allclose(coded["change"], coded["numerical"], rtol=1e-10)
    zeros = coded[["numerical_difference", "asymmetry", "mirror_difference", "decay_difference"]]
    assert zeros.to_numpy(float).max() < 1e-12
    unequal = coded.filter(like="unequal_").groupby(coded["panel"]).max()
    assert unequal.shape == (2, 3) and unequal.to_numpy().min() > 0.01
    same = table[table["panel"] == "same_sign"].set_index("lag_steps")["change"]
    assert same[0] == pytest.approx(-((1 / 1.2) ** 2) / (1 - (1 / 1.2) ** 2))
    assert same[-4] == same[4] < 0


def test_four_rules_end_alike_and_printed_ones_do_not():
    table = experiment.four_rules(RULES, [0, 1], None, None)
    last, trace = (table[table["element"] == kind] for kind in ("end", "trace"))
    for rule in ("past", "future", "stdp"):
        np.testing.assert_allclose(last[rule], last["reconstruction"], rtol=1e-10)
    assert (last["printed_future"] - last["future"]).abs().min() > 0.1
    others = last[["past", "future", "stdp"]].sub(last["reconstruction"], axis=0)
    expected = others.abs().max(axis=1) / last["reconstruction"].abs()
    np.testing.assert_allclose(last["final_difference"].astype(float), expected, atol=1e-14)
    assert last["printed_difference"].min() > 0.01 > 1e-10 > last["final_difference"].max()
    assert last["future_and_stdp"].max() < 1e-12 < 0.01 < last["past_and_future"].min()
    silent = trace[(trace["step"] >= 300) & (trace["step"] != 350)]
    assert (silent["x_spikes"] == 0).all() and (silent["e_spikes"] == 0).all()


def test_maps_against_one_cell_step_by_step():
    table = experiment.approximation(MAPS, [0], None, None)
    cells = table[table["element"] == "cell"].set_index(["k_p", "k_d"])
    assert len(cells) == 4 * 4 - 1
    shown = table[table["element"] == "trace"]
    assert len(shown) == 100
    rng = experiment.generator("approximation", 0)
    signal = experiment.low_pass(rng, 3000, 0.02)
    weight = experiment.low_pass(rng, 3000, 0.004)
    coded = experiment.transmit(signal, experiment.pd_code(0.01, 1.0))
    cell = cells.loc[(0.01, 1.0)]
    assert cell["number_of_spikes"] == np.abs(coded.spikes).sum()
    like = np.corrcoef(coded.reconstruction, signal)
    assert cell["quantization_similarity"] == pytest.approx(like[0, 1], abs=0.02)
    estimate = experiment.decode(coded.spikes * weight, experiment.pd_code(0.01, 1.0))
    np.testing.assert_allclose(shown["estimate"], estimate[-100:], rtol=0, atol=1e-5)


def test_same_seed_same_rows_whatever_the_others():
    both = experiment.four_rules(RULES, [0, 1], None, None)
    alone = experiment.four_rules(RULES, [1], None, None)
    ends = [table[table["element"] == "end"] for table in (alone, both)]
    other = ends[1][ends[1]["seed"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(ends[0], other, check_exact=True)
