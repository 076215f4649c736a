"""Claims on constraints, on tables in which they hold and in which they fail."""

from ..harness import NumberTests
from . import synthetic


class TestClaims(NumberTests):
    """Every claim of the part."""

    part = "thuesen2022.constraints"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS
