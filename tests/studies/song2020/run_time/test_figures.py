"""Picture of the run times."""

import pytest
from matplotlib.colors import to_hex

from plausible.drawing import style

from ....drawing.pictures import check_for_print
from ...figure_harness import FigureTests
from ..pictures import SongPictures
from . import synthetic


class TestFigures(SongPictures, FigureTests):
    """Table 4 as a picture; run times need no images."""

    part = "song2020.run_time"
    tables = {"table4": synthetic.table4}

    def test_can_be_printed_as_it_is(self, picture):
        """Without the two networks on a GPU, which need four panels more."""
        check_for_print(self.drawn_from(picture, devices=("cpu",)))

    def test_the_published_ratios_stand_at_the_published_network_only(self, published):
        figure = self.drawn_from("table4", devices=("cpu",))
        marks = [
            sorted(
                segment[0][0]
                for collection in axes.collections
                if to_hex(collection.get_color()[0]) == style.PUBLISHED_COLOUR
                for segment in collection.get_segments()
            )
            for axes in figure.axes
        ]
        assert marks[0] == [3.1, 3.6, 3.6, 19.2]
        assert marks[1] == pytest.approx([1.0, 3.6 / 3.1, 3.6 / 3.1, 19.2 / 3.1])
        assert marks[2] == marks[3] == []

    def test_a_row_of_panels_for_each_network_and_device(self, drawn):
        titles = [axes.get_title(loc="left") for axes in drawn["table4"].axes]
        assert len(titles) == 8
        assert [any(f"{device}, " in title for title in titles) for device in ("CPU", "GPU")] == [
            True,
            True,
        ]
