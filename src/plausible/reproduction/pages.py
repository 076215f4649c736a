"""Pages and pieces of HTML for the reports, made from the files in the folder ``templates``.

Pages are complete files that need no network: styles, scripts and pictures are inside. Verdicts
are told apart by their words and signs; colour only helps.
"""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from plausible.errors import StudyError
from plausible.reproduction import wording
from plausible.reproduction.entries import FAILS, HOLDS, IN_PART
from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.meanings import SHORT
from plausible.reproduction.verdict_row import (
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
)
from plausible.reproduction.verdicts import verdict_counts

SIGNS = {
    REPRODUCED: "✓",
    DIFFERS: "✗",
    UNDECIDED: "?",
    NOT_COMPARABLE: "○",
    NOT_IN_RUN: "…",
    NEEDS_DATA: "⇣",
    ILLUSTRATION: "▭",
    "survives": "✓",
    "does not survive": "✗",
    "not decided": "?",
    **dict.fromkeys(HOLDS.values(), "✓"),
    IN_PART: "◐",
    FAILS: "✗",
}
"""Sign of each verdict, and of what the verdicts say about an explanation."""


class Html(Markup):
    """A piece of HTML that a notebook shows as such."""

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        # A notebook keeps the plain form of every output too; it must not double the file.
        return f"<Html of {len(self)} characters>"


def breakable(name: Any) -> Html:
    """Name of a result that may be broken after a dot, a slash or an underscore."""
    return Html(re.sub(r"([._/])", r"\1<wbr>", str(escape(name))))


def _shown(value: Any, kind: str) -> str:
    """Content of a cell: HTML and texts as they are, anything else as a number."""
    if isinstance(value, Markup):
        return value
    if kind == "id":
        return breakable(value)
    return value if isinstance(value, str) else wording.number_text(value)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("plausible.reproduction", "templates"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "signs": SIGNS,
        "meanings": SHORT,
        "interval": wording.interval_text,
    }
    environment.filters |= {
        "breakable": breakable,
        "decimals": wording.decimals_of,
        "is_number": wording.is_number,
        "number": wording.number_text,
        "sentence": lambda text: text[:1].upper() + text[1:] + "." * (text[-1:] not in ".!?"),
        "shown": _shown,
        "statement": lambda row: wording.statement_text(row.variant, row.statement),
        "verdict_counts": verdict_counts,
    }
    return environment


_ENVIRONMENT = _environment()
_PIECES = _ENVIRONMENT.get_template("pieces.html.j2").module


def render(template: str, **values: Any) -> str:
    """A page or a document: the file ``template`` of the folder ``templates``, filled in."""
    return _ENVIRONMENT.get_template(template).render(values)


def piece(name: str, *arguments: Any, **options: Any) -> Html:
    """The macro ``name`` of ``templates/pieces.html.j2``, filled in."""
    return Html(getattr(_PIECES, name)(*arguments, **options))


def badge(verdict: str) -> Html:
    """Sign and words of a verdict."""
    return piece("badge", verdict)


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    caption: str = "",
    classes: Sequence[str] = (),
) -> Html:
    """Table that scrolls by itself when it is wide. Cells of type `Html` are not escaped.

    ``classes`` gives the class of each column, e.g. ``number`` (right-aligned) or ``wide``.
    """
    return piece("table", header, rows, caption, classes)


def picture(path: str | Path, text: str, caption: str = "") -> Html:
    """Picture inside the page, from ``<path>.svg`` or ``<path>.png``, whichever takes less room.

    Raises
    ------
    StudyError
        If neither file is there.
    """
    path = Path(path)
    files = [path.with_name(path.name + suffix) for suffix in (".svg", ".png")]
    found = [file for file in files if file.is_file()]
    if not found:
        raise StudyError(f"the picture {files[0]} is missing; build the result before its report.")
    address, file = min(((_data_address(file), file) for file in found), key=lambda x: len(x[0]))
    return piece("picture", path.name, Html(address), text, _display_width(file), caption)


def with_linked_pictures(text: str, address: Callable[[str], str]) -> str:
    """A page whose embedded pictures are links: ``address`` gives the place of a picture by name.

    For a page that is kept beside its pictures, such as that of the reference run.
    """

    def linked(image: re.Match[str]) -> str:
        name = re.search(r'data-picture="([^"]+)"', image[0])
        if name is None:
            return image[0]
        place = f'src="{escape(address(Markup(name[1]).unescape()))}"'
        return re.sub(r'src="data:image/[^"]*"', lambda _: place, image[0])

    # The order of attributes is not ours: converting a notebook sorts them.
    return re.sub(r"<img [^>]*>", linked, text)


def _data_address(file: Path) -> str:
    """A picture as an address that holds it: an SVG as text, a PNG in base64."""
    if file.suffix == ".svg":
        content = " ".join(file.read_text(encoding="utf-8").split())
        return "data:image/svg+xml," + quote(content, safe=" !$'()*+,-./:;=?@[]^_`{|}~")
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii")


def _display_width(file: Path) -> int:
    """Width in CSS pixels: 1.5 times the printed size (SVG in points, PNG at 300 dots per inch)."""
    if file.suffix == ".png":
        header = file.read_bytes()[:24]
        inches = int.from_bytes(header[16:20], "big") / 300.0
    else:
        text = file.read_text(encoding="utf-8", errors="replace")[:4000]
        start = text.find('width="')
        value = text[start + 7 : text.find('"', start + 7)]
        inches = float(value.removesuffix("pt")) / 72.0 if value.endswith("pt") else 7.2
    return round(inches * 96 * 1.5)
