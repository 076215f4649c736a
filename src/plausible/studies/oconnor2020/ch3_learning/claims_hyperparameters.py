"""Checks on table A.1: what the settings of a spiking network do to its error."""

from collections.abc import Mapping

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number, by_protocol
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    TABLE_A1_PARTS,
    common,
    row_errors,
    row_protocols,
    split,
)
from plausible.studies.oconnor2020.ch3_learning.tables_zero_reset import mean_over_training

BASELINE, FRACTIONAL, SMOOTH = "baseline", "fractional", "smooth"
ZERO, RANDOM, DEPTH_FIRST = "zero_reset", "random_reset", "depth_first"
STEPS = {5: "steps_5", 10: BASELINE, 20: "steps_20"}
"""Rows of table A.1; the last three by their time steps."""
SMALL = (FRACTIONAL, SMOOTH, "smooth_fractional", RANDOM, STEPS[5], STEPS[20])
"""Rows of a small difference: all but zero reset and depth first."""
ERROR_SPIKES = "beyond.zero_reset"
DIVERGED_ERROR = 100.0
"""What a network that diverged counts as, where a statement says that it fails."""


def _apart(evidence: Evidence, pairs: Mapping[str, tuple[str, str]]) -> list[Measured]:
    """Error of a row minus that of another one, seed by seed, by the name of each pair."""
    found = []
    for protocol in row_protocols(evidence):
        points = {
            name: common(*(row_errors(evidence, protocol, row) for row in pair))
            for name, pair in pairs.items()
        }
        found.append(Measured(protocol, points, note=split(TABLE_A1_PARTS[protocol])))
    return found


def _fails(evidence: Evidence, row: str, control: str) -> list[Measured]:
    """Errors of a row that must fail; that of the baseline is the control."""
    found = []
    for protocol in row_protocols(evidence):
        errors, baseline = (row_errors(evidence, protocol, name) for name in (row, BASELINE))
        note = split(TABLE_A1_PARTS[protocol])
        if errors.isna().any():
            note += f"; {errors.isna().sum()} of {len(errors)} diverged and count as failed"
        errors = errors.fillna(DIVERGED_ERROR)
        found.append(Measured(protocol, errors, note=note, controls={control: baseline}))
    return found


def more_steps_help(evidence: Evidence) -> list[Measured]:
    """Errors with 10 minus 5 and 20 minus 10 time steps."""
    pairs = {f"T = {a} to {b}": (STEPS[b], STEPS[a]) for a, b in ((5, 10), (10, 20))}
    return _apart(evidence, pairs)


def depth_first_fails(evidence: Evidence) -> list[Measured]:
    """Error with depth-first routing: as coded without held errors, as published with them."""
    return _fails(evidence, DEPTH_FIRST, "breadth_first")


def breadth_first_is_better(evidence: Evidence) -> list[Measured]:
    """Depth first minus the baseline."""
    return _apart(evidence, {"depth first": (DEPTH_FIRST, BASELINE)})


def smooth_gradients_help(evidence: Evidence) -> list[Measured]:
    """Smooth gradients minus the baseline."""
    return _apart(evidence, {"smooth": (SMOOTH, BASELINE)})


def fractional_updates_help(evidence: Evidence) -> list[Measured]:
    """Fractional updates minus the baseline."""
    return _apart(evidence, {"fractional": (FRACTIONAL, BASELINE)})


def most_settings_make_a_small_difference(evidence: Evidence) -> list[Measured]:
    """Each of six rows minus the baseline."""
    labels = {row["id"]: row["variant"] for row in evidence.published.values("table_a1")["rows"]}
    return _apart(evidence, {labels[row]: (row, BASELINE) for row in SMALL})


def numbers_of_table_a1(evidence: Evidence) -> list[Number]:
    """The nine errors."""
    return [
        Number(
            f"rows.{row['id']}.error_percent", protocol,
            tuple(row_errors(evidence, protocol, row["id"])),
            note=split(TABLE_A1_PARTS[protocol]), label=row["variant"],
        )
        for protocol in row_protocols(evidence)
        for row in evidence.entry["values"]["rows"]
    ]  # fmt: skip


def zero_reset_learns_almost_nothing(evidence: Evidence) -> list[Measured]:
    """Error with quantizers of errors that are reset to zero."""
    return _fails(evidence, ZERO, "no_reset")


def errors_never_reach_the_hidden_layers(evidence: Evidence) -> list[Measured]:
    """Error spikes per sample that the hidden layers send over the whole training, by layer."""
    columns = ("protocol", "reset", "seed", "layer", "epoch", "error_spikes")
    found = []
    for protocol, rows in by_protocol(evidence.table(ERROR_SPIKES, *columns)):
        hidden = rows[rows["layer"] < rows["layer"].max()]
        zero, kept = (_sent(hidden[hidden["reset"] == reset]) for reset in ("zero", "none"))
        values = {f"layer {layer}": run for layer, run in zero.groupby("layer")}
        seeds = zero.index.get_level_values("seed").nunique()
        found.append(
            Measured(
                protocol, values, seeded=False, exact_seeds=seeds, controls={"kept_errors": kept}
            )
        )
    return found


def _sent(rows: pd.DataFrame) -> pd.Series:
    """Mean error spikes per sample of each seed and layer over its training."""
    sent = {
        key: mean_over_training(run, "error_spikes") for key, run in rows.groupby(["layer", "seed"])
    }
    return pd.Series(sent, dtype=float).rename_axis(["layer", "seed"])


def both_remedies_train(evidence: Evidence) -> list[Measured]:
    """Errors without a reset, and with a random one."""
    found = []
    for protocol in row_protocols(evidence):
        rows = {"no reset": BASELINE, "random": RANDOM}
        errors = {name: row_errors(evidence, protocol, row) for name, row in rows.items()}
        found.append(Measured(protocol, errors, note=split(TABLE_A1_PARTS[protocol])))
    return found
