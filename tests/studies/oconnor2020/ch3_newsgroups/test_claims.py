"""Every check on table 3.1, on tables that pass and on tables that fail."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from plausible.reproduction.explanations import explain
from plausible.reproduction.oconnor2020 import newsgroups

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import load_published

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
PART = yaml.safe_load(
    (WORKFLOW / "studies" / "oconnor2020" / "chapter3_newsgroups.yaml").read_text()
)
RESULT = newsgroups.RESULT
ERRORS = list(newsgroups.ERRORS)
DIVISIONS = PART["sweep"]["newsgroups"]["settings"]["divisions"]
SAMPLES = {"training": 1727, "test": 247}
POSTS = {
    "relu": (6, 2),
    "sgd": (5, 14),
    "fsgd": (6, 14),
    "svm_linear": (12, 0),
    "svm_rbf": (12, 0),
}
"""Wrong test posts and wrong training posts of the middle one of three seeds."""


@pytest.fixture(scope="module")
def published():
    return load_published(WORKFLOW / "published" / "oconnor2020.yaml", covers=PART["covers"])


def make_table(data_set="newsgroups", **changed):
    rows = []
    for seed in (0, 1, 2):
        for name, division in DIVISIONS.items():
            for kind, (test, training) in (POSTS | changed).items():
                machine = kind.startswith("svm")
                # A machine learns the posts in the order of the file alike for every seed.
                more = 0 if machine and name == "file_order" else seed - 1
                for epoch in (0,) if machine else (1, 50):
                    wrong = test + more + (25 if epoch == 1 else 0)
                    rows.append(
                        {
                            "seed": seed,
                            "division": name,
                            "protocol": division["protocol"],
                            "data_set": data_set,
                            "training_samples": SAMPLES["training"],
                            "test_samples": SAMPLES["test"],
                            "classifier": kind,
                            "epoch": epoch,
                            "test_error_percent": 100 * wrong / SAMPLES["test"],
                            "training_error_percent": 100
                            * max(training + (0 if machine else more), 0)
                            / SAMPLES["training"],
                        }
                    )
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
    # One statement for two rules, one for two rules and two kernels, ten numbers; three divisions.
    assert len(table) == 3 * (2 + 2 * 2 + 10)
    assert not table.duplicated(["id", "check", "protocol"]).any()
    assert set(table["protocol"]) == {"as_published", "corrected"}
    test = table[table["check"] == "value:SVM, linear: test error, 4 : 1 shuffled"]
    assert test["published"].item() == 4.82
    assert test["reproduced"].item() == pytest.approx(100 * 12 / 247)


def test_each_statement_fails_where_it_must(published):
    far = holds(make_table(sgd=(9, 14)), published, 0)
    names = ("7 : 1 in the order of the file", "7 : 1 shuffled", "4 : 1 shuffled")
    assert set(far) == {f"{rule}, {name}" for rule in ("SGD", "FSGD") for name in names}
    assert not any(far[f"SGD, {name}"] for name in names)
    assert all(far[f"FSGD, {name}"] for name in names)
    assert not any(holds(make_table(relu=(2, 2)), published, 0).values())
    assert all(holds(make_table(), published, 1).values())


@pytest.mark.parametrize(
    ("kernel", "label"), [("svm_linear", "linear kernel"), ("svm_rbf", "Gaussian kernel")]
)
def test_each_kernel_is_a_rival_of_its_own(kernel, label, published):
    """A machine that errs as often as FSGD is not beaten by it, and SGD beats it by one post."""
    found = holds(make_table(**{kernel: (6, 0)}), published, 1)
    assert len(found) == 2 * 2 * len(DIVISIONS)
    for aspect, good in found.items():
        assert good is not (aspect.startswith("FSGD") and aspect.endswith(f", {label}"))


def test_a_tie_is_no_win_whatever_its_rounding_error(published):
    """Differences of +1, 0 and -1 posts, whose mean in percent is -6e-17 without rounding."""
    table = make_table(fsgd=(11, 14))
    rival = (table["classifier"] == "svm_rbf") & (table["division"] == "shuffled")
    for seed, posts in ((0, 9), (1, 11), (2, 13)):
        table.loc[rival & (table["seed"] == seed), "test_error_percent"] = 100 * posts / 247
    table["test_error_percent"] = table["test_error_percent"].round(7) - 1e-9 * table["seed"] * (
        table["classifier"] == "fsgd"
    )
    check = newsgroups.REGISTRY.checks[RESULT, 1]
    evidence = Evidence({RESULT: table}, published.entry(RESULT), published, True)
    found = {outcome.aspect: outcome for outcome in check(evidence)}
    tie = found["FSGD, 7 : 1 shuffled, Gaussian kernel"]
    assert tie.reproduced == 0.0 and not tie.holds and not tie.decided
    # One post more or less is an interval of t(0.975, 2) / sqrt(3) posts, in points.
    assert tie.ci_high == pytest.approx(100 / 247 * 4.302653 / 3**0.5, rel=1e-6)


def test_wrong_numbers_differ_and_are_explained(published):
    table = judged(make_table(svm_linear=(17, 0)), published)
    wrong = table[table["verdict"] == vd.DIFFERS]
    assert len(wrong) == 3 and wrong["check"].str.startswith("value:SVM, linear: test").all()
    for row in wrong.itertuples():
        text = explain(newsgroups.EXPLANATIONS, RESULT, row.check, row.protocol)
        assert ("0.40 %" in text) is (row.protocol == "as_published")


def test_each_difference_has_the_explanation_of_its_own_cause(published):
    """FSGD far from the network: in the order of the file because the others get worse late."""
    table = judged(make_table(relu=(12, 2)), published)
    wrong = table[(table["verdict"] == vd.DIFFERS) & table["check"].str.startswith("expect:0 FSGD")]
    assert len(wrong) == 3
    in_order = wrong["check"].str.endswith("order of the file")
    for note, is_in_order in zip(wrong["note"], in_order, strict=True):
        assert ("get worse on these test posts" in note) is is_in_order
        assert ("no number of epochs gives both" in note) is not is_in_order


def test_a_kernel_that_is_not_beaten_is_explained(published):
    table = judged(make_table(svm_rbf=(4, 9)), published)
    wrong = table[table["verdict"] == vd.DIFFERS]
    statements = wrong[wrong["check"].str.startswith("expect:1")]
    assert len(statements) == 2 * len(DIVISIONS)
    assert statements["note"].str.contains("unlikely to be the machine of the table").all()
    trained = wrong[wrong["check"].str.contains("Gaussian kernel: training error")]
    assert len(trained) == len(DIVISIONS)
    assert trained["note"].str.contains("default regularisation").all()


def test_what_no_random_stream_enters_has_no_interval_of_seeds(published):
    table = judged(make_table(), published)
    numbers = table[table["check"].str.startswith("value:")]
    fixed = numbers["check"].str.contains("SVM") & numbers["check"].str.endswith(
        "order of the file"
    )
    assert fixed.sum() == 4
    assert (numbers.loc[fixed, "n_seeds"] == 0).all() and (numbers[~fixed]["n_seeds"] == 3).all()
    assert numbers.loc[fixed, "ci_low"].isna().all()
    assert not numbers.loc[fixed, "note"].str.contains("interval").any()
    # 12 of 247 posts are as near to 4.82 % as this division gets; 13 are not.
    more = judged(make_table(svm_linear=(13, 0)), published)
    far = more[more["check"] == "value:SVM, linear: test error, 7 : 1 in the order of the file"]
    assert far["verdict"].item() == vd.DIFFERS
    broken = make_table()
    broken.loc[(broken["classifier"] == "svm_rbf") & (broken["seed"] == 1), ERRORS] += 1.0
    with pytest.raises(StudyError, match="the same for every seed, but its rows differ"):
        judged(broken, published)


def test_the_stand_in_says_nothing_about_newsgroups(published):
    table = judged(make_table(newsgroups.NO_NEWSGROUPS, svm_linear=(2, 0)), published, "demo")
    assert set(table["verdict"]) == {vd.NOT_COMPARABLE}
