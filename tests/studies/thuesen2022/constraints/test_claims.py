"""Claims on constraints, on tables in which they hold and in which they fail."""

from ...claims_harness import ClaimsTests
from . import synthetic


class TestClaims(ClaimsTests):
    """Every claim of the part."""

    document, part = "thuesen2022", "constraints"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS
