"""The tests of a part's pictures, the same for every part.

A part's ``test_figures.py`` derives a class from `FigureTests` that names the part and a synthetic
table for each picture, and adds what its own pictures must show.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import pandas as pd
import pytest
from matplotlib.figure import Figure

from plausible.drawing.style import DOUBLE_COLUMN_MM, SINGLE_COLUMN_MM, svg_text
from plausible.reproduction.published import Published

from ..drawing.pictures import check_legibility
from .part_results import REFERENCE, functions_of, published_of, results_of


@pytest.mark.pictures
class FigureTests:
    """Every picture is drawn from a synthetic and from the reference table, and can be read."""

    part: ClassVar[str]
    """``<document>.<part>``."""
    tables: ClassVar[Mapping[str, Callable[[], pd.DataFrame]]]
    """Makers of synthetic tables, by the results that are drawn."""
    largest_svg: ClassVar[int] = 300_000

    @classmethod
    def functions(cls) -> dict[str, Callable[..., Figure]]:
        """Functions that draw the pictures of the part, by the names of their results."""
        return functions_of(cls.part, "figure")

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls) -> Published:
        """What the document published in the part."""
        return published_of(cls.part)

    @classmethod
    def draw(cls, result: str, published: Published) -> Figure:
        """A picture from its synthetic table."""
        return cls.functions()[result](cls.tables[result](), published, dataset="digits")

    @pytest.fixture(scope="class")
    @classmethod
    def files(cls, published) -> dict[str, tuple[Figure, str]]:
        """Every picture and its file, written at once: a second drawing may move its layout."""
        figures = {result: cls.draw(result, published) for result in cls.functions()}
        return {result: (figure, svg_text(figure)) for result, figure in figures.items()}

    @pytest.fixture(scope="class")
    @classmethod
    def drawn(cls, files) -> dict[str, Figure]:
        """Every picture."""
        return {result: figure for result, (figure, _) in files.items()}

    def pytest_generate_tests(self, metafunc):
        """One test for each picture."""
        if "picture" in metafunc.fixturenames:
            metafunc.parametrize("picture", list(self.functions()))

    def test_every_picture_has_a_table(self):
        """And every table a picture."""
        assert set(self.tables) == set(self.functions())

    def test_fits_a_column_and_can_be_read(self, drawn, picture):
        """At the width of one column or of two, no text covers another or leaves the page."""
        width = round(drawn[picture].get_figwidth() * 25.4, 3)
        assert width in (SINGLE_COLUMN_MM, DOUBLE_COLUMN_MM)
        check_legibility(drawn[picture])

    def test_same_bytes_each_time(self, files, published, picture):
        """And not too many of them."""
        _, first = files[picture]
        assert svg_text(self.draw(picture, published)) == first
        assert len(first) < self.largest_svg

    def test_drawn_from_the_reference_run(self, published, picture):
        """The committed table, as it is read from its file, can be read as well."""
        document, _ = self.part.split(".")
        shown = results_of(self.part)[picture].get("data", picture)
        path = REFERENCE / document / f"{shown}.csv"
        if not path.is_file():
            pytest.skip(f"the reference run is older than {document}.{shown}")
        table = pd.read_csv(path)
        check_legibility(self.functions()[picture](table, published, dataset="mnist"))
