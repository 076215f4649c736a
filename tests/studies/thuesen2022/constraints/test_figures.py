"""Pictures of the constraints and of a network with error nodes."""

import pytest

from plausible.studies.thuesen2022.constraints.figures import _verdict_kind

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
