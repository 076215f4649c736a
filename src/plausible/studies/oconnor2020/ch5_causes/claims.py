"""What was found about causes that chapter 5 gives. Text alone; no protocol departs from it."""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.oconnor2020.ch5_causes.settings import MLP, ORDERS, PDNN

RATES = (1, 2, 4, 8, 16)
"""Sub-frames over which slopes are taken."""
AFTER_EPOCHS = 5
"""Of training, until which gradients are to become small."""
MOMENTS = ("best", "last")
"""Of the scores after whole epochs."""
SCORE, TRAINING_SCORE = "test_score_percent", "training_score_percent"
LAYERS = ("hidden", "output")


def _at(table: pd.DataFrame, what: str, **wanted: str) -> pd.DataFrame:
    """Rows with these values."""
    for column, value in wanted.items():
        table = table[table[column] == value]
    if table.empty:
        names = ", ".join(map(str, wanted.values()))
        raise StudyError(f"{what}: rows of {names} are missing; build the result anew.")
    return table


# ------------------------------------------------------------- frame rates


def _operations(evidence: Evidence, network: str, order: str) -> pd.DataFrame:
    """Operations of a sub-frame, by seed (rows) and n (columns)."""
    columns = ("seed", "element", "order", "network", "sub_frames", "forward")
    table = evidence.table("ch5.computation_follows_change", *columns)
    rows = _at(table, "frame rates", element="fade", network=network, order=order)
    return rows.pivot(index="seed", columns="sub_frames", values="forward")


def sub_frames_cost_less(evidence: Evidence) -> list[Measured]:
    """Largest ratio of the operations of a sub-frame at n to those at n / 2."""
    found = {}
    for order in ORDERS:
        wide = _operations(evidence, PDNN, order)[list(RATES)]
        found[order] = (wide.iloc[:, 1:].to_numpy() / wide.iloc[:, :-1]).max(axis=1)
    return [Measured("", found)]


def slopes(wide: pd.DataFrame) -> list[float]:
    """Log-log slopes of the operations of a unit of time against n, one for each seed."""
    rates = np.array(RATES, np.float64)
    return [
        float(np.polyfit(np.log(rates), np.log(rates * row), 1)[0])
        for row in wide[list(RATES)].to_numpy()
    ]


def time_costs_little_more(evidence: Evidence) -> list[Measured]:
    """Slopes of the PDNN; the control has no memory."""
    found = {order: slopes(_operations(evidence, PDNN, order)) for order in ORDERS}
    broken = sum((slopes(_operations(evidence, "memoryless", order)) for order in ORDERS), [])
    return [Measured("", found, controls={"no_memory": broken})]


def forward_of_training(rows: pd.DataFrame) -> pd.Series:
    """Mean forward additions of a sample of the whole training, by seed."""
    total = (rows["forward"] * rows["samples"]).groupby(rows["seed"]).sum()
    return total / rows.groupby("seed")["samples"].sum()


def temporal_order_saves(evidence: Evidence) -> list[Measured]:
    """Additions in temporal order over those in the order of the file; without memory as well."""
    columns = ("way", "order", "seed", "epoch", "samples", "forward")
    table = evidence.table("beyond.one_pass", *columns)

    def ratios(way: str) -> pd.Series:
        both = [forward_of_training(_at(table, "trainings", way=way, order=o)) for o in ORDERS]
        return (both[1] / both[0]).dropna()

    return [Measured("", ratios(PDNN), controls={"no_memory": ratios("pdnn_memoryless")})]


# ------------------------------------------------------------- noise as a regulariser


def score(
    table: pd.DataFrame, way: str, order: str, moment: str = "last", column: str = SCORE
) -> pd.Series:
    """Score of a network at the best or last of its whole epochs, by seed; NaN once diverged."""
    rows = _at(table, "trainings", way=way, order=order)
    rows = rows[rows["epoch"] % 1 == 0].sort_values("epoch")
    known = rows.groupby("seed")[column]
    found = known.max() if moment == "best" else known.last()
    return found.where(rows.groupby("seed")["diverged_epoch"].last() < 0)


def _regularised(evidence: Evidence) -> pd.DataFrame:
    columns = ("way", "order", "seed", "epoch", SCORE, "noisy_score_percent", "diverged_epoch")
    return evidence.table("ch5.cause_quantization_regularises", *columns)


def matched_noise_helps(evidence: Evidence) -> list[Measured]:
    """Test error of the noisy network less that of the other one, points."""
    table = _regularised(evidence)
    rows = _at(table, "trainings", way=MLP, order="file").dropna(subset=["noisy_score_percent"])
    broken = (rows[SCORE] - rows["noisy_score_percent"]).mean()
    return [
        Measured(
            "",
            score(table, MLP, "file", moment) - score(table, "mlp_noise", "file", moment),
            variant=moment,
            controls={"noise_at_test_time": [broken]},
        )
        for moment in MOMENTS
    ]


def fine_codes_lose_the_lead(evidence: Evidence) -> list[Measured]:
    """Lead of the PDNN with fine codes, points."""
    table = _regularised(evidence)
    return [
        Measured(
            "",
            score(table, "pdnn_fine", "file", moment) - score(table, MLP, "file", moment),
            variant=moment,
        )
        for moment in MOMENTS
    ]


# ------------------------------------------------------------- correlated gradients


def _probes(evidence: Evidence, result: str, *columns: str) -> pd.DataFrame:
    table = evidence.table(result, "element", "way", "order", "seed", "epoch", "layer", *columns)
    return _at(table, "probes", element="probe", way=PDNN)


def _while_training(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean over the moments after the first epoch, by seed and layer."""
    return rows[rows["epoch"] > 0].pivot_table(index="seed", columns="layer", values=column)


def gradients_are_correlated(evidence: Evidence) -> list[Measured]:
    """Cosines in temporal order less those in the order of the file, both matrices."""
    rows = _probes(evidence, "ch5.cause_correlated_gradients", "gradient_cosine")
    temporal, file = (
        _while_training(_at(rows, "probes", order=order), "gradient_cosine")
        for order in ("temporal", "file")
    )
    apart = (temporal - file).dropna()
    return [Measured("", {layer: apart[layer] for layer in LAYERS})]


def moving_weights_disturb_tracking(evidence: Evidence) -> list[Measured]:
    """Tracking error with moving weights less that with weights that stay, temporal order."""
    columns = ("tracking_error", "frozen_tracking_error")
    rows = _probes(evidence, "ch5.cause_correlated_gradients", *columns)
    moving, frozen = (
        _while_training(_at(rows, "probes", order="temporal"), column).mean(axis=1)
        for column in columns
    )
    return [Measured("", moving - frozen)]


def smaller_steps_close_the_gap(evidence: Evidence) -> list[Measured]:
    """Gap to the MLP less the gap with smaller steps, temporal order."""
    columns = ("element", "way", "order", "seed", "epoch", SCORE, "diverged_epoch")
    table = evidence.table("ch5.cause_correlated_gradients", *columns)
    table = _at(table, "trainings", element="test")
    found = []
    for moment in MOMENTS:
        gaps = [
            score(table, mlp, "temporal", moment) - score(table, pdnn, "temporal", moment)
            for mlp, pdnn in ((MLP, PDNN), ("mlp_slow", "pdnn_slow"))
        ]
        found.append(Measured("", gaps[0] - gaps[1], variant=moment))
    return found


# ------------------------------------------------------------- gradients that shrink


def gradients_become_small(evidence: Evidence) -> list[Measured]:
    """Mean size of the gradients after some epochs over that at the beginning, each layer."""
    rows = _probes(evidence, "appC.gradients_shrink", "gradient_size")
    rows = _at(rows, "probes", order="file")
    late = rows.loc[rows["epoch"] <= AFTER_EPOCHS, "epoch"].max()
    sizes = rows.pivot_table(index="seed", columns=["layer", "epoch"], values="gradient_size")
    return [Measured("", {layer: sizes[layer, late] / sizes[layer, 0.0] for layer in LAYERS})]


def fixed_scales_lose_them(evidence: Evidence) -> list[Measured]:
    """Training error with fixed scales less that with tuned ones, seeds that both have."""
    columns = ("way", "order", "seed", "epoch", TRAINING_SCORE, "diverged_epoch")
    table = evidence.table("appC.gradients_shrink", *columns)
    table = _at(table, "trainings", element="test")
    tuned, fixed = (
        score(table, way, "file", column=TRAINING_SCORE) for way in (PDNN, "pdnn_fixed")
    )
    return [Measured("", (tuned - fixed).dropna())]


# ------------------------------------------------------------- what sets the floor


def _still(evidence: Evidence, *columns: str) -> pd.DataFrame:
    """Of both orders."""
    table = evidence.table("appC.flat_line_cause", "element", "seed", *columns)
    return _at(table, "still pictures", element="still").set_index("seed")


def still_input_sends_k_p(evidence: Evidence) -> list[Measured]:
    """Deviation of the spikes of the input from k_p sum |x|."""
    rows = _still(evidence, "input_deviation", "moving_deviation")
    broken = {"moving_input": rows["moving_deviation"]}
    found = rows["input_deviation"]
    seeds = found.index.nunique()
    return [Measured("", found, seeded=False, exact_seeds=seeds, controls=broken)]


def floor_shares(table: pd.DataFrame, order: str) -> pd.Series:
    """Operations of a still picture over those of a sub-frame at the highest rate, by seed."""
    still = _at(table, "still pictures", element="still", order=order).set_index("seed")["forward"]
    faded = _at(table, "frame rates", element="fade", network=PDNN, order=order)
    highest = faded[faded["sub_frames"] == faded["sub_frames"].max()]
    return still / highest.set_index("seed")["forward"]


def roughness_sets_the_floor(evidence: Evidence) -> list[Measured]:
    """What remains of the floor with a still picture, both orders."""
    columns = ("element", "seed", "order", "network", "sub_frames", "forward")
    table = evidence.table("appC.flat_line_cause", *columns)
    return [Measured("", {order: floor_shares(table, order) for order in ORDERS})]


def no_floor_without_k_p(evidence: Evidence) -> list[Measured]:
    """Spikes after the first frame; the control has the trained k_p."""
    rows = _still(evidence, "late_spikes", "late_spikes_without_k_p")
    found = rows["late_spikes_without_k_p"]
    broken = {"some_k_p": rows["late_spikes"]}
    seeds = found.index.nunique()
    return [Measured("", found, seeded=False, exact_seeds=seeds, controls=broken)]


def follows_change_without_k_p(evidence: Evidence) -> list[Measured]:
    """Slopes of operations of a unit of time with k_p = 0."""
    return [
        Measured(
            "",
            {order: slopes(_operations(evidence, "differences", order)) for order in ORDERS},
        )
    ]


def hidden_layers_stay_rough(evidence: Evidence) -> list[Measured]:
    """How the change of the hidden layer falls with n, over how that of the input does."""
    columns = ("element", "seed", "order", "network", "sub_frames")
    table = evidence.table("appC.flat_line_cause", *columns, "hidden_change", "input_change")
    found = {}
    for order in ORDERS:
        rows = _at(table, "frame rates", element="fade", network=MLP, order=order)
        falls = []
        for column in ("hidden_change", "input_change"):
            wide = rows.pivot(index="seed", columns="sub_frames", values=column)
            falls.append(wide[wide.columns.max()] / wide[1])
        found[order] = falls[0] / falls[1]
    return [Measured("", found)]
