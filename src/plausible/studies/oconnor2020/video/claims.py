"""What was found on video: figures 4.5, B.1, 5.7, 5.8, C.4 and what sections 4.6.3 and 5.4.2 say.

The published statements are about VGG-19 and videos that may not be distributed: they are judged by
rows of that material alone (`settings.ORIGINAL`), and where it was not named they need external
data. ``report`` says by the same functions what other material gives, as evidence.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number
from plausible.studies.oconnor2020.video.settings import ORIGINAL

PROTOCOL = "corrected"
"""Text and code agree."""
ABSENT = "config.yaml names no videos of the thesis (data.originals)"
TOP = 3
"""Layers that are the top ones (appendix B.6)."""
THIRD = 3
"""Upper and lower layers are a third of them each."""


def original_rows(evidence: Evidence, result: str, element: str, *columns: str) -> pd.DataFrame:
    """Rows of the thesis's own material, none if it was not named."""
    frame = evidence.table(result, "material", "element", "seed", *columns)
    return frame[(frame["material"] == ORIGINAL) & (frame["element"] == element)]


def measured(values: Mapping[str, Iterable] | Iterable, **options) -> list[Measured]:
    """One finding; without values, why there are none."""
    several = isinstance(values, Mapping)
    values = values if several else list(values)
    if not values or (several and not all(len(each) for each in values.values())):
        return [Measured(PROTOCOL, (), absent=ABSENT)]
    return [Measured(PROTOCOL, values, **options)]


def by_seed(rows: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """Rows of each seed."""
    return list(rows.groupby("seed")) if len(rows) else []


# ------------------------------------------------------------------------------ figure 4.5


def frames_of(evidence: Evidence) -> pd.DataFrame:
    """Rows of the spliced video, a frame each."""
    return original_rows(
        evidence, "ch4.fig4.5", "frame",
        *("frame", "scene", "original", "rounding", "sigma_delta", "same_guess", "in_top_5"),
    )  # fmt: skip


def factors(evidence: Evidence) -> dict[str, list[float]]:
    """Operations of the original network over those of sigma-delta, by scene and seed.

    Without the first frame of a scene, which is that of the splice.
    """
    found: dict[str, list[float]] = {}
    for _, rows in by_seed(frames_of(evidence)):
        for scene in rows["scene"].unique():
            inner = rows[rows["scene"] == scene].sort_values("frame").iloc[1:]
            factor = inner["original"].sum() / inner["sigma_delta"].sum()
            found.setdefault(scene, []).append(float(factor))
    return found


def saving_of_the_static_video(evidence: Evidence) -> list[Measured]:
    """Factor of the first scene."""
    return measured(next(iter(factors(evidence).values()), []))


def saving_of_the_moving_video(evidence: Evidence) -> list[Measured]:
    """Factor of the second scene."""
    return measured([*factors(evidence).values(), [], []][1])


def saving_factor(evidence: Evidence) -> list[Measured]:
    """Factor of each scene."""
    return measured(factors(evidence))


def at_least_four(evidence: Evidence) -> list[Measured]:
    """The same, against section 4.6.3."""
    return saving_factor(evidence)


def more_for_the_static_clip(evidence: Evidence) -> list[Measured]:
    """Factor of the first scene over that of the second."""
    found = [*factors(evidence).values()]
    return measured([one / other for one, other in zip(*found, strict=True)] if found else [])


def peak_at_the_splice(evidence: Evidence) -> list[Measured]:
    """Frame of the largest cost after the first, less that of the splice."""
    distances = []
    for _, rows in by_seed(frames_of(evidence)):
        rows = rows.sort_values("frame").iloc[1:]
        splice = rows.loc[rows["scene"] != rows["scene"].iloc[0], "frame"].min()
        distances.append(float(rows.loc[rows["sigma_delta"].idxmax(), "frame"] - splice))
    return measured(distances, seeded=False, exact_seeds=len(distances))


def layer_ratios(evidence: Evidence) -> dict[str, pd.Series]:
    """Operations of sigma-delta over those of rounding in each layer, by seed."""
    rows = original_rows(
        evidence, "ch4.fig4.5", "layer", "scene", "layer", "rounding", "sigma_delta"
    )
    if rows.empty:
        return {}
    sums = rows.groupby(["layer", "seed"])[["rounding", "sigma_delta"]].sum()
    ratios = sums["sigma_delta"] / sums["rounding"]
    return {f"layer {layer}": each.droplevel(0) for layer, each in ratios.groupby(level=0)}


def ratio_of_upper_layers(evidence: Evidence) -> list[Measured]:
    """The ratio of every layer."""
    return measured(layer_ratios(evidence))


def guess_in_top_5(evidence: Evidence) -> list[Measured]:
    """Share of frames whose guess is among the top five of the original."""
    return measured([float(rows["in_top_5"].mean()) for _, rows in by_seed(frames_of(evidence))])


def same_guess_most_of_the_time(evidence: Evidence) -> list[Measured]:
    """Share of frames with the same guess."""
    return measured([float(rows["same_guess"].mean()) for _, rows in by_seed(frames_of(evidence))])


def numbers_of_ch4_fig4_5(evidence: Evidence) -> list[Number]:
    """Both factors, and the range of the ratios."""
    found = [*factors(evidence).values()]
    ratios = layer_ratios(evidence)
    ends = pd.DataFrame(ratios).agg(["min", "max"], axis=1) if ratios else None
    values = {
        "saving_factor_video1": found[0] if found else [],
        "saving_factor_video2": found[1] if found else [],
        "ratio_range.least": [] if ends is None else ends["min"],
        "ratio_range.most": [] if ends is None else ends["max"],
    }
    return [
        Number(place, PROTOCOL, tuple(each), absent="" if len(each) else ABSENT)
        for place, each in values.items()
    ]


# ------------------------------------------------------------------------------- figure B.1

MEASURES = {"l1_change": "L1", "cosine_distance": "1 - cosine"}


def changes(evidence: Evidence, measure: str) -> list[tuple[int, pd.DataFrame]]:
    """Change of every layer (rows) in each frame (columns), by seed.

    L1 distances are those of features whose mean L1 norm is 1; the splice is left out. What is
    random of a network that was trained elsewhere is the noise of an optimisation, of which
    features know nothing: seeds with the same features are one observation.
    """
    rows = original_rows(
        evidence, "fig_b1", "change",
        *("scene", "layer", "frame", "l1_norm", "l1_change", "cosine_distance"),
    )  # fmt: skip
    found: list[tuple[int, pd.DataFrame]] = []
    for seed, mine in by_seed(rows):
        inner = mine[mine["frame"] > mine.groupby("scene")["frame"].transform("min")]
        values = inner.pivot(index="layer", columns="frame", values=measure)
        if measure == "l1_change":
            values = values.div(mine.groupby("layer")["l1_norm"].mean(), axis=0)
        if not any(values.equals(other) for _, other in found):
            found.append((seed, values))
    return found


def top_layers_change_as_much(evidence: Evidence) -> list[Measured]:
    """Mean change of the top three layers over that of the pixels."""
    values = {
        name: [
            float(each.iloc[-TOP:].mean(axis=None) / each.iloc[0].mean())
            for _, each in changes(evidence, measure)
        ]
        for measure, name in MEASURES.items()
    }
    return measured(values, seeded=len(values["L1"]) > 1)


def lower_layers_change_more(evidence: Evidence) -> list[Measured]:
    """Change of the lower third of the layers over that of the pixels, a value for each frame."""
    values: dict[str, np.ndarray] = {}
    for measure, name in MEASURES.items():
        each = [one for _, one in changes(evidence, measure)]
        if each:
            lower = [one.iloc[1 : 1 + max(1, (len(one) - 1) // THIRD)].mean() for one in each]
            pixels = [one.iloc[0] for one in each]
            ratio = pd.concat(lower) / pd.concat(pixels)
            values[name] = ratio[np.isfinite(ratio)].to_numpy()
    return measured(values, note="values are those of frames")


# ----------------------------------------------------------------- optimisations that may fail


def failures(evidence: Evidence, way: str, *columns: str) -> dict[int, pd.Series]:
    """Whether each run of a way failed, by seed; by ``loss_after`` also if the loss grew."""
    rows = original_rows(
        evidence, "ch4.noise_training", "run", "way", "diverged", "collapsed", "loss_before",
        "loss_after",
    )  # fmt: skip
    found = {}
    for seed, mine in by_seed(rows):
        chosen = mine[mine["way"] == way]
        failed = chosen["collapsed"].astype(bool)
        if "unstable" in columns:
            failed |= chosen["diverged"].astype(bool)
            failed |= chosen["loss_after"] > chosen["loss_before"]
        found[seed] = failed
    return found


def _shares(first: Mapping[int, pd.Series], second: Mapping[int, pd.Series]) -> list[float]:
    return [float(first[seed].mean() - second[seed].mean()) for seed in first]


def rounding_collapses(evidence: Evidence) -> list[Measured]:
    """Share of collapsed runs with rounding, less that with noise."""
    return measured(_shares(failures(evidence, "rounding"), failures(evidence, "noise")))


def noise_prevents_collapse(evidence: Evidence) -> list[Measured]:
    """Collapsed runs with noise."""
    counts = [float(each.sum()) for each in failures(evidence, "noise").values()]
    return measured(counts, seeded=False, exact_seeds=len(counts))


def higher_layers_make_it_unstable(evidence: Evidence) -> list[Measured]:
    """Share of unstable runs with the computation of all higher layers, less that of the own."""
    higher, own = (failures(evidence, way, "unstable") for way in ("higher_layers", "noise"))
    return measured(_shares(higher, own))


# ---------------------------------------------------------------------------- section 5.4.2


def curves(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Last rows of both networks, by seed."""
    rows = original_rows(
        evidence, "ch5.fig5.7", "curve", "network", "epoch", "test_score_percent", "energy_mj"
    )
    if rows.empty:
        return {}
    last = rows[rows["epoch"] == rows["epoch"].max()]
    return {name: each.set_index("seed") for name, each in last.groupby("network")}


def score_above_plain_network(evidence: Evidence) -> list[Measured]:
    """Score after training, PD-coded less ordinary."""
    last = curves(evidence)
    name = "test_score_percent"
    return measured(last["pdnn"][name] - last["mlp"][name] if last else [])


def less_energy_than_plain_network(evidence: Evidence) -> list[Measured]:
    """Energy of the whole training, PD-coded over ordinary."""
    last = curves(evidence)
    return measured(last["pdnn"]["energy_mj"] / last["mlp"]["energy_mj"] if last else [])


def rate_rows(evidence: Evidence) -> pd.DataFrame:
    """Mean operations of a frame over scenes, by seed and interval, dense to sparse."""
    rows = original_rows(evidence, "ch5.fig5.8", "rate", "scene", "every", "pd", "original")
    if rows.empty:
        return rows
    return rows.groupby(["seed", "every"])[["pd", "original"]].mean().sort_index()


def _per_seed(rows: pd.DataFrame) -> list[pd.DataFrame]:
    return [each.droplevel(0) for _, each in rows.groupby(level=0)] if len(rows) else []


def computation_falls_with_frame_rate(evidence: Evidence) -> list[Measured]:
    """Additions of a frame at a rate over those at the next lower one."""
    pairs: dict[str, list[float]] = {}
    for each in _per_seed(rate_rows(evidence)):
        for every, following in zip(each.index, each.index[1:], strict=False):
            ratio = each["pd"][every] / each["pd"][following]
            pairs.setdefault(f"every {every} / {following}", []).append(float(ratio))
    return _one_or_more(pairs)


def _one_or_more(values: Mapping[str, list[float]]) -> list[Measured]:
    """Without a random stream where there is one seed: network and videos are what they are."""
    return measured(values, seeded=any(len(each) > 1 for each in values.values()))


def plain_computation_constant(evidence: Evidence) -> list[Measured]:
    """Range of the operations of the ordinary network."""
    found = [float(np.ptp(each["original"])) for each in _per_seed(rate_rows(evidence))]
    return measured(found, seeded=False, exact_seeds=len(found))


def _slope(values: pd.Series) -> float:
    """Of the logarithm against that of the frame rate (the inverse of the interval)."""
    return float(np.polyfit(-np.log(values.index.to_numpy(float)), np.log(values), 1)[0])


def computation_flattens(evidence: Evidence) -> list[Measured]:
    """Slope between the two highest rates."""
    slopes = [_slope(each["pd"].iloc[:2]) for each in _per_seed(rate_rows(evidence))]
    return _one_or_more({"slope": slopes})


def layer_changes(evidence: Evidence) -> list[pd.DataFrame]:
    """Relative change of layers (rows) by interval (columns), mean over scenes; by seed."""
    rows = original_rows(
        evidence, "fig_c4", "rate_layer", "scene", "layer", "every", "relative_change"
    )
    return [
        mine.pivot_table(index="layer", columns="every", values="relative_change").sort_index(
            axis=1
        )
        for _, mine in by_seed(rows)
    ]


def change_falls_with_frame_rate(evidence: Evidence) -> list[Measured]:
    """Largest ratio of the change at a rate to that at the next lower one."""
    worst = [
        float((each.iloc[:, :-1].to_numpy() / each.iloc[:, 1:].to_numpy()).max())
        for each in layer_changes(evidence)
    ]
    return _one_or_more({"every layer": worst})


def _thirds(each: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lower and upper third of the layers; the pixels are the lowest of them."""
    size = max(1, len(each) // THIRD)
    return each.iloc[:size], each.iloc[-size:]


def deeper_layers_change_less(evidence: Evidence) -> list[Measured]:
    """Change at the lowest rate, upper third over lower third."""
    ratios = []
    for each in layer_changes(evidence):
        lower, upper = _thirds(each)
        ratios.append(float(upper.iloc[:, -1].mean() / lower.iloc[:, -1].mean()))
    return _one_or_more({"upper / lower": ratios})


def deeper_layers_fall_more_slowly(evidence: Evidence) -> list[Measured]:
    """Slope of the upper third less that of the lower third."""
    differences = []
    for each in layer_changes(evidence):
        lower, upper = (
            np.mean([_slope(row) for _, row in part.iterrows()]) for part in _thirds(each)
        )
        differences.append(float(upper - lower))
    return _one_or_more({"upper - lower": differences})


def loss_falls(evidence: Evidence) -> list[Measured]:
    """Mean loss of the last tenth of the frames over that of the first."""
    rows = original_rows(evidence, "ch5.end_to_end_works", "step", "step", "loss")
    ratios = []
    for _, mine in by_seed(rows):
        losses = mine.sort_values("step")["loss"].to_numpy()
        tenth = max(1, len(losses) // 10)
        ratios.append(float(losses[-tenth:].mean() / losses[:tenth].mean()))
    return measured(ratios)
