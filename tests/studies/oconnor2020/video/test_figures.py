"""Pictures of video, from made-up tables."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from plausible.studies.oconnor2020.video.figures import as_image, sheet
from plausible.studies.oconnor2020.video.settings import DIGITS, RECORDED

from ..picture_rules import PictureRules
from . import synthetic


class TestFigures(PictureRules):
    """All pictures of the part."""

    part = "oconnor2020.video"
    tables: ClassVar = {
        "ch4.fig4.5": synthetic.spliced,
        "fig_b1": synthetic.changes,
        "fig_c3": synthetic.samples,
        "ch5.fig5.7": synthetic.curves,
        "ch5.fig5.8": synthetic.rates,
        "fig_c4": synthetic.layer_changes,
        "ch5.end_to_end_works": synthetic.steps,
        "beyond.static_camera": synthetic.camera,
    }

    def test_panels_are_few_and_have_letters_and_titles(self, drawn, picture):
        """Sample frames are one panel, and colour bars none."""
        if picture == "fig_c3":
            pytest.skip("sixteen pictures without axes")
        for bar in [axes for axes in drawn[picture].axes if axes.get_label() == "<colorbar>"]:
            drawn[picture].delaxes(bar)
        super().test_panels_are_few_and_have_letters_and_titles(drawn, picture)

    def test_the_disagreement_so_far(self, drawn):
        """One of twenty frames, the fifth, has another guess."""
        top_1, top_5, _ = drawn["ch4.fig4.5"].axes[2].lines
        expected = 100.0 * (np.arange(20) >= 4) / np.arange(1, 21)
        assert np.asarray(top_1.get_ydata()) == pytest.approx(expected)
        assert not np.asarray(top_5.get_ydata()).any()

    def test_the_material_nearest_to_the_thesis_is_shown(self, published):
        both = [synthetic.rates().assign(material=name) for name in (DIGITS, RECORDED)]
        figure = self.functions()["ch5.fig5.8"](pd.concat(both), published, dataset="digits")
        assert figure.axes[0].get_title(loc="left") == "recordings, SqueezeNet"


def test_pictures_are_put_side_by_side():
    images = [np.full((2, 3, 3), level, np.uint8) for level in (10, 20, 30)]
    found = sheet(images, across=2, gap=1)
    assert found.shape == (5, 7, 3)
    assert found[0, 0, 0] == 10 and found[0, 4, 0] == 20 and found[3, 0, 0] == 30
    assert found[0, 3, 0] == found[4, 6, 0] == 255


def test_a_picture_is_read_back():
    pixels = np.arange(24, dtype=np.uint8)
    row = pd.Series({"rows": 2, "columns": 4, "pixels": pixels.tobytes().hex()})
    assert np.array_equal(as_image(row).ravel(), pixels)
