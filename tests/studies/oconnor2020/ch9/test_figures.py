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
    }

    def test_every_spike_that_is_sent_has_a_tick(self, drawn):
        sent = drawn["beyond.final_neuron"].axes[2]
        assert [len(ticks.get_segments()) for ticks in sent.collections] == [3, 3]
