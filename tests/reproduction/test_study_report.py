"""Pieces of the report of a study, on a made-up run."""

import re

import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction import pages
from plausible.reproduction.report_tables import read_verdicts
from plausible.reproduction.study_report import UNCHANGED, StudyReport
from plausible.studies.thuesen2022.table1.report import table1

from .conftest import parameters_of


@pytest.fixture(scope="module")
def report(finished_run):
    return StudyReport(**parameters_of(finished_run))


def test_outcomes_count_every_verdict(report):
    text = report.outcomes()
    protocols = report.verdicts["protocol"].nunique()
    assert text.count("<tr>") == 2 + len(report.published.entries) + protocols
    counted = sum(int(n) for n in re.findall(r">(\d+) <span aria-hidden", text))
    assert counted == 2 * len(report.verdicts)


def test_verdict_table_has_three_columns_of_values(report):
    text = report.verdict_table("table1")
    for word in ("published", "reference", "this run", "verdict"):
        assert f'<th scope="col">{word}</th>' in text
    without = StudyReport(**parameters_of(report.folder.parents[2]) | {"reference_dir": None})
    assert '<th scope="col">reference</th>' not in without.verdict_table("table1")


def test_table1_shows_published_reference_and_this_run(report):
    text = table1(report)
    assert ">97.97<" in text
    for name in ("reference", "this run"):
        for protocol in ("as published", "as coded", "corrected"):
            assert f"{name}: {protocol}" in text


def test_protocol_settings_are_those_in_which_they_differ(report):
    training, _, spiking = report.protocol_settings().partition("<caption>Spiking simulation")
    assert "thuesen_normal" in training and "zil_sequential" in training
    assert "ffnn, snn, spcn_sgd, spcn_adam, spcn_adam_bn" in training
    assert "epochs" not in training, "settings that agree are left out"
    assert "spcn_sgd" in spiking


def test_settings_are_those_of_the_kept_configuration(finished_run, tmp_path):
    folder = finished_run / "results" / "demo" / "thuesen2022"
    (tmp_path / "thuesen2022").symlink_to(folder)
    changed = UNCHANGED | {"seeds": [7], "overrides": {"spcn_sgd": {"activation_scale": 0.07}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(changed | {"scale": "demo"}))
    parameters = parameters_of(finished_run) | {"results_dir": str(tmp_path / "thuesen2022")}
    report = StudyReport(**parameters)
    assert "<dd>7</dd>" in report.summary()
    assert report.declared.training_settings("spcn_sgd", "corrected")["activation_scale"] == 0.07


def test_which_protocol_leaves_what_the_scale_cannot_say_to_the_reference(report):
    text = report.which_protocol()
    own, _, reference = text.partition("Reference run at the paper scale")
    assert "only a run at the paper scale can say" in own
    assert 1 < own.count("<tr>") < reference.count("<tr>")
    assert "table1" not in own and "table1" in reference, "accuracies rest on MNIST"


def test_causes_show_both_runs(report):
    text = report.causes()
    assert '<th scope="col">reference run</th>' in text
    assert "numerical precision" in text


def test_missing_pieces_are_errors(report, tmp_path):
    with pytest.raises(StudyError, match="leaves out .*thuesen2022.fig2a"):
        StudyReport(**parameters_of(report.folder.parents[2])).unshown()
    with pytest.raises(StudyError, match="picture .*nothing.svg is missing"):
        pages.picture(tmp_path / "nothing", "x")
    with pytest.raises(StudyError, match="fig9.md is missing"):
        report.readable("fig9")
    (tmp_path / "old.csv").write_text("id,check\n")
    with pytest.raises(StudyError, match="old.csv has no column 'variant': it was made by an"):
        read_verdicts(tmp_path / "old.csv")
    parameters = parameters_of(report.folder.parents[2]) | {"results_dir": str(tmp_path)}
    with pytest.raises(StudyError, match="verdicts.csv is missing"):
        StudyReport(**parameters)


def test_summary_names_commit_and_seeds(report):
    text = report.summary()
    assert "0123456789ab" in text and "0, 1, 2" in text and "a processor" in text
