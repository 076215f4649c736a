"""What every picture of Song et al. 2020 must have: units, the published data set, one seed."""

import re
from collections.abc import Mapping, Set
from functools import cache
from typing import Any, ClassVar

import pandas as pd
import pytest
from matplotlib.figure import Figure

from plausible.drawing.style import DOUBLE_COLUMN_MM
from plausible.reproduction.published import Published, load_published

from ...drawing.pictures import check_for_print, legend_texts, visible_texts
from ..part_results import ROOT

UNIT = r"\((unitless|fraction.*|%|ms|steps|images|percentage points.*|Frobenius.*)\)"

document = cache(lambda: load_published(ROOT / "workflow" / "published" / "song2020"))


class SongPictures:
    """Further tests of the pictures of a part, beside those of `FigureTests`."""

    with_published: ClassVar[Set[str]] = frozenset()
    """Results whose pictures show published numbers of a data set."""
    without_units: ClassVar[Set[str]] = frozenset()
    without_legend: ClassVar[Set[str]] = frozenset()
    lettered_together: ClassVar[Set[str]] = frozenset()
    """Results whose panels consist of several axes."""
    small: ClassVar[Mapping[str, Any]] = {"seeds": 1}
    """Options of the makers of tables for a picture that is quick to draw."""

    def drawn_from(self, name: str, dataset: str = "mnist", **options) -> Figure:
        """Picture of a result, from its synthetic table."""
        return self.functions()[name](self.tables[name](**options), document(), dataset)

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls) -> Published:
        """What the document published: some pictures show numbers of another part."""
        return document()

    def test_as_wide_and_at_most_as_high_as_a_page(self, drawn, picture):
        """Of a journal, in mm."""
        figure = drawn[picture]
        assert round(figure.get_figwidth() * 25.4, 3) == DOUBLE_COLUMN_MM
        assert figure.get_figheight() * 25.4 <= 247
        assert bool(legend_texts(figure)) is not (picture in self.without_legend)

    def test_can_be_printed_as_it_is(self, drawn, picture):
        """Letters, sizes, and no notes."""
        check_for_print(drawn[picture], picture in self.lettered_together)

    def test_units_stand_at_the_axes(self, drawn, picture):
        """In brackets."""
        axes = drawn[picture].axes
        labels = [label for one in axes for label in (one.get_xlabel(), one.get_ylabel())]
        found = any(re.search(UNIT, label, re.DOTALL) for label in labels)
        assert found is not (picture in self.without_units), labels

    def test_published_is_named_with_its_data_set(self, drawn, picture):
        """Where ours is another one."""
        texts = [text.get_text() for text in visible_texts(drawn[picture])]
        named = any("published (MNIST)" in text for text in texts)
        assert named is (picture in self.with_published)

    def check_seeds(self, name: str) -> None:
        """Three seeds are drawn one by one; of six, the picture shows intervals."""
        function, table = self.functions()[name], self.tables[name](seeds=3)
        twice = pd.concat([table, table.assign(seed=table["seed"] + 1000)], ignore_index=True)
        for rows, words in ((table, "one seed"), (twice, "95 % interval over 6 seeds")):
            figure = function(rows, document())
            bars = [container for axes in figure.axes for container in axes.containers]
            assert any(words in text for text in legend_texts(figure))
            assert bool(bars) is (rows is twice)

    def test_a_single_seed_of_mnist(self, picture):
        """Has no interval, and the published numbers are of the same data set."""
        figure = self.drawn_from(picture, **self.small)
        texts = [text.get_text() for text in visible_texts(figure)]
        assert not any("95 % interval" in text or "MNIST" in text for text in texts)
