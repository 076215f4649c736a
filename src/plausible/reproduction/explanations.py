"""Why a result differs from the published one: explanations and how they are found."""

from collections.abc import Iterable
from typing import NamedTuple


class Explanation(NamedTuple):
    """Known cause of a difference. ``check`` and ``protocol`` may be ``*`` for all."""

    result: str
    check: str
    protocol: str
    text: str


def explain(
    explanations: Iterable[Explanation], result: str, check: str, protocol: str
) -> str | None:
    """Text of the most specific explanation, or None.

    An exact check (``expect:0 weights``) beats its statement (``expect:0``), which beats ``*``;
    between equals an exact protocol beats ``*``.
    """
    checks, protocols = [check, check.split(" ")[0], "*"], [protocol, "*"]
    fitting = [
        (checks.index(one.check), protocols.index(one.protocol), position, one.text)
        for position, one in enumerate(explanations)
        if one.result == result and one.check in checks and one.protocol in protocols
    ]
    return min(fitting)[-1] if fitting else None
