"""Tidy tables of table 1 and of what is said of it, from hand-made tables of runs."""

import numpy as np
import pandas as pd
import pytest

from plausible.reproduction.markdown import mean_text
from plausible.studies.thuesen2022.table1 import tables


def history(run, seed, accuracies, protocol="corrected", steps=None):
    steps = range(0, 100 * len(accuracies), 100) if steps is None else steps
    return pd.DataFrame(
        {
            "run": run,
            "protocol": protocol,
            "seed": seed,
            "quantity": "test_accuracy_percent",
            "step": list(steps),
            "value": accuracies,
            "value_low": accuracies,
            "value_high": accuracies,
        }
    )


def simulated(run, seed, rate, spiking, first=50.0, time_ms=200, protocol="corrected"):
    return {
        "run": run,
        "protocol": protocol,
        "seed": seed,
        "images": 10,
        "time_ms": time_ms,
        "rate_accuracy_percent": rate,
        "spiking_accuracy_percent": spiking,
        "first_spike_accuracy_percent": first,
        "synaptic_operations": 1000.0,
        "dense_multiply_adds": 100,
    }


def test_table_1_takes_rate_rows_from_training_and_spiking_rows_after_200_ms():
    frames = {
        "train": pd.concat([history("x", seed, [50.0, 97.0 + seed]) for seed in (0, 1)]),
        "simulate.spiking": pd.DataFrame(
            [
                simulated("x", seed, 97.0, 90.0 + seed + (time == 200), time_ms=time)
                for seed in (0, 1)
                for time in (100, 200)
            ]
        ),
    }
    label = {"model": "M", "algorithm": "A", "optimizer": "O", "activation": "F"}
    rows = [
        {"row": 1, **label, "batch_norm": True, "spiking": False, "run": "x"},
        {"row": 2, **label, "batch_norm": True, "spiking": True, "run": "x"},
    ]
    table = tables.table1(frames, rows)
    values = table.set_index(["row", "seed"])["test_accuracy_percent"].to_dict()
    assert values == {(1, 0): 97.0, (1, 1): 98.0, (2, 0): 91.0, (2, 1): 92.0}
    text = tables.table1_markdown(table, {"rows": [{"id": "row1", "test_accuracy_percent": 97.68}]})
    assert "| yes | no | 97.68 | 97.50 ±" in text and "| yes | yes | - |" in text


def test_gap_is_snn_minus_spcn_of_the_same_seed():
    final = {("snn", 0): 98.0, ("snn", 1): 97.0, ("spcn_sgd", 0): 96.0, ("spcn_sgd", 1): 96.5}
    frames = {"train": pd.concat([history(run, seed, [v]) for (run, seed), v in final.items()])}
    gaps = tables.spcn_near_snn(frames).set_index("seed")["gap_percentage_points"]
    assert gaps.to_dict() == {0: 2.0, 1: 0.5}


def test_ablations_are_compared_with_the_corrected_network_of_the_same_seed():
    final = {
        ("spcn_adam", "corrected"): (97.0, 98.0, 99.0),
        ("spcn_adam", "as_coded"): (96.0, 96.0, 96.0),
        ("spcn_adam", "as_published"): (90.0, 90.0, 90.0),
        ("adam_adam", "corrected"): (96.5, 97.0),
    }
    frames = {
        "train": pd.concat(
            history(run, seed, [0.0, 50.0, value, value, value - seed, value], protocol)
            for (run, protocol), values in final.items()
            for seed, value in enumerate(values)
        )
    }
    runs = [{"run": "adam_adam", "network": "spcn_adam", "factor": "Adam"}]
    table = tables.ablations(frames, runs)
    assert list(dict.fromkeys(table["factor"])) == ["none", "Adam", "all of them"]
    changes = table.pivot(index="factor", columns="seed", values="change_points")
    assert changes.loc["none"].tolist() == [0.0, 0.0], "no third seed, which the ablation lacks"
    assert changes.loc["Adam"].tolist() == [-0.5, -1.0]
    assert changes.loc["all of them"].tolist() == [-1.0, -2.0]
    # Steps of -1 and +1 in the second half, for seed 1.
    volatile = table.pivot(index="factor", columns="seed", values="accuracy_step_std_percent")
    assert volatile.loc["Adam"].tolist() == pytest.approx([0.0, np.sqrt(2.0)])
    text = tables.ablations_markdown(table, {})
    assert "| spcn_adam | Adam | 96.75 ±" in text and "| -0.75 ±" in text


def test_choices_of_the_simulation_are_compared_with_none_of_the_same_seed():
    keys = ["network", "protocol", "seed", "choice", "spiking_accuracy_percent"]
    rows = [
        ("snn", "corrected", seed, choice, 90.0 + seed - (choice != "none"))
        for seed in (0, 1)
        for choice in ("none", "filter as printed")
    ]
    frames = {"sweep.simulation_choices": pd.DataFrame(rows, columns=keys)}
    table = tables.simulation_choices(frames)
    assert table["change_points"].tolist() == [0.0, -1.0, 0.0, -1.0]
    assert "| snn | filter as printed | 89.50 ±" in tables.ablations_markdown(table, {})


def test_drop_is_rate_minus_spiking_accuracy():
    frames = {"simulate.long": pd.DataFrame([simulated("snn", 0, 97.5, 96.0)])}
    assert tables.spiking_drop(frames)["drop_percentage_points"].tolist() == [1.5]


def test_volatility_is_the_spread_of_steps_in_the_second_half():
    calm = [0.0, 50.0, 96.0, 96.0, 96.0, 96.0, 96.0, 96.0, 96.0]
    jumpy = [0.0, 50.0, 96.0, 96.0, 96.0, 95.0, 96.0, 95.0, 96.0]
    frames = {
        "train": pd.concat([history("spcn_adam", 0, calm), history("spcn_adam_bn", 0, jumpy)]),
        "simulate.spiking": pd.DataFrame(
            [simulated(run, 0, 97.0, 96.0) for run in ("spcn_adam", "spcn_adam_bn")]
        ),
    }
    table = tables.bn_spiking_exception(frames).set_index("batch_norm")
    assert table.loc[False, "accuracy_step_std_percent"] == 0.0
    # Steps 500 to 800 follow half of 800: differences +1, -1, +1.
    expected = np.std([1.0, -1.0, 1.0], ddof=1)
    assert table.loc[True, "accuracy_step_std_percent"] == pytest.approx(expected)


def test_readout_compares_both_accuracies_of_the_same_simulation():
    frames = {"simulate.spiking": pd.DataFrame([simulated("snn", 3, 97.0, 96.0, first=80.0)])}
    table = tables.readout(frames).set_index("readout")["accuracy_percent"]
    assert table.to_dict() == {"spike_count": 96.0, "first_spike": 80.0}


def test_noise_table_keeps_only_declared_variants():
    frames = {
        "simulate.spiking": pd.DataFrame(
            [simulated("a", 0, 97.0, 96.0), simulated("b", 0, 97.0, 95.0)]
        )
    }
    options = {"variants": [{"run": "b", "variant": "dropout", "level": 0.1}]}
    table = tables.noise_may_close_the_drop(frames, **options)
    assert table[["variant", "level", "drop_percentage_points"]].values.tolist() == [
        ["dropout", 0.1, 2.0]
    ]


def test_noise_table_compares_seeds_that_every_variant_has():
    rows = [simulated("a", seed, 97.0, 96.0) for seed in (0, 1, 2)]
    frames = {"simulate.spiking": pd.DataFrame([*rows, simulated("b", 1, 97.0, 96.5)])}
    variants = [{"run": run, "variant": run, "level": 0.0} for run in "ab"]
    table = tables.noise_may_close_the_drop(frames, variants)
    assert table[["variant", "seed"]].values.tolist() == [["a", 1], ["b", 1]]


def test_mean_text_gives_the_half_width_of_the_t_interval():
    # Two values 1 apart: standard error 0.5, t(0.975, 1) = 12.7062.
    assert mean_text(pd.Series([97.0, 98.0])) == "97.50 ± 6.35"
    assert mean_text(pd.Series([97.0])) == mean_text(pd.Series([97.0]), percent=True) == "97.00"
    assert mean_text(pd.Series([97.0, 98.0]), percent=True).startswith("97.50 (")
    assert mean_text(pd.Series([np.nan])) == "n/a"
