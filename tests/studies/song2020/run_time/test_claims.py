"""Claims on run times: ratios of algorithms; the times themselves are shown and not judged."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.explanations import UNEXPLAINED

from ...claim_harness import ClaimTests, Spoil
from ..properties.synthetic import event
from ..spoils import change, drop_rows
from . import synthetic

BLOCKS = [f"ratio_of_block_{block}" for block in range(1, 6)]


def slow(algorithm, ratio):
    """An algorithm takes another time, everywhere."""
    rows = lambda f: f["algorithm"] == algorithm  # noqa: E731
    return change("table4", rows, *BLOCKS, to=ratio)


class TestClaims(ClaimTests):
    """Table 4 and what the text says about it."""

    part = "song2020.run_time"
    good_tables = staticmethod(synthetic.tables)
    spoils = [
        Spoil("table4", "zil_near_backprop", "slow Z-IL", slow("zil", 1.3)),
        Spoil("table4", "zil_near_backprop", "slow Fa-Z-IL", slow("fazil", 1.3)),
        Spoil("table4", "fazil_near_zil", "slow Fa-Z-IL", slow("fazil", 1.5)),
        Spoil("table4", "il_far_above_backprop_on_the_cpu", "fast IL", slow("il", 3.0)),
        Spoil("table4", "il_far_above_backprop_on_the_gpu", "fast IL", slow("il_repeated", 8.0)),
        Spoil("table4", "bp_is_fastest", "fast Z-IL", slow("zil", 0.9)),
        Spoil("table4", "fazil_no_faster_than_zil", "fast Fa-Z-IL", slow("fazil", 1.0)),
        Spoil("table4", "il_is_slowest", "fast IL", slow("il", 2.0)),
        Spoil(
            "claim.small_overhead",
            "zil_needs_l_max_steps",
            "Fa-Z-IL learns late",
            change("fig2", event("fazil", 3), "t", to=5),
        ),
    ]

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        """But the times, which depend on the machine."""
        times = good["check"].str.startswith("value:")
        assert times.sum() == 8 and set(good.loc[times, "verdict"]) == {vd.NOT_COMPARABLE}
        assert set(good.loc[~times, "verdict"]) == {vd.REPRODUCED}

    def test_run_times_without_a_gpu(self, published):
        """What is missing is said, and what a printed time asks of the memory."""
        tables = {**synthetic.tables(), "table4": synthetic.table4(devices=("cpu",))}
        verdicts = self.judged(tables, published)
        gpu = verdicts[verdicts["check"] == "il_far_above_backprop_on_the_gpu"].iloc[0]
        assert (gpu["verdict"], gpu["note"]) == (vd.NOT_COMPARABLE, "this run had no cuda")
        cpu = verdicts[verdicts["check"] == "value:rows.cpu.bp_ms"].iloc[0]
        assert cpu["statement"] == "published value of BP in ms on the CPU"
        # (50176 * 4096 + 4096 * 2048 + 2048 * 1024 + 1024 * 27) * 4 bytes, three times, in 3.1 ms.
        assert "836 GB/s" in cpu["note"] and "here 3.1 ms" in cpu["note"]

    def test_every_difference_has_a_reason(self, tables, published):
        """Whatever is slow."""
        spoilt = dict(tables)
        for name, ratio in {"il": 2.0, "zil": 3.0, "fazil": 4.0}.items():
            spoilt = slow(name, ratio)(spoilt)
        verdicts = self.judged(spoilt, published)
        differing = verdicts[verdicts["verdict"] == vd.DIFFERS]
        differing = differing[differing["duplicate_of"] == ""]
        assert len(differing) and not (differing["reason"] == UNEXPLAINED).any()

    def test_an_algorithm_that_is_missing_is_an_error(self, tables, published):
        """Which names it."""
        spoilt = drop_rows("table4", lambda f: f["algorithm"] == "il")(tables)
        with pytest.raises(StudyError, match="lacks il of imagenet on cpu"):
            self.judged(spoilt, published)
