"""Claims on logged runs, properties and detections."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.summaries import FALLS, SURVIVES, surviving_causes

from ...claim_harness import ClaimTests, Spoil
from ..spoils import change, drop_rows
from . import synthetic
from .synthetic import event

RATE, FALSE_ALARMS = "success_rate_percent", "false_alarm_rate_percent"


def prop(model, name, to):
    """Another measured change in a cell of table 2."""
    cell = lambda f: (f["model"] == model) & (f["property"] == name)  # noqa: E731
    return change("table2", cell, "measured_value", to=to)


def rate(steps, to, column=RATE):
    """Another rate in a column of table 3."""
    return change("table3", lambda f: f["t_d"] == steps, column, to=to)


FIG2 = ("fig2", "moments_of_updates")
LOCAL = "claim.local_and_autonomous"


class TestClaims(ClaimTests):
    """Figures 1 and 2, tables 1 to 3."""

    part = "song2020.properties"
    good_tables = staticmethod(synthetic.tables)
    spoils = [
        Spoil(*FIG2, "Z-IL learns theta^2 late", change("fig2", event("zil", 2), "t", to=2)),
        Spoil(*FIG2, "IL learns one matrix early", change("fig2", event("il", 1), "t", to=3)),
        Spoil(
            *FIG2,
            "Fa-Z-IL pauses",
            drop_rows(
                "fig2", lambda f: (f.algorithm == "fazil") & (f.t == 3) & (f.event == "inference")
            ),
        ),
        Spoil(*FIG2, "Fa-Z-IL misses a moment", drop_rows("fig2", event("fazil", 3))),
        Spoil(
            "table2",
            "marked_properties_hold",
            "Z-IL apart",
            prop("Z-IL", "equivalence_to_bp", 1e-9),
        ),
        Spoil(
            "table2",
            "unmarked_properties_fail",
            "IL equal",
            prop("IL", "equivalence_to_bp", 1e-14),
        ),
        Spoil(
            LOCAL,
            "updates_are_local",
            "a foreign array matters",
            prop("Z-IL", "local_plasticity", 1e-300),
        ),
        Spoil(
            LOCAL,
            "fazil_needs_no_signal",
            "Fa-Z-IL needs a signal",
            prop("Fa-Z-IL", "full_autonomy", 0.1),
        ),
        Spoil("table3", "all_found_from_four_on", "t_d = 16 misses", rate(16, 99.9)),
        Spoil("table3", "some_missed_below_three", "t_d = 1 finds all", rate(1, 100.0)),
        Spoil("table3", "three_above_one_and_two", "t_d = 3 is worse", rate(3, 93.0)),
        Spoil("table3", "four_above_three", "t_d = 3 finds all", rate(3, 100.0)),
        Spoil("table3", "no_false_alarms", "t_d = 5 fires late", rate(5, 0.1, FALSE_ALARMS)),
    ]

    @pytest.fixture(scope="class")
    @classmethod
    def good(cls, tables, published):
        """Verdicts of the good tables, at the scale at which numbers are compared."""
        return cls.judged(tables, published, "paper")

    def test_controls_must_fail(self, tables, published):
        """Backprop that would be local, Z-IL that would need no signal."""
        for model, name, statement in (
            ("BP", "local_plasticity", "updates_are_local"),
            ("Z-IL", "full_autonomy", "fazil_needs_no_signal"),
        ):
            spoilt = prop(model, name, 0.0)(dict(tables))
            assert self.verdicts_on(spoilt, published, LOCAL, statement) == [vd.UNDECIDED]

    def test_numbers_are_those_of_the_rule_as_stated(self, tables, good, published):
        """Each printed rate once; a sweep of tolerances is no reading of the text."""
        rows = good[good["check"].str.startswith("value:") & (good["id"] == "song2020.table3")]
        assert list(rows["published"]) == list(published.values("table3")[RATE].values())
        assert set(rows["protocol"]) == {"as_published"}
        frame = tables["table3"]
        far = {**tables, "table3": frame.assign(**{RATE: frame[RATE] - 1.0})}
        verdicts = self.judged(far, published, "paper")
        rows = verdicts[verdicts["check"].str.startswith("value:")]
        assert len(rows) == 10 and set(rows["verdict"]) == {vd.DIFFERS}

    @pytest.mark.parametrize(
        ("name", "condition", "message"),
        [
            ("table3", lambda f: f["tolerance"] == 0.0, "lacks the exact test"),
            ("table2", lambda f: f["model"] == "IL", "lacks equivalence_to_bp of IL"),
        ],
    )
    def test_missing_rows_are_errors(self, tables, published, name, condition, message):
        """Which names what is missing."""
        spoilt = drop_rows(name, condition)(tables)
        with pytest.raises(StudyError, match=message):
            self.judged(spoilt, published)

    def test_claims_of_the_paper_stand_or_fall(self, tables, published):
        """By the rule as stated nothing is missed, for any t_d; and that is explained."""
        causes = load_reasons("song2020", ["properties"]).causes

        def outcomes(verdicts):
            found = surviving_causes(verdicts, "song2020", causes)
            return found.set_index("explanation")["outcome"]

        assert set(outcomes(self.judged(tables, published, "paper"))) == {SURVIVES}
        exact = change("table3", lambda f: f["tolerance"] == 0.0, RATE, to=100.0)(tables)
        verdicts = self.judged(exact, published, "paper")
        found = outcomes(verdicts)
        assert found["With t_d = 1 or 2, phi misses some of them."] == FALLS
        assert found["With t_d = 4, phi finds every moment t = l."] == SURVIVES
        differing = verdicts[verdicts["verdict"] == vd.DIFFERS]
        assert len(differing) and differing["reason"].str.startswith("By lemma A.3").all()
