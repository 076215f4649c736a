"""Claims on single neurons and codings, on tables in which they hold and in which they fail."""

from plausible.reproduction import verdicts as vd

from ..harness import NumberTests
from . import synthetic


class TestClaims(NumberTests):
    """Every claim of the part."""

    part = "thuesen2022.neurons"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = synthetic.SPOILS
    shifts = synthetic.SHIFTS
    unchanged = frozenset({"interval.0", "interval.1"})

    def test_drawn_interval(self, tables, published):
        frame = tables["fig2c"]
        later = frame[(frame["protocol"] != "as_coded") | (frame["input"] >= 1.0)]
        verdicts = self.judged({**tables, "fig2c": later}, published)
        rows = verdicts[verdicts["check"] == "value:interval.0"].set_index("protocol")["verdict"]
        assert rows.to_dict() == {"as_coded": vd.DIFFERS, "corrected": vd.REPRODUCED}

    def test_the_floor_of_the_code_is_explained(self, tables, published):
        floor = next(one for one in self.spoils if one.statement == "zero_below_threshold")
        verdicts = self.judged(floor.spoil(dict(tables)), published)
        rows = verdicts[verdicts["check"] == floor.statement].set_index("protocol")
        assert "Why: The author's code adds 1e-12" in rows.loc["as_coded", "note"]
        # That is no explanation of our own protocol.
        assert "Why" not in rows.loc["corrected", "note"]

    def test_numbers_without_a_curve_to_read_them_from_are_left_out(self, good):
        """The author's curve ends at j = 2."""
        rows = good[good["check"].str.startswith("value:r_of_j")]
        assert rows.groupby("protocol").size().to_dict() == {"as_coded": 2, "corrected": 4}
        assert rows.loc[rows["check"] == "value:r_of_j.j10.rate_hz", "note"].item() == (
            "curve of fig2b"
        )
