"""What every picture of Song et al. 2020 must have: units, the published data set, one seed."""

import re
from collections.abc import Set
from typing import ClassVar

from matplotlib.figure import Figure

from plausible.drawing.style import DOUBLE_COLUMN_MM

from ...plots.pictures import legend_texts
from ..part_results import published_of

UNIT = r"\((unitless|fraction.*|%|ms|steps|images|percentage points.*|Frobenius.*)\)"


class SongPictures:
    """Further tests of the pictures of a part, beside those of `FigureTests`."""

    with_published: ClassVar[Set[str]] = frozenset()
    """Results whose pictures show published numbers of a data set."""
    without_units: ClassVar[Set[str]] = frozenset()

    def draw(self, name: str, dataset: str = "mnist", **options) -> Figure:
        """Picture of a result, from its synthetic table."""
        published = published_of(self.part)
        return self.functions()[name](self.tables[name](**options), published, dataset)

    def test_as_wide_and_at_most_as_high_as_a_page(self, drawn, picture):
        """Of a journal, in mm."""
        figure = drawn[picture]
        assert round(figure.get_figwidth() * 25.4, 3) == DOUBLE_COLUMN_MM
        assert figure.get_figheight() * 25.4 <= 247
        assert legend_texts(figure)

    def test_units_stand_at_the_axes(self, drawn, picture):
        """In brackets."""
        axes = drawn[picture].axes
        labels = [label for one in axes for label in (one.get_xlabel(), one.get_ylabel())]
        found = any(re.search(UNIT, label, re.DOTALL) for label in labels)
        assert found is not (picture in self.without_units), labels

    def test_published_is_named_with_its_data_set(self, drawn, picture):
        """Where ours is another one."""
        named = any("published (MNIST)" in text for text in legend_texts(drawn[picture]))
        assert named is (picture in self.with_published)

    def test_a_single_seed_of_mnist(self, picture):
        """Has no interval, and the published numbers are of the same data set."""
        texts = legend_texts(self.draw(picture, seeds=1))
        assert texts and not any("95 % interval" in text or "MNIST" in text for text in texts)
