"""Tests that the claims of every part share: each holds on good tables and fails on spoilt ones.

A part's ``synthetic.py`` makes tables in which every published statement and number holds, and says
for every statement how to spoil them. Its ``test_claims.py`` names both in a subclass, and pytest
collects the tests below for it::

    class TestClaims(ClaimsTests):
        document, part = "thuesen2022", "neurons"
        good_tables = staticmethod(synthetic.good_tables)
        spoils = synthetic.SPOILS
        shifts = synthetic.SHIFTS
"""

from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence, Outcome
from plausible.reproduction.published import Published, load_published, result_name
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.theorem_checks import COLUMNS

PUBLISHED = Path(__file__).resolve().parents[2] / "workflow" / "published"
Tables = MutableMapping[str, pd.DataFrame]


class Spoil(NamedTuple):
    """A change of the good tables under which a statement must fail."""

    result: str
    statement: str
    what: str
    spoil: Callable[[Tables], None]


class ClaimsTests:
    """Tests of all claims of a part."""

    document: ClassVar[str]
    part: ClassVar[str]
    good_tables: ClassVar[Callable[[Published], dict[str, pd.DataFrame]]]
    spoils: ClassVar[tuple[Spoil, ...]] = ()
    shifts: ClassVar[Mapping[str, Callable[[Tables], None]]] = {}
    """Change under which every number of a result differs, by result."""
    unchanged: ClassVar[frozenset[str]] = frozenset()
    """Places of numbers that no shift reaches."""

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls) -> Published:
        """What the document published in this part."""
        return load_published(PUBLISHED / cls.document, [cls.part])

    @pytest.fixture(scope="class")
    @classmethod
    def all_good(cls, published) -> dict[str, pd.DataFrame]:
        """Tables in which every statement holds, theorems included."""
        return {**cls.good_tables(published), "theorems": theorems(published)}

    @pytest.fixture
    def tables(self, all_good) -> dict[str, pd.DataFrame]:
        """The same, to be spoilt."""
        return {name: table.copy() for name, table in all_good.items()}

    @pytest.fixture(scope="class")
    @classmethod
    def good(cls, published, all_good) -> pd.DataFrame:
        """Verdicts on the good tables."""
        return vd.verdict_table(cls.document, all_good, "paper", published)

    def pytest_generate_tests(self, metafunc):
        """One test for each way to spoil a statement, and each result with numbers."""
        if "one" in metafunc.fixturenames:
            names = [f"{one.result}: {one.statement}, {one.what}" for one in self.spoils]
            metafunc.parametrize("one", self.spoils, ids=names)
        if "shifted" in metafunc.fixturenames:
            metafunc.parametrize("shifted", sorted(self.shifts))

    @classmethod
    def claims(cls) -> set[str]:
        """Names of the functions in the claims of the part."""
        return set(vd.claims_of(cls.document, cls.part))

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        judged = good[good["verdict"] != vd.ILLUSTRATION]
        wrong = judged[judged["verdict"] != vd.REPRODUCED]
        assert wrong.empty, wrong[["id", "check", "protocol", "reproduced", "note"]].to_string()

    def test_every_statement_and_number_is_judged_or_left_out(self, good, published):
        assert list(dict.fromkeys(good["id"])) == list(published.entries)
        rows = set(zip(good["id"], good["check"], strict=True))
        for name, entry in published.entries.items():
            assert {(name, statement["id"]) for statement in entry["expect"]} <= rows
        assert not good.duplicated(["id", "check", "variant", "protocol"]).any()
        assert not vd.not_judged(published, good, load_reasons(self.document, [self.part]))

    def test_each_statement_fails_where_it_must(self, tables, published, one: Spoil):
        one.spoil(tables)
        for full_scale in (False, True):
            evidence = Evidence(tables, published.entry(one.result), published, full_scale)
            check = vd.claims_of(self.document, self.part)[one.statement].load()
            failing: list[Outcome] = [each for each in check(evidence) if not each.holds]
            assert failing
            assert all(outcome.decided for outcome in failing)

    def test_every_statement_is_spoilt(self, published):
        claims = self.claims()
        wanted = {
            (result_name(name), statement["id"])
            for name, entry in published.entries.items()
            for statement in entry["expect"]
            if statement["id"] in claims
        }
        assert {(one.result, one.statement) for one in self.spoils} == wanted

    def test_every_number_differs_where_it_must(self, tables, published, shifted):
        self.shifts[shifted](tables)
        verdicts = vd.verdict_table(self.document, tables, "paper", published)
        rows = verdicts[verdicts["id"] == f"{self.document}.{shifted}"]
        rows = rows[rows["check"].str.startswith("value:")]
        rows = rows[~rows["check"].str.removeprefix("value:").isin(self.unchanged)]
        assert len(rows)
        for row in rows.itertuples():
            assert row.verdict == vd.DIFFERS, row

    def test_every_result_with_numbers_is_shifted(self):
        numbers = {name for name in self.claims() if name.startswith("numbers_of_")}
        assert {f"numbers_of_{result.replace('.', '_')}" for result in self.shifts} == numbers

    def test_reasons_name_what_is_there(self, published):
        reasons = load_reasons(self.document, [self.part])
        rows = [row for difference in reasons.differences for row in difference.rows]
        rows += [row for cause in reasons.causes for row in cause.needs]
        for row in rows:
            statements = {statement["id"] for statement in published.entry(row.result)["expect"]}
            check = row.check or "value:"
            assert check.startswith("value:") or check in statements, row
        for left_out in reasons.not_compared:
            assert left_out.place.split(".")[0] in published.values(left_out.result), left_out


def theorems(published: Published) -> pd.DataFrame:
    """Made-up table of theorems in which every statement of a theorem holds."""
    rows = [
        (name, statement["id"], statement["test"], "corrected", seed, 1e-13, 1e-10, "<=")
        for name, entry in published.entries.items()
        if entry["kind"] == "theorem"
        for statement in entry["expect"]
        for seed in range(3)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def change(name: str, condition, column: str, update) -> Callable[[Tables], None]:
    """A spoiler: set ``column`` of the rows of table ``name`` that satisfy ``condition``."""

    def spoil(tables: Tables) -> None:
        frame = tables[name] = tables[name].copy()
        rows = condition(frame)
        assert rows.any(), "a spoiler must change something"
        if not isinstance(update, str | bool):
            frame[column] = frame[column].astype(float)
        frame.loc[rows, column] = update(frame.loc[rows, column]) if callable(update) else update

    return spoil


def drop_rows(name: str, condition) -> Callable[[Tables], None]:
    """A spoiler: remove the rows of table ``name`` that satisfy ``condition``."""

    def spoil(tables: Tables) -> None:
        rows = condition(tables[name])
        assert rows.any(), "a spoiler must change something"
        tables[name] = tables[name][~rows]

    return spoil


def scale(name: str, column: str, factor: float) -> Callable[[Tables], None]:
    """A shift: multiply a whole column."""
    return change(name, lambda table: table[column].notna(), column, lambda x: factor * x)
