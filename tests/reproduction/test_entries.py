"""One verdict for each entry of a made-up document."""

import pytest

from plausible.reproduction import entries as en
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Measured, Number

from .made_up_document import FALLS, GOOD, HIGH, LOW, TABLE, WIDE, entry, protocols, statement


@pytest.mark.parametrize(
    ("found", "verdict", "protocol"),
    [
        ({"as_published": LOW, "corrected": LOW}, "holds as published", "as_published"),
        ({"as_published": HIGH, "as_coded": LOW}, "holds as coded", "as_coded"),
        ({"as_published": WIDE, "corrected": LOW}, "holds after correction", "corrected"),
        ({"as_published": HIGH, "calibrated": LOW}, "holds after calibration", "calibrated"),
        ({"as_published": HIGH, "corrected": HIGH}, "does not hold", "as_published"),
        ({"as_published": HIGH, "corrected": WIDE}, "undecided", "corrected"),
        ({"": LOW}, "holds as published", "as_published"),
    ],
)
def test_one_verdict_for_an_entry(judge, found, verdict, protocol):
    rows = judge(entry("claim"), claims=protocols(**found))
    (row,) = en.entry_verdicts(rows, judge.published).to_dict("records")
    assert (row["verdict"], row["protocol"]) == (verdict, protocol)
    assert verdict in en.ENTRY_VERDICTS


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((-1.0, -1.01, -0.99), "holds after correction"),
        ((-1.0, 0.1, 1.5), "undecided"),
        ((1.0, 1.01, 0.99), "does not hold"),
    ],
)
def test_one_variant_is_enough_for_an_entry(judge, found, verdict):
    others = [Measured("corrected", (1.0, 1.01, 0.99), variant=name) for name in ("a", "b")]
    tried = entry("claim", expect=[statement(one_is_enough=3)])
    rows = judge(tried, claims={"falls": [*others, Measured("corrected", found, variant="c")]})
    (row,) = en.entry_verdicts(rows, judge.published).to_dict("records")
    assert row["verdict"] == verdict and len(rows) == 3
    assert row["reproduced"] + row["differs"] + row["undecided"] == 1


def test_variants_set_aside_are_told_also_where_a_statement_is_repeated(judge):
    found = [
        Measured("corrected", (1.0, 1.01, 0.99), variant="a"),
        Measured("corrected", (-1.0, -1.01, -0.99), variant="b"),
    ]
    tried = entry("claim", expect=[statement(one_is_enough=2)])
    again = {"id": "again", "test": "falls", "duplicate_of": "doc.claim: falls"}
    rows = judge(tried, entry("other", expect=[again]), claims={"falls": found})
    for row in en.entry_verdicts(rows, judge.published).to_dict("records"):
        assert row["verdict"] == "holds after correction" and row["differs"] == 0
        assert "; one variant is enough, others are not reproduced: “" in row["sentence"]
        assert row["sentence"].count("“") == 1


def test_a_statement_that_an_entry_repeats_counts_once(judge):
    again = {"id": "again", "test": "falls", "duplicate_of": "doc.claim: falls"}
    twice = entry("claim", expect=[statement(), again])
    rows = judge(twice, claims=FALLS)
    (row,) = en.entry_verdicts(rows, judge.published).to_dict("records")
    assert len(rows) == 2 and row["reproduced"] == 1
    also = again | {"id": "also"}
    rows = judge(entry("claim"), entry("other", expect=[again, also]), claims=FALLS)
    assert list(en.entry_verdicts(rows, judge.published)["reproduced"]) == [1, 1]


def test_an_entry_that_holds_in_part(judge):
    claims = GOOD | {
        "numbers_of_table1": [
            Number("rows.a.error_percent", "corrected", (2.0, 2.1, 1.9)),
            Number("rows.b.error_percent", "corrected", (7.0, 7.1, 6.9)),
        ]
    }
    rows = judge(TABLE, claims=claims)
    (row,) = en.entry_verdicts(rows, judge.published).to_dict("records")
    assert row["verdict"] == "holds in part" and (row["reproduced"], row["differs"]) == (2, 1)
    assert row["sentence"] == (
        "2 of 3 numbers and statements are reproduced after correction; "
        "differs: “b: error in percent” (7, published 5)"
    )


@pytest.mark.parametrize(("apart", "share"), [(3.0, 1.0), (0.4, 0.0), (0.6, 0.5)])
def test_a_table_says_how_well_it_tells_its_rows_apart(judge, apart, share):
    """Published are 2 and 2 + apart, each to 0.5; in the last case one of ours passes for both."""
    rows = [{"id": "a", "error_percent": 2.0}, {"id": "b", "error_percent": 2.0 + apart}]
    table = {**TABLE, "values": {"rows": rows, "n": 3}}
    ours = 2.0 + (apart if apart != 0.6 else 0.5)
    claims = GOOD | {
        "numbers_of_table1": [
            Number("rows.a.error_percent", "corrected", (2.0, 2.0)),
            Number("rows.b.error_percent", "corrected", (ours, ours)),
        ]
    }
    rows = judge(table, claims=claims)
    assert en.entry_verdicts(rows, judge.published)["discrimination"].iloc[0] == share


def test_a_protocol_that_lacks_a_statement_does_not_carry_the_entry(judge):
    """A number that only the corrected form gives is not reproduced as published."""
    claims = GOOD | {"falls": [Measured("as_published", LOW), Measured("corrected", LOW)]}
    rows = judge(TABLE, claims=claims)
    entries = en.entry_verdicts(rows, judge.published)
    assert list(entries["verdict"]) == ["holds after correction"]


def test_an_entry_whose_numbers_wait_for_another_scale_does_not_hold_yet(judge):
    """What is left could still differ; a difference that is found counts all the same."""
    table = {**TABLE, "needs": ["mnist"]}
    for values, verdict in ((LOW, vd.NOT_COMPARABLE), (HIGH, "does not hold")):
        claims = GOOD | {"falls": [Measured("corrected", values)]}
        rows = judge(table, claims=claims, scale="demo")
        (row,) = en.entry_verdicts(rows, judge.published).to_dict("records")
        assert row["verdict"] == verdict and "2 not comparable" in row["sentence"]


def test_parts_that_hold_in_different_protocols_are_no_whole(judge):
    two = entry("claim", expect=[statement(), statement("rises", op=">")])
    claims = {"falls": [Measured("as_coded", LOW)], "rises": [Measured("corrected", HIGH)]}
    rows = judge(two, claims=claims)
    assert set(rows["verdict"]) == {vd.REPRODUCED}
    assert list(en.entry_verdicts(rows, judge.published)["verdict"]) == ["holds in part"]
