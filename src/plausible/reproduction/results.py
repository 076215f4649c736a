"""Making one result: its tidy table, its picture and its readable table, in one process."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.files import write_text
from plausible.reproduction.frames import Frames, as_they_are
from plausible.reproduction.provenance import Run
from plausible.reproduction.published import Published, load_published


def make_result(
    run: Run,
    folder: str | Path,
    parts: Sequence[str],
    sources: Mapping[str, Sequence[str]],
    options: Mapping[str, Any],
    shown_in: str | Path,
    functions: Mapping[str, tuple[str, str]],
    shows: str,
    dataset: str,
    outputs: Sequence[str],
) -> None:
    """Write the files of a result.

    Parameters
    ----------
    run:
        The job, through which outputs are written.
    folder, parts:
        Folder of what the document published, and the parts of it that the result shows.
    sources, options:
        Tables of the jobs that a result of its own is made from, by source, and the arguments of
        its table function; without one, the rows stand as they are.
    shown_in:
        Table that holds the numbers of a result without a table of its own.
    functions:
        Module and name of the functions for ``table``, ``figure`` and ``markdown``.
    shows:
        Published result whose values the readable table is given.
    dataset:
        Name of the data set, for the picture.
    outputs:
        Kinds of files that are written: ``csv``, ``svg`` with ``png``, ``md``.
    """
    if "csv" in outputs:
        frames = {source: read_tables(paths) for source, paths in sources.items()}
        table = _table(_load(functions, "table") or as_they_are, frames, options)
        with run.output("csv") as path:
            # Eight digits: more than any published number has, and a third of the size.
            table.to_csv(path, index=False, float_format="%.8g")
            shown_in = path
    # Always as it is read from the file, so that a picture does not depend on who asks for it.
    table = pd.read_csv(shown_in)
    published = load_published(folder, parts)
    if "svg" in outputs:
        _import_seaborn()  # before the module of the picture imports all of it
        with run.output("svg") as svg, run.output("png") as png:
            draw_figure(_load(functions, "figure"), table, published, dataset, svg, png)
    if "md" in outputs:
        text = _load(functions, "markdown")(table, published.shown_values(shows))
        with run.output("md") as path:
            write_text(path, text)


def _table(
    make: Callable[..., pd.DataFrame], frames: Frames, options: Mapping[str, Any]
) -> pd.DataFrame:
    """The tidy table; ``options`` must be arguments of the function that makes it."""
    try:
        signature(make).bind(frames, **options)
    except TypeError as error:
        _, *known = signature(make).parameters
        raise StudyError(
            f"the options of the result do not fit its table function {make.__name__}: {error}; "
            f"its options are {', '.join(known) or 'none'}."
        ) from None
    return make(frames, **options)


def draw_figure(
    draw: Callable[..., Any],
    table: pd.DataFrame,
    published: Published,
    dataset: str,
    svg: Path,
    png: Path,
) -> None:
    """Draw the table of a result and write the picture as SVG and PNG."""
    from plausible.drawing import style

    style.save_figure(draw(table, published, dataset=dataset), svg, png)


def read_tables(paths: Sequence[str]) -> pd.DataFrame:
    """Rows of several tables, one under the other.

    A job of a sweep that is divided among more jobs than it has tasks writes no rows, only a line
    end.
    """
    filled = [path for path in paths if Path(path).stat().st_size > 1]
    return pd.concat([pd.read_csv(path) for path in filled], ignore_index=True)


def _load(functions: Mapping[str, tuple[str, str]], key: str) -> Callable[..., Any] | None:
    if key not in functions:
        return None
    module, name = functions[key]
    return getattr(import_module(module), name)


def _import_seaborn() -> None:
    """Import seaborn as if scipy's statistics were not installed.

    It needs them for cumulative densities and trees of clusters alone, and they take as long to
    load as all else that a picture needs. Who imports them later gets them as ever.
    """
    hidden = [name for name in ("scipy.stats", "scipy.cluster") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        import_module("seaborn")
    finally:
        for name in hidden:
            del sys.modules[name]
