"""Claims on table 1 and spiking networks, on tables in which they hold and in which they fail."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.explanations import UNEXPLAINED

from ..harness import NumberTests
from . import synthetic


class TestClaims(NumberTests):
    """Every claim of the part."""

    part = "thuesen2022.table1"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS

    def test_table1_has_27_numbers(self, good):
        rows = good[(good["id"] == "thuesen2022.table1") & good["check"].str.startswith("value:")]
        assert len(rows) == 27
        assert set(rows["protocol"]) == set(synthetic.PROTOCOLS)
        assert rows.groupby("check")["published"].first().to_dict() == {
            f"value:rows.row{number}.test_accuracy_percent": row[-1]
            for number, row in enumerate(synthetic.ROWS, start=1)
        }
        assert "row 4: SPCN, Z-IL, SGD, rates" in rows["statement"].iloc[9]

    def test_small_scale_compares_signs_but_no_sizes(self, tables, published):
        verdicts = self.judged(tables, published, "demo").set_index("check")
        found = verdicts.groupby(level=0)["verdict"].first()
        assert found["spiking_below_rate"] == found["adam_beats_sgd"] == vd.REPRODUCED
        sizes = ["drop_is_small", "best_spcn_near_best_backprop", "ten_images_in_file_order"]
        assert set(found[sizes]) == {vd.NOT_COMPARABLE}

    @pytest.mark.parametrize("adam", [96.25, 96.35])
    def test_undecided_statements(self, tables, published, adam):
        """SGD (96.3) a little better or worse than Adam, within the scatter of the seeds."""
        table = tables["table1"].copy()
        rows = synthetic.row_of_table1(6)(table)
        table.loc[rows, "test_accuracy_percent"] = adam + np.array([-0.5, 0.0, 0.5])
        verdicts = self.judged({**tables, "table1": table}, published)
        for check in ("adam_beats_sgd", "gap_shrinks_with_adam"):
            rows = verdicts[verdicts["check"] == check].set_index("protocol")
            assert rows.loc["corrected", "verdict"] == vd.UNDECIDED
        assert "reaches across the bound" in verdicts["note"].str.cat()

    @pytest.mark.parametrize(
        ("row", "accuracy", "explained"),
        [(3, 97.1, True), (3, 12.0, False), (3, 99.9, False)]
        + [(4, 97.1, True), (4, 12.0, False), (4, 99.9, False)],
    )
    def test_a_reason_fits_the_direction_and_size_of_a_difference(
        self, tables, published, row, accuracy, explained
    ):
        table = tables["table1"].copy()
        rows = synthetic.row_of_table1(row)(table)
        table.loc[rows, "test_accuracy_percent"] = accuracy
        verdicts = self.judged({**tables, "table1": table}, published)
        chosen = verdicts["check"] == f"value:rows.row{row}.test_accuracy_percent"
        found = verdicts[chosen].set_index("protocol").loc["corrected"]
        assert found["verdict"] == vd.DIFFERS
        assert (found["reason"] != UNEXPLAINED) == explained

    def test_missing_rows_are_errors(self, tables, published):
        rest = tables["table1"][tables["table1"]["row"] != 7]
        with pytest.raises(StudyError, match=r"row 7 of the thesis \(SPCN, Z-IL, Adam, spikes\)"):
            self.judged({**tables, "table1": rest}, published)

    def test_rows_of_ones_own_do_not_disturb_table1(self, tables, published, good):
        """A further row that looks like a printed one, and one that looks like none."""
        table = tables["table1"]
        twin = table[table["row"] == 1].assign(row=10, test_accuracy_percent=50.0)
        longer = pd.concat([twin, twin.assign(row=11, model="own"), table])
        verdicts = self.judged({**tables, "table1": longer}, published)
        pd.testing.assert_frame_equal(verdicts, good)
