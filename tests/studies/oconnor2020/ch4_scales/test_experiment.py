"""The optimisation of scales as an experiment: small real runs, counts against slow loops."""

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.data.splits import split_dataset
from plausible.errors import StudyError
from plausible.kernels.temporal_order_reference import greedy_order
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.learning.training import train
from plausible.studies.oconnor2020.ch4_scales import experiment as module
from plausible.studies.oconnor2020.ch4_scales.evaluation import COLUMNS, Part, _differing
from plausible.studies.oconnor2020.ch4_scales.experiment import scale_optimisation
from plausible.studies.oconnor2020.ch4_scales.settings import TENTH

from ...part_results import read_sweep

SETTINGS = read_sweep(
    "oconnor2020.ch4_scales",
    "scale_optimisation",
    hidden_sizes=[7, 6],
    pretraining={"epochs": 6, "batch_size": 20, "learning_rate": 0.1},
    optimisations={
        "as_coded": {"protocol": "as_coded", "learning_rate": 0.05},
        "as_published": {"protocol": "as_published", "learning_rate": 0.05},
        "own_scales": {"protocol": "as_coded", "learning_rate": 0.3, "unitwise": True},
    },
    lambdas=[1.0e-10, 1.0e-2],
    epochs=2,
    buffer_size=30,
    bits=[8, 3],
)


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
    return scale_optimisation(SETTINGS, [0, 1], few)


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
    assert len(rows_of(table, granularity=TENTH)) == 2 * 3 * 8
    sizes = table.groupby("part")["samples"].unique().map(list).to_dict()
    assert sizes == {"training": [200], "thesis": [40], "official": [50]}
    assert not table["diverged"].any() and table["error_percent"].notna().all()


def slow_run(weights, biases, scales, images, labels, white, differences):
    """Error in percent and additions of a rounding or a sigma-delta network, frame by frame."""
    previous = [np.zeros(len(weight)) for weight in weights]
    totals = [np.zeros(len(bias)) for bias in biases]
    wrong, additions = 0, 0.0
    for image, label in zip(images, labels, strict=True):
        activity = image / white
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            message = np.rint(activity * scales[layer])
            if differences:
                message, previous[layer] = message - previous[layer], message
                totals[layer] = totals[layer] + (message / scales[layer]) @ weight
                current = totals[layer] + bias
            else:
                current = (message / scales[layer]) @ weight + bias
            additions += np.abs(message).sum() * len(bias)
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
        settings = module._training_settings(SETTINGS, len(data.train_images))
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
        chosen = np.array(greedy_order(images, SETTINGS.buffer_size))
        images, labels = images[chosen], labels[chosen]
    biases_counted = 7 + 6 + 10 if protocol == "as_published" and network == "rounding" else 0
    for seed, (weights, biases, scales) in networks.items():
        for index, strength in enumerate(SETTINGS.lambdas):
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


def test_predictions_that_differ_are_counted():
    first, labels = {}, np.arange(3)
    part = Part("official", "temporal", np.zeros((3, 1), np.uint8), labels, np.array([2, 0, 1]), 1)
    assert _differing(part, np.array([7, 8, 9]), first) == 0
    in_file = part._replace(order="file", places=np.arange(3))
    assert _differing(in_file, np.array([8, 9, 7]), first) == 0
    assert _differing(in_file, np.array([8, 9, 9]), first) == 1
    assert _differing(in_file._replace(name="thesis"), np.array([1, 2, 3]), first) == 0


def test_both_networks_decide_alike_in_both_orders(table):
    counted = table[table["network"] != "quantised"]
    assert (counted["differing_predictions"] == 0).all()
    assert rows_of(table, network="quantised")["differing_predictions"].isna().all()


def test_a_tenth_of_lambda_is_the_mean_over_a_batch(few, table):
    """The sum over ten with a tenth of lambda, optimised in earnest."""
    lambdas = [each / 10 for each in SETTINGS.lambdas]
    ways = {"as_coded": {"protocol": "as_coded", "learning_rate": 0.05}}
    summed = scale_optimisation(SETTINGS.changed(lambdas=lambdas, optimisations=ways), [0, 1], few)
    summed = rows_of(summed, setting="optimized")
    tenth = rows_of(table, granularity=TENTH, setting="optimized")
    for column in ("error_percent", "kflops", "energy_nj", "scale_0", "scale_1", "scale_2"):
        np.testing.assert_allclose(tenth[column], summed[column], rtol=1e-9)


def test_weight_on_computation_saves_computation(table):
    for granularity in ("layerwise", "unitwise"):
        for network in ("rounding", "sigma_delta"):
            rows = rows_of(table, granularity=granularity, network=network, protocol="as_coded")
            costs = rows[rows["setting"] == "optimized"].groupby("lambda")["kflops"].mean()
            assert costs.loc[1.0e-2] < 0.85 * costs.loc[1.0e-10]


def test_shards_and_checkpoints_change_nothing(table, few, tmp_path, monkeypatch):
    parts = []
    for shard in range(2):
        settings = SETTINGS.changed(shard=shard, shards=2, checkpoints=str(tmp_path / "kept"))
        parts.append(scale_optimisation(settings, [0, 1], few))
        parts[-1].to_csv(tmp_path / f"{shard}.csv", index=False)
    assert all(len(part) for part in parts)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), table)
    # What is finished is not computed again.
    monkeypatch.setattr(module, "train", None)
    monkeypatch.setattr(module, "optimise_scales", None)
    again = scale_optimisation(settings, [0, 1], few)
    again.to_csv(tmp_path / "again.csv", index=False)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_a_diverged_optimisation_has_rows_without_values(few):
    wild = {"as_coded": {"protocol": "as_coded", "learning_rate": 1.0e6}}
    settings = SETTINGS.changed(optimisations=wild, lambdas=[1.0], bits=[])
    with np.errstate(all="ignore"):
        found = scale_optimisation(settings, [0], few)
    rows = found[found["setting"] == "optimized"]
    assert len(rows) == 12 and rows["diverged"].all()
    assert rows[["error_percent", "kflops", "energy_nj"]].isna().all(axis=None)
    assert not found.loc[found["setting"] == "unoptimized", "diverged"].any()


def test_images_are_needed():
    with pytest.raises(StudyError, match="no data set was found"):
        scale_optimisation(SETTINGS, [0], None)


def test_the_original_network_is_tested_once_an_epoch():
    assert module._training_settings(SETTINGS, 41).test_every_steps == 3
