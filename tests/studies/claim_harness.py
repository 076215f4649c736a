"""The tests of a part's claims, the same for every part.

A part's ``test_claims.py`` derives a class from `ClaimTests` that names the part, the tables in
which every statement holds, and for each statement at least one spoilt table in which it does not.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import Published
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS

from .part_results import functions_of, published_of, results_of

Tables = dict[str, pd.DataFrame]


class Spoil(NamedTuple):
    """A change of good tables after which a statement must fail."""

    result: str
    statement: str
    what: str
    spoil: Callable[[Tables], Tables]


def value_that_holds(op: str, bound: float | list[float]) -> float:
    """A value that respects a bound, well away from it."""
    if op == "within":
        return sum(bound) / 2.0
    if op.startswith("abs"):
        return 0.0
    size = max(1.0, abs(bound))
    return bound + {"<": -size, "<=": -size, ">": size, ">=": size, "==": 0.0}[op]


def theorem_rows(part: str, published: Published) -> pd.DataFrame:
    """A table of theorems in which every statement holds, and every control fails."""
    rows = []
    for result in functions_of(part, "theorem"):
        entry = published.entry(result)
        measured = [(one["id"], "", one) for one in entry["expect"] if "op" in one]
        measured += [(one["statement"], one["id"], one) for one in entry.get("controls", ())]
        rows += [
            (entry["id"], check, "", control, "deviation", "corrected", seed, value)
            for check, control, declared in measured
            for value in [value_that_holds(declared["op"], declared["bound"])]
            for seed in (0, 1, 2)
        ]
    return pd.DataFrame(rows, columns=list(THEOREM_COLUMNS)).astype({"deviation": float})


class ClaimTests:
    """Every entry is judged, by tables in which all holds and by some in which something fails."""

    part: ClassVar[str]
    """``<document>.<part>``."""
    good_tables: ClassVar[Callable[[], Tables]]
    """Tables of the part's own results, by their names, in which every statement holds."""
    spoils: ClassVar[list[Spoil]]
    scale: ClassVar[str] = "demo"
    """Scale of the good tables: published numbers that need a data set are those of ``paper``."""

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls) -> Published:
        """What the document published in the part."""
        return published_of(cls.part)

    @pytest.fixture(scope="class")
    @classmethod
    def tables(cls, published) -> Tables:
        """Good tables, with that of the theorems."""
        return {"theorems": theorem_rows(cls.part, published), **cls.good_tables()}

    @classmethod
    def judged(cls, tables: Tables, published: Published, scale: str = "") -> pd.DataFrame:
        """Verdicts on the entries of the part."""
        return vd.verdict_table(cls.part.split(".")[0], tables, scale or cls.scale, published)

    @pytest.fixture(scope="class")
    @classmethod
    def good(cls, tables, published) -> pd.DataFrame:
        """Verdicts of the good tables."""
        return cls.judged(tables, published)

    @classmethod
    def claims(cls) -> Mapping[str, vd.Place]:
        """Functions in the claims of the part."""
        return vd.claims_of(*cls.part.split("."))

    @classmethod
    def verdicts_on(
        cls, tables: Tables, published: Published, result: str, statement: str
    ) -> list[str]:
        """Verdicts on one statement, one for each finding."""
        evidence = Evidence(tables, published.entry(result), published, True)
        declared = next(one for one in evidence.entry["expect"] if one["id"] == statement)
        return [
            vd._statement_row(evidence, declared, finding)["verdict"]
            for finding in vd._findings(evidence, cls.claims(), statement)
        ]

    def pytest_generate_tests(self, metafunc):
        """One test for each spoilt table."""
        if "spoilt" in metafunc.fixturenames:
            names = [f"{one.statement}: {one.what}" for one in self.spoils]
            metafunc.parametrize("spoilt", self.spoils, ids=names)

    def test_every_entry_is_a_result_and_has_a_verdict(self, good, published):
        """Each statement of each entry, and nothing twice."""
        results = {
            name
            for name in results_of(self.part)
            if not name.startswith("beyond.") and "same_as" not in published.entry(name)
        }
        judged = {
            vd.result_name(name)
            for name, entry in published.entries.items()
            if entry["reproducible"] == "full" and "same_as" not in entry
        }
        assert results == judged
        found = set(zip(good["id"], good["check"], strict=True))
        stated = {
            (name, one["id"])
            for name, entry in published.entries.items()
            for one in entry["expect"]
            if "shown_only" not in one
        }
        assert stated <= found, stated - found
        assert not good.duplicated(["id", "check", "variant", "protocol"]).any()

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        """But for what is no result, or needs data that are not to be had."""
        wrong = good[~good["verdict"].isin([vd.REPRODUCED, vd.ILLUSTRATION, vd.NEEDS_DATA])]
        assert wrong.empty, wrong[["id", "check", "protocol", "reproduced", "note"]].to_string()

    def test_every_number_has_a_verdict_or_a_reason(self, good, published):
        """A published number that nothing compares has no resolution, for a stated reason."""
        assert vd.not_judged(published, good) == []

    def test_every_reason_names_what_is_there(self, published):
        """Entries and statements of the reasons exist."""
        document, part = self.part.split(".")
        reasons = load_reasons(document, [part])
        rows = [row for one in reasons.differences for row in one.rows]
        rows += [row for cause in reasons.causes for row in cause.needs]
        for row in rows:
            if f"{document}.{row.result}" in published.omitted:  # of another part
                continue
            statements = {one["id"] for one in published.entry(row.result)["expect"]}
            number = (row.check or "value:").startswith(("value:", "cells:"))
            assert number or row.check in statements, row

    def test_a_spoilt_table_fails(self, tables, published, spoilt):
        """And the good one does not."""
        result, statement, _, spoil = spoilt
        assert set(self.verdicts_on(tables, published, result, statement)) == {vd.REPRODUCED}
        assert vd.DIFFERS in self.verdicts_on(spoil(dict(tables)), published, result, statement)

    def test_every_claim_has_a_table_that_fails(self, published):
        """Statements that have a function of their own; theorems are spoilt by their own tests."""
        own = {
            (vd.result_name(name), one["id"])
            for name, entry in published.entries.items()
            if entry["reproducible"] == "full"
            for one in entry["expect"]
            if one["id"] in self.claims()
        }
        assert own <= {(one.result, one.statement) for one in self.spoils}
