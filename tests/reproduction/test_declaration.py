"""Study files: merging of settings, shards, references, one-sentence errors."""

import shutil
from pathlib import Path

import pytest
import yaml

from plausible.config import load_config
from plausible.errors import PlausibleError, StudyError
from plausible.reproduction import parts
from plausible.reproduction.declaration import (
    load_studies,
    load_study,
    settings_model,
    short_name,
)
from plausible.reproduction.published import load_published, result_name

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "workflow/studies"
STUDY = STUDIES / "thuesen2022"
KEYS = ("table", "markdown", "figure")
NAMES = sorted(path.parent.name for path in STUDIES.glob("*/study.yaml"))


def load(folder=STUDY, **config):
    return load_study(folder, load_config(config, ROOT))


@pytest.fixture
def edited(tmp_path):
    """Function that loads the study with one of its files changed."""

    def edit(file, change, **config):
        folder = tmp_path / STUDY.name
        shutil.copytree(STUDY, folder, dirs_exist_ok=True)
        content = yaml.safe_load((folder / file).read_text())
        change(content)
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False))
        return load(folder, **config)

    return edit


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
def test_the_study_is_valid_at_every_scale(scale):
    study = load(scale=scale)
    for result in study.results:
        assert study.result_files(result), result
    assert study.dataset == ("digits" if scale == "demo" else "mnist")


def test_published_settings_of_table_1():
    # Thuesen 2022, chapter 4 and published/thuesen2022.yaml: common_settings.
    study = load(scale="paper")
    settings = study.training_settings("spcn_sgd", "as_published")
    assert settings["hidden_sizes"] == [300, 300]
    assert (settings["epochs"], settings["batch_size"]) == (20, 64)
    assert (settings["optimizer"], settings["learning_rate"]) == ("sgd", 0.01)
    assert study.training_settings("spcn_adam", "as_published")["learning_rate"] == 0.001
    assert study.training_settings("snn", "as_published")["learning_rate"] == 0.0001
    assert study.protocol_simulation("as_published")["input_rate_hz"] == 1 / 0.004


def test_settings_of_the_code_behind_rows_4_to_9():
    # facts: W1 scaled by t_ref, inputs divided by it, SGD 1e-3, inputs coded at 5000 Hz.
    study = load(scale="paper")
    settings = study.training_settings("spcn_sgd", "as_coded")
    assert settings["input_scale"] * settings["first_weight_scale"] == 1.0
    assert (settings["learning_rate"], settings["shuffle"]) == (0.001, False)
    simulation = study.simulation_settings("spiking", "spcn_sgd", "as_coded")
    assert simulation["input_rate_hz"] == 1 / 0.004 / 0.05
    assert study.simulation_settings("spiking", "snn", "as_coded")["input_rate_hz"] == 250.0


def test_a_variant_deviates_from_its_protocol_in_trainings_and_simulations():
    study = load(scale="paper")
    assert study.training_settings("ffnn", "as_coded")["init"] == "torch_default"
    assert study.training_settings("spcn_sgd", "as_coded")["init"] == "thuesen_normal"
    rates = {name: one["input_rate_hz"] for name, one in _simulations(study).items()}
    assert rates["spcn_adam.as_coded"] == 5000.0
    assert rates["snn.as_coded"] == rates["spcn_adam.corrected"] == 250.0


def _simulations(study):
    return study.sweep_settings("conversion_diagnostic")["simulation"]


def test_the_users_overrides_come_last():
    study = load(overrides={"*": {"epochs": 3}, "snn": {"epochs": 1}})
    assert study.training_settings("spcn_sgd", "corrected")["epochs"] == 3
    assert study.training_settings("snn", "corrected")["epochs"] == 1
    assert not study.as_declared()


def test_numbers_are_comparable_only_as_declared():
    assert load(scale="paper").as_declared()
    assert not load(scale="quick").as_declared()
    assert not load(scale="paper", data={"dataset": "digits"}).as_declared()


def test_shards_cover_the_seeds_once():
    study = load(seeds=[5, 7, 9, 11], seeds_per_job=2)
    assert study.shards("snn") == ("5-7", "9-11")
    assert study.shards("fig6") == ("5-7", "9")


def test_a_sweep_is_one_job_or_as_many_as_the_scale_says(edited, monkeypatch):
    monkeypatch.setattr(settings_model(STUDY.name, "neurons", "fig2c"), "divided", True)

    def divide(declaration):
        declaration["sweep"]["fig2c"]["shards"] = {"demo": 2, "paper": 3}

    assert load().sweep_files("fig2c") == ["results/demo/thuesen2022/sweep/fig2c.csv"]
    assert "shard" not in load().sweep_settings("fig2c")
    study = edited("neurons.yaml", divide)
    files = [f"results/demo/thuesen2022/sweep/fig2c.{shard}.csv" for shard in range(2)]
    assert study.sweep_files("fig2c") == files
    assert study.result_inputs("fig2c") == {"sweep.fig2c": files}
    settings = study.sweep_settings("fig2c", ".1")
    assert (settings["shard"], settings["shards"]) == (1, 2)
    assert len(edited("neurons.yaml", divide, scale="paper").sweep_files("fig2c")) == 3
    assert edited("neurons.yaml", divide, scale="quick").sweep_parts("fig2c") == ("",)


def test_runs_of_one_group_share_their_streams():
    study = load()
    assert study.seed_group("fig5_zil") == study.seed_group("fig5_backprop")
    assert study.seed_group("snn") != study.seed_group("spcn_sgd")


@pytest.mark.parametrize("name", NAMES)
def test_every_published_entry_that_can_be_reproduced_has_a_result_in_its_part(name):
    study = load(STUDIES / name)
    published = load_published(ROOT / "workflow/published" / name, study.parts)
    for identifier, entry in published.entries.items():
        if entry["reproducible"] == "full":
            result = result_name(identifier)
            assert study.part_of["results", result] == published.part_of[identifier], result


def test_the_whole_of_every_document_is_covered():
    for name in NAMES:
        study = load(STUDIES / name)
        folder = ROOT / "workflow/published" / name
        assert not load_published(folder, study.parts).omitted, name


@pytest.mark.parametrize("name", NAMES)
def test_every_function_that_a_study_names_can_be_loaded(name):
    study = load(STUDIES / name)
    places = [study.function(result, key) for result in study.results for key in KEYS]
    places += [study.experiment(sweep) for sweep in study.declaration["sweep"]]
    places += [place for part in study.parts for place in study.theorems(part).values()]
    found = [place for place in places if place is not None]
    assert len(found) > 20
    for place in found:
        assert callable(place.load()), place


def test_a_function_is_found_by_its_path():
    study = load()
    found = study.function("claim.spiking_drop", "figure")
    assert found.module.startswith("plausible.studies.thuesen2022.table1.figures")
    assert study.experiment("fig2a").module == "plausible.studies.thuesen2022.neurons.experiment"
    assert study.experiment("theorems_neurons") is None
    assert "eq38.soft_rate" in study.theorems("neurons")
    assert study.shown_in("eq38.soft_rate") == "theorems"


def test_a_part_that_is_no_python_or_lacks_a_class_is_one_sentence(monkeypatch, tmp_path):
    with pytest.raises(StudyError, match="add the class Fig22 .*settings.py .nearest: `Fig2c`."):
        settings_model("thuesen2022", "neurons", "fig22")
    part = tmp_path / "studies" / "thesis" / "part"
    part.mkdir(parents=True)
    monkeypatch.setattr(parts, "_FOLDER", tmp_path / "studies")
    (part / "figures.py").write_text("def one(table):\n    return table\n\n\ndef two(table:\n")
    assert parts.place("thesis", "part", "figures", "one", "here").function == "one"
    with pytest.raises(StudyError, match="thesis/part/figures.py.*no valid Python in line 5"):
        parts.place("thesis", "part", "figures", "three", "here")


def test_parts_and_what_they_have_in_common_are_targets():
    study = load(STUDIES / "oconnor2020")
    groups = study.groups()
    chapter, part = groups["oconnor2020_ch5"], groups["oconnor2020_ch5_coding"]
    assert set(part) < set(chapter) and "ch5.fig5.1" in part and "ch6.fig6.4" not in chapter
    assert set(groups["oconnor2020_ch6"]) == {
        name for name in study.results if name.startswith("ch6.")
    }
    # The table has the name of its part.
    assert "thuesen2022_table1" not in load().groups()


def test_short_names_are_unique():
    studies = load_studies(STUDIES, load_config({}, ROOT))
    names = [short_name(name, result) for name in studies for result in studies[name].results]
    names += [target for study in studies.values() for target in study.groups()]
    assert len(studies) > 1 and len({*names, *studies}) == len(names) + len(studies)
    assert "thuesen2022_claim_alpha_filter_tau" in names


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("study", lambda d: d.update(extra=1), ["'extra'", "no setting here"]),
        ("study", lambda d: d["scales"].pop("demo"), ["'demo'", "scales"]),
        ("study", lambda d: d["scales"]["demo"].update(seeds=[0, 0]), ["seeds", "twice"]),
        ("study", lambda d: d["scales"]["demo"].update(seeds=[2**63]), ["seeds[0]"]),
        ("table1", lambda d: d.update(swep={}), ["'swep'", "nearest: `sweep`"]),
        ("table1", lambda d: d.update(sweep=["x"]), ["sweep: found ['x']", "a mapping"]),
        ("table1", lambda d: d["train"]["snn"].update(setings={}), ["train.snn", "`settings`"]),
        (
            "table1",
            lambda d: d["train"]["snn"]["settings"].update(optimizer="adm"),
            ["train.snn", "found 'adm'", "nearest: `adam`"],
        ),
        (
            "table1",
            lambda d: d["train"]["snn"]["settings"].update(epoch=2),
            ["train.snn", "nearest: `epochs`"],
        ),
        (
            "table1",
            lambda d: d["simulate"]["long"]["networks"].append("snm"),
            ["simulate.long", "snm", "snn"],
        ),
        (
            "table1",
            lambda d: d["train"]["snn"]["variants"].update(as_coded="a9b320a_rate"),
            ["train.snn.variants.as_coded", "nearest: `a9b320a_rates`"],
        ),
        (
            "table1",
            lambda d: d["train"]["snn"]["variants"].update(as_code="a9b320a"),
            ["train.snn.variants", "as_code", "nearest: `as_coded`"],
        ),
        (
            "table1",
            lambda d: d["results"]["table1"].update(data="fig4"),
            ["results.table1", "exactly one"],
        ),
        ("table1", lambda d: d["train"].update({"a.b": {"title": "x"}}), ["a.b", "file names"]),
        (
            "table1",
            lambda d: d["sweep"]["fig6"].update(shards={"demo": 0}),
            ["sweep.fig6.shards.demo: found 0"],
        ),
        ("table1", lambda d: d["sweep"]["fig6"].update(minutes=0.5), ["sweep.fig6.minutes", "0.5"]),
        (
            "table1",
            lambda d: d["sweep"]["fig6"].update(experiment="fig66"),
            ["sweep.fig6.experiment", "no function 'fig66'", "nearest: `fig6`"],
        ),
        (
            "table1",
            lambda d: d["sweep"]["fig6"].update(experiment="raster.fig6"),
            ["table1/experiment_raster.py", "no such file"],
        ),
        (
            "table1",
            lambda d: d["results"]["table1"].update(figure="tables_figure"),
            ["results.table1.figure", "table1/figures.py"],
        ),
        (
            "neurons",
            lambda d: d["results"]["eq38.soft_rate"].update(theorem="soft_rates"),
            ["results.eq38.soft_rate.theorem", "neurons/theorems.py"],
        ),
        (
            "neurons",
            lambda d: d["sweep"]["fig2a"]["settings"].update(point=3),
            ["sweep.fig2a", "'point'", "nearest: `points`"],
        ),
        (
            "neurons",
            lambda d: d["sweep"]["fig2a"]["settings"].update(points=float("inf")),
            ["neurons.yaml", "`.inf`", "a finite number"],
        ),
        (
            "neurons",
            lambda d: d["sweep"]["fig2a"]["settings"].update(shard=1),
            ["sweep.fig2a.shard", "the workflow fills it in"],
        ),
        (
            "table1",
            lambda d: d["simulate"]["long"]["settings"].update(simulation_time=5),
            ["simulate.long (snn, as_published)", "nearest: `simulation_time_ms`"],
        ),
        (
            "table1",
            lambda d: d["simulate"]["long"]["settings"].update(checkpoints_ms=[20, 10]),
            ["simulate.long", "must ascend"],
        ),
        (
            "learning",
            lambda d: d["results"]["fig5"]["from"]["train"].append("fig5"),
            ["results.fig5.from.train", "fig5"],
        ),
        (
            "neurons",
            lambda d: d["sweep"]["fig2c"].update(shards={"demo": 2}),
            ["sweep.fig2c.shards", "cannot be divided"],
        ),
        ("study", lambda d: d["scales"]["demo"].update(dataset="digitss"), ["nearest: `digits`"]),
        (
            "constraints",
            lambda d: d["sweep"]["constraints"].update(published="thuesen2022.claim.nosuch"),
            ["sweep.constraints.published", "no entry 'thuesen2022.claim.nosuch'"],
        ),
        (
            "neurons",
            lambda d: d["results"].update({"claim.nosuch": {"data": "fig2a"}}),
            ["results.claim.nosuch", "give it a title"],
        ),
        (
            "neurons",
            lambda d: d["results"].update(
                {"x.a": {"title": "t", "data": "x.b"}, "x.b": {"title": "t", "data": "x.a"}}
            ),
            ["results.x.a.data names 'x.b'", "no table of its own"],
        ),
        (
            "neurons",
            lambda d: d["results"].update({"x.a": {"title": "t", "data": "x.a"}}),
            ["results.x.a.data names 'x.a'", "no table of its own"],
        ),
        (
            "table1",
            lambda d: d["results"]["table1"]["options"].update(rowss=[]),
            ["results.table1.options", "'rowss'", "nearest: `rows`"],
        ),
        (
            "neurons",
            lambda d: d["results"]["fig2c"].update(options={"rows": 1}),
            ["results.fig2c.options", "no table function"],
        ),
    ],
)
def test_a_slip_in_a_study_is_one_sentence(edited, file, change, words):
    with pytest.raises(PlausibleError) as caught:
        edited(f"{file}.yaml", change)
    message = str(caught.value)
    assert "thuesen2022" in message and "\n" not in message
    for word in words:
        assert word in message, message


def test_overrides_of_unknown_runs_and_settings_are_refused():
    def load_all(**config):
        return load_studies(STUDIES, load_config(config, ROOT))

    with pytest.raises(StudyError, match="spcn_adm.*spcn_adam"):
        load_all(overrides={"spcn_adm": {"epochs": 1}})
    # A run of any of the studies will do.
    names = ["thuesen2022", "song2020", "oconnor2020"]
    found = load_all(studies=names, overrides={"spcn_adam": {"epochs": 1}, "fig2": {"gamma": 0.1}})
    assert list(found) == names
    with pytest.raises(StudyError, match="overrides.fig2 names no run"):
        load_all(studies=["thuesen2022"], overrides={"fig2": {"gamma": 0.1}})
    with pytest.raises(StudyError, match="learning_rat.*learning_rate"):
        load(overrides={"snn": {"learning_rat": 1}})


def test_overrides_of_everything_are_checked_like_all_others():
    with pytest.raises(StudyError, match=r"batch_size: found 0.*under overrides\.\* of"):
        load(overrides={"*": {"batch_size": 0}})
    for key, value in (
        ("hidden_sizes", 300),
        ("hidden_sizes", ["100"]),
        ("dt_ms", -1.0),
        ("simulation_time_ms", "long"),
        ("learning_rate", float("inf")),
        ("learning_rate", "1e-3"),
    ):
        with pytest.raises(StudyError, match=rf"{key}.*: found.*under overrides\.\* of"):
            load(overrides={"*": {key: value}})
    overrides = {"*": {"batch_sise": 3}}
    with pytest.raises(StudyError, match="overrides.. names 'batch_sise'.*nearest: `batch_size`"):
        load_studies(STUDIES, load_config({"overrides": overrides}, ROOT))


def test_missing_study_and_broken_yaml(tmp_path):
    with pytest.raises(StudyError, match="no such study file .nearest: `thuesen2022`."):
        load(STUDIES / "thuesen2023")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.yaml").write_text("a: [")
    with pytest.raises(PlausibleError, match="no valid YAML"):
        load(tmp_path / "broken")


def test_a_device_is_for_those_who_use_it(monkeypatch):
    """All other sweeps have the same settings whatever the device, so nothing is made again."""
    monkeypatch.setattr("plausible.config._check_cuda", lambda: None)
    on_gpu = {name: load(STUDIES / name, device="cuda") for name in NAMES}
    on_cpu = {name: load(STUDIES / name) for name in NAMES}
    using = set()
    for name, study in on_gpu.items():
        for sweep in study.declaration["sweep"]:
            same = study.sweep_settings(sweep) == on_cpu[name].sweep_settings(sweep)
            assert same == (study.sweep_device(sweep) == "cpu")
            using |= set() if same else {sweep}
    assert {"zil_equals_backprop", "activation_scaling", "il_cost"} <= using
    assert len(using) < 8
