"""What was found on networks that learn with bits: figures 8.3, E.2, E.3, and claims beside them.

The author tests on the last images of the training file (as coded); the text says test set (as
published, the official one). Deep networks of the thesis learn for 500 epochs, which a processor
takes days for; their statements are judged at the epoch that was reached, their numbers at that one
only.
"""

from itertools import product

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number

COLUMNS = {"as_published": "official_error_percent", "as_coded": "test_error_percent"}
"""Test error of a protocol."""
DEEP = {"as_published": "binary_deep_printed", "as_coded": "binary_deep"}
"""Deep binary network of a protocol: nu_bar as printed, and of the code."""
TRAINING = "training_error_percent"
LATE = (20.0, 24.75)
"""Epochs over which the poster's errors were averaged."""


def trainings(evidence: Evidence) -> pd.DataFrame:
    """Rows of all networks."""
    columns = ("variant", "seed", "epoch", TRAINING, *COLUMNS.values(), "last_epoch")
    return evidence.table("ch8.fig8.3", *columns, "thesis_epochs")


def at(rows: pd.DataFrame, variant: str, column: str, epoch: float | None = None) -> pd.Series:
    """Error of a variant by seed, at an epoch or where each run ended."""
    mine = rows[rows["variant"] == variant]
    mine = mine if epoch is None else mine[mine["epoch"] <= epoch]
    return mine.sort_values("epoch").groupby("seed")[column].last()


def _difference(rows, one: str, other: str, column: str, epoch: float | None = None) -> pd.Series:
    return (at(rows, one, column, epoch) - at(rows, other, column, epoch)).dropna()


# ------------------------------------------------------------- figure 8.3


def numbers_of_ch8_fig8_3(evidence: Evidence) -> list[Number]:
    """Errors at the last checkpoint."""
    rows, found = trainings(evidence), []
    for protocol, network in product(COLUMNS, ("binary", "continuous")):
        for part, column in (("test", COLUMNS[protocol]), ("training", TRAINING)):
            values = tuple(at(rows, network, column))
            found.append(Number(f"{network}_{part}_error_percent", protocol, values))
    return found


def binary_like_continuous(evidence: Evidence) -> list[Measured]:
    """Test error, binary less continuous, by seed."""
    rows = trainings(evidence)
    return [
        Measured(protocol, _difference(rows, "binary", "continuous", column))
        for protocol, column in COLUMNS.items()
    ]


def short_phases_worse(evidence: Evidence) -> list[Measured]:
    """Short less long phases at the epoch where the short ones ended."""
    rows, found = trainings(evidence), []
    epoch = rows.loc[rows["variant"] == "binary_short", "last_epoch"].iloc[0]
    for protocol, column in COLUMNS.items():
        values = {
            short: _difference(rows, short, "binary", column, epoch)
            for short in ("binary_short", "binary_short_tuned")
        }
        found.append(Measured(protocol, values))
    return found


def kept_states_lower_the_error(evidence: Evidence) -> list[Measured]:
    """Errors with less without states that are kept, after as many epochs."""
    rows, found = trainings(evidence), []
    epoch = rows.loc[rows["variant"] == "continuous_keeping", "last_epoch"].iloc[0]
    for protocol, column in COLUMNS.items():
        values = {
            part: _difference(rows, "continuous_keeping", "continuous", name, epoch)
            for part, name in (("training", TRAINING), ("test", column))
        }
        found.append(Measured(protocol, values))
    return found


def osa_like_schedule(evidence: Evidence) -> list[Measured]:
    """Best settings of both searches, trained again: OSA less schedules, by seed."""
    frame = evidence.table("fig_e2", "search", "element", "seed", "error")
    again = frame[frame["element"] == "again"].set_index("seed")
    osa, scheduled = (again.loc[again["search"] == name, "error"] for name in ("osa", "scheduled"))
    return [Measured("", osa - scheduled)]


# ------------------------------------------------------------- a common checkpoint, E.3


def parity_without_more_steps(evidence: Evidence) -> list[Measured]:
    """Test error of the binary network from checkpoints less that of the continuous one."""
    rows = trainings(evidence)
    return [
        Measured(protocol, _difference(rows, "binary_checkpoint", "continuous", column))
        for protocol, column in COLUMNS.items()
    ]


def checkpoint_lowers_variance(evidence: Evidence) -> list[Measured]:
    """Relative variance with over that without a checkpoint, by seed."""
    columns = ("element", "seed", "with_checkpoint", "without_checkpoint")
    frame = evidence.table("appE.splitstream", *columns)
    rows = frame[frame["element"] == "variance"].set_index("seed")
    return [Measured("", rows["with_checkpoint"] / rows["without_checkpoint"])]


def numbers_of_appE_splitstream(evidence: Evidence) -> list[Number]:  # noqa: N802
    """Errors of the poster's run, whose binary network had checkpoints."""
    rows, found = trainings(evidence), []
    column = COLUMNS["as_coded"]
    for name, variant in (("binary", "binary_checkpoint"), ("continuous", "continuous")):
        mine = rows[rows["variant"] == variant]
        late = mine[mine["epoch"].between(*LATE)].groupby("seed")[column].mean()
        absent = "" if len(late) else "the run ended before epoch 20"
        places = {"last": tuple(at(rows, variant, column)), "mean_epochs_20_to_24_75": tuple(late)}
        found += [
            Number(
                f"recovered.test_error_percent_{place}.{name}", "as_coded", values, absent=absent
            )
            for place, values in places.items()
        ]
    return found


# ------------------------------------------------------------- deep networks


def numbers_of_ch8_deep_network(evidence: Evidence) -> list[Number]:
    """Errors of the deep networks, if they learnt for as long as the thesis's."""
    rows, found = trainings(evidence), []
    for protocol, variant in product(COLUMNS, ("binary", "continuous")):
        name = DEEP[protocol] if variant == "binary" else "continuous_deep"
        mine = rows[rows["variant"] == name].iloc[0]
        short = mine["last_epoch"] < mine["thesis_epochs"]
        absent = (
            f"{mine['last_epoch']:g} of {mine['thesis_epochs']:g} epochs were run" if short else ""
        )
        for part, column in (("test", COLUMNS[protocol]), ("training", TRAINING)):
            values = tuple(at(rows, name, column))
            place = f"{variant}_{part}_error_percent"
            found.append(Number(place, protocol, values, absent=absent))
    return found


def _deep(rows: pd.DataFrame, protocol: str, values: pd.Series) -> Measured:
    """A finding that says its epochs, since deep trainings may be shortened."""
    epochs = rows.loc[rows["variant"] == "continuous_deep", "last_epoch"].max()
    return Measured(protocol, values, f"deep network, {epochs:g} epochs", full_scale=True)


def binary_above_continuous(evidence: Evidence) -> list[Measured]:
    """Test error, deep binary less deep continuous, by seed."""
    rows = trainings(evidence)
    return [
        _deep(rows, protocol, _difference(rows, DEEP[protocol], "continuous_deep", column))
        for protocol, column in COLUMNS.items()
    ]


def longer_phases_close_the_gap(evidence: Evidence) -> list[Measured]:
    """What four times as many steps close, less half of the gap between the deep networks."""
    rows, column = trainings(evidence), COLUMNS["as_coded"]
    gap = _difference(rows, "binary_deep", "continuous_deep", column)
    closed = _difference(rows, "binary_deep", "binary_deep_long", column)
    return [_deep(rows, "as_coded", closed - gap / 2.0)]


def contrast_comes_near(evidence: Evidence) -> list[Measured]:
    """Cosine at the longest phases, by seed."""
    frame = evidence.table("appE.splitstream", "element", "seed", "factor", "cosine")
    rows = frame[frame["element"] == "cosine"]
    longest = rows[rows["factor"] == rows["factor"].max()].set_index("seed")
    return [Measured("as_coded", longest["cosine"], full_scale=True)]


def printed_rate_is_worse(evidence: Evidence) -> list[Measured]:
    """Test error with nu_bar as printed less that with the code's, by seed."""
    rows = trainings(evidence)
    values = _difference(rows, DEEP["as_published"], DEEP["as_coded"], COLUMNS["as_coded"])
    return [_deep(rows, "as_coded", values)]
