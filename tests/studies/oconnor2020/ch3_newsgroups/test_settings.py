"""Settings of table 3.1 that are refused."""

import pytest

from plausible.errors import StudyError
from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_newsgroups.settings import Newsgroups

from .synthetic import SETTINGS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"order": "random"}, "divisions.a.order: found 'random'"),
        ({"training_parts": 0}, "divisions.a.training_parts: found 0"),
        ({"protocol": "as_told"}, "divisions.a.protocol: found 'as_told'"),
        ({"parts": 7}, "divisions.a: 'parts' is no setting here"),
    ],
)
def test_a_division_that_cannot_be_meant_is_refused(change, words):
    good = SETTINGS["divisions"]["file_order"]
    read_settings(Newsgroups, SETTINGS | {"divisions": {"a": good}}, "sweep.newsgroups")
    with pytest.raises(StudyError) as caught:
        divisions = {"a": good | change}
        read_settings(Newsgroups, SETTINGS | {"divisions": divisions}, "sweep.newsgroups")
    assert str(caught.value).startswith(f"sweep.newsgroups.{words}")


def test_tested_epochs_increase():
    with pytest.raises(StudyError, match=r"epochs_tested: found \[5, 2\], expected increasing"):
        read_settings(Newsgroups, SETTINGS | {"epochs_tested": [5, 2]}, "sweep.newsgroups")


def test_every_setting_is_stated():
    with pytest.raises(StudyError, match="'divisions' was not found"):
        read_settings(Newsgroups, {}, "sweep.newsgroups")
