"""Tests that every part with theorems shares: each statement is measured, holds, and can fail.

A part's ``test_theorems.py`` says in a subclass which part it is, and pytest collects the tests
below for it::

    class TestTheorems(TheoremTests):
        document, part = "thuesen2022", "neurons"
        settings = {"poisson_neurons": 30, ...}
        deviating = {("eq38.soft_rate", "tends_to_the_hard_rate", "as_published")}
        falsified = (
            Falsified("eq38.soft_rate", "tends_to_the_hard_rate", theorems, "soft_rate", wrong),
        )
"""

from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import pandas as pd
import pytest

from plausible.data.registry import prepare
from plausible.reproduction.declaration import settings_model
from plausible.reproduction.judging import REPRODUCED, judge_quantity
from plausible.reproduction.parts import place
from plausible.reproduction.published import load_published
from plausible.reproduction.study_files import THEOREMS
from plausible.reproduction.theorem_checks import Check, theorem_table
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS
from plausible.reproduction.verdicts import claims_of
from plausible.settings import read_settings
from plausible.yaml_files import read_yaml

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
digits = cache(lambda: prepare("digits"))
published = cache(lambda document, part: load_published(WORKFLOW / "published" / document, [part]))


class Falsified(NamedTuple):
    """A wrong implementation under which a statement must fail."""

    result: str
    statement: str
    module: ModuleType
    attribute: str
    wrong: Any
    """What stands in the place of ``module.attribute``."""
    protocol: str = "corrected"


class TheoremTests:
    """Tests of all theorems of a part."""

    document: ClassVar[str]
    part: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings of the part's section ``theorems``, small enough to be quick."""
    seeds: ClassVar[tuple[int, ...]] = (0, 1)
    deviating: ClassVar[set[tuple[str, str, str]]] = set()
    """Result, statement and protocol of the rows that need not hold and do not."""
    readings: ClassVar[set[str]] = set()
    """Results that text and code state in two ways, of which neither is the corrected one."""
    wrong: ClassVar[set[tuple[str, str]]] = set()
    """Statements, by result and id, that no correction saves."""
    falsified: ClassVar[tuple[Falsified, ...]] = ()

    @classmethod
    def functions(cls) -> dict[str, Callable[..., list[Check]]]:
        """Function of every theorem of the part, by the name of its result."""
        declared = read_yaml(WORKFLOW / "studies" / cls.document / f"{cls.part}.yaml")["results"]
        return {
            result: place(cls.document, cls.part, THEOREMS, entry["theorem"], result).load()
            for result, entry in declared.items()
            if "theorem" in entry
        }

    @classmethod
    def record(cls) -> Any:
        """The settings as a record of their type."""
        model = settings_model(cls.document, cls.part, THEOREMS)
        return read_settings(model, cls.settings, f"theorems of {cls.part}")

    @classmethod
    @cache
    def statements(cls) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Published statements that the theorems measure, by result and id.

        A statement with a function of its own in the claims is judged there.
        """
        claims = claims_of(cls.document, cls.part)
        return {
            (result, statement["id"]): statement
            for result in cls.functions()
            for statement in published(cls.document, cls.part).entry(result)["expect"]
            if statement["id"] not in claims and not {"shown_only", "duplicate_of"} & set(statement)
        }

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls) -> pd.DataFrame:
        """Rows of all theorems and controls, with a column that says which respect their bound."""
        table = theorem_table(cls.functions(), cls.record(), cls.seeds, digits())
        return table.assign(
            holds=[
                cls.holds(row.id, row.check, row.deviation, row.control)
                for row in table.itertuples()
            ]
        )

    @classmethod
    def holds(cls, result: str, statement: str, deviation: float, control: str = "") -> bool:
        """Whether a deviation respects the bound of its statement, or of its control."""
        declared = cls.statements().get((result, statement))
        if control:
            declared = cls.controls().get((result, statement, control))
        assert declared is not None, f"{result}: {statement} {control} is not declared"
        assert "op" in declared, f"{result}: {statement} has no op and bound"
        op, bound = declared["op"], declared["bound"]
        return judge_quantity([deviation], op, bound, seeded=False).verdict == REPRODUCED

    @classmethod
    @cache
    def controls(cls) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """Published controls of the theorems, by result, statement and id."""
        statements = cls.statements()
        return {
            (result, control["statement"], control["id"]): control
            for result in cls.functions()
            for control in published(cls.document, cls.part).entry(result).get("controls", ())
            if (result, control["statement"]) in statements
        }

    def test_every_statement_has_a_control_that_fails(self, table):
        """What is declared is run; the broken comparison reaches its bound, with every seed."""
        broken = table[table["control"] != ""]
        found = set(zip(broken["id"], broken["check"], broken["control"], strict=True))
        assert found == set(self.controls())
        assert {key[:2] for key in found} == set(self.statements())
        silent = broken[~broken["holds"]]
        assert silent.empty, silent[["id", "check", "control", "deviation"]].to_string()

    def test_every_statement_has_a_row_and_every_row_a_statement(self, table):
        table = table[table["control"] == ""]
        corrected = table[table["protocol"] == "corrected"]
        wanted = {key for key in self.statements() if key[0] not in self.readings} - self.wrong
        assert _keys(corrected) == wanted
        assert _keys(table) == set(self.statements())
        assert tuple(table.columns[: len(THEOREM_COLUMNS)]) == THEOREM_COLUMNS
        for _, rows in table.groupby("id"):
            assert list(rows["seed"].unique()) == list(self.seeds)

    def test_corrected_statements_hold(self, table):
        table = table[table["control"] == ""]
        wrong = table[(table["protocol"] == "corrected") & ~table["holds"]]
        assert wrong.empty, wrong[["id", "check", "variant", "deviation"]].to_string()

    def test_other_protocols_deviate_where_they_should(self, table):
        table = table[table["control"] == ""]
        failing = table[(table["protocol"] != "corrected") & ~table["holds"]]
        found = set(zip(failing["id"], failing["check"], failing["protocol"], strict=True))
        assert found == self.deviating

    def test_a_seed_gives_the_same_rows_again(self, table):
        again = theorem_table(self.functions(), self.record(), self.seeds[:1], digits())
        first = table[table["seed"] == self.seeds[0]].drop(columns="holds")
        pd.testing.assert_frame_equal(first.reset_index(drop=True), again, check_exact=True)

    def pytest_generate_tests(self, metafunc):
        """One test for each wrong implementation of the part."""
        if "one" in metafunc.fixturenames:
            names = [f"{one.result}: {one.statement}, {one.attribute}" for one in self.falsified]
            metafunc.parametrize("one", self.falsified, ids=names)

    def test_a_wrong_implementation_is_noticed(self, monkeypatch, one: Falsified):
        monkeypatch.setattr(one.module, one.attribute, one.wrong)
        function = self.functions()[one.result]
        data = {"dataset": digits()} if "dataset" in signature(function).parameters else {}
        checks = [
            check
            for check in function(self.record(), self.seeds[0], **data)
            if (check.check, check.protocol, check.control) == (one.statement, one.protocol, "")
        ]
        assert checks, f"{one.result} has no statement {one.statement}"
        assert not all(self.holds(one.result, one.statement, check.deviation) for check in checks)


def _keys(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["id"], table["check"], strict=True))
