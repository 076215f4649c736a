"""What was found on trainings with MNIST: figures 7.3, 7.4 and D.1, and what is said of them."""

from collections.abc import Mapping

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured

TRAINING, SCAN = "ch7.fig7.3", "fig_d1"
SPLITS = ("thesis", "official")
DEPTHS = ("small", "large")
KEYS = ("run", "seed", "epoch")


def last_rows(table: pd.DataFrame, run: str) -> pd.DataFrame:
    """Last row of every seed of a run."""
    rows = table[table["run"] == run].sort_values("epoch")
    if rows.empty:
        raise StudyError(f"the table of figure 7.3 lacks the run {run}, which statements compare.")
    return rows.groupby("seed").tail(1).set_index("seed").sort_index()


def final(evidence: Evidence, run: str, column: str) -> pd.Series:
    """A column after the training, by seed."""
    columns = dict.fromkeys((*KEYS, column))
    return last_rows(evidence.table(TRAINING, *columns), run)[column]


def _errors(evidence: Evidence, run: str, split: str, state: str = "minus") -> pd.Series:
    """Test error after the training; ``state``: minus or forward."""
    middle = "_forward" if state == "forward" else ""
    return final(evidence, run, f"{split}{middle}_error_percent")


def _less(first: pd.Series, second: pd.Series) -> pd.Series:
    """Difference of the seeds that both have."""
    return (first - second).dropna()


def _each_split(evidence: Evidence, quantities, full_scale: bool = False) -> list[Measured]:
    """One finding for each split; ``quantities`` is a function of it."""
    return [
        Measured("", quantities(split), variant=f"{split} split", full_scale=full_scale)
        for split in SPLITS
    ]


# ------------------------------------------------------------- figure 7.3


def plain_fails_with_few_steps(evidence: Evidence) -> list[Measured]:
    """Error of the plain less that of the initialised version, few steps."""

    def gaps(split: str) -> Mapping[str, pd.Series]:
        return {
            depth: _less(
                _errors(evidence, f"{depth}_plain_few", split),
                _errors(evidence, f"{depth}_initialised_few", split),
            )
            for depth in DEPTHS
        }

    return _each_split(evidence, gaps)


def _panel(evidence: Evidence, steps: str, depth: str, split: str) -> dict[str, pd.Series]:
    """Differences from s_- of the initialised version: of the plain one, and of s_f."""
    run = f"{depth}_initialised_{steps}"
    best = _errors(evidence, run, split)
    return {
        "plain": _less(_errors(evidence, f"{depth}_plain_{steps}", split), best),
        "s_f": _less(_errors(evidence, run, split, "forward"), best),
    }


def close_with_enough_steps(evidence: Evidence) -> list[Measured]:
    """Of the small network, and of the large one, whose training is shortened."""
    return [
        Measured(
            "",
            _panel(evidence, "many", depth, split),
            variant=f"{_trained(evidence, depth)}, {split} split",
            full_scale=True,
        )
        for depth in DEPTHS
        for split in SPLITS
    ]


def _trained(evidence: Evidence, depth: str) -> str:
    """Name of a network with its epochs, since a training may be shortened."""
    epochs = final(evidence, f"{depth}_initialised_many", "epoch").max()
    return f"{depth} network, {epochs:g} epochs"


def forward_as_good_as_settled(evidence: Evidence) -> list[Measured]:
    """s_f against s_- in every panel."""
    return [
        Measured(
            "",
            {steps: _panel(evidence, steps, depth, split)["s_f"] for steps in ("few", "many")},
            variant=f"{_trained(evidence, depth)}, {split} split",
            full_scale=True,
        )
        for depth in DEPTHS
        for split in SPLITS
    ]


def near_iterative_inference(evidence: Evidence) -> list[Measured]:
    """s_f against s_- of the small network, more steps; untrained s_f as control."""
    found = []
    for split in SPLITS:
        gap = _panel(evidence, "many", "small", split)["s_f"]
        untrained = measured(evidence, "untrained_forward_error", "initialised")
        control = untrained - measured(evidence, "error", "initialised")
        found.append(
            Measured(
                "", gap, variant=f"{split} split", full_scale=True,
                controls={"untrained": control},
            )
        )  # fmt: skip
    return found


def no_gain_from_more_steps(evidence: Evidence) -> list[Measured]:
    """Initialised version, few less more steps."""

    def gains(split: str) -> Mapping[str, pd.Series]:
        return {
            depth: _less(
                *(_errors(evidence, f"{depth}_initialised_{n}", split) for n in ("few", "many"))
            )
            for depth in DEPTHS
        }

    return _each_split(evidence, gains, full_scale=True)


def plain_is_terminated(evidence: Evidence) -> list[Measured]:
    """Whether every seed of the plain version is stopped."""
    return [_stopped(evidence, "plain")]


def initialised_is_not(evidence: Evidence) -> list[Measured]:
    """Whether any seed of the initialised version is."""
    return [_stopped(evidence, "initialised")]


def _stopped(evidence: Evidence, version: str) -> Measured:
    ends = {
        depth: (final(evidence, f"{depth}_{version}_few", "ended_epoch") >= 0).astype(float)
        for depth in DEPTHS
    }
    return Measured(
        "", ends, seeded=False, full_scale=True, exact_seeds=max(map(len, ends.values()))
    )


# ------------------------------------------------------------- variants of the training


def s_minus_is_better_target(evidence: Evidence) -> list[Measured]:
    """Target s_plus less target s_minus, few and more steps."""
    return _each_split(evidence, lambda split: _targets(evidence, split))


def _targets(evidence: Evidence, split: str) -> dict[str, pd.Series]:
    return {
        f"{steps} steps": _less(
            _errors(evidence, f"small_s_plus_{steps}", split),
            _errors(evidence, f"small_initialised_{steps}", split),
        )
        for steps in ("few", "many")
    }


def vanishes_with_convergence(evidence: Evidence) -> list[Measured]:
    """The same with more steps alone."""
    return _each_split(
        evidence, lambda split: _targets(evidence, split)["many steps"], full_scale=True
    )


def random_sign_is_stable(evidence: Evidence) -> list[Measured]:
    """Training error with random less that with positive beta."""
    column = "training_error_percent"
    gaps = {
        f"{steps} steps": _less(
            final(evidence, f"small_initialised_{steps}", column),
            final(evidence, f"small_plus_{steps}", column),
        )
        for steps in ("few", "many")
    }
    return [Measured("", gaps)]


# ------------------------------------------------------------- figure 7.4


def local_loss_no_worse(evidence: Evidence) -> list[Measured]:
    """Local less global loss, s_- and s_f."""

    def gaps(split: str) -> Mapping[str, pd.Series]:
        return {
            state: _less(
                *(_errors(evidence, run, split, state) for run in ("large_local", "large_global"))
            )
            for state in ("minus", "forward")
        }

    return _each_split(evidence, gaps, full_scale=True)


def local_gradients_align_early(evidence: Evidence) -> list[Measured]:
    """Mean cosine of each layer over the first quarter of the tests after the start."""
    columns = [f"alignment_{layer}" for layer in (1, 2, 3)]
    table = evidence.table(TRAINING, *KEYS, *columns)
    rows = table[(table["run"] == "large_local") & (table["epoch"] > 0)]
    early = rows[rows["epoch"] <= rows["epoch"].max() / 4]
    means = early.groupby("seed")[columns].mean()
    return [Measured("", {f"layer {k}": means[name] for k, name in enumerate(columns, start=1)})]


# ------------------------------------------------------------- after training


def measured(evidence: Evidence, measure: str, variant: str, steps: float | None = None):
    """Values of a measure, by seed; ``steps`` where there are several."""
    columns = ("seed", "measure", "variant", "steps", "value")
    table = evidence.table("ch7.starts_in_right_regime", *columns)
    rows = table[(table["measure"] == measure) & (table["variant"] == variant)]
    if steps is not None:
        rows = rows[rows["steps"] == steps]
    if rows.empty:
        raise StudyError(f"the table of trained networks lacks {measure} of {variant}.")
    return rows.set_index("seed")["value"].sort_index()


def steps_of(evidence: Evidence, measure: str) -> list[float]:
    """Steps, or other numbers, at which a measure was taken."""
    columns = ("measure", "steps")
    table = evidence.table("ch7.starts_in_right_regime", *columns)
    return sorted(table.loc[table["measure"] == measure, "steps"].unique())


def training_error_falls(evidence: Evidence) -> list[Measured]:
    """Training error after less before, and after one printed update."""
    before = measured(evidence, "first_training_error", "initialised")
    fall = measured(evidence, "training_error", "initialised") - before
    printed = measured(evidence, "printed_training_error", "initialised") - before
    return [Measured("", fall, controls={"printed_update": printed})]


def energy_does_not_rise(evidence: Evidence) -> list[Measured]:
    """Largest rise with small and long steps."""
    small, long = (measured(evidence, "energy_rise", name) for name in ("small", "long"))
    return [
        Measured("", small, seeded=False, exact_seeds=len(small), controls={"long_steps": long})
    ]


def nearer_than_zero(evidence: Evidence) -> list[Measured]:
    """Relative difference of distances from the converged state."""

    def gap(start: str, steps: float) -> pd.Series:
        zero = measured(evidence, "distance", "zero", steps)
        return measured(evidence, "distance", start, steps) / zero - 1.0

    after = steps_of(evidence, "distance")
    found = {f"after {steps:g} steps": gap("forward", steps) for steps in after}
    return [Measured("", found, controls={"untrained_forward": gap("untrained", after[0])})]


def lambda_narrows_the_gap(evidence: Evidence) -> list[Measured]:
    """Residual with lambda less that without."""
    pair = (measured(evidence, "residual", name) for name in ("initialised", "no_pull"))
    return [Measured("", _less(*pair))]


def gap_remains(evidence: Evidence) -> list[Measured]:
    """Residual on frozen states."""
    return [Measured("", measured(evidence, "frozen_residual", "no_pull"))]


def capacity(evidence: Evidence) -> list[Measured]:
    """Training error with lambda = 1 less that with 0."""
    pair = (measured(evidence, "training_error", name) for name in ("strong_pull", "no_pull"))
    return [Measured("", _less(*pair))]


def fewer_steps_with_lambda(evidence: Evidence) -> list[Measured]:
    """Largest step of the settling times between neighbouring lambdas."""
    pulls = steps_of(evidence, "settling_steps")
    times = [measured(evidence, "settling_steps", "forward", pull) for pull in pulls]
    steps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    return [Measured("", pd.concat(steps, axis=1).max(axis=1))]


def fewer_dead_units(evidence: Evidence) -> list[Measured]:
    """Share of dead units without less with leak."""
    return [Measured("", _leak(evidence, "dead_share"))]


def error_without_leak(evidence: Evidence) -> list[Measured]:
    """Error of s_f without less with leak."""
    return [Measured("", _leak(evidence, "forward_error"))]


def _leak(evidence: Evidence, measure: str) -> pd.Series:
    return _less(*(measured(evidence, measure, name) for name in ("no_leak", "initialised")))


def nearer_to_the_minimum(evidence: Evidence) -> list[Measured]:
    """Energy gradient with target s_minus less that with s_plus."""
    pair = (measured(evidence, "energy_gradient", name) for name in ("initialised", "s_plus"))
    return [Measured("", _less(*pair))]


def _feedback(evidence: Evidence, measure: str) -> tuple[pd.Series, pd.Series]:
    first, *_, last = steps_of(evidence, measure)
    return tuple(measured(evidence, measure, "hidden", epoch) for epoch in (first, last))


def within_90_degrees(evidence: Evidence) -> list[Measured]:
    """Angle after training."""
    return [Measured("", _feedback(evidence, "feedback_angle")[1])]


def at_right_angles_before(evidence: Evidence) -> list[Measured]:
    """Angle before training less 90."""
    return [Measured("", _feedback(evidence, "feedback_angle")[0] - 90.0)]


def forward_weights_align(evidence: Evidence) -> list[Measured]:
    """Cosine after less before."""
    before, after = _feedback(evidence, "feedback_cosine")
    return [Measured("", after - before)]
