"""The training loop: schedule, determinism, resume, divergence, seeds, devices."""

import logging
import math

import numpy as np
import pytest
import torch

from plausible.data.dataset import Dataset, make_dataset
from plausible.errors import DeviceError, StudyError
from plausible.learning import training
from plausible.learning.settings import (
    TrainingSettings,
    settings_hash,
)
from plausible.learning.training import evaluate, train
from plausible.learning.update import _dropout_masks, update
from plausible.networks.mlp import init_network, network_to_arrays
from plausible.settings import read_settings

FAST = TrainingSettings(
    hidden_sizes=(20, 15), epochs=3, batch_size=16, test_every_steps=10, activation="relu"
)
ADAM_BN = FAST.changed(
    optimizer="adam", learning_rate=0.01, batch_norm=True, activation="soft_rate"
)
NOISY = ADAM_BN.changed(input_noise_std=0.1, dropout=0.2)


def run(settings: TrainingSettings, digits: Dataset, seed: int = 0, **options):
    return train(settings, digits, "tests", "group", seed, **options)


def same(one, other) -> bool:
    first, second = network_to_arrays(one.network), network_to_arrays(other.network)
    return one.history == other.history and all(
        np.array_equal(first[name], second[name]) for name in first
    )


class Stopped(Exception):
    """Raised in the middle of training."""


def stop_after(epochs: int):
    lines = []

    def progress(line: str) -> None:
        lines.append(line)
        if len(lines) == epochs:
            raise Stopped

    return progress


# --- learning -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["backprop", "zil", "zil_sequential", "il"])
def test_every_rule_learns_the_digits(digits, rule):
    learning_rate = 0.3 if rule == "il" else 0.05  # the errors of IL are smaller
    settings = FAST.changed(learning_rule=rule, epochs=10, learning_rate=learning_rate)
    history = run(settings, digits).history
    assert history["test_accuracy_percent"][-1] > 75.0
    assert history["loss_mean"][-1] < 0.5 * history["loss_mean"][0]


def test_rows_of_the_thesis_learn_the_digits(digits):
    settings = ADAM_BN.changed(
        output="rate", init="torch_default", input_scale=12.5, rate_offset=1e-12, epochs=20
    )
    frozen = settings.changed(batch_norm_frozen_after_test=True, shuffle=False)
    spcn = ADAM_BN.changed(
        learning_rule="zil_sequential",
        init="thuesen_normal",
        input_scale=250.0,
        first_weight_scale=0.004,
        adam_second_moment="per_sample",
        adam_epsilon_inside_root=True,
        batch_norm_affine=False,
        batch_norm_epsilon=1e-8,
        batch_norm_new_weight=0.9,
        epochs=20,
    )
    for each in (settings, frozen, spcn):
        assert run(each, digits).history["test_accuracy_percent"][-1] > 60.0


def test_training_is_the_sequence_of_its_updates(digits):
    """File order: the same as calling update() on slices of the training set."""
    settings = FAST.changed(shuffle=False, epochs=2, dtype="float64", batch_size=64)
    result = run(settings, digits)
    seed = training.torch_seed("tests", "group", 0, "init")
    network = init_network((64, 20, 15, 10), settings, torch.Generator().manual_seed(seed))
    state = training.init_optimizer(network, settings)
    images = torch.from_numpy(digits.train_images.astype(np.float64) / 16.0)
    one_hot = torch.eye(10, dtype=torch.float64)[torch.from_numpy(digits.train_labels)]
    losses = []
    for _ in range(2):
        for begin in range(0, 600, 64):
            batch = slice(begin, begin + 64)
            state, loss = update(network, state, images[batch], one_hot[batch], settings)
            losses.append(float(loss))
    assert state.step == result.history["updates"] == 20  # 9 batches of 64 and one of 24, twice
    for ours, theirs in zip(network.weights, result.network.weights, strict=True):
        assert torch.equal(ours, theirs)
    assert result.history["loss_step"] == [19]
    assert result.history["loss_mean"] == [pytest.approx(np.mean(losses), rel=1e-12)]
    assert result.history["loss_min"] == [min(losses)]
    assert result.history["loss_max"] == [max(losses)]


def test_shuffled_epochs_are_different_permutations(digits, monkeypatch):
    seen = []

    def record(network, state, inputs, one_hot, *rest):
        seen.append(inputs)
        return state._replace(step=state.step + 1), torch.zeros(())

    monkeypatch.setattr(training, "update", record)
    run(FAST.changed(epochs=2), digits)
    epochs = [torch.cat(seen[:38]), torch.cat(seen[38:])]
    expected = digits.train_images.astype(np.float32) / 16.0
    for epoch in epochs:
        assert not np.array_equal(epoch.numpy(), expected)
        order = np.lexsort(epoch.numpy().T), np.lexsort(expected.T)
        np.testing.assert_array_equal(epoch.numpy()[order[0]], expected[order[1]])
    assert not torch.equal(*epochs)


# --- test schedule and frozen batch norm ----------------------------------------------------------


def test_accuracy_is_tested_on_schedule_and_at_the_end(digits):
    history = run(FAST, digits).history  # 38 steps an epoch, 114 in all
    assert history["accuracy_step"] == [*range(0, 114, 10), 113]
    assert len(history["test_accuracy_percent"]) == 13
    assert history["loss_step"] == [99, 113]
    assert history["updates"] == 114


def test_frozen_batch_norm_repeats_the_schedule_of_the_thesis(monkeypatch):
    """938 steps an epoch, tests every 200: 1, 63, 125, 187, 49, ... steps with batch statistics."""
    modes = []

    def record(network, state, inputs, one_hot, settings, generator, batch_statistics):
        modes.append(batch_statistics)
        return state._replace(step=state.step + 1), torch.zeros(())

    monkeypatch.setattr(training, "update", record)
    monkeypatch.setattr(training, "evaluate", lambda *arguments: 0.0)
    settings = FAST.changed(
        batch_size=64, epochs=20, test_every_steps=200, batch_norm_frozen_after_test=True
    )
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 2, (60_000, 1)), np.arange(60_000) % 10
    data = make_dataset("flat", images, labels, images[:10], labels[:10], (1, 1), 1)
    history = run(settings, data).history
    assert len(modes) == 18_760
    per_epoch = [sum(modes[begin : begin + 938]) for begin in range(0, 18_760, 938)]
    assert per_epoch[:5] == [1, 63, 125, 187, 49]
    assert sum(per_epoch) == 2000
    for begin, count in zip(range(0, 18_760, 938), per_epoch, strict=True):
        assert all(modes[begin : begin + count])
    assert len(history["accuracy_step"]) == 95  # 94 every 200 steps, as saved, and the last


def test_frozen_steps_leave_the_moving_averages_alone(digits):
    base = ADAM_BN.changed(epochs=1, batch_norm_frozen_after_test=True)
    frozen = run(base.changed(test_every_steps=1000), digits)  # tests after the first update only
    norm = frozen.network.batch_norms[0]
    # One update with batch statistics: 0.1 of the batch's variance and 0.9 of the initial one.
    assert float(norm.running_variance.max()) != 1.0
    once = run(base.changed(train_limit=16, test_every_steps=1000, shuffle=False), digits)
    again = run(base.changed(train_limit=64, test_every_steps=1000, shuffle=False), digits)
    assert torch.equal(
        once.network.batch_norms[0].running_mean, again.network.batch_norms[0].running_mean
    )
    free = run(
        base.changed(train_limit=64, shuffle=False, batch_norm_frozen_after_test=False), digits
    )
    assert not torch.equal(
        once.network.batch_norms[0].running_mean, free.network.batch_norms[0].running_mean
    )


# --- randomness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [FAST, NOISY], ids=["plain", "noisy"])
def test_same_keys_give_the_same_bits(digits, settings):
    assert same(run(settings, digits), run(settings, digits))


def test_nothing_depends_on_the_global_generators(digits):
    first = run(NOISY, digits)
    before = torch.random.get_rng_state()
    torch.rand(10)
    np.random.rand(10)  # noqa: NPY002 - the point of this test
    assert same(first, run(NOISY, digits))
    torch.random.set_rng_state(before)


def test_seed_and_group_choose_weights_and_order(digits):
    base = run(FAST.changed(epochs=1), digits)
    assert not same(base, run(FAST.changed(epochs=1), digits, seed=1))
    other = train(FAST.changed(epochs=1), digits, "tests", "other group", 0)
    assert not same(base, other)


def test_runs_of_a_group_share_start_and_batches(digits, monkeypatch):
    starts = {}
    for rule in ("backprop", "zil"):
        seen = []

        def record(network, state, inputs, one_hot, *rest, seen=seen):
            seen.append((network.weights[0].clone(), inputs))
            return state._replace(step=state.step + 1), torch.zeros(())

        monkeypatch.setattr(training, "update", record)
        run(FAST.changed(epochs=1, learning_rule=rule, optimizer="adam"), digits)
        starts[rule] = seen
    for one, other in zip(starts["backprop"], starts["zil"], strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


@pytest.mark.parametrize("rule", ["backprop", "zil", "zil_sequential", "il"])
def test_noise_and_dropout_act_in_training_only(digits, rule):
    changes = {"learning_rule": rule, "epochs": 1}
    plain = run(ADAM_BN.changed(**changes), digits)
    for noise in ({"input_noise_std": 0.2}, {"dropout": 0.3}):
        noisy = run(ADAM_BN.changed(**changes, **noise), digits)
        assert not torch.equal(noisy.network.weights[0], plain.network.weights[0])
        assert math.isfinite(noisy.history["loss_mean"][-1])


def test_dropout_masks_keep_the_mean():
    network = init_network((4, 1000, 1000, 10), FAST, torch.Generator().manual_seed(0))
    inputs = torch.zeros(50, 4)
    generator = torch.Generator().manual_seed(1)
    masks = _dropout_masks(network, inputs, FAST.changed(dropout=0.25), generator)
    assert [mask.shape for mask in masks] == [(50, 1000), (50, 1000)]
    for mask in masks:
        assert mask.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
        assert float(mask.mean()) == pytest.approx(1.0, abs=0.02)


# --- checkpoint and resume ------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [FAST, NOISY], ids=["sgd", "adam_bn_noise"])
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_training_is_bit_identical(digits, tmp_path, settings, stop):
    path = tmp_path / "seed0.npz"
    with pytest.raises(Stopped):
        run(settings, digits, checkpoint_path=path, progress=stop_after(stop))
    lines = []
    resumed = run(settings, digits, checkpoint_path=path, progress=lines.append)
    assert len(lines) == 3 - stop  # the finished epochs are not repeated
    assert same(resumed, run(settings, digits))
    assert not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize(
    "change", [{"learning_rate": 0.02}, {"epochs": 4}, {"hidden_sizes": (30, 15)}]
)
def test_checkpoint_of_other_settings_is_ignored_with_a_warning(digits, tmp_path, caplog, change):
    path = tmp_path / "seed0.npz"
    run(FAST, digits, checkpoint_path=path)
    other = FAST.changed(**change)
    with caplog.at_level(logging.WARNING):
        result = run(other, digits, checkpoint_path=path)
    assert "other settings" in caplog.text
    assert same(result, run(other, digits))


def test_checkpoint_of_another_seed_is_ignored(digits, tmp_path):
    path = tmp_path / "shared.npz"
    run(FAST, digits, checkpoint_path=path)
    assert same(run(FAST, digits, seed=1, checkpoint_path=path), run(FAST, digits, seed=1))


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_damaged_checkpoint_is_ignored_with_a_warning(digits, tmp_path, caplog, content):
    path = tmp_path / "seed0.npz"
    run(FAST, digits, checkpoint_path=path)
    path.write_bytes(path.read_bytes()[:1000] if content is None else content)
    with caplog.at_level(logging.WARNING):
        result = run(FAST, digits, checkpoint_path=path)
    assert "unreadable checkpoint" in caplog.text
    assert same(result, run(FAST, digits))


# --- divergence -----------------------------------------------------------------------------------


def test_diverging_run_is_recorded_and_stops(digits, tmp_path):
    settings = FAST.changed(learning_rate=1e12, epochs=50, shuffle=False)
    lines = []
    result = run(settings, digits, checkpoint_path=tmp_path / "a.npz", progress=lines.append)
    history = result.history
    assert history["diverged"] is True
    assert history["diverged_epoch"] == 0  # found at the end of the first epoch of 38 updates
    assert history["updates"] == 38
    assert history["accuracy_step"][-1] == 37
    assert history["test_accuracy_percent"][-1] == 0.0  # not finite: no prediction, so an error
    assert history["loss_step"] == [37]
    assert not math.isfinite(history["loss_mean"][-1])
    assert "diverged" in lines[-1]
    resumed = run(settings, digits, checkpoint_path=tmp_path / "a.npz").history
    assert repr(resumed) == repr(history)  # repr, as NaN differs from itself


def test_divergence_is_found_within_an_epoch(digits):
    history = run(FAST.changed(learning_rate=1e12, batch_size=2), digits).history
    assert history["diverged"] is True
    assert history["updates"] == 100  # of 300: with the first full window
    assert history["loss_step"] == [99]
    assert history["accuracy_step"][-1] == 99


def test_divergence_by_the_very_last_update_is_recorded(digits):
    settings = FAST.changed(learning_rate=1e38, input_scale=1e6, epochs=1, train_limit=16)
    history = run(settings, digits).history
    assert history["updates"] == 1
    assert math.isfinite(history["loss_mean"][0])
    assert history["diverged"] is True
    assert history["diverged_epoch"] == 0


def test_healthy_run_is_not_marked(digits):
    history = run(FAST, digits).history
    assert history["diverged"] is False
    assert history["diverged_epoch"] is None


# --- evaluation, limits, device -------------------------------------------------------------------


def test_evaluation_counts_and_ignores_infinite_logits():
    network = init_network((2, 3), FAST, torch.Generator().manual_seed(0))
    network.weights[0].copy_(torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]))
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [math.nan, 0.0]])
    labels = torch.tensor([0, 1, 2, 0])
    assert evaluate(network, images, labels) == 50.0


def test_evaluation_in_batches_equals_one_batch(digits, monkeypatch):
    network = init_network((64, 20, 10), ADAM_BN, torch.Generator().manual_seed(0))
    images = torch.from_numpy(digits.train_images).float() / 16.0
    labels = torch.from_numpy(digits.train_labels)
    whole = evaluate(network, images, labels, 12.5)
    monkeypatch.setattr(training, "_TEST_BATCH", 7)
    assert evaluate(network, images, labels, 12.5) == whole


def test_limits_take_the_first_images(digits):
    limited = run(FAST.changed(train_limit=100, test_limit=50), digits)
    assert limited.history["updates"] == 3 * 7
    short = digits._replace(
        train_images=digits.train_images[:100],
        train_labels=digits.train_labels[:100],
        test_images=digits.test_images[:50],
        test_labels=digits.test_labels[:50],
    )
    assert same(limited, run(FAST, short))


def test_missing_device_is_one_sentence(digits, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="cuda.*no CUDA device"):
        run(FAST, digits, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_agrees_with_cpu(digits):
    settings = NOISY.changed(dtype="float64", epochs=1)
    cpu, gpu = run(settings, digits), run(settings, digits, device="cuda")
    for ours, theirs in zip(cpu.network.weights, gpu.network.weights, strict=True):
        torch.testing.assert_close(ours, theirs.cpu(), rtol=1e-8, atol=1e-10)


def test_progress_is_a_line_per_epoch(digits):
    lines = []
    history = run(FAST, digits, progress=lines.append).history
    assert len(lines) == 3
    assert lines[-1].startswith("seed 0, epoch 3/3: test accuracy ")
    assert f"{history['test_accuracy_percent'][-1]:.2f} %" in lines[-1]


# --- settings -------------------------------------------------------------------------------------


def test_settings_survive_their_mapping():
    assert read_settings(TrainingSettings, NOISY.model_dump(mode="json"), "run") == NOISY


def test_whole_numbers_are_numbers():
    whole, broken = ({"input_scale": each} for each in (250, 250.0))
    assert settings_hash(read_settings(TrainingSettings, whole, "run")) == settings_hash(
        read_settings(TrainingSettings, broken, "run")
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1.0}, "nearest: `learning_rate`"),
        ({"zebra": 1.0}, "'zebra' is no setting here"),
        ({"optimizer": "rmsprop"}, "run.optimizer: found 'rmsprop', where one of sgd, adam"),
        ({"learning_rate": 0}, "run.learning_rate: found 0, where a number above 0"),
        ({"learning_rate": "1e-3"}, "found '1e-3', where a number is expected"),
        ({"epochs": 2.5}, "epochs: found 2.5, where a whole number"),
        ({"shuffle": 1}, "shuffle: found 1, where true or false"),
        ({"hidden_sizes": [300, 0]}, r"hidden_sizes\[1\]: found 0, where a number from 1"),
        ({"train_limit": -1}, "train_limit: found -1"),
        ({"dropout": 1.0}, "dropout: found 1.0, where a number below 1"),
        ({"input_noise_std": -0.1}, "input_noise_std: found -0.1"),
        (
            {"batch_norm_new_weight": 1.5},
            "new_weight: found 1.5, where a number up to 1",
        ),
        ({"batch_norm": True, "batch_size": 1}, "batch_size is 1 with batch_norm, expected 2"),
    ],
)
def test_bad_settings_are_one_sentence(values, message):
    with pytest.raises(StudyError, match=message):
        read_settings(TrainingSettings, values, "run")


@pytest.mark.parametrize("rule", ["backprop", "zil", "zil_sequential", "il"])
def test_a_rest_of_one_sample_does_not_spoil_batch_norm(digits, rule):
    """577 = 36 batches of 16 and one sample, which came last before the test."""
    settings = ADAM_BN.changed(
        batch_norm_new_weight=0.9, learning_rule=rule, inference_steps=3, epochs=2
    )
    whole, rest = (run(settings.changed(train_limit=n), digits) for n in (576, 577))
    accuracies = [result.history["test_accuracy_percent"][-1] for result in (whole, rest)]
    assert rest.history["updates"] == whole.history["updates"] + 2
    assert min(accuracies) > 45 and abs(accuracies[0] - accuracies[1]) < 10
    for one, other in zip(whole.network.batch_norms, rest.network.batch_norms, strict=True):
        if one is not None:
            ratio = (other.running_variance / one.running_variance).median()
            assert 0.5 < float(ratio) < 2.0


def test_bad_settings_do_not_start_training(digits):
    with pytest.raises(StudyError, match="learning_rule"):
        run(FAST.changed(learning_rule="hebb"), digits)


def test_hash_depends_on_every_setting_and_key():
    hashes = {settings_hash(FAST), settings_hash(FAST, "a"), settings_hash(FAST, "a", 1)}
    for name, value in FAST.model_dump().items():
        changed = (1,) if isinstance(value, tuple) else f"not {value}"
        hashes.add(settings_hash(FAST.model_copy(update={name: changed})))
    assert len(hashes) == 3 + len(TrainingSettings.model_fields)
