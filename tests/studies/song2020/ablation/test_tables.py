"""Tables of the supplement and of the calibration for people, from hand-made tidy tables."""

import numpy as np
import pandas as pd
import pytest

from plausible.reproduction.published import result_name
from plausible.studies.song2020.ablation import tables

from ...part_results import published_of
from ..markdown import cells


@pytest.fixture(scope="module")
def printed():
    """Published values by the name of the result."""
    entries = published_of("song2020.ablation").entries
    return {result_name(name): entry["values"] for name, entry in entries.items()}


def grid_row(**changes):
    return {
        "protocol": "as_coded_elsewhere",
        "panel": "sigma",
        "l_max": 4,
        "seed": 1,
        "sigma": 0.0,
        "noise": "none",
        "mean_test_error": 0.1,
        "test_error_divergence_sum": 0.0,
        "weight_divergence_sum": 0.0,
        "weight_divergence_norm": 0.0,
        "diverged_epoch": -1,
        **changes,
    }


def test_sigma_tables_show_diverged_runs(printed):
    rows = [grid_row(seed=seed) for seed in (1, 2)]
    rows += [
        grid_row(
            seed=seed,
            sigma=0.1,
            noise="initial",
            mean_test_error=0.2 * seed,
            test_error_divergence_sum=1.0 * seed,
            weight_divergence_sum=10.0 * seed,
            weight_divergence_norm=8.0 * seed,
            diverged_epoch=-1 if seed == 1 else 0,
        )
        for seed in (1, 2)
    ]
    rows.append(grid_row(panel="t_gamma", sigma=0.0, test_error_divergence_sum=99.0))
    table = pd.DataFrame(rows)
    lines = cells(tables.supp_table1_markdown(table, printed["supp.table1"]))
    assert lines[1] == ["0", "0", "0", *("2.37e-13", "0") * 2]
    diverged = " (1 of 2 diverged)"
    assert lines[2] == ["0.1", "0.615", "1.5" + diverged, *("14.3", "15" + diverged),
                        *("14.3", "12" + diverged)]  # fmt: skip
    lines = cells(tables.supp_table2_markdown(table, printed["supp.table2"]))
    assert lines[1:] == [["0", "0.10546", "0.1"], ["0.1", "0.11507", "0.3 (1 of 2 diverged)"]]


def calibration_row(candidate, **changes):
    return {
        **{"candidate": candidate, "description": f"{candidate} weights", "l_max": 2, "seed": 1},
        **{"column": "tl", "gamma": 0.5, "mean_test_error": 0.1},
        **{"test_error_divergence_sum": 2.0, "published_test_error_divergence": 1.0},
        **{"weight_divergence_norm": 10.0, "published_weight_divergence": 10.0},
        **changes,
    }


def test_calibration_puts_the_closest_candidate_first():
    unpublished = {"published_test_error_divergence": np.nan, "published_weight_divergence": np.nan}
    table = pd.DataFrame(
        [
            calibration_row("far"),
            calibration_row("near", test_error_divergence_sum=1.1),
            calibration_row("far", column="bp", gamma=np.nan, mean_test_error=0.25, **unpublished),
            calibration_row("near", column="bp", gamma=np.nan, mean_test_error=0.15, **unpublished),
        ]
    )
    lines = cells(tables.calibration_markdown(table, {"test_error_fraction": {"sigma_0": 0.10546}}))
    assert [line[0] for line in lines[1:]] == ["`near`", "`far`"]
    # BP: 0.15 / 0.10546 - 1 and 0.25 / 0.10546 - 1.
    assert lines[1][1:] == ["near weights", "0.174", "0.1", "0", "0.422"]
    assert lines[2][2:] == ["0.79", "1", "0", "1.37"]


def test_a_published_cell_at_the_top_of_its_scale_means_at_least():
    table = pd.DataFrame(
        [
            calibration_row(
                "beyond",
                test_error_divergence_sum=47.0,
                published_test_error_divergence=49.3,
                weight_divergence_norm=np.nan,
                published_weight_divergence=49.8,
            )
        ]
    )
    assert cells(tables.calibration_markdown(table, {"test_error_fraction": {"sigma_0": 0.10546}}))[
        1
    ][2:5] == ["0", "0", "0"]
