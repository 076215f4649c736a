"""Claims on constraints, on tables in which they hold and in which they fail."""

from plausible.reproduction import verdicts as vd

from ...claim_harness import ClaimTests
from . import synthetic


class TestClaims(ClaimTests):
    """Every claim of the part."""

    part = "thuesen2022.constraints"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS

    def test_locality_needs_backprop_that_is_not_local(self, tables, published):
        """One update of backprop that looks local too, and the comparison says nothing."""
        table = tables["claim.local_updates"].copy()
        table.loc[table.index[-1], "min_relative_change"] = 1e-9
        verdicts = self.judged({**tables, "claim.local_updates": table}, published)
        found = verdicts.set_index("check").loc["replaced_layers_do_not_matter"]
        assert found["verdict"] == vd.UNDECIDED and "is not > 0.001" in found["note"]
