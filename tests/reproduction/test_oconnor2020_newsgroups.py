"""Every check on table 3.1, on tables that pass and on tables that fail."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.explanations import explain
from plausible.reproduction.oconnor2020 import newsgroups
from plausible.reproduction.published import load_published

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
PART = yaml.safe_load(
    (WORKFLOW / "studies" / "oconnor2020" / "chapter3_newsgroups.yaml").read_text()
)
RESULT = newsgroups.RESULT
DIVISIONS = PART["sweep"]["newsgroups"]["settings"]["divisions"]
ERRORS = {
    "relu": (2.3, 0.1),
    "sgd": (2.2, 0.8),
    "fsgd": (2.3, 0.85),
    "svm_linear": (4.8, 0.0),
    "svm_rbf": (4.0, 0.2),
}


@pytest.fixture(scope="module")
def published():
    return load_published(WORKFLOW / "published" / "oconnor2020.yaml", covers=PART["covers"])


def make_table(data_set="newsgroups", **changed):
    rows = [
        {
            "seed": seed,
            "division": name,
            "protocol": division["protocol"],
            "data_set": data_set,
            "test_samples": 247,
            "classifier": kind,
            "epoch": epoch,
            "test_error_percent": test + 0.05 * (seed - 1) + (10 if epoch == 1 else 0),
            "training_error_percent": training + 0.02 * (seed - 1),
        }
        for seed in (0, 1, 2)
        for name, division in DIVISIONS.items()
        for kind, (test, training) in (ERRORS | changed).items()
        for epoch in ((0,) if kind.startswith("svm") else (1, 50))
    ]
    return pd.DataFrame(rows)


def judged(table, published, scale="paper"):
    known = vd.StudyChecks(newsgroups.REGISTRY, newsgroups.EXPLANATIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vd.STUDIES, "oconnor2020", known)
        return vd.verdict_table("oconnor2020", {RESULT: table}, scale, published)


def holds(table, published, index):
    check = newsgroups.REGISTRY.checks[RESULT, index]
    evidence = Evidence({RESULT: table}, published.entry(RESULT), published, True)
    return {outcome.aspect: outcome.holds for outcome in check(evidence)}


def test_everything_is_reproduced_by_the_good_table(published):
    table = judged(make_table(), published)
    assert set(table["verdict"]) == {vd.REPRODUCED}
    # Two statements for two rules, eight numbers; each in three divisions.
    assert len(table) == 3 * (2 * 2 + 8)
    assert not table.duplicated(["id", "check", "protocol"]).any()
    assert set(table["protocol"]) == {"as_published", "corrected"}
    test = table[table["check"] == "value:SVM, linear: test error, shuffled_4to1"]
    assert test["published"].item() == 4.82 and test["reproduced"].item() == pytest.approx(4.8)


def test_each_statement_fails_where_it_must(published):
    far = holds(make_table(sgd=(3.4, 0.8)), published, 0)
    assert not any(far[f"sgd {name}"] for name in DIVISIONS)
    assert all(far[f"fsgd {name}"] for name in DIVISIONS)
    assert not any(holds(make_table(relu=(0.9, 0.1)), published, 0).values())
    assert all(holds(make_table(), published, 1).values())
    equal = holds(make_table(fsgd=(4.8, 0.8)), published, 1)
    assert not any(equal[f"fsgd {name}"] for name in DIVISIONS)


def test_wrong_numbers_differ_and_are_explained(published):
    table = judged(make_table(svm_linear=(7.0, 0.0)), published)
    wrong = table[table["verdict"] == vd.DIFFERS]
    assert len(wrong) == 3 and wrong["check"].str.startswith("value:SVM, linear: test").all()
    for row in wrong.itertuples():
        text = explain(newsgroups.EXPLANATIONS, RESULT, row.check, row.protocol)
        assert ("0.40 %" in text) is (row.protocol == "as_published")


def test_the_stand_in_says_nothing_about_newsgroups(published):
    table = judged(make_table(newsgroups.NO_NEWSGROUPS, svm_linear=(1.0, 0.0)), published, "demo")
    assert set(table["verdict"]) == {vd.NOT_COMPARABLE}
