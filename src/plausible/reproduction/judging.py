"""The rule of judging: decision on a published number, on a statement about seeds, on an exact one.

A published number has a resolution delta, the smallest difference that would change what the
document says; a statement has a quantity and a bound. Both stand in the published file. Nothing
here knows what a number means: values and bounds in, a decision out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval, possible_percent
from plausible.reproduction.published import Resolution
from plausible.reproduction.wording import number_text

REPRODUCED = "reproduced"
DIFFERS = "differs"
UNDECIDED = "undecided"
LEVEL = 0.05
LOGARITHMIC = ("ratio", "factor", "steps")
"""Units of quantities of a statement that are positive and spread by factors."""
POSITIVE = ("s", "ms", "Hz", "sum of L2 distances", "sum over 64 epochs")
"""Further units of quantities that cannot be negative."""
MANY_SEEDS, MOST_SEEDS = 100, 10_000
"""Beyond that many a number of seeds is not named: nobody would run them."""
NAN = float("nan")


class Decision(NamedTuple):
    """Verdict on one quantity, its mean over seeds with the 95 % interval, and what would decide.

    ``seeds_needed`` is the number of seeds that would decide at this scatter, 0 where none is
    named: the verdict is decided, or no number of seeds would do.
    """

    verdict: str
    mean: float
    low: float = NAN
    high: float = NAN
    n: int = 0
    seeds_needed: int = 0
    note: str = ""
    margin: float = 0.0
    """How far the less favourable end of the interval lies on the stated side of a bound."""


def judge_number(
    published: float, values: Sequence[float], resolution: Resolution, seeded: bool = True
) -> Decision:
    """Decide whether ``values`` (one per seed) give the ``published`` number.

    With the mean m of n values, the half-width c of its 95 % interval, and the half-width h of the
    95 % prediction interval of a mean of ``resolution.runs`` further runs: *reproduced* if m lies
    within the resolution and c is no wider than it, *differs* if m lies outside of it and further
    than h from the published number, *undecided* else. One value of a random quantity decides
    nothing; a diverged run (NaN) differs.
    """
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    if np.isnan(values).any():
        diverged = int(np.isnan(values).sum())
        return Decision(DIFFERS, NAN, n=n, note=f"{diverged} of {n} runs diverged")
    mean = float(values.mean())
    # A rounding error of the subtraction must not decide.
    slack = 1e-12 + 1e-9 * max(abs(published), abs(resolution.low), abs(mean))
    slack = slack if math.isfinite(slack) else 1e-12 + 1e-9 * abs(published)
    near = resolution.low - slack <= mean <= resolution.high + slack
    if not seeded:
        return Decision(REPRODUCED if near else DIFFERS, mean)
    if n < 2:
        return Decision(UNDECIDED, mean, n=n, seeds_needed=2, note="one seed decides nothing")
    scatter = float(values.std(ddof=1))
    low, high = _possible(mean, *mean_interval(values)[1:], resolution.unit)
    distance = abs(mean - published)

    def decides(seeds: int) -> bool:
        width = _t(seeds) * scatter / math.sqrt(seeds)
        apart = _t(seeds) * scatter * math.sqrt(1.0 / resolution.runs + 1.0 / seeds)
        return width <= resolution.delta + slack if near else distance > apart

    if decides(n):
        return Decision(REPRODUCED if near else DIFFERS, mean, low, high, n)
    needed = _seeds(decides, n)
    reach = _t(n) * scatter * math.sqrt(1.0 / resolution.runs + 1.0 / n)
    further = "one more run" if resolution.runs == 1 else f"the mean of {resolution.runs} more runs"
    why = (
        "our mean is known less well than the resolution"
        if near
        else "outside the resolution, but inside the scatter of our own runs: "
        f"{number_text(mean - reach)} to {number_text(mean + reach)} for {further}"
    )
    return Decision(UNDECIDED, mean, low, high, n, needed, f"{why}; {_would(needed)}")


def judge_quantity(
    values: ArrayLike,
    op: str,
    bound: float | Sequence[float],
    seeded: bool = True,
    tried: int = 1,
    unit: str = "",
) -> Decision:
    """Decide whether a quantity (one value per seed) satisfies ``op bound``.

    For a random quantity the 95 % Student interval of its mean decides: wholly on the stated side
    *reproduced*, wholly on the other *differs*, across the bound *undecided*. If ``tried``
    variants were tried of which one is enough, the level is divided by their number. An interval in
    ``percent`` stays between 0 and 100. Ratios and numbers of steps are judged by their
    logarithms: the mean is the geometric one. A quantity that no seed enters (``seeded`` False)
    must satisfy the bound by every value.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    if not len(values):
        raise StudyError("a statement has no values to judge; its table lacks their rows.")
    n, sides = len(values), _sides(op, bound)
    if not seeded:
        worst = float(values[np.argmin([_margin(value, sides) for value in values])])
        inside = all(_inside(value, value, sides) for value in values)
        return Decision(REPRODUCED if inside else DIFFERS, worst, margin=_margin(worst, sides))
    if np.isnan(values).any():
        diverged = f"{int(np.isnan(values).sum())} of {n} runs diverged"
        return Decision(DIFFERS, NAN, n=n, note=diverged, margin=-math.inf)
    # A ratio of 1/5 is as far from 1 as one of 5; and none is negative.
    logarithmic = unit in LOGARITHMIC and values.min() > 0.0
    seen = np.log(values) if logarithmic else values
    middle, scatter = float(seen.mean()), float(seen.std(ddof=1)) if n > 1 else NAN
    mean = math.exp(middle) if logarithmic else middle
    if n < 2:
        margin, note = _margin(mean, sides), "one seed decides nothing"
        return Decision(UNDECIDED, mean, n=n, seeds_needed=2, note=note, margin=margin)
    unit = "" if unit == "points" else unit  # these are differences here, of any sign

    def interval(seeds: int, level: float) -> tuple[float, float]:
        half = _t(seeds, level) * scatter / math.sqrt(seeds)
        if logarithmic:
            return math.exp(middle - half), math.exp(min(middle + half, 700.0))
        return _possible(mean, mean - half, mean + half, unit)

    def verdict(seeds: int) -> str:
        within = interval(seeds, LEVEL / tried)
        if _inside(*within, sides):
            return REPRODUCED
        return DIFFERS if _outside(*within, sides) else UNDECIDED

    low, high = interval(n, LEVEL)
    margin = min(_margin(low, sides), _margin(high, sides))
    found = verdict(n)
    if found != UNDECIDED:
        return Decision(found, mean, low, high, n, margin=margin)
    needed = _seeds(lambda seeds: verdict(seeds) != UNDECIDED, n)
    note = f"the interval reaches across the bound; {_would(needed)}"
    return Decision(UNDECIDED, mean, low, high, n, needed, note, margin)


def judge_all(decisions: Mapping[str, Decision]) -> tuple[str, Decision]:
    """Name and decision of the quantity on which a statement about several of them hangs.

    All must hold: one that differs decides against the statement, else one that is undecided keeps
    it open. Between equals the one with the smallest margin counts.
    """
    order = (DIFFERS, UNDECIDED, REPRODUCED)

    def rank(name: str) -> tuple[int, float]:
        return order.index(decisions[name].verdict), decisions[name].margin

    name = min(decisions, key=rank)
    if decisions[name].verdict != UNDECIDED:
        return name, decisions[name]
    needed = max(one.seeds_needed for one in decisions.values())
    return name, decisions[name]._replace(seeds_needed=needed)


def op_text(op: str, bound: float | Sequence[float]) -> str:
    """A bound for people: ``< 0.3``, ``within 0.8 to 1.2``, ``|.| < 0.1``."""
    if op == "within":
        low, high = bound
        return f"within {low:g} to {high:g}"
    if op.startswith("abs"):
        return f"|.| {op[4:]} {bound:g}"
    return f"{op} {bound:g}"


class _Sides(NamedTuple):
    low: float
    high: float
    strict: bool


def _sides(op: str, bound: float | Sequence[float]) -> _Sides:
    """Allowed range of a comparison."""
    if op == "within":
        low, high = bound
        return _Sides(float(low), float(high), strict=False)
    bound = float(bound)
    if op in ("abs <", "abs <="):
        # The mean is compared, not the mean of absolute values: seeds on both sides cancel.
        return _Sides(-bound, bound, op == "abs <")
    if op in ("<", "<="):
        return _Sides(-math.inf, bound, op == "<")
    if op in (">", ">="):
        return _Sides(bound, math.inf, op == ">")
    if op == "==":
        return _Sides(bound, bound, False)
    raise StudyError(f"a statement compares by {op!r}; allowed is <, <=, >, >=, ==, within, abs <.")


def _inside(low: float, high: float, sides: _Sides) -> bool:
    if sides.strict:
        return sides.low < low and high < sides.high
    return sides.low <= low and high <= sides.high


def _outside(low: float, high: float, sides: _Sides) -> bool:
    if sides.strict:
        return high <= sides.low or low >= sides.high
    return high < sides.low or low > sides.high


def _margin(value: float, sides: _Sides) -> float:
    """Distance to the nearer bound, negative outside; a NaN is behind every number."""
    return -math.inf if math.isnan(value) else min(value - sides.low, sides.high - value)


def _t(n: int, level: float = LEVEL) -> float:
    return float(stdtrit(n - 1, 1.0 - level / 2.0))


def _seeds(decides: Callable[[int], bool], n: int) -> int:
    """Smallest number of seeds above ``n`` that decides, by doubling and halving; 0 for none."""
    high = n + 1
    while not decides(high):
        high *= 2
        if high > MOST_SEEDS:
            return 0
    low = max(n, high // 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _would(needed: int) -> str:
    if needed > MANY_SEEDS:
        return f"too near to the bound to be told from it by {MANY_SEEDS} seeds"
    if needed:
        return f"about {needed} seeds would decide at this scatter"
    return "no number of seeds would decide at this scatter"


def _possible(mean: float, low: float, high: float, unit: str) -> tuple[float, float]:
    """Interval that stays between 0 and 100 for a percentage, 0 and 1 for a share, or above 0.

    By the delta method on the logit and, where it would reach below 0, on the logarithm.
    """
    if unit in ("points", "percent"):
        return possible_percent(mean, low, high)
    if unit.startswith("share") and 0.0 < mean < 1.0:
        low, high = possible_percent(100.0 * mean, 100.0 * low, 100.0 * high)
        return low / 100.0, high / 100.0
    if unit in POSITIVE and mean > 0.0 > low:
        half = min((high - low) / 2.0 / mean, 700.0)
        return mean * math.exp(-half), mean * math.exp(half)
    return low, high
