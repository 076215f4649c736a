"""Spike counts of single units against the graph of modules and against the closed form."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels import deep_spiking
from plausible.kernels.deep_spiking_counts import layer_counts
from plausible.kernels.deep_spiking_reference import (
    bindings,
    make_modules,
    numbers_added,
    start_sample,
)
from plausible.kernels.deep_spiking_types import make_network, make_rule
from plausible.kernels.event_router import route
from plausible.kernels.spike_emission import input_trains
from plausible.neurons.quantizers import rectified_counts

from .deep_spiking_problems import problem

STEPS, TIMES = 12, [1, 2, 5, 12]


@pytest.fixture(scope="module")
def counted():
    rule = make_rule(STEPS)
    network, trains, _ = problem(rule, 3)
    return rule, network, trains, [layer_counts(network, rule, trains, n, TIMES) for n in range(8)]


def step_codes(trains, sample, step):
    return trains.code[slice(*trains.start[sample, step : step + 2])].astype(np.int64)


def test_counts_are_those_of_the_modules(counted):
    rule, network, trains, found = counted
    edges = bindings(3, hold_error=True)
    for sample in range(8):
        state = start_sample(network)
        modules = make_modules(network, state, rule)
        for step in range(STEPS):
            route(modules, edges, "input", step_codes(trains, sample, step), "breadth_first")
            if step + 1 in TIMES:
                place = TIMES.index(step + 1)
                for layer in (1, 2, 3):
                    spikes = found[sample].spikes[layer - 1][place]
                    received = found[sample].inputs[layer - 1][place]
                    assert np.array_equal(spikes, np.rint(state.spent[layer]))
                    assert np.array_equal(received, state.potential[layer] + state.spent[layer])
        assert found[sample].times_done == len(TIMES)
    assert sum(int(counts.spikes[2][-1].sum()) for counts in found) > 20


def test_totals_are_those_of_the_prediction(counted):
    rule, network, trains, found = counted
    spikes = np.cumsum(deep_spiking.predict(network, rule, trains).spikes, axis=1)
    for sample, counts in enumerate(found):
        for layer in (1, 2):
            expected = spikes[sample, np.array(TIMES) - 1, layer]
            assert np.array_equal(counts.spikes[layer - 1].sum(axis=1), expected)


def test_additions_counted_by_hand():
    """An input spike of one unit adds a row of 3, whose three spikes add a row of 2 each."""
    rule = make_rule(4)
    network = make_network([np.ones((1, 3)), np.ones((3, 2))], rule)
    trains = input_trains(np.array([[8], [4]], np.uint8), 4, 8)
    assert np.diff(trains.start[:, [0, -1]]).ravel().tolist() == [4, 2]
    assert [numbers_added(network, rule, trains, n) for n in (0, 1)] == [4 * 9, 2 * 9]


def test_first_layer_has_the_closed_form(counted):
    """Eq. A.5 on the stream of single events."""
    _, network, trains, found = counted
    for sample, counts in enumerate(found):
        codes = np.concatenate([step_codes(trains, sample, step) for step in range(STEPS)])
        if len(codes):
            expected = rectified_counts(network.weights[0][codes])[-1]
            assert np.array_equal(counts.spikes[0][-1], expected)


def test_integer_arithmetic_counts_alike():
    whole = make_rule(8, 64 / 2**14, arithmetic="integer")
    real = make_rule(8, 64 / 2**14)
    network, trains, _ = problem(whole, 5)
    rounded = make_network([matrix / whole.unit for matrix in network.weights], real)
    for sample in range(8):
        a = layer_counts(network, whole, trains, sample, [4, 8])
        b = layer_counts(rounded, real, trains, sample, [4, 8])
        for x, y in zip((*a.spikes, *a.inputs), (*b.spikes, *b.inputs), strict=True):
            assert np.array_equal(x, y)


def test_divergence_is_recorded_and_ends():
    rule = make_rule(4)
    network, trains, _ = problem(rule, 0)
    huge = make_network([1e12 * abs(matrix) for matrix in network.weights], rule)
    counts = layer_counts(huge, rule, trains, 0, [1, 4])
    assert counts.times_done == 0 and not counts.spikes[0].any()


@pytest.mark.parametrize("times", [[], [0, 1], [2, 2], [3, 1], [5]])
def test_times_that_cannot_be_are_said(times):
    rule = make_rule(4)
    network, trains, _ = problem(rule, 0)
    with pytest.raises(StudyError, match="times are .*expected increasing whole numbers"):
        layer_counts(network, rule, trains, 0, times)
