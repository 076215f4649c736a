"""What was measured about what the thesis says of spiking accuracies."""

from typing import Any

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, by_protocol, paired_difference
from plausible.studies.thuesen2022.table1.printed import (
    DROP,
    FIRST_SPIKE,
    RATE,
    SPIKING,
    VOLATILITY,
    network_names,
)

GAP = "gap_percentage_points"
LATE_MS, PUBLISHED_MS = 1000, 200
LITTLE_NOISE_HZ, PUBLISHED_HZ = 5000, 250
"""Rates of a white pixel: that of the author's code for the SPCN, and that of eq. 39."""


def drop_shrinks_with_time(evidence: Evidence) -> list[Measured]:
    """drop(1000 ms) - drop(200 ms), seed by seed on the same images, of every network.

    The note has both drops: a network that loses nothing in 200 ms has nothing to shrink.
    """
    columns = ("network", "protocol", "seed", "images", "time_ms", DROP)
    frame = evidence.table("claim.spiking_drop", *columns)
    found = _every_network(evidence, frame, DROP, "time_ms", LATE_MS, PUBLISHED_MS)
    return [one._replace(note=_drops(evidence, frame, one.protocol)) for one in found]


def _drops(evidence: Evidence, frame: pd.DataFrame, protocol: str) -> str:
    """Mean drop of every network after both times, and on how many images."""
    rows = frame[frame["protocol"] == protocol]
    means = rows.groupby(["network", "time_ms"])[DROP].mean()
    labels = network_names(evidence.published)
    drops = (
        f"{labels.get(name, name)} {means[name, PUBLISHED_MS]:.2f} and {means[name, LATE_MS]:.2f}"
        for name in rows["network"].unique()
    )
    return (
        f"drop after {PUBLISHED_MS} and {LATE_MS} ms, on the first {rows['images'].max()} test "
        f"images, where table 1 has all: {'; '.join(drops)}"
    )


def drop_shrinks_with_less_noise(evidence: Evidence) -> list[Measured]:
    """drop(5000 Hz) - drop(250 Hz), seed by seed on the same images, of every network."""
    frame = _input_rates(evidence, RATE, SPIKING)
    frame = frame.assign(**{DROP: frame[RATE] - frame[SPIKING]})
    return _every_network(evidence, frame, DROP, "input_rate_hz", LITTLE_NOISE_HZ, PUBLISHED_HZ)


def noise_misleads_the_first_spike(evidence: Evidence) -> list[Measured]:
    """First-spike accuracy at 5000 Hz minus that at 250 Hz, seed by seed, of every network."""
    frame = _input_rates(evidence, FIRST_SPIKE)
    rates = (LITTLE_NOISE_HZ, PUBLISHED_HZ)
    return _every_network(evidence, frame, FIRST_SPIKE, "input_rate_hz", *rates)


def _input_rates(evidence: Evidence, *columns: str) -> pd.DataFrame:
    keys = ("network", "protocol", "seed", "input_rate_hz")
    return evidence.table("beyond.input_rate", *keys, *columns)


def _every_network(
    evidence: Evidence, frame: pd.DataFrame, column: str, key: str, minuend: Any, subtrahend: Any
) -> list[Measured]:
    """A paired difference of every network, in every protocol."""
    labels = network_names(evidence.published)
    return [
        Measured(
            protocol,
            {
                labels.get(network, network): paired_difference(
                    rows, column, key, minuend, subtrahend
                )
                for network, rows in part.groupby("network")
            },
        )
        for protocol, part in by_protocol(frame)
    ]


def noise_or_dropout_reduces_the_drop(evidence: Evidence) -> list[Measured]:
    """Drop with minus drop without noise, seed by seed; one finding per variant."""
    columns = ("variant", "level", "protocol", "seed", DROP)
    frame = evidence.table("claim.noise_may_close_the_drop", *columns)
    found = []
    for protocol, part in by_protocol(frame):
        plain = part[part["variant"] == "none"]
        for (variant, level), rows in part[part["variant"] != "none"].groupby(["variant", "level"]):
            both = pd.concat([plain, rows])
            change = paired_difference(both, DROP, "variant", variant, "none")
            name = f"{variant} {level:g}".replace("_", " ")
            found.append(Measured(protocol, change, variant=name))
    return found


def gap_shrinks_with_batch_norm(evidence: Evidence) -> list[Measured]:
    """Gap to the SNN with Adam minus that with Adam and batch norm, seed by seed."""
    frame = evidence.table("claim.spcn_near_snn", "network", "protocol", "seed", GAP)
    return [
        Measured(protocol, paired_difference(part, GAP, "network", "spcn_adam", "spcn_adam_bn"))
        for protocol, part in by_protocol(frame)
    ]


def no_gain_with_spikes(evidence: Evidence) -> list[Measured]:
    """Spiking accuracy with minus without batch norm, seed by seed."""
    return [Measured(protocol, _gain(part, SPIKING)) for protocol, part in _batch_norms(evidence)]


def gains_less_with_spikes(evidence: Evidence) -> list[Measured]:
    """Gain of batch norm with rates minus its gain with spikes, seed by seed."""
    return [
        Measured(protocol, _gain(part, RATE) - _gain(part, SPIKING))
        for protocol, part in _batch_norms(evidence)
    ]


def bn_is_more_volatile(evidence: Evidence) -> list[Measured]:
    """Log of the ratio of the standard deviations of accuracy steps, seed by seed."""
    return [
        Measured(
            protocol,
            _gain(part.assign(log=np.log(part[VOLATILITY].clip(lower=1e-9))), "log"),
            note="natural logarithm of with / without batch norm",
        )
        for protocol, part in _batch_norms(evidence)
    ]


def _batch_norms(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    columns = ("protocol", "batch_norm", "seed", RATE, SPIKING, VOLATILITY)
    return by_protocol(evidence.table("claim.bn_spiking_exception", *columns))


def _gain(rows: pd.DataFrame, column: str) -> pd.Series:
    """``column`` with minus without batch norm, by seed."""
    return paired_difference(rows, column, "batch_norm", True, False)


def counting_beats_the_first_spike(evidence: Evidence) -> list[Measured]:
    """Accuracy by spike count minus by first spike, seed by seed, of every network."""
    column, key = "accuracy_percent", "readout"
    frame = evidence.table("claim.readout", "network", "protocol", "seed", key, column)
    return _every_network(evidence, frame, column, key, "spike_count", "first_spike")
