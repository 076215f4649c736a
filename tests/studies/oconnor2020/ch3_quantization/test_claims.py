"""Every claim on quantizers and limits, on tables in which it holds and in which it fails."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.reasons import load_reasons

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


def _module(name):
    return lambda table: (table["element"] == "module") & (table["name"] == name)


FIG3_1 = ("ch3.fig3.1", "error_rms")
FIG_A1 = ("fig_a1", "error")
LAST = _where("steps", 1000)
SLOW = _steeper(*FIG3_1, _where("quantizer", "vector"), 0.3)
FAST = _steeper(*FIG3_1, _where("quantizer", "sampling"), -0.3)
CONVERGES = ("fig_a1", "spiking_network_converges")
DRAWING = ("fig_a2", "drawing_is_the_implementation")
SPOILS = [
    ("ch3.fig3.1", "quantization_rate", "slower", SLOW),
    ("ch3.fig3.1", "quantization_rate", "diverged", _set(*FIG3_1, LAST, np.nan)),
    ("ch3.fig3.1", "sampling_rate", "faster", FAST),
    ("ch3.rates_claim", "both_rates", "slower", SLOW),
    ("ch3.rates_claim", "both_rates", "faster", FAST),
    (*CONVERGES, "first layer", _steeper(*FIG_A1, _where("layer", 1), 0.4)),
    (*CONVERGES, "a layer grows", _steeper(*FIG_A1, _where("layer", 3), 1.5)),
    (*CONVERGES, "diverged", _set(*FIG_A1, LAST, np.nan)),
    (*DRAWING, "idle module", _set("fig_a2", "events", _where("name", "gate 1"), 0)),
    (*DRAWING, "module left out", _drop("fig_a2", _module("update 1"))),
    (*DRAWING, "other sum", _set("fig_a2", "what", _where("target", "gate 2"), "spike count")),
    ("table_a2", "router_orders", "order", _swapped),
    ("fig_a3", "drawn_graph_gives_table_a2", "order", _swapped),
    ("fig_a3", "drawn_graph_gives_table_a2", "module", _drop("table_a2", _module("D"))),
]


class TestClaims(ClaimTests):
    """Rates, limits, and drawings of the implementation."""

    part = "oconnor2020.ch3_quantization"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [Spoil(*one) for one in SPOILS]

    def test_a_wrong_number_of_modules_differs(self, tables, published):
        """The one published number of the part."""
        frame = tables["table_a2"]
        fewer = frame[~_module("C")(frame)]
        verdicts = self.judged({**tables, "table_a2": fewer}, published)
        rows = verdicts[verdicts["check"] == "value:modules"]
        assert list(rows["verdict"]) == [vd.DIFFERS]

    def test_a_missing_quantizer_is_said(self, tables, published):
        """With the table in which it is missing."""
        frame = tables["ch3.fig3.1"]
        tables = {**tables, "ch3.fig3.1": frame[frame["quantizer"] == "vector"]}
        with pytest.raises(StudyError, match=r"ch3\.fig3\.1 lacks the quantizer sampling"):
            self.outcomes(tables, published, "ch3.fig3.1", "sampling_rate")


@pytest.mark.parametrize(
    ("result", "check", "variant", "protocol", "words"),
    [
        ("ch3.algorithm1", "residual_norm", "#2", "as_published", "strict"),
        ("appA.eqA.2", "residual_norm", "#2", "as_published", "strict"),
        ("ch3.eq3.6.sgd", "approximates_gradient", "#3", "as_published", "eta/T^2"),
        ("ch3.eq3.7.fsgd", "earlier_inputs_count_more", "#4", "as_published", "half"),
        ("appA.algorithm13", "update_is_gradient_step", "#3", "as_published", "half"),
        ("appA.algorithm13", "update_is_gradient_step", "#5", "as_published", "blocks errors"),
        ("ch3.integer_only", "integers_give_same_spikes", "#1", "as_coded", "binary fraction"),
    ],
)
def test_what_differs_is_explained(result, check, variant, protocol, words):
    reasons = load_reasons("oconnor2020", ["ch3_quantization"])
    assert words in reasons.why(result, check, variant, protocol)
