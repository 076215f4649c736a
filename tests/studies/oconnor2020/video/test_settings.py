"""Settings of the experiments on video, and the places of what may not be distributed."""

import pytest

from plausible.config import load_config
from plausible.errors import PlausibleError
from plausible.reproduction.declaration import load_study

from ...part_results import ROOT, read_sweep

FOLDER = ROOT / "workflow" / "studies" / "oconnor2020"


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
def test_settings_of_every_scale(scale):
    settings = read_sweep("oconnor2020.video", "video", scale)
    assert list(settings.rates.every) == sorted(set(settings.rates.every))
    assert settings.data_dir is None and not settings.originals


def test_places_that_the_configuration_states_reach_this_experiment_alone():
    config = load_config({"data": {"originals": {"vgg19": "there.pth"}}}, ROOT)
    study = load_study(FOLDER, config)
    assert study.sweep_settings("video")["originals"] == {"vgg19": "there.pth"}
    assert "originals" not in study.sweep_settings("stream_training")
    plain = load_study(FOLDER, load_config({}, ROOT))
    assert plain.sweep_settings("video")["originals"] == {}


def test_another_name_is_refused():
    with pytest.raises(PlausibleError, match="youtube_bb"):
        load_config({"data": {"originals": {"youtube": "there"}}}, ROOT)
