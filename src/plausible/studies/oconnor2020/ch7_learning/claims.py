"""What was found on trainings with MNIST: figures 7.3, 7.4 and D.1, and what is said of them."""

from collections.abc import Mapping

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.oconnor2020.ch7_learning.claims_after import less

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


def _untrained(evidence: Evidence, run: str, split: str) -> pd.Series:
    """Test error of s_f before the training."""
    column = f"{split}_forward_error_percent"
    rows = evidence.table(TRAINING, *KEYS, column)
    return rows[(rows["run"] == run) & (rows["epoch"] == 0)].set_index("seed")[column]


def _each_split(evidence: Evidence, quantities, full_scale: bool = False) -> list[Measured]:
    """One finding for each split; ``quantities`` is a function of it."""
    return [
        Measured("", quantities(split), variant=f"{split} split", full_scale=full_scale)
        for split in SPLITS
    ]


# ------------------------------------------------------------- figure 7.3


THESIS_EPOCHS = {"small": 50, "large": 200}


def trained(epochs: float, depth: str) -> str:
    """Epochs of a training, where it is shorter than the thesis's."""
    whole = THESIS_EPOCHS[depth]
    return f", {epochs:g} of {whole} epochs" if epochs < whole else ""


def _network(evidence: Evidence, depth: str, split: str) -> str:
    """Variant: a network, its epochs if they are fewer than the thesis's, and the test images."""
    epochs = final(evidence, f"{depth}_initialised_many", "epoch").max()
    return f"{depth} network{trained(epochs, depth)}, {split} split"


def _each_network(evidence: Evidence, quantities, full_scale: bool = True) -> list[Measured]:
    """One finding for each network and split; ``quantities`` is a function of both."""
    return [
        Measured(
            "",
            quantities(depth, split),
            variant=_network(evidence, depth, split),
            full_scale=full_scale,
        )
        for depth in DEPTHS
        for split in SPLITS
    ]


def plain_fails_with_few_steps(evidence: Evidence) -> list[Measured]:
    """Error of the plain less that of the initialised version, few steps."""

    def gap(depth: str, split: str) -> pd.Series:
        plain, own = (f"{depth}_{version}_few" for version in ("plain", "initialised"))
        return less(_errors(evidence, plain, split), _errors(evidence, own, split))

    return _each_network(evidence, gap, full_scale=False)


def _panel(evidence: Evidence, steps: str, depth: str, split: str) -> dict[str, pd.Series]:
    """Differences from s_- of the initialised version: of the plain one, and of s_f."""
    run = f"{depth}_initialised_{steps}"
    best = _errors(evidence, run, split)
    return {
        "plain": less(_errors(evidence, f"{depth}_plain_{steps}", split), best),
        "s_f": less(_errors(evidence, run, split, "forward"), best),
    }


def close_with_enough_steps(evidence: Evidence) -> list[Measured]:
    """Of each network, more steps."""
    return _each_network(evidence, lambda depth, split: _panel(evidence, "many", depth, split))


def forward_as_good_as_settled(evidence: Evidence) -> list[Measured]:
    """s_f against s_- in every panel."""

    def gaps(depth: str, split: str) -> Mapping[str, pd.Series]:
        return {steps: _panel(evidence, steps, depth, split)["s_f"] for steps in ("few", "many")}

    return _each_network(evidence, gaps)


def near_iterative_inference(evidence: Evidence) -> list[Measured]:
    """s_f against s_- of the small network, more steps; untrained s_f as control."""
    found = []
    for split in SPLITS:
        gap = _panel(evidence, "many", "small", split)["s_f"]
        control = less(
            _untrained(evidence, "small_initialised_many", split),
            _errors(evidence, "small_initialised_many", split),
        )
        found.append(
            Measured(
                "", gap, variant=f"{split} split", full_scale=True,
                controls={"untrained": control},
            )
        )  # fmt: skip
    return found


def no_gain_from_more_steps(evidence: Evidence) -> list[Measured]:
    """Initialised version, few less more steps."""

    def gain(depth: str, split: str) -> pd.Series:
        runs = (f"{depth}_initialised_{steps}" for steps in ("few", "many"))
        return less(*(_errors(evidence, run, split) for run in runs))

    return _each_network(evidence, gain)


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
        f"{steps} steps": less(
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
        f"{steps} steps": less(
            final(evidence, f"small_initialised_{steps}", column),
            final(evidence, f"small_plus_{steps}", column),
        )
        for steps in ("few", "many")
    }
    return [Measured("", gaps)]


# ------------------------------------------------------------- figure 7.4


def local_loss_no_worse(evidence: Evidence) -> list[Measured]:
    """Local less global loss, s_- and s_f."""
    found = []
    for split in SPLITS:
        gaps = {
            state: less(
                *(_errors(evidence, run, split, state) for run in ("large_local", "large_global"))
            )
            for state in ("minus", "forward")
        }
        variant = f"{split} split{_of_figure_7_4(evidence)}"
        found.append(Measured("", gaps, variant=variant, full_scale=True))
    return found


def _of_figure_7_4(evidence: Evidence) -> str:
    return trained(final(evidence, "large_local", "epoch").max(), "large")


def local_gradients_align_early(evidence: Evidence) -> list[Measured]:
    """Mean cosine of each layer over the first quarter of the tests after the start."""
    columns = [f"alignment_{layer}" for layer in (1, 2, 3)]
    table = evidence.table(TRAINING, *KEYS, *columns)
    rows = table[(table["run"] == "large_local") & (table["epoch"] > 0)]
    early = rows[rows["epoch"] <= rows["epoch"].max() / 4]
    means = early.groupby("seed")[columns].mean()
    cosines = {f"layer {k}": means[name] for k, name in enumerate(columns, start=1)}
    return [Measured("", cosines, variant=_of_figure_7_4(evidence).removeprefix(", "))]
