"""Moments t of weight updates on an axis: fixed numbers of inference steps, and ``l``."""

from collections.abc import Iterable


def moment_axis(l_max: int, found: Iterable[str]) -> list[str]:
    """Order of ``found`` on the t axis: ``l`` between l_max - 2 and l_max - 1.

    At t = l the weights of every layer learn at a time of their own, the last at l_max - 1 (Song et
    al. 2020, supplement A.8). Raises ValueError for what is neither a number nor ``l``.
    """
    moments = set(found)
    numbers = sorted(int(moment) for moment in moments - {"l"})
    before = [str(number) for number in numbers if number <= l_max - 2]
    after = [str(number) for number in numbers if number > l_max - 2]
    return [*before, *(["l"] if "l" in moments else []), *after]
