"""Pictures of chapter 9, from made-up tables."""

from typing import ClassVar

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the chapter."""

    part = "oconnor2020.ch9"
    tables: ClassVar = {
        "ch9.catastrophic_forgetting": synthetic.forgetting_table,
        "beyond.final_neuron": synthetic.responses_table,
        "beyond.energy_per_inference": synthetic.inference_table,
    }

    def test_every_spike_that_is_sent_has_a_tick(self, drawn):
        sent = drawn["beyond.final_neuron"].axes[2]
        assert [len(ticks.get_segments()) for ticks in sent.collections] == [3, 3]

    def test_every_system_stands_at_its_energy_and_error(self, drawn):
        table = synthetic.inference_table()
        frontier, counted = drawn["beyond.energy_per_inference"].axes
        means = table.groupby(["system", "order"])[["energy_nj", "error_percent"]].mean()
        marks = [line.get_xydata()[0] for line in frontier.lines if len(line.get_xdata()) == 1]
        assert {tuple(mark) for mark in marks} == {tuple(mean) for mean in means.to_numpy()}
        ends = [line.get_xdata()[1] for line in counted.lines if line.get_linewidth() == 1.6]
        whole = (table["energy_nj"] + table["unit_energy_nj"]).groupby(table["system"]).mean()
        assert {round(end, 9) for end in ends} == set(whole.round(9))
