"""Settings of the optimisation of scales: those of the thesis, and those that are refused."""

import pytest

from plausible.errors import StudyError
from plausible.studies.oconnor2020.ch4_scales.settings import READINGS

from ...part_results import published_of, read_sweep

PART, SWEEP = "oconnor2020.ch4_scales", "scale_optimisation"
WAY = {"protocol": "as_coded", "learning_rate": 0.1}


def test_the_paper_scale_is_that_of_the_thesis():
    settings = read_sweep(PART, SWEEP)
    stated = published_of(PART).entry("table_b1")["settings"]
    assert stated["layer_sizes"] == [784, *settings.hidden_sizes, 10]
    assert tuple(stated["lambda_values"]) == settings.lambdas
    for scale in ("demo", "quick"):
        ways = read_sweep(PART, SWEEP, scale).optimisations
        assert set(ways) == {"as_coded", "as_published", "own_scales"}


def test_rows_are_named_by_the_lambdas_of_the_thesis():
    entry = published_of(PART).entry("table_b1")
    first, *rows = entry["values"]["rows"]
    assert first["id"] == "unoptimized" and "lambda" not in first
    assert [row["lambda"] for row in rows] == entry["settings"]["lambda_values"]
    names = [f"lambda_{row['lambda']:.3g}".replace(".", "_") for row in rows]
    assert [row["id"] for row in rows] == names


def test_readings_differ_where_text_and_code_do():
    text, code = READINGS["as_published"], READINGS["as_coded"]
    assert (text.computation, code.computation) == ("mean", "sum")
    assert (text.test_part, code.test_part) == ("official", "thesis")
    assert text.count_biases and not code.count_biases


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bits": [8, 1]}, ["bits[1]", "1", "from 2"]),
        ({"bits": [17]}, ["bits[0]", "17", "up to 16"]),
        ({"lambdas": [0]}, ["lambdas[0]", "0", "above 0"]),
        ({"hidden_sizes": [40.5]}, ["hidden_sizes[0]", "40.5", "whole number"]),
        ({"buffer_size": 0}, ["buffer_size", "0", "from 1"]),
        ({"record_every_epochs": 0.0}, ["record_every_epochs", "above 0"]),
        (
            {"pretraining": {"epochs": 0, "batch_size": 20, "learning_rate": 0.1}},
            ["pretraining.epochs", "0", "from 1"],
        ),
        ({"optimisations": {"a": {"protocol": "as_coded"}}}, ["optimisations.a", "learning_rate"]),
        (
            {"optimisations": {"a": {**WAY, "protocol": "as_code"}}},
            ["optimisations.a.protocol", "as_code", "as_coded"],
        ),
        ({"optimisations": {"a": {**WAY, "unitwize": True}}}, ["unitwize", "unitwise"]),
        (
            {"optimisations": {"a": WAY, "b": WAY}},
            ["as_coded with layerwise scales was found twice"],
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_sentence(changes, words):
    with pytest.raises(StudyError) as caught:
        read_sweep(PART, SWEEP, **changes)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    for word in (f"sweep.{SWEEP}", *words):
        assert word in message, message


def test_a_setting_that_is_missing():
    with pytest.raises(StudyError, match="the setting 'bits' was not found"):
        read_sweep(PART, SWEEP, without="bits")
