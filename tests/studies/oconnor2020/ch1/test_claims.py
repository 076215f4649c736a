"""Verdicts of chapter 1 of O'Connor 2020: every entry is judged by its theorems, or only shown."""

from typing import ClassVar

from ...claim_harness import ClaimTests
from . import synthetic


class TestClaims(ClaimTests):
    """No claim beside the theorems."""

    part = "oconnor2020.ch1"
    good_tables = staticmethod(synthetic.good_tables)
    spoils: ClassVar = []
