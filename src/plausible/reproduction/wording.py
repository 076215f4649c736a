"""Numbers and names as people read them in the reports."""

import math
import re
from typing import Any

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
    """Whether a shown text starts with a number, perhaps behind a sign of comparison.

    A list such as ``1: 129.6, 10: 97.6`` is none.
    """
    return re.match(r"(?:(?:[<>]|&[lg]t;)=? )?-?\d[^\s:]*(?:\s|$)", text) is not None


def interval_text(low: Any, high: Any, decimals: int | None = None) -> str:
    """``[96.9, 97.4]``, or nothing where there is no interval."""
    low, high = number_text(low, decimals), number_text(high, decimals)
    return f"[{low}, {high}]" if low and high else ""


def quantity(place: str) -> str:
    """Name of a published number for people, from its place below ``values`` of its entry.

    ``rate_ceiling_hz`` becomes ``rate ceiling in Hz``, ``rows.fsgd.test_error_percent`` becomes
    ``fsgd: test error in percent``, and the numbers of a list are counted from 1:
    ``cell_body_um.0`` becomes ``cell body in µm (1)``.
    """
    shown: list[str] = []
    for step in place.split("."):
        if step.isdigit() and shown:
            shown[-1] += f" ({int(step) + 1})"
        elif step != "rows":
            shown.append(_words(step))
    return ": ".join(shown)


def _words(key: str) -> str:
    """Words of a key, with the unit in which it ends."""
    for ending, words in _UNITS.items():
        if key.endswith(ending):
            key = key.removesuffix(ending) + words
            break
    # Numbers of sections, figures and tables: section_4_6_3, table3_2.
    number = re.fullmatch(r"(section|figure|table)_?([A-Z0-9]+(?:_\d+)+)", key)
    if number:
        key = f"{number[1]} {number[2].replace('_', '.')}"
    return _plain(key)


def _plain(name: str) -> str:
    """Words of a name; an index such as ``l_max`` or ``t_d`` stays one.

    Between two numbers ``_`` is a point, ``gamma_0_05``; between more of them a dash,
    ``dense_784_200_10``; behind ``1e`` a minus, ``lambda_1e_5``; and ``4to1`` is ``4 to 1``.
    """
    # Most of these operations are additions of integers, so the reports call them operations.
    name = re.sub(r"(?<=\de)_(?=\d)", "-", name.replace("kflops", "kOps"))
    name = re.sub(r"(?<=\d)to(?=\d)", " to ", name)
    name = re.sub(
        r"\d+(?:_\d+)+", lambda one: one[0].replace("_", "-."[one[0].count("_") == 1]), name
    )
    return re.sub(r"(?<![lt])_|(?<=[lt])_(?!(?:max|d|c)(?![a-z]))", " ", name)


def variant_text(variant: str) -> str:
    """Which of several findings about a statement a row is, for people."""
    return _plain(variant)


def statement_text(variant: str, statement: str) -> str:
    """What a row judges, for people: the statement or the number, and which variant of it."""
    return f"{statement} ({variant_text(variant)})" if variant else statement
