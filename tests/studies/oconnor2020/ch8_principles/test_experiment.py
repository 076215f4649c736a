"""Experiments of chapter 8 without training, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.measure.slopes import log_slope
from plausible.networks.binary_equilibrium import at_rest, distance, settle_binary
from plausible.networks.equilibrium import FREE, Forces, descent, input_drive
from plausible.studies.oconnor2020.ch8_principles import (
    experiment,
    experiment_search,
    experiment_spikes,
    networks,
)

from ...part_results import read_sweep

PART = "oconnor2020.ch8_principles"
SMALL = {"layer_sizes": [12, 10, 4], "batch": 3}


def test_errors_are_those_of_the_network_at_that_step():
    few = {"networks": 2, "steps": 40, "perturbations": {"as_published": 10, "as_coded": 25}}
    settings = read_sweep(PART, "convergence", "demo", **SMALL, **few)
    table = experiment.convergence(settings, [0], None, None)
    assert set(table["network"]) == {0, 1} and table["step"].max() == 40
    given = networks.problem(settings, 40, "convergence", 1)
    coding = networks.coding_of(settings.schemes["osa_lambda"], settings.constant)
    rest = at_rest(given.network, 3)
    before = settle_binary(given.network, coding, given.inputs, rest, 25)
    after = settle_binary(
        given.network, coding, given.inputs, before, 15, given.targets, settings.beta
    )
    rows = table.query("protocol == 'as_coded' and scheme == 'osa_lambda' and network == 1")
    found = rows.set_index("step")["error"]
    assert found[25] == pytest.approx(distance(before.states, given.free), rel=1e-5)
    assert found[40] == pytest.approx(distance(after.states, given.nudged), rel=1e-5)


FRONTIER = {**SMALL, "networks": 2, "steps": 30}


def slow_count(given, scheme, steps):
    """Bits that are 1 of the input and of the free units, one sample and one unit after another."""
    epsilon, decay = (lambda t, pair=pair: pair[0] / t ** pair[1] for pair in
                      (scheme.epsilon, scheme.decay))  # fmt: skip
    weights, sizes = given.network.weights, [12, 10, 4]
    ones = [0, 0, 0]
    for sample in given.inputs:
        states, phis, heard = ([[0.0] * size for size in sizes] for _ in range(3))
        bits = [[0] * size for size in sizes]
        for t in range(1, steps + 1):
            lam, sent = decay(t), [list(layer) for layer in bits]
            for layer, size in enumerate(sizes):
                for unit in range(size):
                    old = states[layer][unit]
                    if layer == 0:
                        new = sample[unit]
                    else:
                        total = sum(
                            weights[layer - 1][i, unit] for i in range(sizes[layer - 1])
                            if sent[layer - 1][i]
                        )  # fmt: skip
                        if layer == 1:
                            total += sum(weights[1][unit, k] for k in range(4) if sent[2][k])
                        v = (1 - lam) * heard[layer][unit] + lam * total
                        heard[layer][unit] = v
                        new = min(1.0, max(0.0, old + epsilon(t) * (v - old)))
                    states[layer][unit] = new
                    phi = phis[layer][unit] + (new - (1 - lam) * old) / lam
                    bits[layer][unit] = int(phi > 0.5)
                    phis[layer][unit] = phi - bits[layer][unit]
            ones = [count + sum(layer) for count, layer in zip(ones, bits, strict=True)]
    return np.array(ones)


def test_spikes_are_the_bits_that_units_have_sent():
    settings = read_sweep(PART, "spike_frontier", "demo", **FRONTIER)
    table = experiment_spikes.spike_frontier(settings, [0], None, None)
    given = networks.problem(settings, settings.steps, "convergence", 1)
    for scheme in ("root", "scheduled"):
        rows = table[(table["scheme"] == scheme) & (table["network"] == 1)].set_index("step")
        for step in (1, 2, 7, 30):
            inputs, *free = slow_count(given, settings.schemes[scheme], step)
            assert rows.loc[step, "input_spikes"] == pytest.approx(inputs / (12 * 3), rel=1e-5)
            assert rows.loc[step, "free_spikes"] == pytest.approx(sum(free) / (14 * 3), rel=1e-5)
        # A step less, or another code, is told apart.
        assert slow_count(given, settings.schemes[scheme], 29)[0] < inputs
    counts = [slow_count(given, settings.schemes[name], 30)[1] for name in ("root", "scheduled")]
    assert counts[0] != counts[1]


def test_errors_of_the_frontier_are_those_of_the_figure():
    few = {"networks": 2, "steps": 300, "perturbations": {"as_coded": 200}}
    whole = experiment.convergence(
        read_sweep(PART, "convergence", "demo", **SMALL, **few), [0], None, None
    )
    settings = read_sweep(PART, "spike_frontier", "demo", **FRONTIER | {"steps": 300})
    table = experiment_spikes.spike_frontier(settings, [0], None, None)
    both = table.merge(whole[whole["step"] <= 200], on=["scheme", "network", "step"])
    assert both.groupby(["scheme", "network"]).ngroups == 2 * len(settings.schemes)
    np.testing.assert_allclose(both["error_x"], both["error_y"], rtol=1e-4)
    later = table.merge(whole[whole["step"] > 200], on=["scheme", "network", "step"])
    assert not np.allclose(later["error_x"], later["error_y"], rtol=0.1)


def test_fixed_points_rest():
    settings = read_sweep(PART, "convergence", "demo", **SMALL)
    given = networks.problem(settings, 500, "rest")
    drive = input_drive(given.network, given.inputs)
    nudge = Forces(target=given.targets, beta=settings.beta)
    for states, forces in ((given.free, FREE), (given.nudged, nudge)):
        moves = descent(given.network, drive, states, forces)
        for move, state in zip(moves, states, strict=True):
            stuck = ((state == 0.0) & (move < 0)) | ((state == 1.0) & (move > 0))
            assert np.abs(move[~stuck]).max(initial=0.0) < 1e-11
    assert any(np.abs(a - b).max() > 0.01 for a, b in zip(given.free, given.nudged, strict=True))


def test_long_runs_keep_the_steps_that_are_judged():
    settings = read_sweep(PART, "long_runs", "demo", **SMALL, steps=300)
    table = experiment.long_runs(settings, [0, 3], None, None)
    assert 250 in set(table["step"]) and table["step"].max() == 300
    last = table[table["step"] == 300].groupby("scheme")["error"].mean()
    assert last["scheduled"] < last["constant"] < last["inverse_square"]
    again = experiment.long_runs(settings, [3], None, None)
    pd.testing.assert_frame_equal(
        table[table["seed"] == 3].reset_index(drop=True), again, check_exact=True
    )


def test_exponents_have_a_cell_for_each_choice():
    few = {"networks": 1, "steps": 30, "perturbation": 15, "exponents": [0.3, 1.0]}
    few |= {"firsts": [0.5, 1.0], "bits": 5000, "estimates": 100}
    settings = read_sweep(PART, "exponents", "demo", **SMALL, **few)
    table = experiment.exponents(settings, [0], None, None)
    cells = table[table["element"] == "cell"]
    assert len(cells) == 2 * 2 * 2 and cells["error"].between(0, 1).all()
    (slope,) = table.loc[table["element"] == "half", "slope"]
    assert -0.35 < slope < -0.15


def test_a_search_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    few = {"calls": 6, "uniform": 2, "steps": 20, "perturbation": 10}
    settings = read_sweep(PART, "search", "demo", **SMALL, **few)
    table = experiment_search.search(settings, [0, 1], None, None)
    counts = table.groupby(["search", "sampler"]).size()
    assert set(counts.xs("gaussian_process", level=1)) == {6}
    assert set(counts.xs("uniform", level=1)) == {4}
    for name, parameters in experiment_search.SEARCHES.items():
        rows = table.loc[table["search"] == name, list(experiment_search.PARAMETERS)]
        assert set(rows.columns[rows.notna().all()]) == set(parameters)
    kept, objective, calls = (
        settings.model_copy(update={"checkpoints": tmp_path}),
        networks.objective,
        [],
    )

    def killed(*given):
        calls.append(given)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return objective(*given)

    monkeypatch.setattr(experiment_search, "objective", killed)
    with pytest.raises(KeyboardInterrupt):
        experiment_search.search(kept, [0, 1], None, None)
    again = experiment_search.search(kept, [0, 1], None, None)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    assert len(calls) == len(table) + 1


def test_shards_share_the_searches():
    pytest.importorskip("optuna")
    few = {"calls": 4, "uniform": 1, "steps": 4, "perturbation": 2}
    settings = read_sweep(PART, "search", "demo", **SMALL, **few)
    whole = experiment_search.search(settings, [0, 1], None, None)
    parts = [
        experiment_search.search(
            settings.model_copy(update={"shard": shard, "shards": 3}), [0, 1], None, None
        )
        for shard in range(3)
    ]
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, whole, check_exact=True, check_dtype=False)


def test_overload_begins_where_states_rise():
    settings = read_sweep(PART, "overload", "demo", **SMALL)
    table = experiment.overload(settings, [0, 1], None, None)
    assert (table["plain_share"] == 0).all() and (table["bounded_phi"] <= 0.5).all()
    assert (table["early_share"] > table["late_share"]).all()


def test_rates_of_change_vary_more_than_states():
    settings = read_sweep(PART, "rate_updates", "demo", **SMALL, repeats=5)
    table = experiment.rate_updates(settings, [0], None, None)
    assert (table["rate_variance"] > table["contrast_variance"]).all()
    assert (table["contrast_variance"] > 0).all()


def test_inputs_come_to_rest_and_bits_tell_of_them():
    settings = read_sweep(PART, "converging_inputs")
    table = experiment.converging_inputs(settings, [0, 1], None, None)
    trace = table[table["element"] == "trace"]
    inputs = trace[["input_1", "input_2", "input_3"]].to_numpy()
    assert inputs.min() >= 0 and np.abs(np.diff(inputs[-10:], axis=0)).max() < 2e-3
    weights = np.array(settings.weights)
    bits = trace[["bit_1", "bit_2", "bit_3"]].to_numpy()
    np.testing.assert_allclose(trace["received"], bits @ weights, atol=1e-4)
    assert trace["decay"].iloc[7] == pytest.approx(8**-0.75, abs=1e-5)
    state = 0.0
    for given, found in zip(inputs @ weights, trace["real_state"], strict=True):
        state = min(1.0, max(0.0, 0.8 * state + 0.2 * given))
        assert found == pytest.approx(state, abs=1e-4)


def test_half_is_the_exponent_of_the_limit():
    """Steps 1/sqrt(t) leave sqrt(eps/2) of the noise: a slope of -1/4."""
    steps = np.array([100, 1000, 10_000])
    assert log_slope(steps, np.sqrt(steps**-0.5 / 2)) == pytest.approx(-0.25)
