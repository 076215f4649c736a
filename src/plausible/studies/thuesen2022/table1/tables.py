"""Tidy tables of table 1 and of what is said of it, and table 1 for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.measure.energy import dense_energy_nj, spiking_energy_nj
from plausible.reproduction.frames import Frames
from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.thuesen2022.histories import KEYS, final_accuracy
from plausible.studies.thuesen2022.table1.printed import (
    ACCURACY,
    ALL,
    DROP,
    LABELS,
    NONE,
    RATE,
    SPIKING,
    VOLATILITY,
)

SPIKING_TIME_MS = 200  # thesis, section 3.4.4
ABLATION = ["network", "factor", "protocol", "seed"]
WHOLE = {"corrected": NONE, "as_coded": ALL}
"""What the protocols are as choices of the author's code."""


def table1(frames: Frames, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Table 1: one row per printed row, protocol and seed; spiking rows after 200 ms."""
    sources = {
        False: final_accuracy(frames["train"]),
        True: after_200_ms(frames).rename(columns={SPIKING: ACCURACY}),
    }
    parts = []
    for row in rows:
        part = sources[row["spiking"]]
        part = part.loc[part["run"] == row["run"], ["protocol", "seed", ACCURACY]]
        for place, label in enumerate(key for key in row if key != "run"):
            part.insert(place, label, row[label])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def after_200_ms(frames: Frames) -> pd.DataFrame:
    """Rows of the spiking simulation of the whole test set at the published time."""
    simulated = frames["simulate.spiking"]
    return simulated[simulated["time_ms"] == SPIKING_TIME_MS]


def long(frames: Frames) -> pd.DataFrame:
    """Rows of the long spiking simulation."""
    return frames["simulate.long"].rename(columns={"run": "network"})


def spiking_drop(frames: Frames) -> pd.DataFrame:
    """Rate-coded minus spiking accuracy against the simulated time (section 4.2)."""
    return with_drop(long(frames), ["network", "protocol", "seed", "images", "time_ms"])


def with_drop(simulated: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Both accuracies and their difference in percentage points beside ``columns``."""
    drop = {DROP: simulated[RATE] - simulated[SPIKING]}
    return simulated[[*columns, RATE, SPIKING]].assign(**drop).reset_index(drop=True)


def noise_may_close_the_drop(frames: Frames, variants: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Drop of networks trained with and without noise or dropout (section 4.2).

    Only seeds that every variant has, since the variants are compared seed by seed.
    """
    simulated = after_200_ms(frames).merge(pd.DataFrame(variants), on="run")
    simulated = simulated[simulated["protocol"] == "corrected"]
    runs = simulated.groupby("seed")["run"].transform("nunique")
    simulated = simulated[runs == simulated["run"].nunique()]
    return with_drop(simulated, ["variant", "level", "protocol", "seed"])


def spcn_near_snn(frames: Frames) -> pd.DataFrame:
    """Rate-coded accuracy of the SNN minus that of each SPCN, seed by seed (section 4.2)."""
    final = final_accuracy(frames["train"]).set_index(KEYS)[ACCURACY].unstack("run")
    gaps = final.drop(columns="snn").rsub(final["snn"], axis=0).rename_axis(columns="network")
    gaps = gaps.stack().rename("gap_percentage_points").reset_index()
    return gaps[["network", "protocol", "seed", "gap_percentage_points"]]


def volatility(histories: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of the differences between successive test accuracies of each run.

    In the second half of training, where learning itself moves them least. Columns: run, protocol,
    seed, accuracy_step_std_percent.
    """
    tests = histories[histories["quantity"] == ACCURACY]
    late = tests[tests["step"] > tests.groupby(KEYS)["step"].transform("max") / 2]
    steps = late.sort_values("step", kind="stable").groupby(KEYS)["value"]
    spread = steps.agg(lambda accuracies: float(np.std(np.diff(accuracies), ddof=1)))
    return spread.rename(VOLATILITY).reset_index()


def bn_spiking_exception(frames: Frames) -> pd.DataFrame:
    """SPCN with Adam, without and with batch norm: accuracies and volatility (section 4.2)."""
    merged = volatility(frames["train"]).merge(after_200_ms(frames), on=KEYS)
    columns = ["protocol", "batch_norm", "seed", RATE, SPIKING, VOLATILITY]
    return merged.assign(batch_norm=merged["run"] == "spcn_adam_bn")[columns]


def readout(frames: Frames) -> pd.DataFrame:
    """Accuracy of reading the spike count of 200 ms, and the first output spike (section 3.4.4)."""
    names = {SPIKING: "spike_count", "first_spike_accuracy_percent": "first_spike"}
    wide = after_200_ms(frames).rename(columns={"run": "network", **names})
    wide = wide[wide["network"].isin(["snn", "spcn_sgd", "spcn_adam", "spcn_adam_bn"])]
    keys, readouts = ["network", "protocol", "seed"], list(names.values())
    return wide.melt(keys, readouts, var_name="readout", value_name="accuracy_percent")


def simulation_time(frames: Frames) -> pd.DataFrame:
    """Spiking accuracy against the simulated time, 10 ms to 1 s."""
    return long(frames)[["network", "protocol", "seed", "time_ms", RATE, SPIKING]]


def energy(frames: Frames) -> pd.DataFrame:
    """Accuracy against the energy of an image's spike operations, and of the dense network."""
    columns = ["network", "protocol", "seed", "time_ms", SPIKING, "synaptic_operations"]
    simulated = long(frames)
    return simulated[columns].assign(
        energy_spiking_nj=spiking_energy_nj(simulated["synaptic_operations"]),
        energy_dense_nj=dense_energy_nj(simulated["dense_multiply_adds"]),
    )


def ablations(frames: Frames, runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Networks of table 1 with one choice of the author's code each, beside none and all of them.

    Columns: network, factor, protocol, seed, test_accuracy_percent, change_points (the accuracy
    minus that of the same seed with none), accuracy_step_std_percent (see `volatility`).
    """
    histories = frames["train"]
    final = final_accuracy(histories).merge(volatility(histories), on=KEYS)
    declared = pd.DataFrame(runs)
    one = final.merge(declared, on="run")
    whole = final[final["run"].isin(declared["network"]) & final["seed"].isin(one["seed"])]
    whole = whole.assign(network=whole["run"], factor=whole["protocol"].map(WHOLE))
    table = pd.concat([whole.dropna(subset="factor"), one])
    order = [NONE, *dict.fromkeys(declared["factor"]), ALL]
    for key, names in (("factor", order), ("network", list(dict.fromkeys(declared["network"])))):
        table = table.sort_values(key, key=lambda column: column.map(names.index), kind="stable")
    return with_changes(table, ACCURACY)[[*ABLATION, ACCURACY, "change_points", VOLATILITY]]


def with_changes(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows of ablations with the change of an accuracy from that of the same seed with none."""
    keys = ["network", "seed"]
    none = table[table["factor"] == NONE].set_index(keys)[column].rename(NONE)
    table = table.join(none, on=keys)
    return table.assign(change_points=table[column] - table[NONE])


def simulation_choices(frames: Frames) -> pd.DataFrame:
    """Corrected networks with one choice of another simulation each.

    Columns: network, factor, protocol, seed, spiking_accuracy_percent, change_points.
    """
    simulated = frames["sweep.simulation_choices"].rename(columns={"choice": "factor"})
    return with_changes(simulated, SPIKING)[[*ABLATION, SPIKING, "change_points"]]


# ------------------------------------------------------------------- tables for people to read


def ablations_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Mean change of the accuracy by each choice, of training or of the simulation."""
    accuracy = SPIKING if SPIKING in table else ACCURACY
    rows = [
        [network, factor, mean_text(part[accuracy]), mean_text(part["change_points"])]
        for (network, factor), part in table.groupby(["network", "factor"], sort=False)
    ]
    return markdown_table(["network", "choice", "accuracy %", "change in points"], rows)


def table1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Table 1 with the published column beside our three protocols."""
    protocols = list(dict.fromkeys(table["protocol"]))
    printed = {row["id"]: f"{row[ACCURACY]:.2f}" for row in published["rows"]}
    rows = []
    for number, group in table.groupby("row"):
        cells = group[LABELS].iloc[0].replace({True: "yes", False: "no"})
        ours = [
            mean_text(group.loc[group["protocol"] == protocol, ACCURACY]) for protocol in protocols
        ]
        rows.append([number, *cells, printed.get(f"row{number}", "-"), *ours])
    header = ["row", *LABELS, "published %", *(f"{protocol} %" for protocol in protocols)]
    note = "Test accuracy; mean ± half-width of the 95 % interval over "
    return f"{markdown_table(header, rows)}\n{note}{table['seed'].nunique()} seed(s).\n"
