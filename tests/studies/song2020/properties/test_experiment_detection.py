"""Table 3: detections of phi against the rule applied signal by signal."""

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.studies.song2020.common import draw_network, images_and_targets
from plausible.studies.song2020.levels import fazil_updates
from plausible.studies.song2020.properties import experiment_detection
from plausible.studies.song2020.properties.experiment_detection import (
    COUNTINGS,
    count_detections,
    detection,
    error_nodes,
)

from ...part_results import read_sweep

SEEDS = [1482555873, 2283198659]
SMALL = {
    "l_max": [2, 4],
    "hidden_neurons": 8,
    "batch_size": 10,
    "detection_steps": [1, 4],
    "tolerances": [0.0, 1e-2],
    "images": 30,
    "steps": 10,
    "training_updates": 20,
}


@pytest.fixture(scope="module")
def digits():
    """The embedded digits."""
    return prepare("digits")


@pytest.fixture(scope="module")
def run(digits):
    """Function that runs the experiment with small settings, some of them changed."""

    def call(dataset=digits, **changes):
        settings = read_sweep("song2020.properties", "detection", **{**SMALL, **changes})
        return detection(settings, SEEDS, dataset, None)

    return call


def test_columns_and_determinism(run):
    first, second = run(), run()
    assert list(first.columns) == [
        *("l_max", "training_state", "tolerance", "t_d", "counting", "seed", "moments"),
        *("detected", "success_rate_percent", "false_alarm_rate_percent"),
    ]
    pd.testing.assert_frame_equal(first, second)
    assert set(first["seed"]) == set(SEEDS)


def slow_counts(errors, t_d: int, tolerance: float, counting: str) -> tuple[int, int, int]:
    """Moments, detections and false alarms of the stated rule, signal by signal."""
    moments = detected = false_alarms = 0
    for level, layer in enumerate(errors):
        steps, groups, samples, neurons = layer.shape
        axes = {
            "per_neuron_and_sample": [
                (b, slice(s, s + 1), slice(i, i + 1))
                for b in range(groups)
                for s in range(samples)
                for i in range(neurons)
            ],
            "per_layer_and_sample": [
                (b, slice(s, s + 1), slice(None)) for b in range(groups) for s in range(samples)
            ],
            "per_layer_and_batch": [(b, slice(None), slice(None)) for b in range(groups)],
        }[counting]
        for place in axes:
            signal = [float(layer[(t, *place)].abs().max()) for t in range(steps)]
            if signal[level] == 0:
                continue
            past = [0.0] * t_d + signal
            fires = [
                past[t + t_d] > tolerance and all(e <= tolerance for e in past[t : t + t_d])
                for t in range(steps)
            ]
            elsewhere = any(fires[:level]) or any(fires[level + 1 :])
            moments += 1
            detected += fires[level] and not elsewhere
            false_alarms += elsewhere
    return moments, detected, false_alarms


@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("tolerance", [0.0, 0.4])
def test_counts_are_those_of_the_rule_applied_by_hand(counting, tolerance):
    generator = torch.Generator().manual_seed(11)
    errors = [torch.rand(9, 3, 4, units, generator=generator) - 0.5 for units in (2, 5)]
    for layer in errors:
        # Many silent steps, and moments at which there is nothing to detect.
        layer[torch.rand(layer.shape, generator=generator) < 0.7] = 0.0
        layer[torch.rand(9, 3, generator=generator) < 0.5] = 0.0
    t_d = [1, 2, 3, 20]
    found = count_detections(errors, t_d, tolerance, counting)
    slow = [slow_counts(errors, steps, tolerance, counting) for steps in t_d]
    assert [found.moments] * len(t_d) == [row[0] for row in slow]
    assert found.detected.tolist() == [row[1] for row in slow]
    assert found.false_alarms.tolist() == [row[2] for row in slow]
    assert 0 < sum(row[1] for row in slow) < sum(row[0] for row in slow)


def test_counts_agree_with_the_trigger_inside_fazil(digits):
    images, targets = images_and_targets(digits, torch.arange(10))
    network = draw_network((64, 8, 8, 10), torch.Generator().manual_seed(2))
    errors = error_nodes(network, images, targets, 7, 5)
    _, detections = fazil_updates(network, images, targets, 2, 0.01, 7)
    hits = alarms = 0
    for level, fired in enumerate(detections.fired):
        elsewhere = fired[:level].any(dim=0) | fired[level + 1 :].any(dim=0)
        hits += int((fired[level] & ~elsewhere).sum())
        alarms += int(elsewhere.sum())
    found = count_detections(errors, [2], 0.01, "per_neuron_and_sample")
    assert (found.detected.tolist(), found.false_alarms.tolist()) == ([hits], [alarms])
    assert found.moments == 10 * (8 + 8 + 10)


def test_the_exact_rule_finds_every_moment_and_a_tolerance_does_not(run):
    table = run()
    exact = table[table["tolerance"] == 0.0]
    assert (exact["success_rate_percent"] == 100.0).all()
    assert (exact["false_alarm_rate_percent"] == 0.0).all()
    loose = table[(table["tolerance"] > 0) & (table["counting"] == "per_neuron_and_sample")]
    assert loose["success_rate_percent"].max() < 100.0
    assert set(table["training_state"]) == {"initial", "trained"}
    one = table[(table["l_max"] == 4) & (table["t_d"] == 4)].groupby("counting")["moments"].first()
    assert one["per_neuron_and_sample"] == 30 * (3 * 8 + 10)
    assert one["per_layer_and_sample"] == 30 * 4
    assert one["per_layer_and_batch"] == 3 * 4
    rate = 100 * table["detected"] / table["moments"]
    assert np.allclose(table["success_rate_percent"], rate)


def test_training_changes_what_is_watched(run, monkeypatch):
    seen = []

    def watch(network, *args):
        seen.append(network)
        return error_nodes(network, *args)

    monkeypatch.setattr(experiment_detection, "error_nodes", watch)
    run(l_max=[2])
    initial, trained = seen[:2]
    assert not torch.equal(initial.weights[0], trained.weights[0])
    assert not torch.equal(initial.weights[1], trained.weights[1])


def test_more_images_than_there_are(run):
    with pytest.raises(StudyError, match="images is 10000, where at most 1437"):
        run(images=10_000)


def test_no_data_set_is_said(run):
    with pytest.raises(StudyError, match="sweep detection: no data set was found"):
        run(dataset=None)
