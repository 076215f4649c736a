"""Spikes that the codes of chapter 8 need for an error, by level of the error and for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text

LEVELS = (0.1, 0.03, 0.01)
"""Errors to the fixed point that are asked for."""
COUNTS = ("free_spikes", "input_spikes", "step")
TITLES = {
    "stochastic_root": "random bits, ε = 1/√t",
    "root": "ε = 1/√t",
    "scheduled": "ε₀/t^η, λ₀/t^η",
    "osa": "OSA",
    "osa_same_steps": "OSA, ν̄ as with λ",
    "osa_lambda": "OSA, λ",
    "osa_scheduled_lambda": "OSA, λ₀/t^η",
}
"""Schemes, the least precise first."""


def spikes_needed(table: pd.DataFrame) -> pd.DataFrame:
    """Spikes and steps of every scheme and network until the error is first at a level.

    Columns: scheme, network, level, and those of ``COUNTS``, each interpolated linearly in the
    logarithm of the error between the two kept steps; NaN where the error stays above the level.
    """
    rows = []
    for (scheme, network), run in table.groupby(["scheme", "network"], sort=False):
        run = run.sort_values("step")
        errors, counts = np.log(run["error"].to_numpy()), run[list(COUNTS)].to_numpy(float)
        for level in LEVELS:
            reached = np.flatnonzero(errors <= np.log(level))
            found = np.full(len(COUNTS), np.nan)
            if len(reached):
                after = reached[0]
                before = max(after - 1, 0)
                span = errors[before] - errors[after]
                share = (errors[before] - np.log(level)) / span if after else 0.0
                found = counts[before] + share * (counts[after] - counts[before])
            rows.append((scheme, network, level, *found))
    return pd.DataFrame(rows, columns=["scheme", "network", "level", *COUNTS])


def spikes_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Spikes and steps until an error, of the networks that reach it."""
    needed, lines = spikes_needed(table), []
    for level in LEVELS:
        for scheme, title in TITLES.items():
            rows = needed[(needed["scheme"] == scheme) & (needed["level"] == level)]
            reached = rows.dropna()
            cells = [mean_text(reached[name], 1) if len(reached) else "-" for name in COUNTS]
            lines.append([f"{level:g}", title, *cells, f"{len(reached)} of {len(rows)}"])
    header = ["error", "code", "spikes of a hidden or output neuron", "spikes of an input"]
    header += ["steps", "networks that reach it"]
    note = (
        "Spikes since the beginning until the error is first so small, mean over networks with its "
        "95 % interval. Near rest every code sends the state itself (eq. 8.12 with s(t) = s(t-1)), "
        "so that a code needs fewer spikes because it needs fewer steps.\n"
    )
    return markdown_table(header, lines) + "\n" + note
