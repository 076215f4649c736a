"""Settings of chapter 3's training runs that are refused; its readable tables."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.config import load_config
from plausible.errors import StudyError
from plausible.reproduction.declaration import load_study
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020 import tables

from ..reproduction.synthetic_oconnor2020_spiking import good_tables

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "workflow/studies/oconnor2020.yaml"
SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"
PART = ROOT / "workflow/studies/oconnor2020/chapter3_learning.yaml"


def load(**config):
    return load_study(STUDY, SCHEMA, load_config({"studies": ["oconnor2020"], **config}, ROOT))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"mnist_training": {"learning_rate": 0}}, ["learning_rate", "0", "above 0"]),
        ({"mnist_training": {"test_epochs": [0, -1]}}, ["test_epochs", "-1"]),
        ({"mnist_training": {"tested_parts": ["tset"]}}, ["tested_parts", "tset", "thesis"]),
        ({"mnist_training": {"anytime_steps": 2.5}}, ["anytime_steps", "2.5"]),
        ({"hyperparameters": {"initial_deviation": -0.1}}, ["initial_deviation", "-0.1"]),
        (
            {"mnist_training": {"variants": {"a": {"update": "sdg"}}, "further_seeds": {}}},
            ["variants.a", "sdg", "fsgd"],
        ),
        ({"mnist_training": {"variants": {"a": {"form": "vector"}}}}, ["form", "rectified"]),
        (
            {"mnist_training": {"variants": {"a": {"smoth": True}}}},
            ["variants.a.smoth", "smooth"],
        ),
        (
            {"hyperparameters": {"variants": {"a": {"protocols": ["coded"]}}}},
            ["variants.a.protocols", "coded", "as_coded"],
        ),
        (
            {"mnist_training": {"further_seeds": {"variants": ["gsd"], "epochs": 1}}},
            ["further_seeds.variants", "gsd"],
        ),
    ],
)
@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_a_value_that_cannot_be_meant_is_one_sentence(overrides, words, scale):
    with pytest.raises(StudyError) as caught:
        load(overrides=overrides, scale=scale)
    message = str(caught.value)
    assert message.startswith(str(STUDY)) and message.endswith(".") and "\n" not in message
    for word in ["sweep.", *words]:
        assert word in message, message


def test_checks_need_neither_torch_nor_numba():
    code = (
        "import sys, plausible.studies.oconnor2020.checks_spiking_training as checks; "
        "print([name for name in ('torch', 'pandas', 'numba') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_job_of_the_paper_scale_is_one_run():
    from plausible.learning.spiking_specs import runs

    study = load(scale="paper")
    settings = study.sweep_settings("mnist_training")
    listed = runs(settings, study.sweep_seeds("mnist_training"))
    assert len(study.sweep_parts("mnist_training")) == len(listed) == 16
    # Both rules have all five seeds in the epochs that figure 3.2 shows.
    for rule in ("sgd", "fsgd"):
        seeds = [run.seed for run in listed if run.network == rule and run.epochs >= 20]
        assert sorted(seeds) == [0, 1, 2, 3, 4]


def test_table_a1_has_all_ten_settings_in_both_readings():
    from plausible.learning.spiking_specs import runs

    study = load(scale="paper")
    listed = runs(study.sweep_settings("hyperparameters"), [0])
    coded, published = (
        {run.network for run in listed if run.protocol == name}
        for name in ("as_coded", "as_published")
    )
    assert len(coded) == 10 and coded - published == {"depth_first"}


# ----------------------------------------------------------------- readable tables


@pytest.fixture(scope="module")
def published():
    return load_published(ROOT / "workflow/published/oconnor2020.yaml")


@pytest.fixture(scope="module")
def good(published):
    return good_tables(published)


def test_every_markdown_of_the_part_has_its_cells(good, published):
    results = yaml.safe_load(PART.read_text())["results"]
    texts = {}
    for name, declared in results.items():
        if function := declared.get("markdown"):
            source = declared.get("data", name)
            full = f"oconnor2020.{declared.get('published', name)}"
            values = published.entries[full]["values"] if full in published.entries else {}
            texts[name] = getattr(tables, function)(good[source], values)
    assert set(texts) >= {
        "ch3.table3.2",
        "table_a1",
        "ch3.sparse_learned_computation",
        "beyond.early_guesses",
        "beyond.zero_reset",
    }
    assert (
        "| Spiking FSGD | 2.07 | 2.07 ± 0.02 | 2.07 ± 0.02 | 0.37 | 0.37 ± 0.02 |"
        in (texts["ch3.table3.2"])
    )
    row = next(
        line for line in texts["table_a1"].splitlines() if line.startswith("| Depth-First P")
    )
    assert row.count("81.47") == 5
    held = next(line for line in texts["table_a1"].splitlines() if "error held" in line)
    assert held.count("3.38 ± 0.02") == 2 and held.endswith("| - | - |")
    assert "| spiking, FSGD | vector network | 2 |" in texts["ch3.sparse_learned_computation"]
    # Limit 2.03 plus 20 / 2, after one step of 31 thousand additions.
    assert "12.03 ± 0.02 (31 k)" in texts["beyond.early_guesses"]
    assert "| ReLU network | official split |" in texts["beyond.early_guesses"]
    assert texts["beyond.zero_reset"].count("| zero reset (published 87.87) |") == 3


def test_a_diverged_variant_is_named(good, published):
    table = good["table_a1"].copy()
    table.loc[(table["network"] == "smooth") & (table["seed"] == 1), "error_percent"] = float("nan")
    text = tables.table_a1_markdown(table, published.entry("table_a1")["values"])
    row = next(line for line in text.splitlines() if line.startswith("| Smooth Gradients"))
    assert row.count("(1 diverged)") == 4


def test_rows_of_record_leaves_out_what_is_empty(good):
    whole = pd.concat([good["ch3.table3.2"], good["ch3.fig3.2"]], ignore_index=True)
    curves = tables.rows_of_record({"sweep.a": whole}, {"records": ["curve"]})
    assert set(curves["record"]) == {"curve"} and "counting" not in curves
    assert len(curves) == len(good["ch3.fig3.2"]) and "training_operations" in curves
    options = {"records": ["curve"], "networks": ["fsgd"], "protocols": ["as_coded"]}
    fsgd = tables.rows_of_record({"sweep.a": whole}, options)
    assert len(fsgd) == (good["ch3.fig3.2"]["network"] == "fsgd").sum() > 0


def test_both_readings_of_the_initial_weights(good, published):
    values = published.entry("table_a1")["values"]
    text = tables.initial_weights_markdown(good["beyond.initial_weights"], values)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row[1] for row in rows] == ["standard deviation", "variance"] * 2
    assert [row[2] for row in rows] == ["3.38", "3.38", "3.1", "3.1"]
    assert rows[0][3].startswith("3.38") and rows[1][3] == rows[3][4] == "70.00 ± 0.00"
