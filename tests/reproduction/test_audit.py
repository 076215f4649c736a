"""The audit of verdicts, on a made-up document with a check that can fail and one that cannot."""

import pandas as pd
import pytest

from plausible.reproduction import audit
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Measured, Number, paired_difference
from plausible.reproduction.published import Published

ENTRY = {
    "id": "doc.table1",
    "kind": "table",
    "title": "t",
    "needs": ["none"],
    "reproducible": "full",
    "values": {"rows": [{"id": "sgd", "error": 3.0}, {"id": "adam", "error": 2.0}]},
    "resolutions": [{"places": ["rows.*"], "resolution": 0.2, "because": "b"}],
    "expect": [
        {"id": "adam_is_better", "test": "adam is better", "op": "<", "bound": 0.0, "because": "b"}
    ],
}
SLACK = {
    **ENTRY,
    "id": "doc.claim",
    "values": {},
    "resolutions": [],
    "expect": [{"id": "cheap", "test": "it is cheap", "op": "<", "bound": 1e9, "because": "b"}],
}
PUBLISHED = Published(
    "doc",
    {},
    (),
    {one["id"]: one for one in (ENTRY, SLACK)},
    dict.fromkeys(["doc.table1", "doc.claim"], "one"),
)
TABLES = {
    "table1": pd.DataFrame(
        {
            "method": ["sgd"] * 3 + ["adam"] * 3,
            "seed": [0, 1, 2] * 2,
            "error": [3.0, 3.01, 2.99, 2.0, 2.01, 1.99],
            "unread": [0.1] * 6,
        }
    ),
    "costs": pd.DataFrame(
        {"method": ["a"] * 2 + ["b"] * 2, "seed": [0, 1] * 2, "cost": [1.0, 1.1, 2.0, 2.1]}
    ),
}


def adam_is_better(evidence):
    frame = evidence.table("table1")
    return [Measured("", tuple(paired_difference(frame, "error", "method", "adam", "sgd")))]


def numbers_of_table1(evidence):
    frame = evidence.table("table1")
    return [
        Number(f"rows.{method}.error", "", tuple(rows["error"]))
        for method, rows in frame.groupby("method", sort=False)
    ]


def cheap(evidence):
    frame = evidence.table("costs")
    return [Measured("", tuple(frame.loc[frame["method"] == "a", "cost"]))]


class _Place:
    module = "doc.one.claims"

    def __init__(self, function):
        self.load = lambda: function


@pytest.fixture
def audited(monkeypatch):
    functions = (adam_is_better, numbers_of_table1, cheap)
    places = {one.__name__: _Place(one) for one in functions}
    monkeypatch.setattr(vd, "claims_of", lambda document, part: places)
    return audit.audit("doc", TABLES, PUBLISHED)


@pytest.fixture
def table(audited):
    return audited[0]


def test_what_is_corrupted(table):
    """Measured columns that a check reads; names only where a row is still there to be lost."""
    assert list(table.columns) == list(audit.COLUMNS)
    assert set(zip(table["table"], table["column"], strict=True)) == {
        ("table1", "error"),
        ("costs", "cost"),
        ("costs", "method"),
        ("costs", ""),
    }
    kinds = table.loc[table["table"] == "table1", "corruption"]
    for kind in ("scale by -1", "shift by +", "shift by -", "double seed 2", "copy", "swap"):
        assert kinds.str.startswith(kind).any(), kind
    for kind in ("reverse", "add 1", "scale by 10 in method sgd", "same in seeds 0 and 2"):
        assert (kinds == kind).any(), kind


def test_columns_of_places_and_of_names():
    table = pd.DataFrame({"layer": [0, 1, 2], "name": list("abc"), "x": [0.5, 1.5, 2.5]})
    found = {one.text(): changed for one, changed in audit._of_names(table, "t", table.columns)}
    assert list(found) == [
        "every row ten times",
        "layer: add 1",
        "name: move by one row",
        "name: reverse",
    ]
    assert len(found["every row ten times"]) == 30
    assert list(found["layer: add 1"]["layer"]) == [1, 2, 3]
    assert list(found["name: move by one row"]["name"]) == list("cab")


def test_groups_of_unequal_size_are_copied_by_their_mean():
    table = pd.DataFrame({"method": list("aab"), "x": [1.0, 3.0, 7.0]})
    assert list(audit._copied(table, "x", "method", "a", "b")) == [1.0, 3.0, 2.0]
    assert list(audit._copied(table, "x", "method", "b", "a")) == [7.0, 7.0, 7.0]


def test_numbers_that_are_carried_away_are_noticed(table):
    beyond = table[table["beyond"]]
    assert len(beyond) >= 6 and set(beyond["table"]) == {"table1"}
    assert audit.noticed_share(table) == 1.0
    assert not table.loc[table["corruption"] == "same in seeds 0 and 2", "beyond"].any()


def test_a_check_that_cannot_fail_is_found(audited):
    """Its bound is a million times what is measured; the others are lost by many corruptions."""
    corruptions, rows = audited
    assert list(rows.columns) == list(audit.ROW_COLUMNS)
    rows = rows.set_index("check")
    assert rows.loc["cheap", "lost_by"] == 0
    assert (rows.drop(index="cheap")["lost_by"] > 3).all() and len(rows) == 4
    assert audit.lost_share(rows) == 0.75
    assert "4 reproduced rows, 75.0 % lost" in audit.summary("doc", *audited)


def test_what_can_no_longer_be_judged_is_lost(audited):
    judge = audit.Judge("doc", TABLES, PUBLISHED)
    found = judge.again("table1", TABLES["table1"].drop(columns="error"))
    assert found is None or len(judge.flipped(found)) >= 1


def test_a_crash_is_no_number_beyond_its_resolution(audited):
    judge = audit.Judge("doc", TABLES, PUBLISHED)
    row = audit._judged(judge, audit.Corruption("table1", "error", "negate"), None, [])
    assert row["noticed"] and not row["beyond"] and row["flips"] == -1
