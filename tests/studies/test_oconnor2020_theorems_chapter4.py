"""Theorems of chapter 4 and appendix B: every statement is measured, holds, and can fail."""

import numpy as np
import pytest

from plausible.learning import scale_optimisation
from plausible.measure import operations
from plausible.measure.trend import fall
from plausible.networks import sigma_delta
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020 import (
    theorems_chapter4,
    theorems_chapter4_operations,
    theorems_chapter4_scales,
)
from plausible.studies.oconnor2020.ch4_principles.theorems import THEOREMS
from plausible.reproduction.study_files import read_study_file
from plausible.reproduction.theorem_checks import COLUMNS

from .theorem_rows import check_all_hold, measured, stated, with_outcomes

SEEDS = [0, 7]
CLAIMS = {"oconnor2020.ch4.energy_per_op", "oconnor2020.ch4.energy_advantage"}
OF_IMAGES = "oconnor2020.appB.temporal_mnist"
MAIN, SCALES, OPERATIONS = (
    theorems_chapter4,
    theorems_chapter4_scales,
    theorems_chapter4_operations,
)


WITHOUT_BIASES = "biases not counted"
"""The count of the author's code, which is not the published formula's."""
BY_CHANCE = "chance of such a fall"
"""The loss of the random network of seed 0 falls no more than by chance at one lambda."""


@pytest.fixture(scope="module")
def table():
    return with_outcomes(theorems_chapter4.theorems_chapter4({}, SEEDS, None, None))


@pytest.fixture(scope="module")
def entries(project_root):
    folder = project_root / "workflow"
    part = folder / "studies" / "oconnor2020" / "chapter4_principles.yaml"
    covers = read_study_file(part)["covers"]
    published = load_published(folder / "published" / "oconnor2020.yaml", covers=covers).entries
    return {
        name: entry
        for name, entry in published.items()
        if entry["kind"] == "theorem" and name != OF_IMAGES or name in CLAIMS
    }


def test_every_statement_is_measured(table, entries):
    assert measured(table) == stated(entries)
    assert set(THEOREMS) == set(entries) and CLAIMS <= set(entries)
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert list(table["seed"].unique()) == SEEDS


def test_all_hold_but_the_count_of_the_code_and_the_loss_of_one_network(table):
    coded = table["statement"].str.contains(WITHOUT_BIASES)
    falls = table["statement"].str.contains(BY_CHANCE)
    check_all_hold(table[~coded & ~falls])
    assert set(table.loc[falls, "protocol"]) == {"as_coded", "as_published"}
    assert (table.loc[falls, "holds"] == (table.loc[falls, "seed"] != 0)).all()
    # The bound is that of figure 3.2, and the losses are those of the same lambda for both.
    assert (table.loc[falls, "bound"] == 0.05).all()
    assert table.loc[falls].groupby("seed")["deviation"].nunique().eq(1).all()
    assert set(table.loc[coded, "protocol"]) == {"as_coded"}
    assert (table.loc[coded, "deviation"] == 397600 - 410).all()


def test_bounds_are_the_published_tolerances(table, entries):
    """An exact statement is compared exactly, one with a tolerance by no larger bound."""
    for name, entry in entries.items():
        rows = table[(table["id"] == name) & (table["protocol"] == "corrected")]
        tolerance = str(entry["expect"][0]["tolerance"])
        if tolerance == "exact":
            # |phi| <= 1/2 is itself the bound; its sums are kept up to rounding.
            allowed = {0.0, 0.5, 397600.0, 1e-12, 1e-10}
            assert set(rows["bound"]) <= allowed, name
        elif tolerance.startswith("1e-"):
            assert (rows["bound"] <= float(tolerance.split(" ")[0].rstrip(";"))).all(), name


def broken(function, seed=0):
    checks = [one for one in function({}, seed) if WITHOUT_BIASES not in one.statement]
    return [check for check in checks if not check.holds()]


def leaky_difference(frames, last=None):
    found, last = sigma_delta_difference(frames, last)
    return 0.99 * found, last


sigma_delta_difference = sigma_delta.temporal_difference


def truncating_herding(inputs, potential=None):
    messages = np.empty_like(inputs)
    for time, value in enumerate(inputs):
        potential = value if potential is None else potential + value
        messages[time] = np.trunc(potential)
        potential = potential - messages[time]
    return messages, potential


def unrounded_difference(frames):
    return sigma_delta_difference(frames)


def dense_count(events, weight):
    return weight @ events, events.size * len(weight)


@pytest.mark.parametrize(
    ("name", "module", "attribute", "replacement"),
    [
        ("ch4.algorithm4", MAIN, "temporal_difference", leaky_difference),
        ("ch4.algorithm5", MAIN, "temporal_difference", leaky_difference),
        ("ch4.eq4.1", MAIN, "temporal_difference", leaky_difference),
        ("appB.algorithm14", MAIN, "herding", truncating_herding),
        ("appB.algorithm15", MAIN, "delta_herding", unrounded_difference),
        ("appB.eqB.10", MAIN, "herding", truncating_herding),
        ("appB.eqB.11", MAIN, "herding", truncating_herding),
        ("ch4.eq4.3", OPERATIONS, "sparse_product", dense_count),
        ("appB.eqB.17.baking_scales", SCALES, "bake_scales", lambda w, b, scales: (w, b)),
        ("ch4.energy_per_op", OPERATIONS, "FLOAT32_MULTIPLY_PJ", 3.2),
        ("appB.flops", OPERATIONS, "event_additions", lambda sent, _: np.abs(sent).sum(axis=1)),
        ("appB.flops", OPERATIONS, "discretised_additions", lambda events, *_: events.sum(axis=1)),
    ],
)
def test_a_wrong_implementation_is_noticed(name, module, attribute, replacement, monkeypatch):
    function = THEOREMS[f"oconnor2020.{name}"]
    assert not broken(function)
    monkeypatch.setattr(module, attribute, replacement)
    assert broken(function)


@pytest.mark.parametrize(
    ("name", "kind", "encoder"),
    [
        (
            "ch4.temporal_difference_network",
            "temporal_difference",
            lambda inputs, memory: (inputs, None),
        ),
        (
            "ch4.eq4.2",
            "sigma_delta_herding",
            lambda inputs, memory: (truncating_herding(sigma_delta_difference(inputs)[0])[0], None),
        ),
        ("ch4.eq4.6.scaled_networks", "rounding", lambda inputs, memory: (inputs, None)),
    ],
)
def test_a_wrong_network_is_noticed(name, kind, encoder, monkeypatch):
    monkeypatch.setitem(sigma_delta._ENCODERS, kind, encoder)
    assert broken(THEOREMS[f"oconnor2020.{name}"])


def test_wrong_gradients_of_scales_are_noticed(monkeypatch):
    function = THEOREMS["oconnor2020.ch4.eq4.10.scale_optimisation"]

    def doubled(values, log_scale):
        return 2.0 * true_sum(values, log_scale)

    assert not broken(function, seed=1)
    true_sum = scale_optimisation._sum_to
    monkeypatch.setattr(scale_optimisation, "_sum_to", doubled)
    wrong = [check for check in broken(function, seed=1) if "gradients" in check.statement]
    assert {check.protocol for check in wrong} == {"as_coded", "as_published"}


def test_a_loss_that_does_not_fall_is_noticed(monkeypatch):
    """The measured losses in the opposite order."""
    monkeypatch.setattr(SCALES, "fall", lambda epochs, loss: fall(epochs, loss[::-1]))
    wrong = broken(THEOREMS["oconnor2020.ch4.eq4.10.scale_optimisation"], seed=1)
    assert any("Kendall" in check.statement for check in wrong)


def test_another_price_of_additions_is_noticed(monkeypatch):
    monkeypatch.setattr(operations, "INT32_ADD_PJ", 0.9)
    assert broken(THEOREMS["oconnor2020.ch4.energy_per_op"])
    assert broken(THEOREMS["oconnor2020.ch4.energy_advantage"])


def test_ties_are_an_exception_of_rounding_to_even(table):
    rows = table[table["id"] == "oconnor2020.appB.eqB.10"].drop_duplicates("statement")
    by_words = {
        words: rows.loc[rows["statement"].str.contains(words), "deviation"].iloc[0]
        for words in ("halves up", "halves to even .numpy", "largest difference of the sums")
    }
    assert by_words["halves up"] == 0.0
    assert by_words["halves to even .numpy"] > 100
    assert by_words["largest difference of the sums"] == 1.0
