"""What the tests of Thuesen's parts share beyond those of every document."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from plausible.drawing import style
from plausible.reproduction import verdicts as vd
from plausible.reproduction.parts import place
from plausible.reproduction.published import Published, load_published
from plausible.yaml_files import read_yaml

from ...drawing.pictures import check_for_print, check_legibility, legend_texts, lines_of
from .. import figure_harness
from ..claim_harness import ClaimTests, Spoil, Tables
from ..part_results import ROOT, read_sweep, results_of

UNIT = re.compile(
    r"\((Hz|unitless|%|percentage points|points|nats|ms|s|µJ|neuron|fraction of white)\)"
)


def run_experiment(
    part: str, sweep: str, seeds=(0, 1), dataset=None, networks=None, **changed: Any
) -> pd.DataFrame:
    """Table of a sweep of ``<document>.<part>`` at the demo scale, some settings changed."""
    document, name = part.split(".")
    declared = read_yaml(ROOT / "workflow" / "studies" / document / f"{name}.yaml")["sweep"][sweep]
    function = place(document, name, "experiment", declared.get("experiment", sweep), sweep).load()
    return function(read_sweep(part, sweep, "demo", **changed), list(seeds), dataset, networks)


def check_columns_and_determinism(
    run: Callable[..., pd.DataFrame], name: str, columns: str, measured: str = ""
) -> None:
    """Fail unless ``run(name)`` has these columns, some rows, and the same ones twice.

    A column of ``measured`` times differs from run to run.
    """
    first, second = run(name), run(name)
    assert list(first.columns) == columns.split() and len(first) > 0
    both = [table.drop(columns=measured, errors="ignore") for table in (first, second)]
    pd.testing.assert_frame_equal(*both, check_exact=True)


class FigureTests(figure_harness.FigureTests):
    """Pictures of protocols and seeds beside what was published in black."""

    nothing_published: ClassVar[frozenset[str]] = frozenset()
    """Results whose picture shows nothing in the colour of what was published."""
    same_data: ClassVar[frozenset[str]] = frozenset()
    """Results that need no data set, so that published values need not name theirs."""
    without_units: ClassVar[frozenset[str]] = frozenset()
    without_axes: ClassVar[frozenset[str]] = frozenset()
    """Results whose panels have neither axes nor, in all of the figure, a legend."""
    lettered_together: ClassVar[frozenset[str]] = frozenset()
    """Results whose panels consist of several axes."""
    measured: ClassVar[Mapping[str, str]] = {}
    """Column that a diverged run leaves empty, by result."""

    @classmethod
    def functions(cls) -> dict[str, Callable[..., Figure]]:
        """Functions that draw the pictures; a result with another's table is not drawn twice."""
        declared, found = results_of(cls.part), super().functions()
        return {name: function for name, function in found.items() if "data" not in declared[name]}

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls) -> Published:
        """What the document published, all parts of it."""
        return published_of_document()

    @classmethod
    def draw(cls, result: str, dataset: str = "mnist", **options: Any) -> Figure:
        """Picture of a result from its synthetic table."""
        table = cls.tables[result](**options)
        return cls.functions()[result](table, published_of_document(), dataset=dataset)

    def pytest_generate_tests(self, metafunc):
        """One test for each picture, and for each with runs that can diverge."""
        super().pytest_generate_tests(metafunc)
        if "diverging" in metafunc.fixturenames:
            metafunc.parametrize("diverging", list(self.measured))

    def test_axes_are_labelled_with_units(self, drawn, picture):
        """Every panel but those that share an axis has labels, and the figure a legend."""
        axes = drawn[picture].axes
        labels = {label for one in axes for label in (one.get_xlabel(), one.get_ylabel())}
        assert any(map(UNIT.search, labels)) or picture in self.without_units, labels
        if picture in self.without_axes:
            return
        assert legend_texts(drawn[picture])
        shown = [one for one in axes if one.axison]
        for one in shown:
            assert one.get_xlabel() or one.get_shared_x_axes().get_siblings(one)[1:]
        assert shown[0].get_ylabel()

    def test_can_be_printed_as_it_is(self, drawn, picture):
        """Letters, sizes, and no notes."""
        if picture not in self.without_axes:
            check_for_print(drawn[picture], picture in self.lettered_together)

    @pytest.mark.parametrize("seeds", [2, 8])
    def test_any_number_of_seeds(self, picture, seeds):
        """Few are drawn one by one, many have an interval."""
        figure = self.draw(picture, seeds=seeds)
        check_legibility(figure)
        assert ("one seed" in legend_texts(figure)) <= (seeds == 2)

    def test_published_is_black_and_named(self, drawn, picture):
        """With its data set where ours is another one."""
        assert bool(black_marks(drawn[picture])) == (picture not in self.nothing_published)
        if picture not in self.nothing_published:
            named = [text for text in legend_texts(drawn[picture]) if text.startswith("published")]
            assert named
            assert picture in self.same_data or any("(MNIST)" in text for text in named)

    def test_one_protocol_and_a_single_seed(self, picture):
        """A table need not be whole."""
        for protocol in ("as_coded", "corrected"):
            assert self.draw(picture, seeds=1, protocols=(protocol,)).axes

    def test_a_diverged_run_is_shown_as_such(self, diverging, drawn):
        """A cross or words say so; without one they do not."""
        table = self.tables[diverging](seeds=2)
        lost = (table["protocol"] == "corrected") & (table["seed"] == 1)
        table.loc[lost, self.measured[diverging]] = np.nan
        figure = self.functions()[diverging](table, published_of_document())
        figure.draw_without_rendering()
        assert any("diverged" in text for text in shown_texts(figure))
        assert not any("diverged" in text for text in legend_texts(drawn[diverging]))


def published_of_document() -> Published:
    """What the thesis published, all parts of it."""
    return load_published(ROOT / "workflow" / "published" / "thuesen2022")


def shown_texts(figure: Figure) -> list[str]:
    """Words of the legends and inside the panels."""
    return [
        *legend_texts(figure),
        *(text.get_text() for axes in figure.axes for text in axes.texts),
    ]


def black_lines(figure: Figure) -> list[np.ndarray]:
    """Points of every line in the colour of what was published."""
    return [
        np.asarray(line.get_xydata(), float)
        for axes in figure.axes
        for line in lines_of(axes, style.PUBLISHED_COLOUR)
    ]


def black_segments(figure: Figure) -> list[list[np.ndarray]]:
    """Segments of every collection of lines in the colour of what was published."""
    return [
        artist.get_segments()
        for axes in figure.axes
        for artist in axes.findobj(LineCollection)
        if artist.get_segments() and to_hex(artist.get_color()[0]) == style.PUBLISHED_COLOUR
    ]


def black_marks(figure: Figure) -> list[Any]:
    """Whatever is drawn in the colour of what was published."""
    lines = [line for line in black_lines(figure) if np.isfinite(line).all(axis=1).any()]
    return [*lines, *black_segments(figure)]


class NumberTests(ClaimTests):
    """Claims with numbers, and the changes of the tables under which each of them differs."""

    shifts: ClassVar[Mapping[str, Callable[[Tables], Tables]]] = {}
    """Change under which every number of a result differs, by result."""
    unchanged: ClassVar[frozenset[str]] = frozenset()
    """Places of numbers that no shift reaches."""
    scale = "paper"

    def pytest_generate_tests(self, metafunc):
        """One test for each spoilt table, and for each result with numbers."""
        super().pytest_generate_tests(metafunc)
        if "shifted" in metafunc.fixturenames:
            metafunc.parametrize("shifted", sorted(self.shifts))

    def test_every_number_differs_where_it_must(self, tables, published, shifted):
        """By its tolerance, or beyond the scatter of our runs."""
        verdicts = self.judged(self.shifts[shifted](dict(tables)), published)
        rows = verdicts[verdicts["id"] == f"thuesen2022.{shifted}"]
        rows = rows[rows["check"].str.startswith("value:")]
        rows = rows[~rows["check"].str.removeprefix("value:").isin(self.unchanged)]
        assert set(rows["verdict"]) == {vd.DIFFERS}, rows.to_string()

    def test_every_result_with_numbers_is_shifted(self):
        """And no other."""
        numbers = {name for name in self.claims() if name.startswith("numbers_of_")}
        assert {f"numbers_of_{result.replace('.', '_')}" for result in self.shifts} == numbers


def wobble(seed: int, seeds: int) -> float:
    """A little scatter over seeds whose mean is 0."""
    return 0.004 * (seed - (seeds - 1) / 2)


Condition = Callable[[pd.DataFrame], pd.Series]


def change(name: str, condition: Condition, column: str, update: Any) -> Callable[[Tables], Tables]:
    """A spoiler: set ``column`` of the rows of table ``name`` that satisfy ``condition``."""

    def spoil(tables: Tables) -> Tables:
        frame = tables[name].copy()
        rows = condition(frame)
        assert rows.any(), "a spoiler must change something"
        if not isinstance(update, str | bool):
            frame[column] = frame[column].astype(float)
        frame.loc[rows, column] = update(frame.loc[rows, column]) if callable(update) else update
        return {**tables, name: frame}

    return spoil


def changed(
    result: str, statement: str, what: str, condition: Condition, column: str, update: Any
) -> Spoil:
    """A spoilt table of the result itself, by `change`."""
    return Spoil(result, statement, what, change(result, condition, column, update))


def replace(
    name: str, update: Callable[[pd.DataFrame], pd.DataFrame]
) -> Callable[[Tables], Tables]:
    """A spoiler: another table in the place of ``name``."""
    return lambda tables: {**tables, name: update(tables[name])}


def drop_rows(name: str, condition: Condition) -> Callable[[Tables], Tables]:
    """A spoiler: remove the rows of table ``name`` that satisfy ``condition``."""

    def rest(table: pd.DataFrame) -> pd.DataFrame:
        rows = condition(table)
        assert rows.any(), "a spoiler must change something"
        return table[~rows]

    return replace(name, rest)


def scale(name: str, column: str, factor: float) -> Callable[[Tables], Tables]:
    """A shift: multiply a whole column."""
    return replace(name, lambda table: table.assign(**{column: factor * table[column]}))
