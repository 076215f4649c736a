"""Quantizers, limits of the spiking network, event graphs: small runs against what is known."""

import numpy as np
import pytest

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.measure.slopes import log_slope
from plausible.studies.oconnor2020.ch3_quantization import tables
from plausible.studies.oconnor2020.ch3_quantization.experiment import quantizers
from plausible.studies.oconnor2020.ch3_quantization.experiment_event_graphs import event_graphs
from plausible.studies.oconnor2020.ch3_quantization.experiment_gradient import (
    projection,
    rectified_gradient,
    spiking_gradient,
)
from plausible.studies.oconnor2020.ch3_quantization.experiment_limit import (
    rectified_values,
    spiking_limit,
)
from plausible.studies.oconnor2020.ch3_quantization.settings import (
    EventGraphs,
    Quantizers,
    SpikingGradient,
    SpikingLimit,
)

from ...part_results import published_of

SEEDS = [0, 1]


# ------------------------------------------------------------------------------- figure 3.1


@pytest.fixture(scope="module")
def errors():
    settings = Quantizers(units=60, steps=2000, points=17, input_means=(-0.5, 0.0, 0.5))
    return quantizers(settings, SEEDS, None, None)


def test_quantizers_have_their_exponents_and_closed_forms(errors):
    for name, exponent in (("vector", -1), ("stream", -1), ("sampling", -0.5)):
        part = errors[errors["quantizer"] == name]
        for _, one in part.groupby("seed"):
            assert log_slope(one["steps"], one["error_rms"]) == pytest.approx(exponent, abs=0.1)
        ratio = part["error_rms"] / part["expected_rms"]
        assert ratio.mean() == pytest.approx(1, abs=0.1), name


def test_rectified_streams_depend_on_the_mean(errors):
    part = errors[(errors["quantizer"] == "rectified") & (errors["steps"] >= 100)]
    slopes = {
        mean: log_slope(one["steps"], one["error_rms"]) for mean, one in part.groupby("input_mean")
    }
    assert slopes[0.0] == pytest.approx(-0.5, abs=0.1)
    assert slopes[-0.5] == pytest.approx(-1, abs=0.15) == slopes[0.5]
    walk = part[part["input_mean"] == 0]
    assert (walk["error_rms"] / walk["expected_rms"]).mean() == pytest.approx(1, abs=0.2)
    assert part.loc[part["input_mean"] != 0, "expected_rms"].isna().all()


def test_closed_form_of_the_random_walk():
    """E (M - max(S, 0))^2 = T / 4 for sums of many small steps, by simulation."""
    steps = np.random.default_rng(0).standard_normal((4000, 2000))
    sums = np.cumsum(steps, axis=1)
    apart = np.maximum(sums.max(axis=1), 0) - np.maximum(sums[:, -1], 0)
    assert (apart**2).mean() / 2000 == pytest.approx(0.25, rel=0.06)


# ------------------------------------------------------------------------------- figure A.1


def test_spike_counts_approach_the_activations():
    settings = SpikingLimit(
        layer_sizes=(40, 30, 20, 5),
        weight_std={"as_published": 0.3, "as_coded": 0.2},
        steps=500,
        points=15,
    )
    table = spiking_limit(settings, SEEDS, None, None)
    assert set(table["protocol"]) == {"as_published", "as_coded"}
    assert sorted(table["layer"].unique()) == [1, 2, 3]
    last = table[table["steps"] == 500]
    assert (last["gate_agreement"] > 0.95).all()
    assert (last["error"] < 0.02 * (1 + last["activation"])).all()
    for _, one in table[table["layer"] == 1].groupby(["protocol", "seed"]):
        assert log_slope(one["steps"], one["error"]) == pytest.approx(-1, abs=0.15)


def test_a_network_that_diverges_is_recorded():
    settings = SpikingLimit(
        layer_sizes=(40, 30, 5), weight_std={"as_coded": 1e6}, steps=5, points=3
    )
    table = spiking_limit(settings, [0], None, None)
    assert table["error"].isna().all() and np.isfinite(table["activation"]).all()


# ------------------------------------------------------------------------------- gradient


def test_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(shape) / 2 for shape in ((6, 5), (5, 4), (4, 3))]
    x, label = rng.random(6), 1

    def loss(matrices):
        return ((rectified_values(matrices, x)[-1] - np.eye(3)[label]) ** 2).sum() / 2

    for layer, gradient in enumerate(rectified_gradient(weights, x, label)):
        for i, j in np.ndindex(gradient.shape):
            moved = []
            for sign in (1, -1):
                copies = [matrix.copy() for matrix in weights]
                copies[layer][i, j] += sign * 1e-6
                moved.append(loss(copies))
            assert gradient[i, j] == pytest.approx((moved[0] - moved[1]) / 2e-6, abs=1e-8)


def test_update_turns_towards_the_gradient():
    """Two hidden layers, for which other tests compile the spiking network anyway."""
    settings = SpikingGradient(
        hidden_sizes=(20, 15),
        steps=(5, 400),
        images=8,
        training={"drawn": 0, "trained": 300},
        learning_rate=0.01,
    )
    table = spiking_gradient(settings, [0], prepare("digits"), None)
    assert len(table) == 2 * 2 * 2 * 4
    late, early = (table[table["steps"] == steps].reset_index() for steps in (400, 5))
    assert (late["cosine_of_sum"] > 0.98).all()
    assert late["cosine"].mean() > early["cosine"].mean()
    size = late[late["layer"] == 0].groupby("update")["relative_step"].mean()
    assert size["sgd"] == pytest.approx(1, abs=0.1)
    assert size["fsgd"] == pytest.approx(0.5, abs=0.05)


def test_gradient_needs_images():
    settings = SpikingGradient(
        hidden_sizes=(4,), steps=(2,), images=1, training={"drawn": 0}, learning_rate=0.1
    )
    with pytest.raises(StudyError, match="no data set was found"):
        spiking_gradient(settings, [0], None, None)


def test_projection():
    a, b = np.array([3.0, 4.0]), np.array([2.0, 0.0])
    assert projection(a, b) == pytest.approx(1.5)


# ------------------------------------------------------------------------------- graphs


@pytest.fixture(scope="module")
def drawn():
    return event_graphs(EventGraphs(layer_sizes=(6, 5, 4), steps=20), [0], None, None)


def test_drawing_reads_the_implementation(drawn):
    spiking = drawn[drawn["network"] == "spiking"]
    reads = spiking[spiking["element"] == "read"]
    assert set(zip(reads["name"], reads["target"], reads["what"], strict=True)) == {
        ("input", "update 0", "spike count"),
        ("herder 1", "update 1", "spike count"),
        ("herder 1", "gate 1", "summed input"),
        ("herder 2", "gate 2", "summed input"),
    }
    writes = spiking[spiking["element"] == "write"]
    assert set(zip(writes["name"], writes["target"], strict=True)) == {
        ("update 0", "weights 0"),
        ("update 1", "weights 1"),
    }
    modules = spiking[spiking["element"] == "module"].set_index("name")["events"]
    assert (modules > 0).all() and modules["target"] == 20
    assert modules["herder 1"] == modules["weights 0"] == modules["input"]
    # Filters let through some of what comes back, and what they let through changes weights.
    assert modules["update 1"] <= modules["gate 2"] and modules["update 0"] <= modules["gate 1"]


def test_relu_network_has_no_quantizers(drawn):
    relu = drawn[drawn["network"] == "relu"]
    assert not relu["name"].str.contains("herder|counter").any()
    edges = relu[relu["element"] == "edge"]
    pairs = set(zip(edges["name"], edges["target"], strict=True))
    assert ("back weights 1", "gate 1") in pairs and ("relu 2", "difference") in pairs
    spiking = drawn[(drawn["network"] == "spiking") & (drawn["element"] == "edge")]
    assert len(spiking) == len(edges) + 1


def test_events_are_in_the_published_orders(drawn):
    table = tables.selected_rows({"sweep.event_graphs": drawn}, {"graph": "routing"})
    assert "network" not in table
    for routing, order in published_of("oconnor2020.ch3_quantization").values("table_a2").items():
        assert tables.event_order(table[table["element"] == "event"], routing) == order
