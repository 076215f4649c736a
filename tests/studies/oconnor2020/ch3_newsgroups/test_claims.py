"""Every check on table 3.1, on tables that pass and on tables that fail."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.studies.oconnor2020.ch3_newsgroups import claims
from plausible.studies.oconnor2020.ch3_newsgroups.tables import ERRORS

from ...claim_harness import ClaimTests, Spoil
from .synthetic import DIVISIONS, make_table

RESULT = claims.RESULT


def spoilt(**changed):
    return lambda tables: {RESULT: make_table(**changed)}


SPOILS = [
    (RESULT, "as_good_as_the_network", "worse", spoilt(sgd=(10, 14))),
    (RESULT, "as_good_as_the_network", "a better network", spoilt(relu=(1, 2))),
    (RESULT, "better_than_the_machine", "a better linear machine", spoilt(svm_linear=(1, 0))),
    (RESULT, "better_than_the_machine", "a better Gaussian machine", spoilt(svm_rbf=(1, 0))),
    ("ch3.newsgroups_order", "lead_shrinks_when_shuffled", "grows", spoilt(file_order=-5)),
]


class TestClaims(ClaimTests):
    """Two rules of learning, two kernels, three divisions."""

    part = "oconnor2020.ch3_newsgroups"
    scale = "paper"
    spoils = [Spoil(*one) for one in SPOILS]  # noqa: RUF012

    @staticmethod
    def good_tables():
        """Table 3.1 as the thesis has it."""
        return {RESULT: make_table(file_order=3)}

    def test_rows(self, good):
        """One statement for two rules, one for two rules and two kernels, ten numbers."""
        rows = good[good["id"] == f"oconnor2020.{RESULT}"]
        assert len(rows) == len(DIVISIONS) * (2 + 2 * 2 + 10)
        assert set(good["protocol"]) == {"as_published"}

    @pytest.mark.parametrize("kernel", ["svm_linear", "svm_rbf"])
    def test_each_kernel_is_a_rival_of_its_own(self, tables, published, kernel):
        rows = self.judged({**tables, RESULT: make_table(**{kernel: (1, 0)})}, published)
        rows = rows[rows["check"] == "better_than_the_machine"].set_index("variant")["verdict"]
        assert set(rows[rows.index.str.endswith(kernel)]) == {vd.DIFFERS}
        assert set(rows[~rows.index.str.endswith(kernel)]) == {vd.REPRODUCED}

    def test_a_tie_is_no_win_whatever_its_rounding_error(self, tables, published):
        """Differences of +1, 0 and -1 posts, whose mean in percent is not 0 without rounding."""
        table = make_table(fsgd=(11, 14))
        rival = (table["classifier"] == "svm_rbf") & (table["division"] == "shuffled")
        for seed, posts in ((0, 9), (1, 11), (2, 13)):
            table.loc[rival & (table["seed"] == seed), "test_error_percent"] = 100 * posts / 247
        table["test_error_percent"] = table["test_error_percent"].round(7)
        rows = self.judged({**tables, RESULT: table}, published)
        tie = rows[rows["variant"] == "fsgd, shuffled, svm_rbf"].iloc[0]
        assert tie["reproduced"] == 0.0 and tie["verdict"] == vd.UNDECIDED
        # One post more or less is an interval of t(0.975, 2) / sqrt(3) posts, in points.
        assert tie["ci_high"] == pytest.approx(100 / 247 * 4.302653 / 3**0.5, rel=1e-6)

    def test_what_no_random_stream_enters_has_no_interval_of_seeds(self, tables, good, published):
        numbers = good[good["check"].str.startswith("value:")]
        fixed = numbers["variant"].isin(["svm_linear, file_order", "svm_rbf, file_order"])
        assert fixed.sum() == 4 and numbers.loc[fixed, "ci_low"].isna().all()
        assert (numbers.loc[fixed, "n_seeds"] == 0).all()
        assert (numbers[~fixed]["n_seeds"] == 3).all()
        broken = make_table()
        wrong = (broken["classifier"] == "svm_rbf") & (broken["seed"] == 1)
        broken.loc[wrong, list(ERRORS)] += 1.0
        with pytest.raises(StudyError, match="the same for every seed, but its rows differ"):
            self.judged({**tables, RESULT: broken}, published)

    def test_the_stand_in_says_nothing_about_newsgroups(self, tables, published):
        table = make_table(claims.NO_NEWSGROUPS, svm_linear=(2, 0))
        rows = self.judged({**tables, RESULT: table}, published, "demo")
        assert set(rows["verdict"]) == {vd.NOT_COMPARABLE}

    def test_a_difference_has_a_reason_of_its_own(self, tables, published):
        """Whose numbers are those of the table."""
        table = make_table(svm_rbf=(1, 9), relu=(12, 2))
        rows = self.judged({**tables, RESULT: table}, published)
        wrong = rows[rows["verdict"] == vd.DIFFERS].set_index(["check", "variant"])["reason"]
        assert "between epochs" in wrong["as_good_as_the_network", "fsgd, file_order"].lower()
        machine = wrong["better_than_the_machine", "sgd, shuffled, svm_rbf"]
        assert f"shuffled {100 * 1 / 247:.3g} and not" in machine
        assert isinstance(wrong, pd.Series)
