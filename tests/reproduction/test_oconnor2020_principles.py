"""Verdicts of chapter 4's principles of O'Connor 2020: they hold, and each of them can fail."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plausible.reproduction.oconnor2020.causes import CAUSES

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import load_published
from plausible.reproduction.study_files import read_study_file
from plausible.reproduction.theorem_checks import theorem_table
from plausible.studies.oconnor2020.ch4_principles.claims import ENERGIES, MODULES, REGISTRY
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import THEOREMS

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
SEEDS = (0, 1, 2)
LAMBDAS = (1e-5, 1e-4, 1e-3, 1e-2)


@pytest.fixture(scope="module")
def published():
    part = read_study_file(WORKFLOW / "studies" / "oconnor2020" / "chapter4_principles.yaml")
    return load_published(WORKFLOW / "published" / "oconnor2020.yaml", covers=part["covers"])


def networks() -> pd.DataFrame:
    rows = []
    for name, modules in MODULES.items():
        for layer in range(2):
            for position, module in enumerate(("x", *modules)):
                apart = {"temporal_difference": 1e-13, "sigma_delta": 0.0}.get(name, np.nan)
                rows += [(name, layer, position, module, 0, t, 1.5 * t, apart) for t in range(4)]
    columns = ["network", "layer", "position", "module", "unit", "frame", "value"]
    columns.append("distance_from_twin")
    return pd.DataFrame(rows, columns=columns)


def scales() -> pd.DataFrame:
    """Ends on a front that no random point beats; hidden layers of 3 and 1/6 times the input's."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in SEEDS:
        rows.append(("corrected", "layers", "start", False, seed, np.nan, 1, 1, 1, 0.6, 35.0))
        for operations in rng.uniform(10, 200, 100):
            rows.append(
                ("corrected", "layers", "random", False, seed, np.nan)
                + (1, 1, 1, 12 / operations, operations)
            )
        for protocol in ("as_coded", "as_published"):
            for network, unitwise in (("layers", False), ("layers", True), ("units", False)):
                for number, weight in enumerate(LAMBDAS):
                    k, operations = 4.0 / 2**number, 100.0 / 2**number
                    operations = 0.0 if weight == 1e-2 else operations
                    error = 1.0 if weight == 1e-2 else 10 / operations
                    key = (protocol, network, "end", unitwise, seed, weight)
                    rows.append((*key, k, 3 * k, k / 6, error, operations))
    columns = ["protocol", "network", "kind", "unitwise", "seed", "lambda"]
    columns += ["scale_0", "scale_1", "scale_2", "error_fraction", "kops_per_sample"]
    return pd.DataFrame(rows, columns=columns)


def temporal() -> pd.DataFrame:
    rows = []
    for part, protocol, buffers in (
        ("thesis test", "as_coded", (1, 10, 100, 1000)),
        ("official test", "as_published", (1, 10, 100, 1000)),
        ("thesis training", "as_coded", (1000,)),
    ):
        base = {"element": "sequence", "part": part, "protocol": protocol, "frames": 10000}
        base |= {"lost_frames": 0, "wrong_labels": 0, "label_change_fraction": 0.14}
        rows += [
            {**base, "order": "shuffled", "buffer_size": 0, "seed": seed, "mean_l1": 130.0}
            | {"mean_l2": 10.1 + 0.01 * seed}
            for seed in SEEDS
        ]
        rows += [
            {**base, "order": "temporal", "buffer_size": buffer, "seed": -1}
            | {"mean_l1": 130 - 24 * np.log10(buffer), "mean_l2": 10 - 1.4 * np.log10(buffer)}
            for buffer in buffers
        ]
    rows.append({"element": "frame", "part": "thesis test", "snippet": 0, "frame": 0})
    return pd.DataFrame(rows)


def theorems(published) -> pd.DataFrame:
    rows = []
    for name, entry in published.entries.items():
        claim = vd.result_name(name) in ("ch4.energy_per_op", "ch4.energy_advantage")
        if (entry["kind"] == "theorem" or claim) and "mnist" not in entry["needs"]:
            rows += [
                (name, index, "made up", "corrected", seed, 0.0, 1.0, "<=")
                for index in range(len(entry["expect"]))
                for seed in SEEDS
            ]
    entry = published.entry("ch4.energy_per_op")
    for key, words in ENERGIES.items():
        value = entry["values"][key]
        statement = f"energy of a {words} (pJ)"
        rows += [(entry["id"], 0, statement, "corrected", s, value, value, "==") for s in SEEDS]
    identifier = published.entry("appB.flops")["id"]
    for words, value in (("biases counted", 397600.0), ("biases not counted", 397190.0)):
        rows += [(identifier, 0, words, "corrected", s, value, value, "==") for s in SEEDS]
    columns = ["id", "check", "statement", "protocol", "seed", "deviation", "bound", "comparison"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def tables(published):
    return {
        "ch4.fig4.1": networks(),
        "ch4.fig4.2": scales(),
        "ch4.fig4.3": temporal(),
        "theorems": theorems(published),
    }


@pytest.fixture
def judged(published):
    def call(tables, scale="paper"):
        return vd.verdict_table("oconnor2020", tables, scale, published)

    return call


def test_everything_is_judged_and_reproduced(tables, judged, published):
    verdicts = judged(tables)
    assert list(dict.fromkeys(verdicts["id"])) == list(published.entries)
    assert len(published.entries) == 26
    for name, entry in published.entries.items():
        rows = verdicts[verdicts["id"] == name]
        wanted = {
            "full": "reproduced",
            "illustration_only": "illustration only",
            "needs_external_data": "needs external data",
        }[entry["reproducible"]]
        assert set(rows["verdict"]) == {wanted}, name
        statements = {row.split(" ")[0] for row in rows["check"]}
        assert {f"expect:{index}" for index in range(len(entry["expect"]))} <= statements


def test_every_published_number_is_compared(published):
    for name, entry in published.entries.items():
        if entry["reproducible"] != "full" or vd.result_name(name) == "appB.temporal_mnist":
            continue
        keys = set(entry["values"]) | set(entry.get("derived", {}))
        assert set(REGISTRY.covered.get(vd.result_name(name), ())) == keys, name


def test_demo_scale_judges_the_same(tables, judged):
    assert (judged(tables, "demo")["verdict"] == judged(tables)["verdict"]).all()


def change(name, column, rows, value):
    """Spoil a column of a table where ``rows`` of it is true."""

    def spoil(tables):
        frame = tables[name]
        frame[column] = frame[column].where(~rows(frame), value)

    return spoil


def drop(name, rows):
    def spoil(tables):
        frame = tables[name]
        tables[name] = frame[~rows(frame)]

    return spoil


def silent_front(tables):
    frame = tables["ch4.fig4.2"]
    random = frame["kind"] == "random"
    frame.loc[random, "error_fraction"] = frame.loc[random, "error_fraction"] / 3


SPOILS = [
    ("ch4.fig4.1", "expect:0 modules", drop("ch4.fig4.1", lambda f: f["module"] == "herd")),
    (
        "ch4.fig4.1",
        "expect:0 B equals A",
        change(
            "ch4.fig4.1",
            "distance_from_twin",
            lambda f: f["network"] == "temporal_difference",
            1e-9,
        ),
    ),
    (
        "ch4.fig4.1",
        "expect:0 D equals C",
        change("ch4.fig4.1", "distance_from_twin", lambda f: f["network"] == "sigma_delta", np.nan),
    ),
    ("ch4.fig4.2", "expect:0", silent_front),
    (
        "ch4.fig4.2",
        "expect:0",
        change("ch4.fig4.2", "error_fraction", lambda f: f["kind"] == "end", np.nan),
    ),
    (
        "ch4.fig4.2",
        "expect:1",
        change("ch4.fig4.2", "error_fraction", lambda f: f["lambda"] == 1e-4, 0.9),
    ),
    (
        "ch4.fig4.2",
        "expect:1",
        change("ch4.fig4.2", "kops_per_sample", lambda f: f["lambda"] == 1e-4, 500.0),
    ),
    (
        "ch4.fig4.2",
        "expect:2 first hidden layer",
        change("ch4.fig4.2", "scale_1", lambda f: f["kind"] == "end", 0.7),
    ),
    (
        "ch4.fig4.2",
        "expect:2 second hidden layer",
        change("ch4.fig4.2", "scale_2", lambda f: f["kind"] == "end", 1.2),
    ),
    (
        "ch4.fig4.3",
        "expect:0 official split",
        change("ch4.fig4.3", "mean_l2", lambda f: f["part"] == "official test", 9.0),
    ),
    (
        "appB.temporal_mnist",
        "expect:0",
        change("ch4.fig4.3", "lost_frames", lambda f: f["buffer_size"] == 10, 1),
    ),
    (
        "appB.temporal_mnist",
        "expect:0",
        change("ch4.fig4.3", "wrong_labels", lambda f: f["buffer_size"] == 1000, 2),
    ),
    (
        "appB.temporal_mnist",
        "expect:1 thesis split",
        change("ch4.fig4.3", "mean_l1", lambda f: f["buffer_size"] == 1000, 100.0),
    ),
    (
        "ch4.energy_per_op",
        "value:int_add_pj",
        change(
            "theorems", "deviation", lambda f: f["statement"].str.contains("integer addition"), 0.9
        ),
    ),
    (
        "appB.flops",
        "value:dense",
        change("theorems", "deviation", lambda f: f["statement"] == "biases counted", 397190.0),
    ),
    (
        "ch4.energy_advantage",
        "expect:0",
        change("theorems", "deviation", lambda f: f["id"].str.endswith("advantage"), 2.0),
    ),
]


@pytest.mark.parametrize(("name", "check", "spoil"), SPOILS)
def test_each_statement_can_fail(name, check, spoil, tables, judged):
    spoil(tables)
    verdicts = judged(tables)
    rows = verdicts[verdicts["id"] == f"oconnor2020.{name}"]
    rows = rows[rows["check"].str.startswith(check)]
    assert len(rows) and "differs" in set(rows["verdict"])


def evidence(tables, published, name):
    return Evidence(tables, published.entry(name), published, True)


def test_scales_are_compared_at_the_computation_of_the_start(tables, published):
    """Between ends of 50 (k = 2) and 25 (k = 1) thousand additions, on logarithmic axes."""
    found = REGISTRY.checks["ch4.fig4.2", 2](evidence(tables, published, "ch4.fig4.2"))
    k = 35.0 / 25.0
    as_many = [one for one in found if "as many operations" in one.aspect]
    assert [one.reproduced for one in as_many] == pytest.approx([3 * k, k / 6] * 2)
    literal = [one for one in found if one not in as_many]
    assert [one.reproduced for one in literal] == ["12 of 12 end points"] * 4
    assert all(one.holds for one in literal)


def test_one_end_point_on_the_wrong_side_breaks_the_literal_statement_alone(tables, published):
    frame = tables["ch4.fig4.2"]
    ends = frame[(frame["kind"] == "end") & (frame["network"] == "layers") & ~frame["unitwise"]]
    frame.loc[ends.index[ends["lambda"] == ends["lambda"].max()][0], "scale_1"] = 0.5
    found = REGISTRY.checks["ch4.fig4.2", 2](evidence(tables, published, "ch4.fig4.2"))
    failing = [one.aspect for one in found if not one.holds]
    assert failing == ["first hidden layer"]


def test_a_start_beyond_all_ends_cannot_hold(tables, published):
    change("ch4.fig4.2", "kops_per_sample", lambda f: f["kind"] == "start", 1e4)(tables)
    found = REGISTRY.checks["ch4.fig4.2", 2](evidence(tables, published, "ch4.fig4.2"))
    as_many = [one for one in found if "as many operations" in one.aspect]
    assert len(as_many) == 4 and not any(one.holds for one in as_many)
    assert np.isnan(as_many[0].reproduced)
    change("ch4.fig4.2", "kops_per_sample", lambda f: f["kind"] == "end", np.nan)(tables)
    found = REGISTRY.checks["ch4.fig4.2", 2](evidence(tables, published, "ch4.fig4.2"))
    assert not any(one.holds for one in found if "as many operations" in one.aspect)


@pytest.mark.parametrize(
    ("name", "index", "spoil", "words"),
    [
        ("ch4.fig4.3", 0, drop("ch4.fig4.3", lambda f: f["order"] == "shuffled"), "lacks an order"),
    ],
)
def test_missing_rows_are_one_sentence(name, index, spoil, words, tables, published):
    spoil(tables)
    with pytest.raises(StudyError, match=words) as caught:
        REGISTRY.checks[name, index](evidence(tables, published, name))
    assert str(caught.value).endswith(".")


def test_seeds_must_agree_on_an_energy(tables, published):
    frame = tables["theorems"]
    energies = frame["statement"].str.contains("float addition")
    frame.loc[energies & (frame["seed"] == 2), "deviation"] = 0.8
    with pytest.raises(StudyError, match="2 values of '32-bit float addition'"):
        REGISTRY.numbers["ch4.energy_per_op"](evidence(tables, published, "ch4.energy_per_op"))


def test_a_loss_that_falls_by_chance_says_why(tables, published, judged):
    """The rows of the real network of seed 0: its cause stands with the trend and nothing else."""
    name = "oconnor2020.ch4.eq4.10.scale_optimisation"
    found = theorem_table({name: THEOREMS[name]}, {}, [0])
    others = tables["theorems"]
    tables["theorems"] = pd.concat([others[others["id"] != name], found], ignore_index=True)
    verdicts = judged(tables)
    mine = verdicts[(verdicts["id"] == name) & (verdicts["verdict"] == vd.DIFFERS)]
    assert set(mine["protocol"]) == {"as_coded", "as_published"} and len(mine) == 2
    assert mine["note"].str.contains("Kendall's tau.*Why: In the random network of seed 0").all()


def test_a_buffer_as_long_as_the_sequence_is_left_out(tables, published):
    frame = tables["ch4.fig4.3"]
    frame.loc[frame["buffer_size"] == 1000, ["frames", "mean_l1"]] = (500, 200.0)
    found = REGISTRY.checks["appB.temporal_mnist", 1](
        evidence(tables, published, "appB.temporal_mnist")
    )
    assert all(one.holds for one in found) and "1000" not in found[0].reproduced


def test_results_of_the_study_file(published):
    declared = read_study_file(WORKFLOW / "studies" / "oconnor2020.yaml")
    assert "theorems_chapter4" in declared["results"]["theorems"]["from"]["sweep"]
    for name, entry in published.entries.items():
        if entry["reproducible"] == "full":
            assert vd.result_name(name) in declared["results"]


def test_causes_refer_to_verdicts_that_there_are(tables, judged):
    verdicts = judged(tables)
    rows = set(zip(verdicts["id"], verdicts["check"], verdicts["protocol"], strict=True))
    mine = [need for cause in CAUSES for need in cause.needs if need[0] == "ch4.fig4.2"]
    assert len(mine) == 2
    for name, check, protocol, _ in mine:
        assert (f"oconnor2020.{name}", check, protocol) in rows
