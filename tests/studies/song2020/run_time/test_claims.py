"""Claims on run times: ratios of algorithms; the times themselves are shown and not judged."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd

from ...claim_harness import ClaimTests, Spoil
from ..spoils import change, drop_rows
from . import synthetic

TIME = "milliseconds_per_update"


def slow(algorithm, milliseconds):
    """An algorithm takes another time, everywhere."""
    return change("table4", lambda f: f["algorithm"] == algorithm, TIME, to=milliseconds)


class TestClaims(ClaimTests):
    """Table 4 and what the text says about it."""

    part = "song2020.run_time"
    good_tables = staticmethod(lambda: {"table4": synthetic.table4()})
    spoils = [
        Spoil("table4", "zil_near_backprop", "slow Z-IL", slow("zil", 10.0)),
        Spoil("table4", "fazil_near_zil", "slow Fa-Z-IL", slow("fazil", 9.0)),
        Spoil("table4", "il_far_above_backprop", "fast IL", slow("il", 8.0)),
        Spoil("table4", "order_of_times", "slow BP", slow("bp", 5.0)),
        Spoil("claim.small_overhead", "overheads", "slow Z-IL", slow("zil", 10.0)),
    ]

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        """But the times, which depend on the machine."""
        times = good["check"].str.startswith("value:")
        assert times.sum() == 8 and set(good.loc[times, "verdict"]) == {vd.NOT_COMPARABLE}
        assert set(good.loc[~times, "verdict"]) == {vd.REPRODUCED}

    def test_run_times_without_a_gpu(self, published):
        """What is missing is said, and what a printed time asks of the memory."""
        verdicts = self.judged({"table4": synthetic.table4(devices=("cpu",))}, published)
        gpu = verdicts[verdicts["check"].str.startswith("value:rows.cuda.")]
        assert len(gpu) == 4 and set(gpu["verdict"]) == {vd.NOT_COMPARABLE}
        assert gpu["note"].str.startswith("this run had no GPU").all()
        cpu = verdicts[verdicts["check"] == "value:rows.cpu.bp_ms"].iloc[0]
        assert cpu["statement"] == "published value of BP in ms on the CPU"
        # (50176 * 4096 + 4096 * 2048 + 2048 * 1024 + 1024 * 27) * 4 bytes in 3.1 ms.
        assert "279 GB/s" in cpu["note"]

    def test_every_difference_has_a_reason(self, tables, published):
        """Whatever is slow."""
        spoilt = dict(tables)
        for name, milliseconds in {"bp": 2.0, "il": 1.0, "zil": 5.0, "fazil": 20.0}.items():
            spoilt = slow(name, milliseconds)(spoilt)
        verdicts = self.judged(spoilt, published)
        differing = verdicts[verdicts["verdict"] == vd.DIFFERS]
        assert set(differing["check"]) == {one.statement for one in self.spoils}
        assert differing["note"].str.contains("Why: ").all()

    def test_an_algorithm_that_is_missing_is_an_error(self, tables, published):
        """Which names it."""
        spoilt = drop_rows("table4", lambda f: f["algorithm"] == "il")(tables)
        with pytest.raises(StudyError, match="lacks il of imagenet on cpu"):
            self.judged(spoilt, published)
