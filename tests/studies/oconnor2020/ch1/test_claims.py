"""Verdicts of chapter 1 of O'Connor 2020: every entry has rows, and the gaps can fail."""

import pytest

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def gaps(what, change):
    """A table of gaps in which the finding ``what`` is wrong."""

    def spoil(tables):
        return {**tables, "ch1.gaps": change(tables["ch1.gaps"])}

    return Spoil("ch1.gaps", "gaps_are_rows", what, spoil)


SPOILS = [
    gaps("rows in another order", lambda table: table.iloc[::-1]),
    gaps("rows that are missing", lambda table: table.iloc[:4]),
    gaps("implemented: not all", lambda table: table.assign(found=[True, True, False, True, True])),
    gaps("measured in no result", lambda table: table.assign(measured_in="ch1.gaps; ch1.fig9")),
    gaps("measured nowhere", lambda table: table.assign(measured_in="")),
]


class TestClaims(ClaimTests):
    """One claim beside the theorems."""

    part = "oconnor2020.ch1"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = SPOILS

    @pytest.mark.parametrize("spoil", SPOILS, ids=[one.what for one in SPOILS])
    def test_only_the_spoilt_finding_fails(self, tables, published, spoil):
        """Whose name is the first word of what is wrong."""
        found = self.outcomes(spoil.spoil(tables), published, spoil.result, spoil.statement)
        failing = [one.variant for one in found if not one.holds]
        assert failing == [spoil.what.split()[0].rstrip(":")]

    def test_a_gap_of_another_name_differs(self, tables, published):
        """Among the published numbers, which are names here."""
        table = tables["ch1.gaps"].replace("spiking", "no spikes")
        verdicts = self.judged({**tables, "ch1.gaps": table}, published)
        names = verdicts[verdicts["check"].str.startswith("value:gaps.")].set_index("check")
        assert names["verdict"].tolist() == ["reproduced", "differs", *["reproduced"] * 3]
        assert names.loc["value:gaps.2", "published"] == "spiking"
