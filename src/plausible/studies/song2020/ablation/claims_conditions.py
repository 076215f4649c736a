"""Claims on conditions C2 and C3: panels over t and gamma of figure 3; t = l; Fa-Z-IL.

Divergences are sums over the epochs (test error) and over the weight matrices (final weights). A
reduced test set hides differences of the test error, so what speaks of other cells' errors is
comparable at the full scale only.

Of the columns on which a reading was fitted one cell is judged all the same, t = l with gamma = 1:
by theorem 3.2 it is backprop whatever the reading, so there was nothing in it to fit.
"""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, by_protocol
from plausible.studies.song2020.ablation.grid import (
    FITTED_COLUMNS,
    FITTED_PROTOCOL,
    TABLES_DEPTH,
    TEST_COLUMN,
    WEIGHT_COLUMN,
    cell,
    figure3,
    panels,
)
from plausible.studies.song2020.events import logged_updates

EXACT = ("l", 1.0)
TYPICAL_IL = ("16", 0.5)
NOTHING_TO_FIT = "t = l with gamma = 1 is backprop in every reading, so it could not be fitted"
ROUNDING = ("fig3", "weights_equal_up_to_rounding")
"""The statement that says which distance of weights rounding explains."""


def by_network(rows: pd.DataFrame, column: str) -> dict[str, tuple[float, ...]]:
    """Values of the seeds by network."""
    found = rows.sort_values("seed").groupby("l_max")[column]
    return {f"l_max {depth}": tuple(values) for depth, values in found}


def every_run(protocol: str, rows: pd.DataFrame, column: str, **more: object) -> Measured:
    """A quantity of every network and seed, of which each must respect the bound."""
    seeds = rows["seed"].nunique()
    return Measured(protocol, by_network(rows, column), seeded=False, exact_seeds=seeds, **more)


def _not_fitted(protocol: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Cells on which a reading was not fitted, with that of Z-IL, and what to say of it."""
    if protocol != FITTED_PROTOCOL:
        return frame, ""
    exact = (frame["t"] == EXACT[0]) & (frame["gamma"] == EXACT[1])
    return frame[exact | ~frame["t"].isin(FITTED_COLUMNS)], NOTHING_TO_FIT


def one_cell_is_zero(evidence: Evidence) -> list[Measured]:
    """Test-error divergence at t = l, gamma = 1; of a typical IL, as a control."""
    return [
        every_run(
            protocol,
            cell(frame, *EXACT),
            TEST_COLUMN,
            note=_not_fitted(protocol, frame)[1],
            controls={"il_with_many_steps": tuple(cell(frame, *TYPICAL_IL)[TEST_COLUMN])},
        )
        for protocol, frame in panels(evidence, "t_gamma")
    ]


def every_other_cell_diverges(evidence: Evidence) -> list[Measured]:
    """Smallest test-error divergence of all other cells."""
    found = []
    for protocol, frame in panels(evidence, "t_gamma"):
        judged, _ = _not_fitted(protocol, frame)
        others = judged[(judged["t"] != "l") | (judged["gamma"] != 1.0)]
        least = others.loc[others.groupby(["l_max", "seed"])[TEST_COLUMN].idxmin()]
        worst = least.loc[least[TEST_COLUMN].idxmin()]
        note = f"smallest: l_max {worst['l_max']}, t = {worst['t']}, gamma = {worst['gamma']:g}"
        found.append(every_run(protocol, least, TEST_COLUMN, note=note, full_scale=True))
    return found


def weights_equal_up_to_rounding(evidence: Evidence) -> list[Measured]:
    """Weight divergence at t = l, gamma = 1.

    Its control is the smallest noise at the start, in the network of the tables, of which the
    divergence is printed.
    """
    noisy = dict(panels(evidence, "sigma"))
    found = []
    for protocol, frame in panels(evidence, "t_gamma"):
        rows = noisy.get(protocol, frame[:0])
        rows = rows[
            (rows["sigma"] > 0.0) & (rows["noise"] == "initial") & (rows["l_max"] == TABLES_DEPTH)
        ]
        least = tuple(rows.loc[rows["sigma"] == rows["sigma"].min(), WEIGHT_COLUMN])
        controls = {"noise_at_the_start": least}
        given = {"note": _not_fitted(protocol, frame)[1], "controls": controls}
        found.append(every_run(protocol, cell(frame, *EXACT), WEIGHT_COLUMN, **given))
    return found


def c2_c3_needed(evidence: Evidence) -> list[Measured]:
    """Cells without divergence of the test error, in every network."""
    return _zero_cells(evidence, TEST_COLUMN, full_scale=True)


def c2_c3_needed_for_the_weights(evidence: Evidence) -> list[Measured]:
    """Cells without divergence of the weights but for rounding, in every network."""
    return _zero_cells(evidence, WEIGHT_COLUMN)


def _zero_cells(evidence: Evidence, column: str, **more: object) -> list[Measured]:
    found = []
    for protocol, whole in panels(evidence, "t_gamma"):
        frame, note = _not_fitted(protocol, whole)
        zero = frame[column] == 0.0
        if column == WEIGHT_COLUMN:
            zero = frame[column] < evidence.published.bound(*ROUNDING)
        exact = (frame["t"] == "l") & (frame["gamma"] == 1.0)
        frame = frame.assign(zero=zero, exact=zero & exact)
        for depth, network in frame.groupby("l_max"):
            counts = network.groupby("seed")[["zero", "exact"]].sum()
            values = tuple(counts["zero"].where(counts["exact"] == 1, 0))
            variant = f"l_max {depth}"
            exact_seeds = len(values)
            given = {"variant": variant, "seeded": False, "exact_seeds": exact_seeds, **more}
            found.append(Measured(protocol, values, note=note, **given))
    return found


def fazil_has_the_same_errors(evidence: Evidence) -> list[Measured]:
    """Test errors of Fa-Z-IL minus those of backprop, in every epoch, and of Z-IL."""
    whole = dict(by_protocol(figure3(evidence)))
    found = []
    for protocol, part in panels(evidence, "fazil"):
        frame = whole[protocol]
        frame = frame[frame["panel"] == "t_gamma"]
        errors = ["mean_test_error", "final_test_error"]
        keys = ["l_max", "seed"]
        zil = cell(frame, *EXACT).set_index(keys)[errors]
        apart = (part.set_index(keys)[errors] - zil).abs().max(axis=1)
        values = {
            "BP, every epoch": tuple(part[TEST_COLUMN]),
            "Z-IL, mean and final": tuple(apart),
        }
        il = {"inference_learning": tuple(cell(frame, *TYPICAL_IL)[TEST_COLUMN])}
        seeds = part["seed"].nunique()
        note = f"weights apart by at most {part[WEIGHT_COLUMN].max():.3g}"
        found.append(
            Measured(protocol, values, note=note, seeded=False, exact_seeds=seeds, controls=il)
        )
    return found


def t_l_position(evidence: Evidence) -> list[Measured]:
    """Moments at which the logged Z-IL of figure 2 learns; those of IL, as a control."""
    events = evidence.table("fig2", "algorithm", "t", "element", "layer", "event")

    def late(algorithm: str) -> dict[str, tuple[float, ...]]:
        moments = {layer: t for t, layer in logged_updates(events, algorithm)}
        last = max(moments)
        others = [t for layer, t in moments.items() if layer != last]
        return {
            "highest weights": (moments[last] - (last - 1),),
            "others that are no earlier": (sum(t >= moments[last] for t in others),),
        }

    il = late("il")["highest weights"]
    return [Measured("", late("zil"), seeded=False, controls={"inference_learning": il})]
