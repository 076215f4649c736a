"""Pictures of chapter 6, from made-up tables."""

from typing import ClassVar

import numpy as np

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the chapter."""

    part = "oconnor2020.ch6"
    tables: ClassVar = {
        "ch6.fig6.2": synthetic.rising_rate_table,
        "ch6.fig6.3": synthetic.circuit_table,
        "ch6.fig6.4": synthetic.kernel_table,
        "ch6.fig6.5": synthetic.synapse_table,
    }

    def test_the_circuit_has_a_box_for_every_block(self, drawn):
        table = synthetic.circuit_table().drop_duplicates("block")
        (axes,) = drawn["ch6.fig6.3"].axes
        texts = [text.get_text() for text in axes.texts]
        assert {"−", "Q", "+", "Δt"} <= set(texts)
        wires = [line for line in axes.lines if len(line.get_xdata()) > 1]
        sources = table["inputs"].str.split("; ").explode()
        assert len(wires) == (sources != "").sum()

    def test_bits_stand_below_the_signal_that_they_code(self, drawn):
        first = synthetic.synapse_table(1)
        axes = drawn["ch6.fig6.5"].axes[0]
        (bits,) = axes.collections
        assert len(bits.get_segments()) == first["pre_spike"].sum()
        assert max(np.max(segment[:, 1]) for segment in bits.get_segments()) < 0
