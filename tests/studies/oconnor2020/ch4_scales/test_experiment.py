"""The optimisation of scales as an experiment: small real runs, counts against slow loops."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from plausible.studies.oconnor2020.ch4_scales.readings import READINGS, training_settings
from plausible.studies.oconnor2020.experiments import EXPERIMENTS
from plausible.studies.oconnor2020.tables import (
    official_split_markdown,
    quantisation_frontier_markdown,
    table_b1_markdown,
)

from plausible.config import load_config
from plausible.data.splits import split_dataset
from plausible.errors import StudyError
from plausible.kernels.temporal_order_reference import greedy_order
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.learning.training import train
from plausible.reproduction.declaration import load_study
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020 import scale_optimisation as module
from plausible.studies.oconnor2020.ch4_scales.evaluation import COLUMNS
from plausible.studies.oconnor2020.ch4_scales.tables import published_row

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "workflow/studies/oconnor2020.yaml"
SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"
SETTINGS = {
    "hidden_sizes": [7, 6],
    "pretraining": {"epochs": 6, "batch_size": 20, "learning_rate": 0.1},
    "optimisations": {
        "as_coded": {"protocol": "as_coded", "learning_rate": 0.05},
        "as_published": {"protocol": "as_published", "learning_rate": 0.05},
        "own_scales": {"protocol": "as_coded", "learning_rate": 0.3, "unitwise": True},
    },
    "lambdas": [1.0e-10, 1.0e-2],
    "epochs": 2,
    "batch_size": 10,
    "record_every_epochs": 0.5,
    "buffer_size": 30,
    "bits": [8, 3],
}


@pytest.fixture(scope="module")
def few(digits):
    """The first 240 training images and 50 test images."""
    return digits._replace(
        train_images=digits.train_images[:240],
        train_labels=digits.train_labels[:240],
        test_images=digits.test_images[:50],
        test_labels=digits.test_labels[:50],
    )


@pytest.fixture(scope="module")
def table(few):
    return EXPERIMENTS["scale_optimisation"](SETTINGS, [0, 1], few, None)


def rows_of(table, **values):
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def test_rows_of_every_network_part_and_order(table):
    assert list(table.columns[: len(COLUMNS)]) == list(COLUMNS)
    keys = ["protocol", "granularity", "seed", "setting", "lambda", "network", "bits", "order"]
    assert not table.duplicated([*keys, "part"]).any()
    # Original in both orders, two widths in one, two networks for no and for two lambdas.
    assert len(rows_of(table, protocol="as_coded", granularity="layerwise")) == 2 * 3 * (2 + 2 + 12)
    assert len(rows_of(table, protocol="as_published")) == 2 * 3 * (2 + 12)
    assert len(rows_of(table, granularity="unitwise")) == 2 * 3 * 8
    sizes = table.groupby("part")["samples"].unique().map(list).to_dict()
    assert sizes == {"training": [200], "thesis": [40], "official": [50]}
    assert not table["diverged"].any() and table["error_percent"].notna().all()


def slow_run(weights, biases, scales, images, labels, white, differences):
    """Error in percent and additions of a rounding or a sigma-delta network, frame by frame."""
    previous = [np.zeros(weight.shape[1]) for weight in weights]
    totals = [np.zeros(len(weight)) for weight in weights]
    wrong, additions = 0, 0.0
    for image, label in zip(images, labels, strict=True):
        activity = image / white
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            message = np.rint(activity * scales[layer])
            if differences:
                message, previous[layer] = message - previous[layer], message
                totals[layer] = totals[layer] + weight @ (message / scales[layer])
                current = totals[layer] + bias
            else:
                current = weight @ (message / scales[layer]) + bias
            additions += np.abs(message).sum() * len(weight)
            activity = np.maximum(current, 0)
        wrong += int(current.argmax() != label)
    return 100 * wrong / len(labels), additions / len(labels) / 1e3


@pytest.fixture(scope="module")
def networks(few):
    """The networks of the experiment, trained once more, and scales of the layerwise optimisation.

    Scales are those of the last record but one (as coded), and of the last (as published).
    """
    data = split_dataset(few, "thesis")
    found = {}
    for seed in (0, 1):
        settings = training_settings(SETTINGS, len(data.train_images))
        network = train(settings, data, "oconnor2020", "scale_optimisation", seed).network
        inputs = torch.from_numpy(data.train_images.astype(np.float64)) / data.white
        scales = {}
        for protocol, computation, record in (
            ("as_coded", "sum", -2),
            ("as_published", "mean", -1),
        ):
            history = optimise_scales(
                dense_maps(network.weights, network.biases),
                inputs,
                ScaleSettings(
                    lambdas=(1.0e-10, 1.0e-2), computation=computation, learning_rate=0.05, epochs=2
                ),
            )
            scales[protocol] = [[k[record, i] for k in history.scales] for i in range(2)]
        arrays = ([w.numpy() for w in network.weights], [b.numpy() for b in network.biases])
        found[seed] = (*arrays, scales)
    return found


@pytest.mark.parametrize("protocol", ["as_coded", "as_published"])
@pytest.mark.parametrize("order", ["file", "temporal"])
@pytest.mark.parametrize("network", ["rounding", "sigma_delta"])
def test_errors_and_additions_are_those_of_a_slow_loop(
    table, few, networks, protocol, order, network
):
    images, labels = few.test_images, few.test_labels
    if order == "temporal":
        chosen = np.array(greedy_order(images, SETTINGS["buffer_size"]))
        images, labels = images[chosen], labels[chosen]
    biases_counted = 7 + 6 + 10 if protocol == "as_published" and network == "rounding" else 0
    for seed, (weights, biases, scales) in networks.items():
        for index, strength in enumerate(SETTINGS["lambdas"]):
            error, kflops = slow_run(
                weights, biases, scales[protocol][index], images, labels, few.white,
                network == "sigma_delta",
            )  # fmt: skip
            row = rows_of(
                table, protocol=protocol, granularity="layerwise", seed=seed, network=network,
                order=order, part="official", **{"lambda": strength},
            )  # fmt: skip
            assert len(row) == 1
            assert row["error_percent"].item() == pytest.approx(error, abs=1e-9)
            assert row["kflops"].item() == pytest.approx(kflops + biases_counted / 1e3, rel=1e-12)
            assert row["energy_nj"].item() == pytest.approx(0.1 * row["kflops"].item(), rel=1e-12)
            stored = row[["scale_0", "scale_1", "scale_2"]].to_numpy()[0]
            np.testing.assert_allclose(stored, scales[protocol][index], rtol=1e-12)


def test_counts_of_the_original(table):
    products = 64 * 7 + 7 * 6 + 6 * 10
    for protocol, additions in (("as_coded", products - 23), ("as_published", products)):
        row = rows_of(table, protocol=protocol, network="original").iloc[0]
        assert row["kflops"] == pytest.approx((products + additions) / 1e3)
    coded = rows_of(table, protocol="as_coded", network="original").iloc[0]
    assert coded["energy_nj"] == pytest.approx(1.6 * coded["kflops"])
    published = rows_of(table, protocol="as_published", network="original").iloc[0]
    assert published["energy_nj"] == pytest.approx((3.1 + 0.1) * products / 1e3)
    assert (rows_of(table, network="original")["kflops_sparse"] < coded["kflops"] + 0.03).all()


def test_discretised_networks_agree_in_both_orders(table):
    chosen = table[table["network"].isin(["rounding", "sigma_delta"])]
    keys = ["protocol", "granularity", "seed", "setting", "lambda", "part"]
    assert (chosen.groupby(keys, dropna=False)["error_percent"].nunique() == 1).all()
    rounding = rows_of(table, network="rounding")
    assert (rounding.groupby(keys, dropna=False)["kflops"].nunique() == 1).all()


def test_weight_on_computation_saves_computation(table):
    for granularity in ("layerwise", "unitwise"):
        for network in ("rounding", "sigma_delta"):
            rows = rows_of(table, granularity=granularity, network=network, protocol="as_coded")
            costs = rows[rows["setting"] == "optimized"].groupby("lambda")["kflops"].mean()
            assert costs.loc[1.0e-2] < 0.85 * costs.loc[1.0e-10]


def test_shards_and_checkpoints_change_nothing(table, few, tmp_path, monkeypatch):
    parts = []
    for shard in range(2):
        settings = SETTINGS | {"shard": shard, "shards": 2, "checkpoints": str(tmp_path / "kept")}
        parts.append(module.scale_optimisation(settings, [0, 1], few))
        parts[-1].to_csv(tmp_path / f"{shard}.csv", index=False)
    assert all(len(part) for part in parts)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), table)
    # What is finished is not computed again.
    monkeypatch.setattr(module, "train", None)
    monkeypatch.setattr(module, "optimise_scales", None)
    again = module.scale_optimisation(
        SETTINGS | {"shard": 1, "shards": 2, "checkpoints": str(tmp_path / "kept")}, [0, 1], few
    )
    again.to_csv(tmp_path / "again.csv", index=False)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_a_diverged_optimisation_has_rows_without_values(few):
    wild = {"as_coded": {"protocol": "as_coded", "learning_rate": 1.0e6}}
    settings = SETTINGS | {"optimisations": wild, "lambdas": [1.0], "bits": []}
    with np.errstate(all="ignore"):
        found = module.scale_optimisation(settings, [0], few)
    rows = found[found["setting"] == "optimized"]
    assert len(rows) == 12 and rows["diverged"].all()
    assert rows[["error_percent", "kflops", "energy_nj"]].isna().all(axis=None)
    assert not found.loc[found["setting"] == "unoptimized", "diverged"].any()
    text = table_b1_markdown(found, {"rows": []})
    assert text.count("diverged") == 2 * 2 * 4


def test_a_missing_setting_is_one_sentence(few):
    short = {name: value for name, value in SETTINGS.items() if name != "bits"}
    with pytest.raises(StudyError, match="'bits' was not found"):
        module.scale_optimisation(short, [0], few)
    with pytest.raises(StudyError, match="no data set was found"):
        module.scale_optimisation(SETTINGS, [0], None)


def test_table_b1_shows_every_published_cell_of_its_lambdas(table):
    published = load_published(ROOT / "workflow/published/oconnor2020.yaml")
    printed = published.entry("table_b1")["values"]
    text = table_b1_markdown(table, printed)
    line = next(one for one in text.splitlines() if "lambda 1e-10 | SigmaDelta" in one)
    for cell in ("(245)", "(0.07)", "(2.39)", "(24.6)", "(110)", "(11)"):
        assert cell in line
    assert "lambda 0.01 | Round" in text
    unoptimised = next(one for one in text.splitlines() if "| Original |" in one)
    for cell in ("(397)", "(107)", "(0.024)", "(2.24)", "(636)", "(173)"):
        assert cell in unoptimised
    frontier = quantisation_frontier_markdown(table, {})
    assert "| quantised | - | - | 3 | any |" in frontier


def cells_of(text, *first):
    """Cells of the one line of a table that begins with the given ones."""
    (line,) = [one for one in text.splitlines() if one.startswith(f"| {' | '.join(first)} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_b1_has_intervals_over_seeds(table):
    rows = rows_of(
        table, protocol="as_coded", granularity="layerwise", setting="unoptimized",
        network="rounding", order="file", part="thesis",
    )  # fmt: skip
    text = table_b1_markdown(table, {"rows": []})
    assert "mean ± 95 % interval over 2 seeds" in text
    # Of two values the half-width is t(0.975, 1) times half their distance.
    half = 12.7062 * abs(np.diff(rows["kflops"]).item()) / 2
    assert half > 0
    found = next(one for one in text.splitlines() if "| 1 (unoptimized) | Round |" in one)
    assert f"| {rows['kflops'].mean():.1f} ± {half:.1f} |" in found
    # A dense pass costs the same for every seed.
    products = (2 * (64 * 7 + 7 * 6 + 6 * 10) - 23) / 1e3
    original = next(one for one in text.splitlines() if "| Original |" in one)
    assert f"| {products:.1f} / " in original
    one = table_b1_markdown(table[table["seed"] == 0], {"rows": []})
    assert "±" not in one and "one seed" in one


def test_both_splits_stand_side_by_side(table):
    published = load_published(ROOT / "workflow/published/oconnor2020.yaml")
    # What the workflow gives to the table: the entry that the study names.
    declared = yaml.safe_load(
        (ROOT / "workflow/studies/oconnor2020/chapter4_learning.yaml").read_text()
    )["results"]
    entry = published.entry(declared["beyond.official_split"]["published"])
    text = official_split_markdown(table, entry["values"])
    for strength, name, network in (
        (1.0e-10, "Round", "rounding"),
        (1.0e-10, "SigmaDelta", "sigma_delta"),
        (1.0e-2, "SigmaDelta", "sigma_delta"),
    ):
        cells = cells_of(text, f"{strength:.3g}", name)
        rows = rows_of(
            table, protocol="as_coded", granularity="layerwise", network=network,
            order="temporal", **{"lambda": strength},
        )  # fmt: skip
        thesis, official = (
            rows[rows["part"] == part].set_index("seed") for part in ("thesis", "official")
        )
        means = [thesis["error_percent"].mean(), official["error_percent"].mean()]
        assert [cell.split(" ±")[0] for cell in cells[2:5]] == [
            f"{value:.2f}" for value in (*means, means[1] - means[0])
        ]
        assert [cell.split(" ±")[0] for cell in cells[6:8]] == [
            f"{part['kflops'].mean():.1f}" for part in (thesis, official)
        ]
    assert cells_of(text, "1e-10", "Round")[5::3] == ["2.39", "209"]
    assert cells_of(text, "1e-10", "SigmaDelta")[5::3] == ["2.39", "110"]
    assert cells_of(text, "0.01", "Round")[5::3] == ["-", "-"]
    assert cells_of(text, "1 (unoptimized)", "Original")[5::3] == ["2.24", "397 / 107"]
    # The difference is that of pairs: as large for every seed, it has no width.
    even = table.copy()
    for part, more in (("thesis", 0.0), ("official", 0.5)):
        chosen = even["part"] == part
        even.loc[chosen, "error_percent"] = 2.0 + 0.1 * even.loc[chosen, "seed"] + more
    cells = cells_of(official_split_markdown(even, {"rows": []}), "0.01", "Round")
    assert cells[2:5] == ["2.05 ± 0.64", "2.55 ± 0.64", "0.50 ± 0.00"]


def test_a_diverged_seed_is_not_left_out_of_a_mean(table):
    lost = table.copy()
    chosen = (lost["seed"] == 1) & (lost["lambda"] == 1.0e-2)
    lost.loc[chosen, ["error_percent", "kflops", "energy_nj"]] = np.nan
    assert (
        cells_of(official_split_markdown(lost, {"rows": []}), "0.01", "Round")[2:5]
        == ["diverged"] * 3
    )
    frontier = quantisation_frontier_markdown(lost, {})
    assert cells_of(frontier, "rounding", "layerwise", "0.01", "32", "any")[5] == "diverged"


def test_published_rows_are_found_by_their_lambda():
    published = load_published(ROOT / "workflow/published/oconnor2020.yaml")
    printed = published.entry("table_b1")["values"]
    assert published_row(printed, 1.29e-9, "rounding")["mnist"]["kflops"] == 178
    assert published_row(printed, None, "sigma_delta")["temporal_mnist"]["kflops"] == 24
    assert published_row(printed, 2.0e-9, "rounding") == {}


# ------------------------------------------------------------------- settings


def load(path=STUDY, **config):
    return load_study(path, SCHEMA, load_config({"studies": ["oconnor2020"], **config}, ROOT))


def declared() -> dict:
    part = yaml.safe_load((STUDY.with_suffix("") / "chapter4_learning.yaml").read_text())
    return part["sweep"]["scale_optimisation"]


def test_the_paper_scale_is_that_of_the_thesis():
    settings = declared()["settings"]
    published = load_published(ROOT / "workflow/published/oconnor2020.yaml")
    stated = published.entry("table_b1")["settings"]
    assert stated["layer_sizes"] == [784, *settings["hidden_sizes"], 10]
    assert stated["lambda_values"] == settings["lambdas"]
    assert "paper" not in declared()["scales"]
    for scale in ("demo", "quick"):
        ways = {**settings, **declared()["scales"][scale]}["optimisations"]
        assert set(ways) == {"as_coded", "as_published", "own_scales"}


def test_readings_differ_where_text_and_code_do():
    text, code = READINGS["as_published"], READINGS["as_coded"]
    assert (text.computation, code.computation) == ("mean", "sum")
    assert (text.test_part, code.test_part) == ("official", "thesis")
    assert text.count_biases and not code.count_biases
    assert training_settings(SETTINGS, 41).test_every_steps == math.ceil(41 / 20)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bits": [8, 1]}, ["bits", "1", "from 2 to 16"]),
        ({"lambdas": [0]}, ["lambdas", "0", "above 0"]),
        ({"hidden_sizes": [40.5]}, ["hidden_sizes", "40.5"]),
        ({"buffer_size": 0}, ["buffer_size", "0", "from 1"]),
        ({"pretraining": {"epochs": 0}}, ["pretraining.epochs", "0"]),
        ({"optimisations": {"a": {"protocol": "as_coded"}}}, ["optimisations.a", "learning_rate"]),
        (
            {"optimisations": {"a": {"protocol": "as_code", "learning_rate": 0.1}}},
            ["optimisations.a.protocol", "as_code", "as_coded"],
        ),
        (
            {
                "optimisations": {
                    "a": {"protocol": "as_coded", "learning_rate": 0.1, "unitwize": True}
                }
            },
            ["unitwize", "unitwise"],
        ),
        (
            {
                "optimisations": {
                    name: {"protocol": "as_coded", "learning_rate": 0.1} for name in "ab"
                }
            },
            ["as_coded with layerwise scales was found twice"],
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_sentence(changes, words):
    with pytest.raises(StudyError) as caught:
        load(overrides={"scale_optimisation": changes})
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    for word in ("sweep.scale_optimisation", *words):
        assert word in message, message
