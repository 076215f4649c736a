"""Pictures of the constraints and of a network with error nodes."""

import pytest

from plausible.studies.thuesen2022.constraints.figures import MEASURED, _verdict_kind

from ..harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """Every picture of the part."""

    part = "thuesen2022.constraints"
    tables = {"fig3": synthetic.fig3, "claim.constraints": synthetic.constraints}
    nothing_published = frozenset({"fig3", "claim.constraints"})
    without_units = frozenset({"fig3", "claim.constraints"})
    without_axes = frozenset({"fig3"})

    def test_fig3_has_an_error_node_for_every_value_node_but_the_inputs(self, drawn):
        axes = drawn["fig3"].axes[0]
        markers = [line.get_marker() for line in axes.lines]
        assert markers.count("o") == 7 and markers.count("s") == 5
        assert len(axes.patches) == 2 * (2 * 3 + 3 * 2) + 5

    def test_methods_are_named_by_their_short_names(self, drawn):
        labels = [text.get_text() for text in drawn["claim.constraints"].axes[0].get_xticklabels()]
        assert {"SPCN", "C-EP", "C-VF"} <= set(labels)

    def test_what_was_measured_is_framed_and_not_told_in_notes(self, drawn):
        axes = drawn["claim.constraints"].axes[0]
        framed = [patch for patch in axes.patches if patch.get_linewidth() == MEASURED["lw"]]
        assert len(framed) == synthetic.constraints()["measured_value"].notna().sum() > 0
        assert all(len(text.get_text()) == 1 for text in axes.texts)
        assert axes.get_xlabel() == "method"


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        ("satisfied (under the spike-rate reading)", "satisfied"),
        ("partly (inference only)", "partly"),
        ("not", "not"),
        ("not discussed", "not discussed"),
        ("counted among the local-update methods", "other"),
    ],
)
def test_verdict_kinds(verdict, kind):
    assert _verdict_kind(verdict) == kind
