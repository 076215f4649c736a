"""Pieces of the report of a study, on a made-up run."""

import re
import shutil

import pandas as pd
import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction import pages
from plausible.reproduction.judging import UNDECIDED
from plausible.reproduction.report_tables import read_verdicts, verdict_rows, why
from plausible.reproduction.study_report import UNCHANGED, StudyReport
from plausible.studies.thuesen2022.table1.report import table1

from .conftest import REASON, parameters_of


@pytest.fixture(scope="module")
def report(finished_run):
    return StudyReport(**parameters_of(finished_run))


def test_what_holds_has_every_entry_under_its_part(report):
    text = report.holds()
    for part in report.declared.parts:
        assert f'<a href="thuesen2022.{part}.html">' in text
    for row in report.judged.itertuples():
        assert f'href="thuesen2022.{row.part}.html#{row.id}"' in text
    counted = sum(int(n) for n in re.findall(r">(\d+) <span aria-hidden", text))
    assert counted == len(report.judged)


def test_a_kept_run_says_what_is_newer_than_itself(finished_run, tmp_path):
    """A run that is not kept must have every result; of one that is, some may be newer."""
    parameters = parameters_of(finished_run)
    kept = tmp_path / "kept"
    shutil.copytree(parameters["results_dir"], kept)
    for path in kept.glob("fig2a.*"):
        path.unlink()
    lacking = StudyReport(**parameters | {"results_dir": kept})
    with pytest.raises(StudyError, match="fig2a"):
        lacking.entry("fig2a")
    (kept / "README.md").write_text("A run that is kept.")
    shown = lacking.entry("fig2a")
    assert "older than this result" in shown and "data:image" not in shown
    assert "data:image" in lacking.entry("fig2b")


def test_a_section_shows_verdict_reason_rows_and_how_it_was_made(report):
    text = report.entry("fig2a")
    before, _, behind = text.partition("<details>")
    assert 'id="thuesen2022.fig2a"' in before and "data:image" in before
    judged = report.judged.set_index("id").loc["thuesen2022.fig2a"]
    assert f"</span> {judged.verdict}</span>" in before and REASON in before
    for fact in ("snakemake --cores 8 thuesen2022_fig2a", "0.2 minutes", "0, 1, 2"):
        assert fact in behind, fact
    for place in (
        "workflow/published/thuesen2022/neurons.yaml",
        "src/plausible/studies/thuesen2022/neurons/figures.py",
        "results/demo/thuesen2022/fig2a.csv",
    ):
        assert f'href="../../{place}"' in behind, place
    assert "(fig2a" in behind, "the function that draws it"
    assert f"<strong>Why: </strong>{REASON}" in behind


def test_very_many_rows_stand_by_their_verdicts_those_that_differ_first(report):
    rows = report.verdicts.head(60).assign(note="", reason="")
    rows["verdict"] = ["reproduced", "differs", "undecided"] * 20
    text = verdict_rows(rows, None)
    assert re.findall(r"<summary>(\d+ rows: \w+)", text) == [
        *("20 rows: differs", "20 rows: reproduced", "20 rows: undecided")
    ]
    assert "<summary>" not in verdict_rows(rows.head(20), None)


def test_the_first_reason_and_their_number_are_told():
    reasons = ["", "A cause. And more.", "A cause. And more.", "Another."]
    rows = pd.DataFrame({"reason": reasons, "protocol": ["", "", "as_coded", "corrected"]})
    assert why(rows, "as_coded") == ("A cause.", 2)
    assert why(rows, "corrected") == ("Another.", 2), "the protocol that decides goes first"
    assert why(rows.head(1), "") == ("", 0)
    alike = ["It errs 3.1 % [2, 4].", "It errs 12 % [1.5, 2e-3].", "It errs 3.1 points."]
    rows = pd.DataFrame({"reason": alike, "protocol": ""})
    assert why(rows, "") == (alike[0], 2), "the same reason with other numbers is one"


def test_what_a_statement_measures_and_its_bound_stand_below_the_rows(report):
    rows = report.verdicts[report.verdicts["check"] == "value:rows.row1.test_accuracy_percent"]
    statements = {
        rows["check"].iloc[0]: {"quantity": "errors / images", "because": "half"},
        "of_no_row": {"quantity": "nothing"},
    }
    shown = verdict_rows(rows, None, statements)
    assert "What the statements measure" in shown and "errors / images" in shown
    assert "nothing" not in shown
    assert "What the statements measure" not in verdict_rows(rows, None)


def test_a_column_that_repeats_another_is_left_out(report):
    rows = report.verdicts[report.verdicts["id"] == "thuesen2022.table1"]
    other = report.reference_verdicts.assign(reproduced=7.25)
    assert '">reference</th>' in verdict_rows(rows, other) and "7.25" in verdict_rows(rows, other)
    for reference in (None, report.verdicts):
        shown = verdict_rows(rows, reference)
        assert '">reference</th>' not in shown and '">this run</th>' in shown


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
    assert "numerical precision" in text and "in the reference run" not in text
    open_there = report.reference_verdicts.assign(verdict=UNDECIDED)
    other = StudyReport(**parameters_of(report.folder.parents[2]))
    other.reference_verdicts = open_there
    assert "not decided</span> in the reference run" in other.causes()


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
