"""Claims on learning, on tables in which they hold and in which they fail."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd

from ..harness import NumberTests
from . import synthetic


class TestClaims(NumberTests):
    """Every claim of the part."""

    part = "thuesen2022.learning"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS

    def test_a_diverged_run_without_scaling_counts_for_the_claim(self, tables, published):
        lost = {"claim.activation_scaling": synthetic.activation_scaling(diverged=1)}
        verdicts = self.judged({**tables, **lost}, published)
        rows = verdicts[verdicts["check"] == "scaling_lowers_the_loss"]
        assert set(rows["verdict"]) == {vd.REPRODUCED} and set(rows["n_seeds"]) == {2}
        assert rows["note"].str.contains("1 unscaled runs diverged").all()

    def test_a_race_whose_control_stays_equal_decides_nothing(self, tables, published):
        frame = tables[synthetic.TEXT].copy()
        frame.loc[frame["control"] != "", "max_relative_weight_difference"] = 1e-13
        verdicts = self.judged({**tables, synthetic.TEXT: frame}, published)
        rows = verdicts[verdicts["check"] == "weights_stay_equal"]
        assert set(rows["verdict"]) == {vd.UNDECIDED}

    def test_a_race_that_ends_too_early_is_an_error(self, tables, published):
        frame = tables[synthetic.TEXT]
        early = {synthetic.TEXT: frame[frame["step"] < 100]}
        with pytest.raises(StudyError, match="no record at or after step 100"):
            self.judged({**tables, **early}, published)
