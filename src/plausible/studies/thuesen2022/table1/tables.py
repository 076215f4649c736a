"""Tidy tables of table 1 and of what is said of it, and table 1 for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.measure.energy import dense_energy_nj, spiking_energy_nj
from plausible.reproduction.frames import Frames
from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.thuesen2022.histories import KEYS, final_accuracy

SPIKING_TIME_MS = 200  # thesis, section 3.4.4


def table1(frames: Frames, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Table 1: one row per printed row, protocol and seed; spiking rows after 200 ms."""
    rate = final_accuracy(frames["train"])
    spiking = at_time(frames["simulate.spiking"], SPIKING_TIME_MS)
    parts = []
    for row in rows:
        source = spiking if row["spiking"] else rate
        column = "spiking_accuracy_percent" if row["spiking"] else "test_accuracy_percent"
        part = source.loc[source["run"] == row["run"], ["protocol", "seed", column]]
        labels = {key: value for key, value in row.items() if key != "run"}
        parts.append(
            part.rename(columns={column: "test_accuracy_percent"}).assign(**labels)[
                [*labels, "protocol", "seed", "test_accuracy_percent"]
            ]
        )
    return pd.concat(parts, ignore_index=True)


def at_time(simulated: pd.DataFrame, time_ms: int) -> pd.DataFrame:
    """Rows of a spiking simulation at one time."""
    return simulated[simulated["time_ms"] == time_ms]


def spiking_drop(frames: Frames) -> pd.DataFrame:
    """Rate-coded minus spiking accuracy against the simulated time (section 4.2)."""
    columns = ["network", "protocol", "seed", "images", "time_ms"]
    return with_drop(frames["simulate.long"].rename(columns={"run": "network"}), columns)


def with_drop(simulated: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Both accuracies and their difference in percentage points beside ``columns``."""
    drop = simulated["rate_accuracy_percent"] - simulated["spiking_accuracy_percent"]
    kept = [*columns, "rate_accuracy_percent", "spiking_accuracy_percent"]
    return simulated[kept].assign(drop_percentage_points=drop).reset_index(drop=True)


def noise_may_close_the_drop(frames: Frames, variants: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Drop of networks trained with and without noise or dropout (section 4.2).

    Only seeds that every variant has, since the variants are compared seed by seed.
    """
    simulated = at_time(frames["simulate.spiking"], SPIKING_TIME_MS)
    simulated = simulated.merge(pd.DataFrame(variants), on="run")
    simulated = simulated[simulated["protocol"] == "corrected"]
    common = set.intersection(*(set(part["seed"]) for _, part in simulated.groupby("run")))
    simulated = simulated[simulated["seed"].isin(common)]
    return with_drop(simulated, ["variant", "level", "protocol", "seed"])


def spcn_near_snn(frames: Frames) -> pd.DataFrame:
    """Rate-coded accuracy of the SNN minus that of each SPCN, seed by seed (section 4.2)."""
    final = final_accuracy(frames["train"]).set_index(KEYS)["test_accuracy_percent"].unstack("run")
    gaps = final.drop(columns="snn").rsub(final["snn"], axis=0)
    gaps.columns.name = "network"
    return (
        gaps.stack()
        .rename("gap_percentage_points")
        .reset_index()[["network", "protocol", "seed", "gap_percentage_points"]]
    )


def bn_spiking_exception(frames: Frames) -> pd.DataFrame:
    """SPCN with Adam, without and with batch norm: accuracies and volatility (section 4.2).

    ``accuracy_step_std_percent`` is the standard deviation of the differences between successive
    test accuracies in the second half of training, where learning itself moves them least.
    """
    tests = frames["train"][frames["train"]["quantity"] == "test_accuracy_percent"]
    late = tests[tests["step"] > tests.groupby(KEYS)["step"].transform("max") / 2]
    volatility = (
        late.sort_values("step", kind="stable")
        .groupby(KEYS)["value"]
        .agg(lambda accuracies: float(np.std(np.diff(accuracies), ddof=1)))
        .rename("accuracy_step_std_percent")
        .reset_index()
    )
    simulated = at_time(frames["simulate.spiking"], SPIKING_TIME_MS)
    merged = volatility.merge(simulated, on=KEYS)
    return merged.assign(batch_norm=merged["run"] == "spcn_adam_bn")[
        [
            "protocol",
            "batch_norm",
            "seed",
            "rate_accuracy_percent",
            "spiking_accuracy_percent",
            "accuracy_step_std_percent",
        ]
    ]


def readout(frames: Frames) -> pd.DataFrame:
    """Accuracy of reading the spike count of 200 ms, and the first output spike (section 3.4.4)."""
    simulated = at_time(frames["simulate.spiking"], SPIKING_TIME_MS)
    wide = simulated.rename(
        columns={
            "run": "network",
            "spiking_accuracy_percent": "spike_count",
            "first_spike_accuracy_percent": "first_spike",
        }
    )
    return wide[wide["network"].isin(["snn", "spcn_sgd", "spcn_adam", "spcn_adam_bn"])].melt(
        id_vars=["network", "protocol", "seed"],
        value_vars=["spike_count", "first_spike"],
        var_name="readout",
        value_name="accuracy_percent",
    )


def simulation_time(frames: Frames) -> pd.DataFrame:
    """Spiking accuracy against the simulated time, 10 ms to 1 s."""
    return frames["simulate.long"].rename(columns={"run": "network"})[
        [
            "network",
            "protocol",
            "seed",
            "time_ms",
            "rate_accuracy_percent",
            "spiking_accuracy_percent",
        ]
    ]


def energy(frames: Frames) -> pd.DataFrame:
    """Accuracy against the energy of an image's spike operations, and of the dense network."""
    simulated = frames["simulate.long"].rename(columns={"run": "network"})
    return simulated.assign(
        energy_spiking_nj=spiking_energy_nj(simulated["synaptic_operations"]),
        energy_dense_nj=dense_energy_nj(simulated["dense_multiply_adds"]),
    )[
        [
            "network",
            "protocol",
            "seed",
            "time_ms",
            "spiking_accuracy_percent",
            "synaptic_operations",
            "energy_spiking_nj",
            "energy_dense_nj",
        ]
    ]


# ------------------------------------------------------------------- tables for people to read


def table1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Table 1 with the published column beside our three protocols."""
    protocols = list(dict.fromkeys(table["protocol"]))
    printed = {row["id"]: f"{row['test_accuracy_percent']:.2f}" for row in published["rows"]}
    labels = ["model", "algorithm", "optimizer", "activation", "batch_norm", "spiking"]
    rows = []
    for number, group in table.groupby("row", sort=True):
        first = group.iloc[0]
        yes_or_no = {True: "yes", False: "no"}
        cells = [yes_or_no.get(first[label], first[label]) for label in labels]
        ours = [
            mean_text(group.loc[group["protocol"] == protocol, "test_accuracy_percent"])
            for protocol in protocols
        ]
        rows.append([number, *cells, printed.get(f"row{number}", "-"), *ours])
    seeds = table["seed"].nunique()
    header = ["row", *labels, "published %", *(f"{protocol} %" for protocol in protocols)]
    return (
        markdown_table(header, rows)
        + f"\nTest accuracy; mean ± half-width of the 95 % interval over {seeds} seed(s).\n"
    )
