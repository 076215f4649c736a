"""Every check on quantizers and limits, on tables that pass and on tables that fail."""

from pathlib import Path

import pytest
import yaml
from plausible.reproduction.explanations import explain
from plausible.reproduction.oconnor2020 import quantization

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import load_published

from . import synthetic_oconnor2020_quantization as synthetic

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
PART = yaml.safe_load(
    (WORKFLOW / "studies" / "oconnor2020" / "chapter3_quantization.yaml").read_text()
)


@pytest.fixture(scope="module")
def published():
    return load_published(WORKFLOW / "published" / "oconnor2020.yaml", covers=PART["covers"])


@pytest.fixture(scope="module")
def tables(published):
    return synthetic.good_tables(published)


def judged(tables, published, scale="demo"):
    known = vd.StudyChecks(quantization.REGISTRY, quantization.EXPLANATIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vd.STUDIES, "oconnor2020", known)
        return vd.verdict_table("oconnor2020", tables, scale, published)


@pytest.fixture(scope="module")
def good(tables, published):
    return judged(tables, published)


def holds(tables, published, name, index):
    evidence = Evidence(tables, published.entry(name), published, True)
    check = quantization.REGISTRY.checks[name, index]
    return [outcome.holds for outcome in check(evidence)]


def test_every_entry_of_the_part_is_judged_and_a_result(good, published):
    assert len(published.entries) == 23
    assert set(good["id"]) == set(published.entries)
    names = {vd.result_name(identifier) for identifier in published.entries}
    assert names == {name for name in PART["results"] if not name.startswith("beyond.")}
    for identifier, entry in published.entries.items():
        rows = good[good["id"] == identifier]
        checks = set(rows["check"].str.split(" ").str[0])
        assert {f"expect:{i}" for i in range(len(entry["expect"]))} <= checks, identifier
    assert not good.duplicated(["id", "check", "protocol"]).any()


def test_every_published_value_is_compared_or_left_out_with_a_reason(published):
    registry = quantization.REGISTRY
    for identifier, entry in published.entries.items():
        name = vd.result_name(identifier)
        left_out = {key for result, key in registry.not_compared if result == name}
        assert set(registry.covered.get(name, ())) | left_out == set(entry["values"]), name


def test_everything_is_reproduced_by_the_good_tables(good):
    wrong = good[good["verdict"] != vd.REPRODUCED]
    assert wrong.empty, wrong[["id", "check", "protocol", "reproduced", "note"]].to_string()


@pytest.mark.parametrize(
    ("name", "index", "spoil"),
    [pytest.param(n, i, s, id=f"{n}:{i} {what}") for n, i, what, s in synthetic.SPOILS],
)
def test_a_spoilt_table_fails(tables, published, name, index, spoil):
    assert all(holds(tables, published, name, index))
    assert not all(holds(spoil(tables), published, name, index))


def test_every_check_has_a_table_that_fails():
    assert {(name, index) for name, index, *_ in synthetic.SPOILS} == set(
        quantization.REGISTRY.checks
    )


def test_a_wrong_number_of_modules_differs(tables, published):
    frame = tables["table_a2"]
    fewer = frame[~((frame["element"] == "module") & (frame["name"] == "C"))]
    verdicts = judged({**tables, "table_a2": fewer}, published)
    rows = verdicts[verdicts["check"] == "value:modules"]
    assert list(rows["verdict"]) == [vd.DIFFERS]


def test_a_missing_quantizer_is_said(tables, published):
    frame = tables["ch3.fig3.1"]
    tables = {**tables, "ch3.fig3.1": frame[frame["quantizer"] == "vector"]}
    with pytest.raises(StudyError, match=r"ch3\.fig3\.1 lacks the quantizer sampling"):
        holds(tables, published, "ch3.fig3.1", 1)


@pytest.mark.parametrize(
    ("name", "check", "protocol", "words"),
    [
        ("ch3.algorithm1", "expect:1 #2", "as_published", "strict"),
        ("appA.eqA.2", "expect:0 #2", "as_published", "strict"),
        ("ch3.eq3.6.sgd", "expect:0 #3", "as_published", "eta/T^2"),
        ("ch3.eq3.7.fsgd", "expect:0 #4", "as_published", "half"),
        ("appA.algorithm13", "expect:0 #3", "as_published", "half"),
        ("appA.algorithm13", "expect:0 #5", "as_published", "blocks errors"),
        ("ch3.integer_only", "expect:0 #1", "as_coded", "binary fraction"),
    ],
)
def test_what_differs_is_explained(name, check, protocol, words):
    assert words in explain(quantization.EXPLANATIONS, name, check, protocol)
