"""Trainings and frame rates as experiments: small real runs, against what is known of them."""

import numpy as np
import pandas as pd
import pytest

from plausible.kernels import pdnn_reference
from plausible.kernels.pdnn_types import fresh_side
from plausible.networks.sigma_delta import dense_network, evaluate
from plausible.studies.oconnor2020.ch5_causes import data, experiment, experiment_frames
from plausible.studies.oconnor2020.ch5_causes.settings import K_BETA_RELATIVE, WAYS

from ...part_results import read_sweep

PART = "oconnor2020.ch5_causes"
CAUSES = read_sweep(
    PART, "stream_causes", width=8, epochs=3, buffer_size=30, first_stops=[0.5],
    probed_epochs=[0, 1, 2], probed_samples=20, training_images_tested=100,
)  # fmt: skip
FRAMES = read_sweep(
    PART, "frame_rates", width=8, epochs=2, buffer_size=30, images=30, settling_images=5,
    sub_frames=[1, 2, 4, 8, 16, 64], still_images=4, still_frames=500, predicted_images=20,
    predicted_sub_frames=[1, 4],
)  # fmt: skip
SEEDS = [0, 1]


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
def causes(few):
    return experiment.stream_causes(CAUSES, SEEDS, few)


@pytest.fixture(scope="module")
def frames(few):
    return experiment_frames.frame_rates(FRAMES, SEEDS, few)


def _equal(found, expected):
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


# ------------------------------------------------------------- trainings


def test_every_way_is_trained_as_often_as_it_is_compared(causes):
    tests = causes[causes["element"] == "test"]
    assert not tests.duplicated(["way", "order", "seed", "epoch"]).any()
    assert set(tests["epoch"]) == {0.0, 0.5, 1.0, 2.0, 3.0}
    numbers = tests.groupby(["way", "order"])["seed"].unique().map(sorted)
    for name, way in WAYS.items():
        for order in way.orders:
            several = way.more_seeds and order == "file"
            assert numbers[name, order] == ([0, 1, 2, 3] if several else [0, 2]), (name, order)
    assert (tests["diverged_epoch"] == -1).all()


def test_networks_begin_alike_and_learn(causes):
    tests = causes[causes["element"] == "test"]
    first = tests[(tests["epoch"] == 0) & (tests["seed"] == 0)]
    plain = first[first["way"].str.startswith("mlp") & (first["order"] == "file")]
    assert plain["training_score_percent"].nunique() == 1
    last = tests[(tests["epoch"] == 3) & (tests["way"] != "pdnn_fixed")]
    before = tests[tests["epoch"] == 0]["training_score_percent"].mean()
    assert last["training_score_percent"].mean() > before + 20


def test_what_is_changed_is_changed(causes):
    """Finer codes send ten times as much; without memory the order changes nothing."""
    tests = causes[(causes["element"] == "test") & (causes["epoch"] >= 1)]
    forward = tests.groupby(["way", "order"])["forward"].mean()
    assert 8 < forward["pdnn_fine", "file"] / forward["pdnn", "file"] < 12
    assert forward["pdnn", "temporal"] < 0.8 * forward["pdnn", "file"]
    memoryless = forward["pdnn_memoryless"]
    assert 0.9 < memoryless["temporal"] / memoryless["file"] < 1.1
    recipes = {name: data.recipe_of(way, CAUSES, 4.0) for name, way in WAYS.items()}
    assert recipes["pdnn_fixed"].rule.tuning_rate == 0
    assert recipes["pdnn_fixed"].rule.k_beta_relative == K_BETA_RELATIVE
    assert recipes["pdnn_memoryless"].at(2).k_alpha == 0
    assert [recipes["pdnn"].at(epoch).k_alpha for epoch in (0.9, 1)] == [0.5, 0.9]
    for name in ("pdnn_slow", "mlp_slow"):
        assert recipes[name].rule.learning_rate == CAUSES.learning_rate / 4


def test_probes_are_of_both_layers_and_orders(causes):
    probes = causes[causes["element"] == "probe"]
    assert set(probes["way"]) == {"pdnn"} and set(probes["epoch"]) == {0.0, 1.0, 2.0}
    assert not probes.duplicated(["order", "seed", "epoch", "layer"]).any()
    assert set(probes["layer"]) == {"hidden", "output"}
    wanted = ["noise_square", "gradient_size", "gradient_cosine", "tracking_error"]
    assert probes[[*wanted, "frozen_tracking_error"]].notna().all(axis=None)


def test_the_noisy_network_is_given_the_noise_that_was_measured(few, monkeypatch):
    """Of the PDNN in the order of the file, after the last probed epoch before."""
    given = []
    draw = experiment.draw_noise

    def seen(rng, samples, sizes, deviations):
        given.append((samples, tuple(deviations)))
        return draw(rng, samples, sizes, deviations)

    monkeypatch.setattr(experiment, "draw_noise", seen)
    table = experiment.stream_causes(CAUSES, [0], few)
    rows = table[(table["element"] == "probe") & (table["order"] == "file") & (table["seed"] == 0)]
    deviations = {
        epoch: tuple(np.sqrt(group["noise_square"])) for epoch, group in rows.groupby("epoch")
    }
    # At test time alone, then before and after the test within the first epoch.
    first = [(50, deviations[2.0]), (120, deviations[0.0]), (120, deviations[0.0])]
    assert given[:5] == [*first, (240, deviations[1.0]), (240, deviations[2.0])]


def test_shards_share_the_trainings_and_change_nothing(few, causes):
    parts = [
        experiment.stream_causes(
            CAUSES.model_copy(update={"shard": shard, "shards": 3}), SEEDS, few
        )
        for shard in range(3)
    ]
    assert all(len(part) for part in parts)
    together = pd.concat(parts, ignore_index=True)
    _equal(together[list(causes.columns)].astype(causes.dtypes), causes)


def test_a_killed_job_goes_on(few, causes, tmp_path, monkeypatch):
    settings = CAUSES.model_copy(update={"checkpoints": tmp_path})
    calls, test_stream = [], experiment.test_stream

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return test_stream(*arguments)

    monkeypatch.setattr(experiment, "test_stream", killed)
    with pytest.raises(KeyboardInterrupt):
        experiment.stream_causes(settings, SEEDS, few)
    assert list(tmp_path.glob("*.done.npz")) and list(tmp_path.glob("pdnn.file.*.npz"))
    monkeypatch.setattr(experiment, "test_stream", test_stream)
    _equal(experiment.stream_causes(settings, SEEDS, few), causes)


def test_a_network_that_diverges_is_recorded(few):
    wild = CAUSES.model_copy(update={"learning_rate": 1e14})
    table = experiment.stream_causes(wild, [0], few)
    tests = table[(table["element"] == "test") & (table["epoch"] == 3)]
    assert (tests["diverged_epoch"] >= 0).any()
    assert table.loc[table["element"] == "probe", "gradient_size"].isna().any()
    assert "mlp_noise" not in set(table["way"])  # there is no noise to give it


# ------------------------------------------------------------- frame rates


def test_rows_of_every_element(frames):
    counts = frames.groupby("element").size().to_dict()
    assert counts == {
        "fade": 2 * 2 * 6 * 4, "still": 2 * 2, "code": 2 * (2 * 5 * 3 + 1),
        "predictor": 2 * 2 * 2 * 3 * 5,
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(few):
    return experiment_frames._trained(0, data.streams(few, "file", 30)[0], few, FRAMES)


def test_scales_of_trained_codes_stay(trained):
    assert trained.rule.tuning_rate == 0 and trained.rule.k_alpha == 0.9
    np.testing.assert_array_equal(trained.side().scales, trained.pdnn.forward.scales)
    assert trained.k_p == pytest.approx(0.1 / trained.pdnn.forward.scales[0, 0])


def test_operations_of_faded_images_are_those_of_the_vectors(few, trained, frames):
    """n = 2, in the order of the file, with the readable twin of the kernel."""
    shown = few.test_images[:30] / few.white
    faded = np.stack([shown[:-1], (shown[:-1] + shown[1:]) / 2], axis=1).reshape(-1, 64)
    side = fresh_side(trained.pdnn.sizes, trained.rule)
    side.scales[...] = trained.pdnn.forward.scales
    found = pdnn_reference.predict(trained.pdnn, trained.rule, faded, 1.0, side)
    forward = (found.spikes[10:, :-1] * [8, 10]).sum(axis=1).mean()
    row = frames.query(
        "element == 'fade' and seed == 0 and order == 'file' and network == 'pdnn' "
        "and sub_frames == 2"
    )
    assert row["forward"].item() == pytest.approx(forward)
    plain = np.maximum(faded @ trained.mlp.matrices[0] + trained.mlp.biases[64:72], 0)
    size = np.abs(plain).sum(axis=1)
    expected = np.abs(np.diff(plain, axis=0)).sum(axis=1) / 2 / (size[1:] + size[:-1])
    mlp = frames.query(
        "element == 'fade' and seed == 0 and order == 'file' and network == 'mlp' "
        "and sub_frames == 2"
    )
    # The last image and its step are the end of the last fade.
    assert mlp["hidden_change"].item() == pytest.approx(expected.mean(), rel=0.02)
    assert mlp["forward"].item() == 64 * 8 + 8 * 10


def test_without_memory_every_sub_frame_costs_the_same(frames):
    rows = frames.query("element == 'fade' and network == 'memoryless'")
    for _, group in rows.groupby(["seed", "order"]):
        assert group["forward"].max() < 1.25 * group["forward"].min()


def test_without_k_p_the_frame_rate_costs_little(frames):
    rows = frames.query("element == 'fade' and network == 'differences'")
    for _, group in rows.groupby(["seed", "order"]):
        of_time = group.set_index("sub_frames")["forward"]
        assert of_time.max() > 1.5 * of_time.min()


def test_a_still_picture_costs_k_p(frames):
    still = frames[frames["element"] == "still"]
    assert (still["input_deviation"] < 0.01).all() and (still["moving_deviation"] > 0.5).all()
    assert (still["late_spikes_without_k_p"] == 0).all() and (still["late_spikes"] > 10).all()


def test_sigma_delta_is_the_code_without_k_p(few, trained):
    """What chapter 4 computes by rounding, the PDNN does with k_p = 0, but for ties."""
    layers = dense_network(trained.pdnn.matrices, experiment_frames._biases(trained.pdnn))
    steps = trained.pdnn.forward.scales[0, :-1]
    run = evaluate(layers, few.test_images, "sigma_delta", list(1.0 / steps), float(few.white))
    rule = trained.rule._replace(k_alpha=1.0)
    found = pdnn_reference.predict(
        trained.pdnn, rule, few.test_images, float(few.white), trained.side()
    )
    np.testing.assert_array_equal(found.classes, run.predictions)
    np.testing.assert_array_equal(found.spikes[:, :-1] * [8, 10], run.event_additions)


def test_finer_codes_send_more_and_come_near_the_plain_network(frames):
    codes = frames.query("element == 'code' and network != 'training'")
    for _, group in codes.groupby(["seed", "order", "network"]):
        assert group.sort_values("fineness")["forward"].is_monotonic_increasing
    fine = codes[codes["fineness"] == 4.0].groupby("seed")["score_percent"]
    assert (fine.max() - fine.min() <= 8).all()


def test_a_fitted_coefficient_sends_less_of_slow_signals(frames):
    rows = frames.query("element == 'predictor' and sub_frames == 4 and step == 0.1")
    wide = rows.pivot(index=["seed", "layer"], columns="network", values="spikes")
    assert (wide["first"] < wide["pd"]).all() and (wide["second"] < wide["first"]).all()


def test_shards_share_the_seeds(few, frames, tmp_path):
    parts = [
        experiment_frames.frame_rates(
            FRAMES.model_copy(update={"shard": k, "shards": 2, "checkpoints": tmp_path}),
            SEEDS,
            few,
        )
        for k in range(2)
    ]
    _equal(pd.concat(parts, ignore_index=True), frames)
