"""Experiments on video: small real runs, against what is known of them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.data.fetch import find_file, search_folders
from plausible.data.recordings import RECORDINGS
from plausible.errors import DataError
from plausible.networks import pretrained
from plausible.networks.conv_graph import geometry, read_graph
from plausible.networks.conv_streams import Costs, run_stream
from plausible.studies.oconnor2020.video import experiment, material, report, splice, stability
from plausible.studies.oconnor2020.video.rates import _relative
from plausible.studies.oconnor2020.video.settings import DIGITS, ORIGINAL, RECORDED, TOPICS

from ....data.clips import pictures, write_clip
from ...part_results import published_of, read_sweep
from . import synthetic

TOP = {"hidden_sizes": [8], "training_clips": 2, "test_clips": 1, "clip_frames": 4}
TOP |= {"learning_rate": 0.01, "tuning_rate": 0.001, "epochs": 2, "tests_per_epoch": 1}
CHANGES = {
    "window": 5,
    "drawn_seeds": 2,
    "splice_frames": 6,
    "digits": {
        **{"size": 20, "slow": 0.25, "fast": 2.0},
        **{"epochs": 1, "learning_rate": 0.01, "batch_size": 64},
    },
    "scales": {"dense_weight": 0.2, "learning_rate": 0.3, "epochs": 1, "frames": 4},
    "rates": {
        "every": [1, 2, 4],
        "frames": 3,
        "warm_up": 12,
        "k_alpha": 0.5,
        "k_beta_relative": 0.9,
    },
    "top_layers": TOP,
    "stability": {"weights": [0.1, 10.0], "epochs": 1, "frames": 3},
    "end_to_end": {"frames": 12, "rate": 0.1},
    "camera": {"stretches": 2, "frames": 4, "apart": 9, "multiples": [1.0, 2.0]},
    "pictures": {"side": 10, "across": 4},
}
SETTINGS = read_sweep("oconnor2020.video", "video", **CHANGES)


@pytest.fixture(scope="module")
def few(digits):
    """The first 200 training images and 60 test images."""
    return digits._replace(
        train_images=digits.train_images[:200],
        train_labels=digits.train_labels[:200],
        test_images=digits.test_images[:60],
        test_labels=digits.test_labels[:60],
    )


@pytest.fixture(scope="module")
def table(few):
    return experiment.video(SETTINGS, [0, 1], few)


@pytest.fixture(scope="module")
def shown(few):
    """Network and scenes of the first seed."""
    return material.digits_material(few, SETTINGS, 0)


def of(table, element, seed=0):
    rows = table[(table["element"] == element) & (table["seed"] == seed)]
    return rows.dropna(axis=1, how="all").reset_index(drop=True)


def test_every_topic_of_every_seed(table):
    elements = ["frame", "layer", "change", "scale", "rate", "still", "rate_layer", "curve", "run"]
    counts = table.groupby("element")["seed"].nunique()
    assert set(counts.index) == {*elements, "step", "camera", "picture"} and set(counts) == {2}
    assert set(table["material"]) == {DIGITS}


def test_the_same_rows_each_time(table, few):
    again = experiment.video(SETTINGS, [0, 1], few)
    pd.testing.assert_frame_equal(again, table)


def test_tasks_are_shared_without_loss(few):
    listed = experiment.tasks(SETTINGS, [0, 1], True)
    assert len(listed) == len(set(listed)) == 2 * len(TOPICS)
    recorded = experiment.tasks(SETTINGS, [0, 1, 2], False)
    counts = {topic: [task.seeds for task in recorded if task.topic == topic] for topic in TOPICS}
    assert counts["top_layers"] == [(0, 1, 2)] and counts["rates"] == [(0,)]
    assert counts["splice"] == counts["stability"] == [(0,), (1,)]


def test_operations_of_the_splice_are_those_of_both_networks(table, shown):
    """Sigma-delta run for itself, with the scales that were found; everything counted at once."""
    frames = of(table, "frame")
    scales = of(table, "scale")["scale"].tolist()
    seen = np.concatenate([np.stack(list(scene.read(count=6))) for scene in shown.shown])
    inputs = shown.network.prepare(seen)
    costs = {kind: Costs(shown.graph, shown.sizes, kind) for kind in ("rounding", "sigma_delta")}
    for kind, counter in costs.items():
        run_stream(shown.graph, inputs, kind, scales, observe=counter)
    biases = sum(shown.sizes.outputs)
    rounding = costs["rounding"].per_frame().sum(dim=1).numpy() + biases
    assert frames["rounding"].to_numpy() == pytest.approx(rounding)
    assert frames["sigma_delta"].to_numpy() == pytest.approx(
        costs["sigma_delta"].per_frame().sum(dim=1).numpy()
    )
    assert set(frames["original"]) == {2.0 * shown.dense}  # with the additions of biases
    with torch.no_grad():
        best = shown.network.module(inputs).topk(5).indices.numpy()
    assert frames["original_guess"].tolist() == best[:, 0].tolist()
    inside = [guess in row for guess, row in zip(frames["guess"], best, strict=True)]
    assert frames["in_top_5"].tolist() == inside
    assert not frames["checked_differs"].dropna().any()
    layers = of(table, "layer")
    for scene, rows in layers.groupby("scene", sort=False):
        own = frames[frames["scene"] == scene].iloc[1:]
        assert rows["sigma_delta"].sum() == pytest.approx(own["sigma_delta"].mean())


def test_changes_are_those_of_the_values(table, shown):
    rows = of(table, "change").pivot(index="layer", columns="frame", values="l1_change")
    seen = np.stack(list(shown.shown[0].read(count=3)))
    pixels = shown.network.prepare(seen).flatten(1).numpy()
    assert rows.loc[0, [1, 2]].tolist() == pytest.approx(
        np.abs(np.diff(pixels, axis=0)).sum(axis=1)
    )
    assert rows[0].isna().all()


def test_an_hour_is_that_of_its_stretches(table, shown):
    """Each stretch by itself in the sigma-delta network, without its first frame."""
    rows, hour = of(table, "camera"), 3600.0 * 25.0
    scales = of(table, "scale")["scale"].to_numpy()
    assert rows["frames"].tolist() == [8, 8]
    for multiple, expected in zip(rows["multiple"], rows["sigma_delta"], strict=True):
        spent = []
        for first in (0, 9):
            seen = np.stack(list(shown.shown[0].read(first=first, count=4)))
            costs = Costs(shown.graph, shown.sizes, "sigma_delta")
            inputs = shown.network.prepare(seen)
            run_stream(shown.graph, inputs, "sigma_delta", multiple * scales, observe=costs)
            spent += costs.per_frame().sum(dim=1)[1:].tolist()
        assert expected == pytest.approx(np.mean(spent) * hour)


def test_a_scene_that_is_too_short(shown):
    short = shown.shown[0]._replace(read=lambda count: shown.shown[0].read(count=count - 1))
    cut = shown._replace(shown=(short, shown.shown[1]))
    with pytest.raises(DataError, match="11 frames were found, where 6 of each"):
        splice.splice(cut, SETTINGS, 0, [1.0] * len(cut.graph.senders))


def test_relative_change_lies_between_0_and_a_half():
    one, other = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    assert _relative(one, one) == 0.0 and _relative(one, other) == 0.5
    assert _relative(one, 3 * one) == pytest.approx(2 / (2 * 4))
    assert _relative(0 * one, 0 * one) == 0.0


def test_slow_scenes_cost_less(table):
    rates = of(table, "rate").groupby("every")["pd"].mean()
    assert (
        rates[1] < rates[4]
        and (of(table, "rate")["original"] == of(table, "still")["original"][0]).all()
    )


def test_clips_of_a_class_are_of_that_class(shown):
    clips = list(shown.clips())
    counts = pd.Series([(clip.part, clip.label) for clip in clips]).value_counts()
    assert counts.to_dict() == {
        (part, label): number
        for label in range(10)
        for part, number in (("training", 2), ("test", 1))
    }
    assert all(clip.frames.shape == (4, 20, 20, 1) for clip in clips)


def test_the_trunk_counts_in_the_energy(table):
    curves = of(table, "curve").set_index(["network", "epoch"])
    mlp = curves.loc["mlp"]
    each = (mlp["trunk_uj_per_frame"] + mlp["top_uj_per_frame"])[1.0]
    assert mlp.loc[2.0, "energy_mj"] == pytest.approx(each * 2 * 20 * 4 / 1e3)
    assert curves.loc[("pdnn", 2.0), "energy_mj"] < mlp.loc[2.0, "energy_mj"]


def test_a_silent_layer_is_a_collapse(shown):
    frames = splice.optimisation_frames(shown, 2)
    fine = [100.0] * len(shown.graph.senders)
    assert not stability._collapsed(shown, frames, fine)
    assert stability._collapsed(shown, frames, [*fine[:2], 1e-9, *fine[3:]])


def test_evidence_is_told_by_the_rule_of_the_verdicts():
    """Good tables of digits: what would hold, holds here, under their name."""
    tables = {
        name: frame.assign(material=DIGITS) for name, frame in synthetic.good_tables().items()
    }
    fake = SimpleNamespace(study="oconnor2020", published=published_of("oconnor2020.video"))
    lines = report.evidence_rows(fake, tables)
    told = {(line[1], line[2]) for line in lines}
    assert len(lines) == len(told) > 20 and {line[2] for line in lines} == {
        "moving digits, small network"
    }
    found = {line[1]: line[5] for line in lines}
    assert set(found.values()) == {"holds here", "does not hold here"}
    denied = [statement for statement, so in found.items() if so != "holds here"]
    assert len(denied) == 1 and "order of magnitude" in denied[0]


def narrow(monkeypatch, tmp_path):
    """VGG-19 of few maps in a file, as if it were the usual one."""
    made = pretrained.vgg19_module
    monkeypatch.setattr(pretrained, "vgg19_module", lambda: made(width=2, hidden=6, classes=7))
    path = tmp_path / "vgg19.pth"
    torch.save(pretrained.vgg19_module().state_dict(), path)
    monkeypatch.setattr(pretrained.vgg19, "__defaults__", ("",))
    return path


def test_the_videos_of_the_thesis_where_they_are_named(tmp_path, monkeypatch):
    videos, labelled = tmp_path / "ilsvrc", tmp_path / "youtube"
    videos.mkdir()
    for name in ("train_00033007", "train_00033009", "train_00033010", "train_00336001"):
        write_clip(videos / f"ILSVRC2015_{name}.avi", pictures(20, 40, 60))
    for part in ("train", "test"):
        for each in ("bird", "car"):
            (labelled / part / each).mkdir(parents=True)
            for number in range(2):
                write_clip(labelled / part / each / f"{number}.avi", pictures(6, 40, 60))
    places = {"ilsvrc_video": videos, "vgg19": narrow(monkeypatch, tmp_path)}
    named = SETTINGS.model_copy(update={"originals": places | {"youtube_bb": labelled}})
    listed = experiment.tasks(named, [0], True)
    assert {task.topic for task in listed if task.material == ORIGINAL} == set(TOPICS)

    def topics(**given):
        some = SETTINGS.model_copy(update={"originals": given})
        return {
            task.topic for task in experiment.tasks(some, [0], True) if task.material == ORIGINAL
        }

    weights, unlabelled = places["vgg19"], {"splice", "camera", "stability"}
    assert topics(**places) == unlabelled and topics(vgg19=weights) == topics() == set()
    assert topics(vgg19=weights, youtube_bb=labelled) == set(TOPICS) - unlabelled
    alone = SETTINGS.model_copy(update={"originals": {"vgg19": weights, "youtube_bb": labelled}})
    alone = material.original_material(alone)
    assert alone.shown == alone.optimised_on == ()
    assert [scene.name for scene in alone.snippets] == ["bird 0", "car 0", "bird 1", "car 1"]
    assert next(alone.snippets[1].read()).shape == (224, 224, 3)
    found = material.original_material(named)
    assert found.name == ORIGINAL and len(found.graph.layers) == 19
    assert [scene.name for scene in found.shown] == ["train_00033009", "train_00033007"]
    labels = [(clip.part, clip.label, len(clip.frames)) for clip in found.clips()]
    assert labels == [("training", 0, 4)] * 2 + [("training", 1, 4)] * 2 + [
        ("test", 0, 4),
        ("test", 1, 4),
    ]
    (videos / "ILSVRC2015_train_00033010.avi").unlink()
    with pytest.raises(DataError, match="train_00033010 is missing"):
        material.original_material(named)


def test_recordings_before_squeezenet():
    """Two frames of each: what the network itself gives for the frames of the file."""
    needed = [each.file.name for each in RECORDINGS.values()]
    there = [find_file(name, search_folders("video")) for name in needed]
    there.append(find_file(pretrained.SQUEEZENET.name, search_folders("weights")))
    if not all(there):
        pytest.skip("the recordings or the weights of SqueezeNet are not there")
    settings = SETTINGS.model_copy(update={"splice_frames": 2})
    found = material.recordings_material(settings)
    assert found.name == RECORDED and found.dense == 813_695_264
    sizes = geometry(read_graph(found.network.module), (3, 227, 227))
    assert found.sizes.multiply_adds == sizes.multiply_adds
    rows = pd.DataFrame(splice.splice(found, settings, 0, [0.05] * len(found.graph.senders)))
    frames = rows[rows["element"] == "frame"]
    assert frames["scene"].tolist() == ["people"] * 2 + ["road"] * 2
    seen = np.stack([next(scene.read(count=1)) for scene in found.shown])
    with torch.no_grad():
        guesses = found.network.module(found.network.prepare(seen)).argmax(dim=1)
    assert frames["original_guess"].iloc[[0, 2]].tolist() == guesses.tolist()
