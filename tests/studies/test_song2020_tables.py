"""Readable tables of Song et al. 2020 from hand-made tidy tables."""

import numpy as np
import pandas as pd
import pytest
import yaml

from plausible.studies.song2020 import tables


@pytest.fixture(scope="module")
def printed(project_root):
    """Published values by the name of the result."""
    text = (project_root / "workflow/published/song2020.yaml").read_text()
    return {e["id"].split(".", 1)[1]: e["values"] for e in yaml.safe_load(text)["results"]}


def cells(text: str) -> list[list[str]]:
    """Cells of the lines of all tables in a text, headers and all."""
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def grid_row(**changes):
    return {
        "protocol": "as_coded",
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


def test_notation_says_what_was_found(printed):
    table = pd.DataFrame(
        [
            ("value_node", "value_node", "y", "x", "State.values", True),
            ("step", "integration step", None, "gamma", "gone", False),
        ],
        columns=["row", "quantity", "ann_symbol", "pcn_symbol", "name_in_code", "found"],
    )
    lines = cells(tables.table1_markdown(table, printed["table1"]))
    assert lines[1] == ["value node", "y", "x", "`State.values`", "yes"]
    assert lines[2] == ["integration step", "-", "gamma", "`gone`", "no"]


def test_properties_stand_beside_the_published_ones(printed):
    rows = [
        {
            "model": model,
            "property": name,
            "holds": model != "IL" or name != "equivalence_to_bp",
            "measurement": "largest difference",
            "measured_value": 1e-3 * seed,
            "seed": seed,
        }
        for model in ("IL", "Fa-Z-IL")
        for name in tables.PROPERTIES
        for seed in (1, 2)
    ]
    # One seed of two disagrees: that is not averaged away.
    rows[-1]["holds"] = False
    text = tables.table2_markdown(pd.DataFrame(rows), printed["table2"])
    lines = cells(text)
    assert lines[1] == ["IL", "no / no", "yes / yes", "yes / yes", "no / yes"]
    assert lines[2] == ["Fa-Z-IL", "yes / yes", "yes / yes", "yes / yes", "yes / 1 of 2"]
    assert ["IL", "equivalence to BP", "no", "largest difference", "0.002"] in lines


def test_detection_rates_by_tolerance(printed):
    table = pd.DataFrame(
        [
            {"counting": "per_neuron_and_sample", "tolerance": tolerance, "t_d": t_d, "seed": seed}
            | {"success_rate_percent": rate}
            for tolerance, t_d, seed, rate in [
                (0.0, 1, 1, 100.0),
                (0.0, 1, 2, 100.0),
                (1e-4, 1, 1, 77.04),
                (1e-4, 1, 2, 98.0),
                (0.0, 9, 1, np.nan),
                (1e-4, 9, 1, 99.0),
            ]
        ]
    )
    lines = cells(tables.table3_markdown(table, printed["table3"]))
    assert lines[0] == ["t_d", "published %", "exact zero %", "<= 0.0001 %"]
    assert lines[1] == ["1", "93.4", "100.0", "77.0 to 98.0"]
    assert lines[2] == ["9", "-", "n/a", "99.0"]


def test_run_times_are_compared_on_the_published_network_alone(printed):
    base = {"batch_size": 1, "device": "cpu", "algorithm": "il", "repetitions": 50}
    base |= {"milliseconds_per_update": 200.0, "milliseconds_low": 190.0}
    base |= {"milliseconds_high": 210.0, "ratio_to_bp": 2.0, "peak_memory_mb": 1800.0}
    table = pd.DataFrame(
        [
            {"network": "imagenet", "layer_sizes": tables.PUBLISHED_LAYERS, **base},
            {"network": "mnist", "layer_sizes": "784-10", **base},
            {
                "network": "imagenet",
                "layer_sizes": tables.PUBLISHED_LAYERS,
                **base,
                "algorithm": "bp_autograd",
            },
        ]
    )
    lines = cells(tables.table4_markdown(table, printed["table4"]))
    assert lines[1][2:] == ["CPU", "IL", "200", "190 to 210", "2.00", "19.2", "6.19", "1800"]
    assert lines[2][7:9] == ["-", "-"] and lines[3][7:9] == ["-", "-"]


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
    assert lines[1:] == [
        ["0", "0.10546", "0.1"],
        ["0.1", "0.11507", "0.3 (1 of 2 diverged)"],
    ]


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
    lines = cells(tables.calibration_markdown(table, {"test_error_fraction": [0.10546]}))
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
    assert cells(tables.calibration_markdown(table, {"test_error_fraction": [0.10546]}))[1][
        2:5
    ] == ["0", "0", "0"]
