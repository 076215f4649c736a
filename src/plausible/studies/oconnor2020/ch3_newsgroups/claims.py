"""Table 3.1: two newsgroups, in three divisions of the same posts.

As published are the divisions of 7 : 1, which the text states; ``corrected`` is that of 4 : 1, with
whose numbers of posts three of the four printed percentages are possible. The thesis does not say
by which of its two rules the regressor learned, so both are compared; nor does it state the kernel
of its support vector machine, so that both the linear and the Gaussian one are rivals. The linear
kernel fits the printed row better: it alone leaves no error on the posts that trained it.
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Number,
    Outcome,
    judge,
    outcome_of,
    paired_difference,
)
from plausible.studies.oconnor2020.ch3_newsgroups.tables import (
    DIVISIONS,
    KERNELS,
    enters_chance,
    last_epochs,
)

RESULT = "ch3.table3.1"
ERRORS = {"test_error_percent": "test error", "training_error_percent": "training error"}
SAMPLES = {"test_error_percent": "test_samples", "training_error_percent": "training_samples"}
NETWORKS = {
    "relu": ("1 Layer NN", ""),
    "sgd": ("Spiking Regressor", ", SGD"),
    "fsgd": ("Spiking Regressor", ", FSGD"),
    "svm_linear": ("SVM", ", linear"),
    "svm_rbf": ("SVM", ", Gaussian kernel"),
}
"""Published row of a classifier, and what our label adds to its name."""
SPIKING = {"sgd": "SGD", "fsgd": "FSGD"}
"""Rules of the spiking regressor, in words."""
NO_NEWSGROUPS = "breast_cancer"
"""Stand-in at the demo scale, which says nothing about newsgroups."""


def _rows(evidence: Evidence) -> pd.DataFrame:
    return last_epochs(
        evidence.table(
            RESULT, "division", "protocol", "data_set", "classifier", "epoch", "seed", *ERRORS
        )
    )


def _comparisons(
    evidence: Evidence, rival: str, low: float, high: float, strict: bool, against: str = ""
) -> list[Outcome]:
    """Test error of the spiking regressor less that of a rival, in points, seed by seed."""
    outcomes = []
    for division, rows in _rows(evidence).groupby("division", sort=False):
        for kind in SPIKING:
            points = paired_difference(rows, "test_error_percent", "classifier", kind, rival)
            samples = int(rows["test_samples"].iloc[0])
            found = _judge_samples(points, samples, low, high, strict)
            note = f"points; one of {samples} samples is {100 / samples:.2f}"
            outcomes.append(
                outcome_of(
                    found,
                    rows["protocol"].iloc[0],
                    note,
                    variant=_aspect(kind, division) + against,
                    full_scale=rows["data_set"].iloc[0] == NO_NEWSGROUPS,
                )
            )
    return outcomes


def _aspect(kind: str, division: str) -> str:
    """Rule and division of a comparison in words: ``SGD, 4 : 1 shuffled``."""
    return f"{SPIKING[kind]}, {DIVISIONS[division]}"


def _judge_samples(
    points: pd.Series, samples: int, low: float, high: float, strict: bool
) -> Judgement:
    """Judge a difference of errors in points, counted in whole samples so that a tie is exactly 0.

    The mean of differences that cancel is otherwise a rounding error with a sign of its own.
    """
    point = samples / 100.0
    found = judge((points * point).round(), low * point, high * point, strict)
    scaled = {name: getattr(found, name) / point for name in ("mean", "low", "high", "margin")}
    return found._replace(**scaled)


def as_good_as_the_network(evidence: Evidence) -> list[Outcome]:
    """Within the published tolerance of the one-layer network."""
    tolerance = evidence.bounds(0)[0]
    return _comparisons(evidence, "relu", -tolerance, tolerance, strict=False)


def better_than_the_machine(evidence: Evidence) -> list[Outcome]:
    """Fewer errors than the support vector machine, with either kernel: none is stated."""
    return [
        outcome
        for rival in KERNELS
        for outcome in _comparisons(
            evidence, rival, -float("inf"), 0.0, strict=True, against=_against(rival)
        )
    ]


def _against(rival: str) -> str:
    return f", {KERNELS[rival]} kernel"


def numbers_of_ch3_table3_1(evidence: Evidence) -> list[Number]:
    """Both errors of every classifier, in every division."""
    printed = {row["network"]: row for row in evidence.entry["values"]["rows"]}
    frame = _rows(evidence)
    numbers = []
    for (division, kind), rows in frame.groupby(["division", "classifier"], sort=False):
        name, more = NETWORKS[kind]
        for column, what in ERRORS.items():
            label = f"{name}{more}: {what}, {DIVISIONS[division]}"
            values = tuple(rows.sort_values("seed")[column])
            protocol = rows["protocol"].iloc[0]
            number = Number(label, protocol, printed[name][column], values, None)
            if not enters_chance(division, kind):
                number = _same_for_all(number, int(rows[SAMPLES[column]].iloc[0]))
            numbers.append(number)
    return numbers


def _same_for_all(number: Number, samples: int) -> Number:
    """Error that no random stream enters: one value, which agrees to the nearest whole sample."""
    if len(set(number.values)) > 1:
        raise StudyError(
            f"{RESULT}: {number.label} is the same for every seed, but its rows differ."
        )
    return number._replace(
        values=number.values[:1],
        tolerance=50.0 / samples,
        tolerance_source=f"half of one of {samples} samples",
        note="no random stream enters",
        seeded=False,
    )


_POST = (
    "With 247 test posts an error is a multiple of 0.40 %, so that 2.278 % cannot occur: the "
    "printed number is of another division (9 of 395 posts, 4 : 1, give it). In the order of the "
    "file, later posts have other subjects than those before. "
)
_POSTS = (
    "The author's posts were stemmed and divided by a third party; order, vocabulary, step, epochs "
    "and kernel are not stated. Ours are all posts of the two groups, with the 2,000 most common "
    "words of subject and body. At the paper scale the one-layer network and the regressor with "
    "SGD have nearly the same training errors after every epoch, that with FSGD at most 1.7 times "
    "as many, so no number of epochs gives both the printed 0.127 and 0.82 %."
)
_FSGD_IN_FILE_ORDER = (
    "Between epochs 10 and 20 of the paper scale the one-layer network and SGD get worse on these "
    "test posts (7.0 to 8.5 %, 6.4 to 8.3 %), FSGD does not (6.6 %); after 5 and after 10 epochs "
    "all three are within 1 point of each other."
)
_GAUSSIAN = (
    "With the Gaussian kernel the machine errs less on test posts than with the linear one, in "
    "every division, and about as little as the spiking regressors (less than that with SGD in "
    "the order of the file). It is unlikely to be the machine of the table: it leaves errors on "
    "the posts that trained it, where 0 is printed and the linear kernel has 0; and on shuffled "
    "posts the printed test error is about that of the linear kernel, which the spiking "
    "regressors beat."
)
_NOT_SEPARATED = (
    "The printed training error of 0 is that of a machine which separates the posts that trained "
    "it, as ours does with the linear kernel; the Gaussian one with the default regularisation "
    "leaves some on the wrong side."
)
