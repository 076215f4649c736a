"""Spikes until an error, from errors that fall as a power of the steps."""

import numpy as np
import pytest

from plausible.studies.oconnor2020.ch8_principles import tables

from ...part_results import read_sweep
from . import synthetic


@pytest.fixture(scope="module")
def needed():
    return tables.spikes_needed(synthetic.frontier_table()).set_index(
        ["scheme", "network", "level"]
    )


def test_spikes_are_those_of_the_step_that_reaches_the_level(needed):
    """0.3 t^-1.1 = 0.03 at t = 10^(1/1.1), between the kept steps 5 and 10."""
    found = needed.loc[("osa_lambda", 0, 0.03)]
    before, after = (np.log(0.3 * step**-1.1) for step in (5, 10))
    step = 5 + 5 * (before - np.log(0.03)) / (before - after)
    assert found["step"] == pytest.approx(step) and found["step"] == pytest.approx(8.11, abs=0.5)
    assert found["free_spikes"] == pytest.approx((step - 1) / 4)
    assert found["input_spikes"] == pytest.approx(step / 2)


def test_a_level_that_is_passed_again_counts_once():
    table = synthetic.frontier_table(1)
    table.loc[table["step"] == 300, "error"] = 0.2
    before = tables.spikes_needed(synthetic.frontier_table(1))
    after = tables.spikes_needed(table)
    chosen = (before["level"] == 0.03) & (before["scheme"] == "osa")
    assert before.loc[chosen, "step"].tolist() == after.loc[chosen, "step"].tolist()


def test_a_level_below_all_errors_has_no_spikes(needed):
    assert needed.loc[("stochastic_root", slice(None), 0.01)].isna().all(axis=None)
    assert needed.sort_index().drop("stochastic_root").notna().all(axis=None)


def test_a_level_above_the_first_error_is_reached_there():
    table = synthetic.frontier_table(1).assign(error=0.02)
    found = tables.spikes_needed(table)
    assert (found.loc[found["level"] >= 0.03, "step"] == 1).all()


def test_every_scheme_and_level_has_a_row():
    schemes = read_sweep("oconnor2020.ch8_principles", "spike_frontier").schemes
    assert set(tables.TITLES) == set(schemes)
    text = tables.spikes_markdown(synthetic.frontier_table(), {})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(schemes) * len(tables.LEVELS)
    assert "| - | - | - | 0 of 6 |" in text
