"""The configuration: defaults, and one clear sentence for everything that is not allowed."""

import subprocess
import sys

import pytest
import yaml

from plausible.config import (
    check_schema,
    load_config,
    load_configs,
    load_schema,
    main,
    project_root,
    reference,
    reference_table,
)
from plausible.errors import ConfigError, DeviceError


@pytest.fixture
def root(tmp_path, project_root):
    """A project with the real schema and two studies."""
    for folder in ("schemas", "studies"):
        (tmp_path / "workflow" / folder).mkdir(parents=True)
    schema = project_root / "workflow" / "schemas" / "config.schema.yaml"
    (tmp_path / "workflow" / "schemas" / schema.name).write_text(schema.read_text())
    for study in ("thuesen2022", "song2020", "oconnor2020"):
        (tmp_path / "workflow" / "studies" / study).mkdir()
        (tmp_path / "workflow" / "studies" / study / "study.yaml").touch()
    return tmp_path


def fault(config, root, error=ConfigError) -> str:
    with pytest.raises(error) as caught:
        load_config(config, root)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 400
    return sentence


NO_ORIGINALS = {"ilsvrc_video": None, "youtube_bb": None, "vgg19": None}


def test_empty_configuration_is_the_documented_default(root):
    assert load_config({}, root) == {
        "scale": "demo",
        "studies": ["thuesen2022", "song2020", "oconnor2020"],
        "device": "cpu",
        "seeds": None,
        "seeds_per_job": None,
        "data": {"dir": None, "dataset": None, "sets": {}, "originals": NO_ORIGINALS},
        "overrides": {},
    }


def test_config_yaml_of_the_project_names_every_key_with_its_default(project_root):
    path = project_root / "config.yaml"
    assert load_config(path, project_root) == load_config({}, project_root)
    written, schema = yaml.safe_load(path.read_text()), load_schema(project_root)
    assert set(written) == set(schema["properties"])
    assert set(written["data"]) == set(schema["properties"]["data"]["properties"])


def test_the_given_configuration_is_not_changed_and_not_shared(root):
    given = {"data": {"sets": {"fashion": {"folder": "x"}}}}
    completed = load_config(given, root)
    completed["data"]["sets"]["fashion"]["folder"] = "y"
    completed["studies"].append("z")
    assert given == {"data": {"sets": {"fashion": {"folder": "x"}}}}
    assert load_config({}, root)["studies"] == ["thuesen2022", "song2020", "oconnor2020"]


def test_every_setting_may_be_given(root):
    config = {
        "scale": "paper",
        "studies": ["song2020", "thuesen2022"],
        "device": "cpu",
        "seeds": [0, 2**63 - 1],
        "seeds_per_job": 2,
        "data": {
            "dir": str(root),
            "dataset": "own",
            "sets": {"own": {"folder": "x"}},
            "originals": {"ilsvrc_video": "y", "youtube_bb": "z", "vgg19": "vgg19.pth"},
        },
        "overrides": {"*": {"epochs": 1}, "spcn_sgd": {"learning_rate": 0.1}},
    }
    assert load_config(config, root) == config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"scal": "demo"}, ["`scal` is no known key", "(nearest: `scale`)"]),
        (
            {"data": {"dri": "x"}},
            ["`data.dri`", "dir, dataset, sets, originals", "(nearest: `dir`)"],
        ),
        ({3: 4}, ["`3` is no known key"]),
        ({"scale": "papr"}, ["`scale`", "`papr`", "`demo` or `quick` or `paper`", "`paper`)"]),
        ({"scale": None}, ["`scale` is `null`"]),
        ({"device": "gpu"}, ["`device`", "`gpu`", "`cpu` or `cuda`"]),
        ({"studies": "thuesen2022"}, ["`studies`", "`thuesen2022` (a text)", "a list"]),
        ({"studies": []}, ["`studies` is an empty list", "at least 1"]),
        ({"studies": ["tuesen2022"]}, ["`studies[0]`", "song2020", "(nearest: `thuesen2022`)"]),
        ({"studies": ["song2020", "song2020"]}, ["`studies` names an entry twice"]),
        ({"seeds": []}, ["`seeds` is an empty list", "or null"]),
        ({"seeds": 3}, ["`seeds` is `3`", "a list of different whole numbers"]),
        ({"seeds": [0, -1]}, ["`seeds[1]` is `-1`", "at least 0"]),
        ({"seeds": [2**63]}, [f"`{2**63}`", "at most 2^63 - 1"]),
        ({"seeds": [1.0]}, ["`seeds[0]` is `1.0`", "a whole number"]),
        ({"seeds": [True]}, ["`seeds[0]` is `true`"]),
        ({"seeds_per_job": 0}, ["`seeds_per_job` is `0`", "at least 1 or null"]),
        ({"seeds_per_job": "3"}, ["`3` (a text)"]),
        ({"data": None}, ["`data` is `null`", "a mapping"]),
        ({"data": {"dir": ""}}, ["`data.dir`", "a text that is not empty"]),
        ({"data": {"dir": "/no/such"}}, ["`data.dir` is `/no/such`", "no folder"]),
        (
            {"data": {"dataset": "fasion", "sets": {"fashion": {"folder": "x"}}}},
            ["`data.dataset` is `fasion`", "digits, mnist, ", ", fashion", "(nearest: `fashion`)"],
        ),
        (
            {"data": {"sets": {"own": {"foldr": "x"}}}},
            ["`data.sets.own.foldr`", "(nearest: `folder`)"],
        ),
        ({"data": {"sets": {"own": {}}}}, ["`data.sets.own` lacks the key `folder`"]),
        ({"data": {"sets": {"My Set": {"folder": "x"}}}}, ["`My Set`", "small letters"]),
        ({"data": {"sets": {"mnist": {"folder": "x"}}}}, ["`data.sets.mnist`", "another name"]),
        ({"overrides": {"spcn_sgd": 1}}, ["`overrides.spcn_sgd` is `1`", "a mapping"]),
    ],
)
def test_one_sentence(config, words, root):
    sentence = fault(config, root)
    assert sentence.startswith("The configuration: ")
    for word in words:
        assert word in sentence


def test_of_two_unknown_keys_one_is_named(root):
    assert fault({"zeta": 1, "scle": 2}, root).count("no known key") == 1


def test_a_file_is_named_in_the_sentence(root):
    path = root / "mine.yaml"
    path.write_text("scale: papr\n")
    assert fault(path, root).startswith(f"{path}: `scale`")
    assert "missing" in fault(root / "none.yaml", root)
    path.write_text("scale: [demo\nstudies: x\n")
    assert "no valid YAML in line 2" in fault(path, root)
    path.write_text("- scale\n")
    assert "a list" in fault(path, root)
    path.write_text("")
    assert load_config(path, root) == load_config({}, root)


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu_is_asked_for_only_if_there_is_one(root, there, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    if there:
        assert load_config({"device": "cuda"}, root)["device"] == "cuda"
    else:
        assert "`device: cpu`" in fault({"device": "cuda"}, root, DeviceError)


def test_torch_is_loaded_only_for_a_gpu(project_root):
    code = "import sys, plausible.config as c; c.load_config({}); print('torch' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project_root
    )
    assert shown.stdout.strip() == "False"


def test_the_project_is_found_from_anywhere(project_root, root, tmp_path_factory, monkeypatch):
    from plausible import config

    monkeypatch.chdir(root)
    assert config.project_root() == root
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert config.project_root() == project_root


def _every_part(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part
        yield from _every_part(part, f"{path}{name}.")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _every_part(schema["additionalProperties"], f"{path}*.")


def test_the_schema_says_everything_about_every_key():
    schema = load_schema()
    parts = dict(_every_part(schema))
    assert len(parts) == 20
    for name, part in parts.items():
        assert part["description"].endswith("."), name
        required = name == "data.sets.*.folder"
        assert ("default" in part) != required, name
        if "default" in part:  # a default is allowed by the schema of its own key
            check_schema(part["default"], part, name)
        if part["type"] == "object" or "object" in part["type"]:
            assert "additionalProperties" in part, name
    assert schema["additionalProperties"] is False


def test_reference_lists_every_key():
    schema = load_schema()
    names = [key.name for key in reference(schema)]
    assert names == [path.replace("*", "<name>") for path, _ in _every_part(schema)]
    table = reference_table(schema).splitlines()
    assert len(table) == len(names) + 2
    assert all(line.count(" | ") == 3 for line in table)


def test_command(capsys, root, monkeypatch):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == reference_table(load_schema())
    monkeypatch.chdir(project_root())
    (root / "good.yaml").write_text("scale: quick")
    (root / "bad.yaml").write_text("scale: fast")
    (root / "unknown.yaml").write_text("overrides: {'*': {learning_rat: 1}}")
    assert main(["--check", str(root / "good.yaml")]) == 0
    assert main(["--check", str(root / "bad.yaml")]) == 1
    assert "bad.yaml: `scale` is `fast`" in capsys.readouterr().err
    # Studies and overrides too.
    assert main(["--check", str(root / "unknown.yaml")]) == 1
    assert "overrides.* names 'learning_rat'" in capsys.readouterr().err


def test_files_are_laid_over_each_other_and_each_is_named(root, monkeypatch):
    monkeypatch.chdir(root)
    (root / "a.yaml").write_text("scale: quick\ndata: {sets: {one: {folder: x}}}\n")
    (root / "b.yaml").write_text("data: {sets: {two: {folder: y}}, dataset: one}\n")
    (root / "empty.yaml").write_text("# nothing\n")
    found = load_configs(["a.yaml", "empty.yaml", "b.yaml"], {"seeds": ["0", "1"]}, root)
    assert found["scale"] == "quick" and found["seeds"] == [0, 1]
    assert set(found["data"]["sets"]) == {"one", "two"} and found["data"]["dataset"] == "one"
    for content, words in (
        ("- a", "b.yaml: the file holds a list"),
        ("scael: demo", "b.yaml: `scael`"),
        ("seeds: [1e3]", "(YAML takes `1e3` for a text: write 1.0e+3)"),
        ("seeds: ['1']", "(for the number write 1, without quotes)"),
    ):
        (root / "b.yaml").write_text(content)
        with pytest.raises(ConfigError) as caught:
            load_configs(["a.yaml", "b.yaml"], root=root)
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"seeds": ["0", "1"]}, [0, 1]),
        ({"seeds": "null"}, None),
        ({"overrides": {"*": {"epochs": "2", "a": "1.0e-3", "b": "true", "c": "adam"}}}, None),
    ],
)
def test_texts_of_the_command_line_are_read_as_yaml(root, stated, expected):
    found = load_configs([], stated, root)
    if "seeds" in stated:
        assert found["seeds"] == expected
    else:
        assert found["overrides"]["*"] == {"epochs": 2, "a": 0.001, "b": True, "c": "adam"}


def test_a_number_with_a_zero_before_it_is_refused_in_the_command_line_too(root):
    with pytest.raises(ConfigError, match="--config.*octal"):
        load_configs([], {"seeds": ["010"]}, root)


def test_a_configuration_runs_no_code(root, tmp_path):
    (root / "evil.yaml").write_text(
        f"__use_yte__: true\nscale: ?open({str(tmp_path / 'PWNED')!r}, 'w').name\n"
    )
    with pytest.raises(ConfigError, match="__use_yte__.*data alone"):
        load_config(root / "evil.yaml", root)
    assert not (tmp_path / "PWNED").exists()


def test_arguments_are_checked_before_snakemake_reads_the_files(root, capsys, monkeypatch):
    monkeypatch.chdir(root)
    (root / "good.yaml").write_text("scale: quick\n")
    (root / "evil.yaml").write_text("__use_yte__: true\n")
    command = ["--check-arguments"]
    assert main([*command, "-n", "--configfile", "good.yaml", "--keep-going", "x"]) == 0
    assert main([*command, "x", "--cores", "2"]) == 0
    assert main([*command, "--configfile", "good.yaml", "thuesen2022_fig2a"]) == 1
    assert "thuesen2022_fig2a is none" in capsys.readouterr().err
    assert main([*command, "--configfile=evil.yaml"]) == 1
    assert "__use_yte__" in capsys.readouterr().err


def test_alternatives_in_a_schema_are_explained_too():
    """Other schemas of the project may use alternatives and open bounds."""
    schema = {
        "properties": {
            "a": {
                "anyOf": [
                    {"type": "integer"},
                    {"type": "object", "properties": {"b": {"exclusiveMinimum": 0}}},
                ]
            },
            "c": {"not": {"const": 3}},
            "d": {"type": "string", "pattern": "^x+$"},
        }
    }
    for value, words in [
        ({"a": "x"}, "`a` is `x` (a text), where a whole number or a mapping"),
        ({"a": {"b": 0}}, "`a.b` is `0`"),
        ({"c": 3}, "`c` is not allowed"),
        ({"d": "y"}, "of the form ^x+$"),
    ]:
        with pytest.raises(ConfigError) as caught:
            check_schema(value, schema, "study.yaml")
        assert str(caught.value).startswith("study.yaml: ") and words in str(caught.value)


def test_root_without_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plausible.config.__file__", str(tmp_path / "a" / "b" / "config.py"))
    with pytest.raises(ConfigError, match="workflow/schemas was not found"):
        project_root()
