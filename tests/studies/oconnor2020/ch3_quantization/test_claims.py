"""Every claim on quantizers and limits, on tables in which it holds and in which it fails."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def _scale(table, column, chosen, factor):
    frame = table.copy()
    frame.loc[chosen(frame), column] *= factor(frame.loc[chosen(frame)])
    return frame


def _steeper(name, column, chosen, power):
    """Errors that change their exponent by ``power``."""

    def spoil(tables):
        table = _scale(tables[name], column, chosen, lambda rows: rows["steps"] ** float(power))
        return {**tables, name: table}

    return spoil


def _set(name, column, chosen, value):
    def spoil(tables):
        frame = tables[name].copy()
        frame.loc[chosen(frame), column] = value
        return {**tables, name: frame}

    return spoil


def _drop(name, chosen):
    def spoil(tables):
        return {**tables, name: tables[name][~chosen(tables[name])]}

    return spoil


def _swapped(tables):
    frame = tables["table_a2"].copy()
    chosen = (frame["routing"] == "depth_first") & frame["position"].isin([4, 5])
    frame.loc[chosen, "position"] = 9 - frame.loc[chosen, "position"]
    return {**tables, "table_a2": frame}


def _where(column, value):
    return lambda table: table[column] == value


FIG3_1 = ("ch3.fig3.1", "error_rms")
FIG_A1 = ("fig_a1", "error")
LAST = _where("steps", 10_000)
SLOW = _steeper(*FIG3_1, _where("quantizer", "vector"), 0.3)
FAST = _steeper(*FIG3_1, _where("quantizer", "sampling"), -0.3)
FLAT = _steeper(*FIG_A1, _where("layer", 3), 1.0)
SPOILS = [
    ("ch3.fig3.1", "quantization_rate", "slower", SLOW),
    ("ch3.fig3.1", "quantization_rate", "diverged", _set(*FIG3_1, _where("steps", 1000), np.nan)),
    ("ch3.fig3.1", "sampling_rate", "faster", FAST),
    ("fig_a1", "first_layer_rate", "slower", _steeper(*FIG_A1, _where("layer", 1), 0.4)),
    ("fig_a1", "every_layer_converges", "a plateau", FLAT),
    ("fig_a1", "every_layer_converges", "diverged", _set(*FIG_A1, LAST, np.nan)),
    ("fig_a1", "every_layer_falls", "a plateau", FLAT),
    ("table_a2", "router_orders", "order", _swapped),
    ("table_a2", "router_orders", "event left out", _drop("table_a2", _where("event", "b3"))),
]


class TestClaims(ClaimTests):
    """Rates, limits, and the order of events."""

    part = "oconnor2020.ch3_quantization"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [Spoil(*one) for one in SPOILS]
    scale = "paper"

    def test_a_short_run_cannot_tell_of_a_plateau(self, tables, published):
        """At other scales than the paper's."""
        frame = tables["fig_a1"]
        short = {**tables, "fig_a1": frame[frame["steps"] <= 1000]}
        rows = self.judged(short, published, "demo")
        rows = rows[rows["id"] == "oconnor2020.fig_a1"].set_index("check")["verdict"]
        assert set(rows["every_layer_falls"]) == {vd.NOT_COMPARABLE}
        assert set(rows.drop("every_layer_falls")) == {vd.REPRODUCED}

    def test_a_missing_quantizer_is_said(self, tables, published):
        """With the table in which it is missing."""
        frame = tables["ch3.fig3.1"]
        tables = {**tables, "ch3.fig3.1": frame[frame["quantizer"] == "vector"]}
        with pytest.raises(StudyError, match=r"ch3\.fig3\.1 lacks the quantizer sampling"):
            self.verdicts_on(tables, published, "ch3.fig3.1", "sampling_rate")
