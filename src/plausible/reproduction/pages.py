"""Building blocks of the reports: one style sheet, badges, tables, embedded pictures.

Pages are complete files that need no network: styles, scripts and pictures are inside. Verdicts
are told apart by their words and signs; colour only helps.
"""

import base64
import html
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from plausible.errors import StudyError
from plausible.reproduction.verdicts import (
    DIFFERS,
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    REPRODUCED,
)

# Sign, background and text colour; contrast of the text at least 4.5 to 1.
BADGES: dict[str, tuple[str, str, str]] = {
    REPRODUCED: ("✓", "#005a9c", "#ffffff"),
    DIFFERS: ("✗", "#a83e00", "#ffffff"),
    NOT_COMPARABLE: ("○", "#e8e8e8", "#333333"),
    NEEDS_DATA: ("⇣", "#f3e3a1", "#333333"),
    ILLUSTRATION: ("▭", "#ffffff", "#555555"),
    "survives": ("✓", "#005a9c", "#ffffff"),
    "does not survive": ("✗", "#a83e00", "#ffffff"),
    "not decided at this scale": ("○", "#e8e8e8", "#333333"),
}

STYLE = """
:root { color-scheme: light; --line: #d5d9de; --soft: #f5f7f9; --link: #005a9c; --text: #1c2126; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 96rem; padding: 1.2rem 1.5rem 4rem; color: var(--text);
  background: #fff;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .6em 0 .3em; }
h2 { font-size: 1.4rem; margin: 2.2em 0 .5em; padding-top: .5em;
  border-top: 2px solid var(--line); }
h3 { font-size: 1.12rem; margin: 1.8em 0 .4em; }
p, li { max-width: 50rem; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible {
  outline: 3px solid #e69f00; outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; }
.anchor-link { display: none; }
.scroll { overflow-x: auto; margin: .7rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; min-width: 40%; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { background: var(--soft); border-bottom: 2px solid #b9c0c8; white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.wide { min-width: 16rem; max-width: 36rem; }
td.id { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .78rem;
  min-width: 9rem; }
td.number.words { white-space: normal; text-align: left; min-width: 7rem; }
td small, td code { color: #454c54; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: .8rem; font-size: .8rem;
  font-weight: 600; white-space: nowrap; border: 1px solid rgba(0,0,0,.18); }
.counts { display: flex; flex-wrap: wrap; gap: .4rem; margin: .4rem 0; padding: 0;
  list-style: none; }
figure { margin: .8rem 0 1rem; } figure img, figure svg { max-width: 100%; height: auto; }
figcaption { color: #454c54; font-size: .88rem; max-width: 50rem; }
code { background: var(--soft); padding: 0 .25em; border-radius: 3px; font-size: .9em; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem;
  font-size: .9rem; }
.facts dt { font-weight: 600; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.study { border: 1px solid var(--line); border-radius: .5rem; padding: .3rem 1.2rem 1rem;
  margin: 1rem 0; }
.study h3 { margin-top: .8em; }
.links { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none; }
.filters { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: end; margin: .8rem 0; }
.filters label { display: flex; flex-direction: column; font-size: .82rem; font-weight: 600; }
.filters input, .filters select { font: inherit; padding: .25rem .4rem; min-width: 11rem;
  border: 1px solid #8a929b; border-radius: 4px; background: #fff; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button::after { content: " ↕"; color: #6b747d; }
th[aria-sort=ascending] button::after { content: " ↑"; color: inherit; }
th[aria-sort=descending] button::after { content: " ↓"; color: inherit; }
details { margin: .4rem 0 1rem; } summary { cursor: pointer; font-weight: 600; }
@media print { .filters, .skip { display: none; } h2 { break-after: avoid; } }
"""


class Html(str):
    """A piece of HTML that a notebook shows as such."""

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        # A notebook keeps the plain form of every output too; it must not double the file.
        return f"<Html of {len(self)} characters>"


def escape(value: Any) -> str:
    """Text with the characters that mean something in HTML made harmless."""
    return html.escape(str(value), quote=True)


def page(title: str, body: str, language: str = "en") -> str:
    """Complete HTML document around ``body``."""
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">Skip to the content</a>\n<main id="main">\n{body}\n</main>\n'
        "</body>\n</html>\n"
    )


def badge(verdict: str, count: int | None = None) -> Html:
    """Sign and words of a verdict; with ``count`` in front, for sums."""
    sign, background, colour = BADGES[verdict]
    number = "" if count is None else f"{count} "
    style = f"background:{background};color:{colour}"
    return Html(
        f'<span class="badge" style="{style}">{number}'
        f'<span aria-hidden="true">{sign}</span> {escape(verdict)}</span>'
    )


def counts_list(counts: Mapping[str, int]) -> Html:
    """Verdict counts as badges, zeros left out."""
    items = "".join(f"<li>{badge(name, int(n))}</li>" for name, n in counts.items() if n)
    return Html(f'<ul class="counts">{items}</ul>')


def number_text(value: Any, decimals: int | None = None) -> str:
    """Number for people: ``decimals`` or two decimals, below 1 four digits; empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if math.isnan(number):
        return ""
    if number.is_integer() and abs(number) < 1e6 and not decimals:
        return str(int(number))
    if decimals and (abs(number) >= 10.0**-decimals or number == 0.0) and abs(number) < 1e6:
        return f"{number:.{decimals}f}"
    if 1.0 <= abs(number) < 1e6:
        return f"{number:.2f}"
    return f"{number:.4g}" if 1e-3 <= abs(number) < 1.0 else f"{number:.2e}"


def decimals_of(published: Any) -> int:
    """Decimals with which a published number and its reproduction are shown, at least two."""
    digits = str(published).partition(".")[2]
    return max(2, len(digits)) if digits.isdigit() else 0


def is_number(text: str) -> bool:
    """Whether a shown text starts with a number, perhaps behind a sign of comparison."""
    return re.match(r"(?:(?:[<>]|&[lg]t;)=? )?-?\d", text) is not None


def name_cell(name: Any) -> Html:
    """Name of a result that may be broken after a dot or an underscore."""
    return Html(re.sub(r"([._])", r"\1<wbr>", escape(name)))


def interval_text(low: Any, high: Any, decimals: int | None = None) -> str:
    """``[96.9, 97.4]``, or nothing where there is no interval."""
    low, high = number_text(low, decimals), number_text(high, decimals)
    return f"[{low}, {high}]" if low and high else ""


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    caption: str = "",
    classes: Sequence[str] = (),
    identifier: str = "",
) -> Html:
    """Table that scrolls by itself when it is wide. Cells of type `Html` are not escaped.

    ``classes`` gives the class of each column, e.g. ``number`` (right-aligned) or ``wide``.
    """
    classes = list(classes) + [""] * (len(header) - len(classes))
    heads = "".join(
        f'<th scope="col">{h if isinstance(h, Html) else escape(h)}</th>' for h in header
    )
    lines = []
    for row in rows:
        cells = "".join(_table_cell(cell, kind) for cell, kind in zip(row, classes, strict=True))
        lines.append(f"<tr>{cells}</tr>")
    named = f' id="{identifier}"' if identifier else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Html(
        f'<div class="scroll" tabindex="0"><table{named}>{title}<thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _table_cell(value: Any, kind: str) -> str:
    text = name_cell(value) if kind == "id" and not isinstance(value, Html) else _cell(value)
    if kind == "number" and text and not is_number(text):
        kind = "number words"
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"


def _cell(value: Any) -> str:
    if isinstance(value, Html):
        return value
    return escape(value if isinstance(value, str) else number_text(value))


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
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return Html(
        f'<figure><img data-picture="{escape(path.name)}" src="{address}" alt="{escape(text)}"'
        f' style="width:{_display_width(file)}">{below}</figure>'
    )


def with_linked_pictures(text: str, address: Callable[[str], str]) -> str:
    """A page whose embedded pictures are links: ``address`` gives the place of a picture by name.

    For a page that is kept beside its pictures, such as that of the reference run.
    """

    def linked(image: re.Match[str]) -> str:
        name = re.search(r'data-picture="([^"]+)"', image[0])
        if name is None:
            return image[0]
        place = f'src="{escape(address(html.unescape(name[1])))}"'
        return re.sub(r'src="data:image/[^"]*"', lambda _: place, image[0])

    # The order of attributes is not ours: converting a notebook sorts them.
    return re.sub(r"<img [^>]*>", linked, text)


def _data_address(file: Path) -> str:
    """A picture as an address that holds it: an SVG as text, a PNG in base64."""
    if file.suffix == ".svg":
        content = " ".join(file.read_text(encoding="utf-8").split())
        return "data:image/svg+xml," + quote(content, safe=" !$'()*+,-./:;=?@[]^_`{|}~")
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii")


def _display_width(file: Path) -> str:
    """Width in CSS pixels: 1.5 times the printed size (SVG in points, PNG at 300 dots per inch)."""
    if file.suffix == ".png":
        header = file.read_bytes()[:24]
        inches = int.from_bytes(header[16:20], "big") / 300.0
    else:
        text = file.read_text(encoding="utf-8", errors="replace")[:4000]
        start = text.find('width="')
        value = text[start + 7 : text.find('"', start + 7)]
        inches = float(value.removesuffix("pt")) / 72.0 if value.endswith("pt") else 7.2
    return f"{round(inches * 96 * 1.5)}px"


_UNITS = {
    "_percentage_points": " in percentage points",
    "_percent": " in percent",
    "_hz": " in Hz",
    "_ms": " in ms",
    "_mv": " in mV",
    "_um": " in µm",
    "_pj": " in pJ",
    "_nj": " in nJ",
    "_w": " in W",
    "_s_s": "_s in s",
}


def quantity(label: str) -> str:
    """Name of a published number for people: ``r_of_j_hz 2`` becomes ``r of j in Hz: 2``.

    What follows a colon is a quantity, too (``Round, temporal_mnist: energy_nj``), and the numbers
    of a list are counted from 1: ``cell_body_um.0`` becomes ``cell body in µm (1)``.
    """
    key, _, which = label.partition(" ")
    if "_" in key:
        return _words(key) + (f": {which}" if which else "")
    where, colon, cell = label.rpartition(": ")
    return where + colon + (_words(cell) if colon else cell)


def _words(key: str) -> str:
    """Words of a key, with the unit in which it ends."""
    key, place = re.fullmatch(r"(.*?)(?:\.(\d+))?", key).groups()
    for ending, words in _UNITS.items():
        if key.endswith(ending):
            key = key.removesuffix(ending) + words
            break
    # Numbers of sections, figures and tables: section_4_6_3, table3_2.
    number = re.fullmatch(r"(section|figure|table)_?([A-Z0-9]+(?:_\d+)+)", key)
    if number:
        key = f"{number[1]} {number[2].replace('_', '.')}"
    # Most of these operations are additions of integers, so the reports call them operations.
    key = key.replace("kflops", "kOps").replace("_", " ")
    return key if place is None else f"{key} ({int(place) + 1})"


def facts(pairs: Mapping[str, Any]) -> Html:
    """Definition list of short facts; empty ones are left out."""
    items = "".join(
        f"<dt>{escape(key)}</dt><dd>{_cell(value)}</dd>"
        for key, value in pairs.items()
        if value not in (None, "")
    )
    return Html(f'<dl class="facts">{items}</dl>')
