"""Settings of the sweeps of Song et al. 2020: what is refused, in which words, and how early."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from plausible.config import load_config
from plausible.errors import PlausibleError, StudyError
from plausible.kernels import predictive_types
from plausible.reproduction.declaration import load_study
from plausible.studies.song2020 import checks

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "workflow/studies/song2020.yaml"
SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"


def load(path=STUDY, **config):
    return load_study(path, SCHEMA, load_config({"studies": ["song2020"], **config}, ROOT))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"fig2": {"gamma": 0}}, ["sweep.fig2.gamma", "0", "above 0"]),
        ({"energy": {"gammas": [0.1, -0.5]}}, ["sweep.energy.gammas", "-0.5"]),
        ({"properties": {"il_gamma": float("nan")}}, ["sweep.properties.il_gamma", "nan"]),
        ({"fig2": {"il_steps": 9}}, ["sweep.fig2.il_steps", "9", "T = 8", "steps"]),
        ({"detection": {"tolerances": [-1.0e-6]}}, ["sweep.detection.tolerances", "-1e-06"]),
        ({"detection": {"l_max": [1]}}, ["sweep.detection.l_max", "1", "from 2"]),
        ({"float32": {"dtypes": ["float46"]}}, ["sweep.float32.dtypes", "float46", "float64"]),
        ({"grid_as_coded": {"times": ["l", 65]}}, ["sweep.grid_as_coded.times", "65", "T = 64"]),
        ({"grid_as_coded": {"noises": ["intial"]}}, ["noises", "intial", "initial"]),
        ({"*": {"batch_size": 2.5}}, ["batch_size", "2.5", "whole number"]),
        ({"*": {"batch_size": True}}, ["batch_size", "True", "whole number"]),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(overrides, words):
    with pytest.raises(StudyError) as caught:
        load(overrides=overrides)
    message = str(caught.value)
    assert message.startswith(str(STUDY)) and message.endswith(".") and "\n" not in message
    for word in words:
        assert word in message, message


def test_the_study_file_itself_is_checked(tmp_path):
    declaration = yaml.safe_load(STUDY.read_text())
    declaration["sweep"]["energy"]["settings"]["sigmas"] = [0.0, "big"]
    path = tmp_path / "song2020.yaml"
    path.write_text(yaml.safe_dump(declaration))
    with pytest.raises(StudyError, match=r"sweep\.energy\.sigmas: found 'big'"):
        load(path)


@pytest.mark.parametrize("seed", [2**64, 2**63, -1])
def test_a_seed_outside_64_bits_is_refused(seed):
    with pytest.raises(PlausibleError, match="seeds"):
        load(seeds=[seed])


def test_nested_settings_and_the_moment_l():
    fits = {
        "readings": {"one": {"activation": "tanh", "gain": 4.0}},
        "times": ["l", 0, 64],
        "steps": 64,
    }
    checks.check_sweep("sweep.x", fits)
    with pytest.raises(StudyError, match=r"sweep\.x\.readings\.one\.activation.*sigmoid"):
        checks.check_sweep("sweep.x", {"readings": {"one": {"activation": "sigmoyd"}}})
    with pytest.raises(StudyError, match=r"sweep\.x\.learning_rates: found 0,"):
        checks.check_sweep("sweep.x", {"learning_rates": {"sgd": 0.02, "adam": 0}})
    described = {"description": "with biases", "biases": True}
    checks.check_sweep("sweep.x", {"candidates": {"one": described}})
    with pytest.raises(StudyError, match=r"sweep\.x\.readings\.one: init .*xavier_uniform"):
        checks.check_sweep("sweep.x", {"readings": {"one": {"init": "xavier"}}})
    with pytest.raises(StudyError, match=r"sweep\.x\.times: .*65.*T = 64"):
        checks.check_sweep("sweep.x", {**fits, "times": ["l", 65]})
    with pytest.raises(StudyError, match=r"sweep\.x\.times: found 'k'"):
        checks.check_sweep("sweep.x", {"times": ["k"]})


def test_the_names_are_those_of_the_compiled_network():
    assert set(checks.ACTIVATIONS) == set(predictive_types.ACTIVATIONS)
    assert {*checks.NOISES, "none"} == set(predictive_types.NOISES)
    assert set(checks.OPTIMIZERS) == set(predictive_types.OPTIMIZERS)


def test_checking_needs_neither_torch_nor_numba():
    code = (
        "import sys, plausible.studies.song2020.checks; "
        "print(sorted({'torch', 'numba', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
