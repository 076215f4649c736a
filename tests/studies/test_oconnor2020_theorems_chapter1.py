"""Theorems of chapter 1: every published statement is measured, holds, and can fail."""

import re

import numpy as np
import pytest
import torch

from plausible.learning import weight_sharing
from plausible.networks.hopfield import flow, recall, recall_continuous, store
from plausible.neurons import classic, integrate_and_fire
from plausible.neurons.plasticity import stdp, stdp_online
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020 import (
    theorems_chapter1,
    theorems_chapter1_hopfield,
    theorems_chapter1_neurons,
)
from plausible.studies.oconnor2020.ch1.theorems import THEOREMS
from plausible.reproduction.theorem_checks import COLUMNS

from .theorem_rows import check_all_hold, measured, stated, with_outcomes

SEEDS = [0, 4]
MAIN, HOPFIELD, NEURONS = (
    theorems_chapter1,
    theorems_chapter1_hopfield,
    theorems_chapter1_neurons,
)


@pytest.fixture(scope="module")
def table():
    return with_outcomes(theorems_chapter1.theorems_chapter1({}, SEEDS, None, None))


@pytest.fixture(scope="module")
def entries(project_root):
    path = project_root / "workflow" / "published" / "oconnor2020.yaml"
    published = load_published(path, covers=["ch1.*"]).entries
    return {name: entry for name, entry in published.items() if entry["kind"] == "theorem"}


def test_every_statement_is_measured(table, entries):
    assert measured(table) == stated(entries)
    assert len(entries) == len(THEOREMS) == 9
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert list(table["seed"].unique()) == SEEDS


def test_all_hold(table):
    check_all_hold(table)


def test_bounds_are_the_published_tolerances(table, entries):
    for name, entry in entries.items():
        for index, statement in enumerate(entry["expect"]):
            bounds = set(table.loc[(table["id"] == name) & (table["check"] == index), "bound"])
            tolerance = statement["tolerance"]
            for number in re.findall(r"1e-\d+", tolerance):
                assert float(number) in bounds, (name, index)
            if tolerance in ("exact", "monotone"):
                assert 0.0 in bounds, (name, index)
            if tolerance.startswith("overlap 1"):
                assert bounds == {1.0}


def test_same_seeds_give_the_same_table():
    first, second = (
        [check.deviation for theorem in THEOREMS.values() for check in theorem({}, 2)]
        for _ in range(2)
    )
    assert first == second


def _without_biases(layers):
    whole = classic.collapse(layers)
    return whole._replace(biases=np.zeros_like(whole.biases))


def _both_at_once(network, start, rng, max_sweeps=100):
    """Updates from the old state: the energy may rise."""
    result = recall(network, start, rng, max_sweeps=1)
    drive = network.weights @ start + network.biases
    return result._replace(values=np.sign(drive[result.units]))


def _lazy(network, start, rng, max_sweeps=100):
    """No unit turns over."""
    result = recall(network, start, rng, max_sweeps=1)
    return result._replace(state=np.array(start), values=np.array(start)[result.units])


def _forgetful(patterns):
    return store(patterns[:5])


def _uphill(network, start, gain, rng, max_sweeps=1000, tolerance=1e-12):
    result = recall_continuous(network, start, gain, rng, max_sweeps, tolerance)
    return result._replace(energies=result.energies[::-1], state=-result.state)


def _reversed_flow(*arguments, **options):
    states, energies = flow(*arguments, **options)
    return states[::-1], energies[::-1]


def _stale_errors(network, output_error):
    errors = weight_sharing.run_errors(network, output_error)
    return [errors[0], errors[1] * (1.0 + 1e-6), *errors[2:]]


def _noise_forgotten(layer, inputs, noise, error):
    return classic.noisy_gradients(layer, inputs, np.ones_like(noise), error)


def _leaky_kernel(neuron, *arguments):
    slower = neuron._replace(time_constant_s=1.001 * neuron.time_constant_s)
    return integrate_and_fire.kernel_sum(slower, *arguments)


def _slow_decay(neuron, potential, time_s):
    return integrate_and_fire.decay(neuron._replace(time_constant_s=0.0101), potential, time_s)


def _no_depression(pre, post, window):
    return stdp_online(pre, post, window._replace(a_minus=0.0))


@pytest.mark.parametrize(
    ("name", "check", "module", "attribute", "broken"),
    [
        ("eq1.1.ann_neuron", 0, NEURONS, "collapse", _without_biases),
        ("eq1.5.backprop_sgd", 0, MAIN, "run_errors", _stale_errors),
        ("eq1.5.backprop_sgd", 0, MAIN, "sgd_step", lambda p, g, rate: list(p)),
        ("weight_sharing", 0, MAIN, "run_errors", _stale_errors),
        ("weight_sharing", 0, MAIN, "tied_gradient", lambda g, index, n: torch.ones(n).double()),
        ("eq1.6.hopfield", 0, HOPFIELD, "recall", _both_at_once),
        ("eq1.6.hopfield", 0, HOPFIELD, "recall_continuous", _uphill),
        ("eq1.6.hopfield", 0, HOPFIELD, "flow", _reversed_flow),
        ("eq1.6.hopfield", 1, HOPFIELD, "recall", _lazy),
        ("eq1.6.hopfield", 1, HOPFIELD, "recall_continuous", _uphill),
        ("eq1.6.hopfield", 1, HOPFIELD, "store", _forgetful),
        ("eq1.6.hopfield", 2, HOPFIELD, "recall", _lazy),
        ("stochastic_units", 0, NEURONS, "noisy_gradients", _noise_forgotten),
        ("eq1.8.dynamic_neuron", 0, NEURONS, "settle", lambda layer, x, s, *_: np.stack([s] * 401)),
        ("eq1.10.integrate_and_fire", 0, NEURONS, "kernel_sum", _leaky_kernel),
        ("eq1.10.integrate_and_fire", 1, NEURONS, "decay", _slow_decay),
        ("eq1.11.stdp", 0, NEURONS, "stdp", lambda dt, window: np.abs(stdp(dt, window))),
        ("eq1.11.stdp", 0, NEURONS, "stdp_online", _no_depression),
    ],
)
def test_a_broken_implementation_is_found(monkeypatch, name, check, module, attribute, broken):
    monkeypatch.setattr(module, attribute, broken)
    found = [one for one in THEOREMS[f"oconnor2020.ch1.{name}"]({}, 0) if one.check == check]
    assert not all(one.holds() for one in found)


def test_truncation_to_the_whole_sequence_is_what_the_rows_compare(monkeypatch):
    """With every window cut to one step, BPTT is no gradient any more."""
    original = theorems_chapter1.backprop_through_time
    monkeypatch.setattr(
        theorems_chapter1,
        "backprop_through_time",
        lambda network, record, errors, window=None: original(network, record, errors, 1),
    )
    checks = THEOREMS["oconnor2020.ch1.rnn_tcn"]({}, 0)
    assert [one.holds() for one in checks] == [False, False, True, True]
