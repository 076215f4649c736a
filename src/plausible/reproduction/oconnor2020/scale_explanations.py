"""Why results on the optimised scales differ from figure 4.4 and table B.1.

Numbers of ours are those of the run at the paper scale, from its tidy table of table B.1.
"""

from plausible.reproduction.explanations import Explanation
from plausible.studies.oconnor2020.tables_scales import ORDERS

TABLE = "table_b1"

_MEAN = (
    "By equations 4.8 to 4.10 the computation is averaged over a minibatch like the error. The "
    "numbers of the table come from code that sums it over its 10 samples, so that a lambda there "
    "weighs as much as ten times that lambda here; and they were measured on the last 10,000 "
    "images of the training file (the thesis split), not on the official test images."
)
_STARTS = (
    "The published number is that of one trained network, whose random start is not stated; "
    "nothing in the optimisation of its scales is random."
)
_STEP = (
    "The additions of all layers jump where the input scale passes 4.5, so that bright pixels are "
    "sent as 5 and not as 4: at the paper scale, on the thesis split, all our rounding networks "
    "with input scales up to 4.48 need at most 186 thousand, and all from 4.53 on at least 195 "
    "thousand. At this λ ours are 4.31 to 4.42; the published 206 thousand of rounding fits a "
    "scale above the step."
)
_NETWORK_ERROR = (
    "At the paper scale the published error is 0.06 to 0.19 points above ours at every λ, and so "
    "is that of the original network (2.24 against 2.13), which has no scales. Why, is not known. "
    "Our three runs differ by 0.02 points at λ = 1e-10 and by 0.04 at 1.29e-9, by chance less than "
    "at the other λ (0.06 to 1.4), so that the interval is narrow at these two."
)
_SMALL_EXCESS = (
    "At the paper scale, from λ = 1.67e-8 on, all published energies are 0.09 to 0.19 nJ above "
    "ours, those of sigma-delta in temporal order 0.10 to 0.16 nJ (an addition takes 0.1 pJ); the "
    "cause is not known."
)
_TEXT_END = (
    " The scales are taken at the end of the optimisation, half an epoch later than in the code."
)

_OFFICIAL_RATIO = (
    "At the paper scale the ratio is 0.01 to 0.02 lower on the official split than on the thesis "
    "split, where the same networks have at least 0.504. It does not fall steadily with λ: it is "
    "least (0.492) at λ = 4.64e-9, where the input scale is just below 4.5 (4.30 to 4.40), and "
    "0.513 at the smallest λ."
)
_NEIGHBOURS = (
    "Neighbouring lambdas differ little in their scales, and these are one point of an "
    "optimisation that swings with the place in the file. Of the 10,000 test images ten make 0.1 "
    "points, and the standard deviation of an error of 2.3 % is 0.15 points."
)

_ROWS = tuple(f"{name}, {order}" for name in ("Round", "SigmaDelta") for order in ORDERS.values())
_COSTS = ("kflops", "energy_nj")
_CELLS = (
    ("3.59e-10", _COSTS, _ROWS, _STEP),
    ("1e-10", ("test_error_percent",), _ROWS, _NETWORK_ERROR),
    ("1.29e-09", ("test_error_percent",), _ROWS, _NETWORK_ERROR),
    ("2.78e-06", _COSTS, ("SigmaDelta, temporal_mnist",), _SMALL_EXCESS),
)
"""Cells of table B.1 whose difference is understood one by one: lambda, cells, rows, cause."""

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation("ch4.fig4.4", "expect:1 range", "as_published", _OFFICIAL_RATIO),
    Explanation(TABLE, "expect:1", "*", _NEIGHBOURS),
    Explanation(TABLE, "*", "as_published", _MEAN + _TEXT_END),
    Explanation(TABLE, "*", "as_coded", _STARTS),
    *(
        Explanation(TABLE, f"value:lambda {strength}, {row}: {cell}", "as_coded", text)
        for strength, cells, rows, text in _CELLS
        for row in rows
        for cell in cells
    ),
)
