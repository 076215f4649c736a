"""Experiments on PD coding, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.studies.oconnor2020.ch5_coding import experiment
from plausible.studies.oconnor2020.ch5_coding.settings import CodingGrid, Drift

GRID = CodingGrid(steps=300, cutoff=0.01, k_p=(0.0, 0.5), k_d=(0.0, 2.0))


def test_grid_leaves_out_what_is_not_defined():
    table = experiment.coding_grid(GRID, [0, 1], None, None)
    cells, traces = (table[table["element"] == kind] for kind in ("cell", "trace"))
    assert len(cells) == 2 * 3 and ((cells["k_p"] + cells["k_d"]) > 0).all()
    assert set(traces["seed"]) == {0}
    first = cells[cells["seed"] == 0].set_index(["k_p", "k_d"])
    for (k_p, k_d), rows in traces.groupby(["k_p", "k_d"]):
        own, off = first.loc[(k_p, k_d)], (rows["reconstruction"] - rows["signal"]).abs()
        assert rows["spikes"].abs().sum() == own["number_of_spikes"]
        assert off.mean() == pytest.approx(own["mean_error"], abs=1e-5)
        # phi is within 1/2, and what is left of it in the reconstruction within 1 / (k_p + k_d).
        assert off.max() <= 1.0 / (k_p + k_d) + 1e-4
    bottom = cells[cells["k_p"] == 0]
    assert bottom["rounding_difference"].max() < 1e-12 < 0.05 < bottom["signal_difference"].min()


def test_same_seed_same_rows_whatever_the_others():
    both = experiment.coding_grid(GRID, [0, 1], None, None)
    alone = experiment.coding_grid(GRID, [1], None, None)
    cells = [table[table["element"] == "cell"] for table in (alone, both)]
    other = cells[1][cells[1]["seed"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(cells[0], other, check_exact=True)


def test_an_estimate_with_a_weight_that_stays_is_the_product(monkeypatch):
    settings = Drift(steps=200, signal_cutoff=0.05, weight_cutoff=0.02, k_p=(0.0, 0.2), k_d=1.0)
    moving = experiment.drift(settings, [0], None, None)
    plain = moving[(moving["element"] == "error") & (moving["quantized"] == False)]  # noqa: E712
    assert plain["mean_error"].min() > 0.05
    signals = experiment.low_pass
    monkeypatch.setattr(
        experiment, "low_pass", lambda rng, steps, cutoff: signals(rng, steps, cutoff)
        if cutoff == 0.05 else np.zeros(steps),
    )  # fmt: skip
    still = experiment.drift(settings, [0], None, None)
    plain = still[(still["element"] == "error") & (still["quantized"] == False)]  # noqa: E712
    assert plain["mean_error"].max() < 1e-12


def test_a_grid_of_one_coefficient_is_refused():
    with pytest.raises(ValueError, match="k_p"):
        CodingGrid(steps=300, cutoff=0.01, k_p=(0.5,), k_d=(0.0, 2.0))
    with pytest.raises(StudyError, match="k_p = 0, k_d = 0"):
        experiment.pd_code(0, 0)
