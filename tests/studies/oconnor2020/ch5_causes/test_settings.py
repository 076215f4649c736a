"""Constants that two parts have agree; wrong settings are told."""

import pytest

from plausible.errors import PlausibleError
from plausible.learning import stream_training
from plausible.studies.oconnor2020.ch5_causes import settings as own
from plausible.studies.oconnor2020.ch5_learning import settings as learning

from ...part_results import read_sweep

PART = "oconnor2020.ch5_causes"


def test_networks_are_trained_as_the_text_says():
    reading = learning.READINGS["as_published"]
    assert reading.split == own.SPLIT
    assert reading.k_alphas == own.K_ALPHAS
    assert reading.k_beta_relative == own.K_BETA_RELATIVE
    assert reading.multiply_add_pj == own.MULTIPLY_ADD_PJ
    assert not reading.share_scales and reading.counted_outputs is None
    assert learning.ADDITION_PJ == own.ADDITION_PJ and learning.ORDERS == own.ORDERS
    assert (stream_training.PDNN, stream_training.MLP) == (own.PDNN, own.MLP)


@pytest.mark.parametrize("name", ["width", "learning_rate", "tuning_rate", "buffer_size"])
def test_settings_are_those_of_figure_5_5(name):
    theirs = read_sweep("oconnor2020.ch5_learning", "stream_training")
    for sweep in ("stream_causes", "frame_rates"):
        assert getattr(read_sweep(PART, sweep), name) == getattr(theirs, name)


@pytest.mark.parametrize(
    "sweep, wrong",
    [
        ("stream_causes", {"probed_epochs": [1, 2]}),
        ("stream_causes", {"probed_epochs": [0, 5, 2]}),
        ("stream_causes", {"first_stops": [2.0]}),
        ("frame_rates", {"sub_frames": [2, 4, 8]}),
        ("frame_rates", {"sub_frames": [1, 4, 2]}),
    ],
)
def test_wrong_settings_are_told(sweep, wrong):
    with pytest.raises(PlausibleError, match=next(iter(wrong))):
        read_sweep(PART, sweep, **wrong)
