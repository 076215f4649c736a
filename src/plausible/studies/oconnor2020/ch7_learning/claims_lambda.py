"""What was found on lambda and steps: figure D.1, Euler steps as the cause of its upper end."""

from itertools import product

import numpy as np
import pandas as pd

from plausible.networks.equilibrium import Equilibrium, Forces, fixed_point, pull_of, zero_states
from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.oconnor2020.ch7_learning.claims import DEPTHS, SCAN, SPLITS, trained
from plausible.studies.oconnor2020.ch7_learning.settings import MODERATE

COLUMNS = ("network", "negative_steps", "pull", "step_size", "seed", "epochs")
EPS = 0.5
SUFFICES_POINTS = 0.5
"""A number of steps suffices if the error is within this of that with the most steps."""


def scanned(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the figure: numbers of steps with several lambdas, and the epochs of most rows."""
    rows = table[table["step_size"] == EPS]
    several = rows.groupby(["network", "negative_steps", "epochs"])["pull"].transform("nunique") > 1
    rows = rows[several]
    usual = rows.groupby("network")["epochs"].agg(lambda each: each.mode().iloc[0])
    return rows[rows["epochs"] == rows["network"].map(usual)].drop_duplicates(list(COLUMNS))


def moderate_lambda_helps(evidence: Evidence) -> list[Measured]:
    """Error at lambda 0 less that at 0.125, each network with its fewest steps."""
    columns = [f"{split}_error_percent" for split in SPLITS]
    rows = scanned(evidence.table(SCAN, *COLUMNS, *columns))
    found = []
    for (network, split), column in zip(product(DEPTHS, SPLITS), columns * 2, strict=True):
        mine = rows[rows["network"] == network]
        mine = mine[mine["negative_steps"] == mine["negative_steps"].min()]
        wide = mine.pivot(index="seed", columns="pull", values=column)
        epochs = trained(mine["epochs"].max(), network)
        variant = f"{network} network{epochs}, {split} split"
        found.append(Measured("", wide[0.0] - wide[MODERATE], variant=variant))
    return found


def large_lambda_fails(evidence: Evidence) -> list[Measured]:
    """Training error with the largest lambda, all networks and numbers of steps."""
    rows = scanned(evidence.table(SCAN, *COLUMNS, "training_error_percent"))
    rows = rows[rows["pull"] == rows["pull"].max()]
    values = {
        f"{network}, {steps} steps": part["training_error_percent"].to_numpy()
        for (network, steps), part in rows.groupby(["network", "negative_steps"])
    }
    return [Measured("", values, seeded=False, exact_seeds=rows["seed"].nunique())]


def deeper_needs_more_steps(evidence: Evidence) -> list[Measured]:
    """Fewest negative steps that suffice, three hidden layers over one, both trained alike."""
    columns = [f"{split}_error_percent" for split in SPLITS]
    table = evidence.table(SCAN, *COLUMNS, *columns)
    rows = table[(table["step_size"] == EPS) & (table["pull"] == MODERATE)]
    rows = rows[rows["epochs"] == rows.groupby("network")["epochs"].min().max()]
    if set(rows["network"]) != set(DEPTHS):
        return [Measured("", (), absent="the networks were not trained with the same epochs")]
    found = []
    for split, column in zip(SPLITS, columns, strict=True):
        wide = rows.drop_duplicates(list(COLUMNS)).pivot(
            index=["network", "seed"], columns="negative_steps", values=column
        )
        fewest = wide.apply(_fewest, axis=1).unstack("network")[list(DEPTHS)].dropna()
        epochs = rows["epochs"].max()
        variant = f"{split} split, {epochs:g} epoch{'' if epochs == 1 else 's'}"
        found.append(Measured("", fewest["large"] / fewest["small"], variant, full_scale=True))
    return found


def _fewest(errors: pd.Series) -> int:
    """Of numbers of steps, ascending, the first whose error is near that of the last."""
    errors = errors.dropna()
    return errors.index[errors <= errors.iloc[-1] + SUFFICES_POINTS][0]


def _cause(evidence: Evidence, size: float, largest: bool) -> pd.Series:
    """Training errors of the trainings that isolate the step, with the largest lambda or 1."""
    table = evidence.table(SCAN, *COLUMNS, "training_error_percent")
    halved = table[table["step_size"] != EPS]
    same = table[
        (table["step_size"] == size)
        & table["epochs"].isin(halved["epochs"])
        & table["negative_steps"].isin(halved["negative_steps"])
        & (table["network"] == "small")
    ]
    pull = halved["pull"].max() if largest else halved["pull"].min()
    rows = same[same["pull"] == pull].drop_duplicates("seed")
    return rows.set_index("seed")["training_error_percent"]


def half_the_step_works(evidence: Evidence) -> list[Measured]:
    """Training error, steps of 0.25."""
    return [_exact(_cause(evidence, EPS / 2, True))]


def long_step_fails(evidence: Evidence) -> list[Measured]:
    """Training error, steps of 0.5; and with lambda 1."""
    control = _cause(evidence, EPS, False)
    return [_exact(_cause(evidence, EPS, True), {"lambda_of_1": control})]


def _exact(values: pd.Series, controls: dict | None = None) -> Measured:
    return Measured("", values, seeded=False, exact_seeds=len(values), controls=controls or {})


def threshold_of_euler(evidence: Evidence) -> list[Measured]:
    """Smallest lambda that does not settle, over the formula, in both conventions."""
    formulas = {"as_published": 1.0 / EPS - 0.5, "as_coded": 2.0 / EPS - 1.0}
    return [
        Measured(
            convention,
            [_threshold(convention, EPS) / formula],
            seeded=False,
            controls={"half_the_step": [_threshold(convention, EPS / 2.0) / formula]},
        )
        for convention, formula in formulas.items()
    ]


def _threshold(convention: str, step_size: float) -> float:
    """By bisection: one unit without weights, pulled to the middle of its range."""
    network = Equilibrium((np.zeros((1, 1)),), (np.zeros(1),))
    anchors = (np.full((1, 1), 0.5),)
    low, high = 0.0, 10.0
    while high - low > 1e-3:
        middle = (low + high) / 2.0
        forces = Forces(anchors, pull_of(middle, convention))
        found = fixed_point(
            network, np.zeros((1, 1)), zero_states(network, 1), forces, 1e-6, 5000, step_size
        )
        low, high = (middle, high) if found.change <= 1e-6 else (low, middle)
    return (low + high) / 2.0
