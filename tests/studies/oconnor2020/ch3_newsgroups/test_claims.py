"""Every check on table 3.1, on tables that pass and on tables that fail."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.reasons import load_reasons
from plausible.studies.oconnor2020.ch3_newsgroups import claims
from plausible.studies.oconnor2020.ch3_newsgroups.tables import ERRORS

from ...part_results import published_of
from .synthetic import DIVISIONS, make_table

PART, RESULT = "ch3_newsgroups", claims.RESULT
REASONS = load_reasons("oconnor2020", [PART])
AS_GOOD, BETTER = claims.as_good_as_the_network, claims.better_than_the_machine


@pytest.fixture(scope="module")
def published():
    return published_of(f"oconnor2020.{PART}")


def judged(table, published, scale="paper"):
    return vd.verdict_table("oconnor2020", {RESULT: table}, scale, published)


def outcomes(check, table, published):
    evidence = Evidence({RESULT: table}, published.entry(RESULT), published, True)
    return {outcome.variant: outcome for outcome in check(evidence)}


def holds(check, table, published):
    found = outcomes(check, table, published)
    return {variant: outcome.holds for variant, outcome in found.items()}


def test_everything_is_reproduced_by_the_good_table(published):
    table = judged(make_table(), published)
    assert set(table["verdict"]) == {vd.REPRODUCED}
    # One statement for two rules, one for two rules and two kernels, ten numbers; three divisions.
    assert len(table) == 3 * (2 + 2 * 2 + 10)
    assert not table.duplicated(["id", "check", "variant", "protocol"]).any()
    assert set(table["protocol"]) == {"as_published", "corrected"}
    test = table[table["check"] == "value:rows.svm.test_error_percent"]
    test = test[test["variant"] == "svm_linear, shuffled_4to1"]
    assert test["published"].item() == 4.82
    assert test["reproduced"].item() == pytest.approx(100 * 12 / 247)
    assert vd.not_judged(published, table, REASONS) == []


def test_each_statement_fails_where_it_must(published):
    far = holds(AS_GOOD, make_table(sgd=(9, 14)), published)
    assert far == {
        f"{rule}, {name}": rule == "fsgd" for name in DIVISIONS for rule in ("sgd", "fsgd")
    }
    assert not any(holds(AS_GOOD, make_table(relu=(2, 2)), published).values())
    assert all(holds(BETTER, make_table(), published).values())


@pytest.mark.parametrize("kernel", ["svm_linear", "svm_rbf"])
def test_each_kernel_is_a_rival_of_its_own(kernel, published):
    """A machine that errs as often as FSGD is not beaten by it, and SGD beats it by one post."""
    found = holds(BETTER, make_table(**{kernel: (6, 0)}), published)
    assert len(found) == 2 * 2 * len(DIVISIONS)
    for variant, good in found.items():
        assert good is not (variant.startswith("fsgd") and variant.endswith(f", {kernel}"))


def test_a_tie_is_no_win_whatever_its_rounding_error(published):
    """Differences of +1, 0 and -1 posts, whose mean in percent is -6e-17 without rounding."""
    table = make_table(fsgd=(11, 14))
    rival = (table["classifier"] == "svm_rbf") & (table["division"] == "shuffled")
    for seed, posts in ((0, 9), (1, 11), (2, 13)):
        table.loc[rival & (table["seed"] == seed), "test_error_percent"] = 100 * posts / 247
    table["test_error_percent"] = table["test_error_percent"].round(7) - 1e-9 * table["seed"] * (
        table["classifier"] == "fsgd"
    )
    tie = outcomes(BETTER, table, published)["fsgd, shuffled, svm_rbf"]
    assert tie.reproduced == 0.0 and not tie.holds and not tie.decided
    # One post more or less is an interval of t(0.975, 2) / sqrt(3) posts, in points.
    assert tie.ci_high == pytest.approx(100 / 247 * 4.302653 / 3**0.5, rel=1e-6)


def test_wrong_numbers_differ_and_are_explained(published):
    table = judged(make_table(svm_linear=(17, 0)), published)
    wrong = table[table["verdict"] == vd.DIFFERS]
    assert len(wrong) == 3 and set(wrong["check"]) == {"value:rows.svm.test_error_percent"}
    assert wrong["variant"].str.startswith("svm_linear").all()
    for row in wrong.itertuples():
        assert ("0.40 %" in row.note) is (row.protocol == "as_published")


def test_each_difference_has_the_explanation_of_its_own_cause(published):
    """FSGD far from the network: in the order of the file because the others get worse late."""
    table = judged(make_table(relu=(12, 2)), published)
    wrong = table[(table["verdict"] == vd.DIFFERS) & (table["check"] == AS_GOOD.__name__)]
    wrong = wrong[wrong["variant"].str.startswith("fsgd")]
    assert len(wrong) == 3
    for note, variant in zip(wrong["note"], wrong["variant"], strict=True):
        in_order = variant.endswith("file_order")
        assert ("get worse on these test posts" in note) is in_order
        assert ("no number of epochs gives both" in note) is not in_order


def test_a_kernel_that_is_not_beaten_is_explained(published):
    table = judged(make_table(svm_rbf=(4, 9)), published)
    wrong = table[table["verdict"] == vd.DIFFERS]
    statements = wrong[wrong["check"] == BETTER.__name__]
    assert len(statements) == 2 * len(DIVISIONS)
    assert statements["note"].str.contains("unlikely to be the machine of the table").all()
    trained = wrong[wrong["check"] == "value:rows.svm.training_error_percent"]
    trained = trained[trained["variant"].str.startswith("svm_rbf")]
    assert len(trained) == len(DIVISIONS)
    assert trained["note"].str.contains("default regularisation").all()


def test_what_no_random_stream_enters_has_no_interval_of_seeds(published):
    table = judged(make_table(), published)
    numbers = table[table["check"].str.startswith("value:")]
    fixed = numbers["variant"].isin(["svm_linear, file_order", "svm_rbf, file_order"])
    assert fixed.sum() == 4
    assert (numbers.loc[fixed, "n_seeds"] == 0).all() and (numbers[~fixed]["n_seeds"] == 3).all()
    assert numbers.loc[fixed, "ci_low"].isna().all()
    assert not numbers.loc[fixed, "note"].str.contains("interval").any()
    # 12 of 247 posts are as near to 4.82 % as this division gets; 13 are not.
    more = judged(make_table(svm_linear=(13, 0)), published)
    far = more[more["check"] == "value:rows.svm.test_error_percent"].set_index("variant")
    assert far["verdict"]["svm_linear, file_order"] == vd.DIFFERS
    broken = make_table()
    wrong = (broken["classifier"] == "svm_rbf") & (broken["seed"] == 1)
    broken.loc[wrong, list(ERRORS)] += 1.0
    with pytest.raises(StudyError, match="the same for every seed, but its rows differ"):
        judged(broken, published)


def test_the_stand_in_says_nothing_about_newsgroups(published):
    table = judged(make_table(claims.NO_NEWSGROUPS, svm_linear=(2, 0)), published, "demo")
    assert set(table["verdict"]) == {vd.NOT_COMPARABLE}
