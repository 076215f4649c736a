"""Claims on single neurons and codings, on tables in which they hold and in which they fail."""

from plausible.reproduction import verdicts as vd
from plausible.reproduction.explanations import UNEXPLAINED

from ..harness import NumberTests
from . import synthetic


class TestClaims(NumberTests):
    """Every claim of the part."""

    part = "thuesen2022.neurons"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS

    def test_the_floor_of_the_code_is_explained(self, tables, published):
        floor = next(one for one in self.spoils if one.statement == "zero_below_threshold")
        verdicts = self.judged(floor.spoil(dict(tables)), published)
        rows = verdicts[verdicts["check"] == floor.statement].set_index("protocol")
        assert "a floor of 1.8 Hz" in rows.loc["as_coded", "reason"]
        # That is no explanation of our own protocol.
        assert rows.loc["corrected", "reason"] == UNEXPLAINED

    def test_a_filter_that_is_best_elsewhere_differs(self, tables, published):
        """However near its error at the published time constant is to the least one."""
        frame = tables["claim.alpha_filter_tau"].copy()
        frame.loc[frame["tau_s"] == 0.0004, "error_hz"] = 0.5
        verdicts = self.judged({**tables, "claim.alpha_filter_tau": frame}, published)
        rows = verdicts[verdicts["id"] == "thuesen2022.claim.alpha_filter_tau"]
        assert set(rows["verdict"]) == {vd.DIFFERS}
        assert len(rows) == 12  # three kernels and two criteria, and the statement of the same
        assert rows["note"].str.contains("least 0.5 Hz").sum() == 6
