"""Run times against sums by hand, and the block that they become in a document."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.config import load_config
from plausible.errors import StudyError
from plausible.reproduction import runtimes
from plausible.reproduction.declaration import Study, load_studies, load_study
from plausible.reproduction.runtimes import (
    BEGIN,
    COLUMNS,
    END,
    Task,
    benchmark_file,
    collect,
    find_run_times,
    minutes_text,
    read_benchmark,
    readme_block,
    rewrite_block,
    tasks_of,
    tasks_of_study,
)

SECONDS = {"data": 6.0, "train": 60.0, "convert": 3.0, "simulate": 30.0, "sweep": 12.0}
OTHERS = 1.5
"""Seconds of a table, a picture, a readable table and the verdicts."""


@pytest.fixture
def study(project_root, tmp_path):
    """Two runs in one protocol with two shards each, one simulation, two sweeps, five results."""
    folder = project_root / "workflow/studies/thuesen2022"
    declared = yaml.safe_load((folder / "study.yaml").read_text())
    run = {"title": "a run", "only_protocols": ["corrected"]}
    declared |= {
        "train": {"one": run, "two": run},
        "simulate": {"spiking": {"title": "spikes", "networks": ["one"]}},
        "sweep": {
            "formula": {},
            "rates": {"data_set": True, "networks": ["two"]},
        },
        "results": {
            "curve": {"title": "Curve", "from": {"train": ["one", "two"]}, "figure": "fig5"},
            "table1": {"from": {"train": ["one"], "simulate": ["spiking"]}, "markdown": "x"},
            "fig2a": {"from": {"sweep": ["formula"]}},
            "rate": {"title": "Rate", "from": {"sweep": ["rates"]}},
            "again": {"title": "Same", "data": "curve", "figure": "fig5"},
        },
    }
    declared["scales"]["demo"] |= {"seeds": [0, 1], "seeds_per_job": 1}
    part_of = {
        (section, name): "only"
        for section in ("train", "simulate", "sweep", "results")
        for name in declared[section]
    }
    config = load_config({}, project_root)
    return Study("thuesen2022", "demo", declared, config, part_of)


def write_benchmark(path: Path, *rows: tuple[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["s\th:m:s\tmax_rss\tmax_vms"]
    lines += [f"{seconds}\t0:00:00\t{memory}\t9999.0" for seconds, memory in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def benchmarks(study, tmp_path):
    folder = tmp_path / "benchmarks"
    for task in tasks_of_study(study):
        seconds = SECONDS.get(task.stage, OTHERS)
        memory = 1000.0 if task.name.startswith("two") else 100.0
        write_benchmark(benchmark_file(folder, study.name, task), (str(seconds), str(memory)))
    return folder


def row(frame, result):
    (found,) = frame[frame["result"] == result].to_dict("records")
    return found


def test_jobs_of_a_result(study):
    assert tasks_of(study, "table1") == [
        Task("data", "digits"),
        Task("train", "one.corrected.0"),
        Task("train", "one.corrected.1"),
        Task("convert", "one.corrected.0"),
        Task("convert", "one.corrected.1"),
        Task("simulate", "spiking.one.corrected.0"),
        Task("simulate", "spiking.one.corrected.1"),
        Task("result", "table1"),
    ]
    assert tasks_of(study, "fig2a") == [Task("sweep", "formula"), Task("result", "fig2a")]


def test_jobs_are_the_files_of_the_study(project_root):
    """Every file that feeds a result of the real study is the output of one of its jobs."""
    folder = project_root / "workflow/studies/thuesen2022"
    real = load_study(folder, load_config({}, project_root))
    for result in real.results:
        stages = ("train", "simulate", "sweep")
        tasks = {task for task in tasks_of(real, result) if task.stage in stages}
        source = real.shown_in(result) or result
        fed = {
            Task(Path(path).parent.name, Path(path).stem)
            for path in sum(real.result_inputs(source).values(), [])
        }
        assert fed <= tasks
        # Beyond these there are only trainings of networks that are simulated.
        assert {task.stage for task in tasks - fed} <= {"train"}
    whole = tasks_of_study(real)
    assert len(set(whole)) == len(whole)
    made = {task.name for task in whole if task.stage == "result"}
    assert made == {*real.own_tables(), *real.figures(), *real.markdowns()}


def test_measurements_lie_where_the_rules_put_them(project_root):
    """The `benchmark:` of every rule is the file that `benchmark_file` names."""
    patterns = set()
    for path in (project_root / "workflow/rules").glob("*.smk"):
        lines = path.read_text().splitlines()
        patterns |= {
            lines[number + 1].strip().removeprefix("f").strip('"')
            for number, line in enumerate(lines)
            if line.strip() == "benchmark:"
        }
    names = {
        "data": "{dataset}",
        "train": "{run}.{protocol}.{shard}",
        "convert": "{run}.{protocol}.{shard}",
        "simulate": "{simulation}.{run}.{protocol}.{shard}",
        "sweep": "{sweep}{part}",
        "verdicts": "",
        "result": "{_result}",
    }
    for stage in runtimes.STAGES:
        task = Task(stage, names[stage])
        own = stage == "result"  # each result has a rule of its own
        scale, name = ("{SCALE}", "{_study.name}") if own else ("{scale}", "{study}")
        expected = benchmark_file(f"results/{scale}/benchmarks", name, task)
        assert expected.as_posix() in patterns, stage


def test_sums_by_hand(study, benchmarks):
    frame = collect(study, benchmarks, {"table1": "Accuracies"})
    assert tuple(frame.columns) == COLUMNS
    table1 = row(frame, "table1")
    assert table1["title"] == "Accuracies"
    assert table1["jobs"] == 8 and table1["jobs_without_time"] == 0
    seconds = 6 + 2 * 60 + 2 * 3 + 2 * 30 + 1.5
    assert table1["minutes"] == pytest.approx(seconds / 60, abs=1e-4)
    assert table1["longest_job_minutes"] == pytest.approx(1.0)
    # Snakemake counts in units of 2^20 bytes.
    assert table1["peak_memory_mb"] == pytest.approx(100 * 2**20 / 1e6, abs=0.1)
    assert row(frame, "curve")["peak_memory_mb"] == pytest.approx(1000 * 2**20 / 1e6, abs=0.1)


def test_shared_jobs_count_once_in_the_whole(study, benchmarks):
    frame = collect(study, benchmarks, {})
    whole, results = row(frame, "whole study"), frame[frame["part"] == "result"]
    assert list(results["result"]) == list(study.results)
    # 1 data set, 4 trainings, 4 conversions, 2 simulations, 2 sweeps, 5 results, the verdicts.
    assert whole["jobs"] == 19 < results["jobs"].sum()
    seconds = 6 + 4 * 60 + 4 * 3 + 2 * 30 + 2 * 12 + 6 * 1.5
    assert whole["minutes"] == pytest.approx(seconds / 60, abs=1e-4)
    stages = frame[frame["part"] == "stage"]
    assert stages["jobs"].sum() == whole["jobs"]
    assert stages["minutes"].sum() == pytest.approx(whole["minutes"], abs=1e-3)
    assert stages["peak_memory_mb"].max() == whole["peak_memory_mb"]


def test_a_result_that_shows_the_table_of_another(study, benchmarks):
    frame = collect(study, benchmarks, {})
    assert row(frame, "again")["jobs"] == row(frame, "curve")["jobs"] + 1
    difference = set(tasks_of(study, "again")) ^ set(tasks_of(study, "curve"))
    assert difference == {Task("result", "again")}


def test_jobs_without_a_measurement_are_counted(study, benchmarks):
    benchmark_file(benchmarks, study.name, Task("train", "one.corrected.0")).unlink()
    for task in tasks_of(study, "fig2a"):
        benchmark_file(benchmarks, study.name, task).unlink()
    frame = collect(study, benchmarks, {})
    table1, fig2a = row(frame, "table1"), row(frame, "fig2a")
    assert (table1["jobs"], table1["jobs_without_time"]) == (8, 1)
    assert table1["minutes"] == pytest.approx((6 + 60 + 2 * 3 + 2 * 30 + 1.5) / 60, abs=1e-4)
    assert (fig2a["jobs"], fig2a["jobs_without_time"]) == (2, 2)
    assert math.isnan(fig2a["minutes"]) and math.isnan(fig2a["peak_memory_mb"])


def test_memory_of_a_short_job_is_unknown(tmp_path):
    measured = read_benchmark(write_benchmark(tmp_path / "a.tsv", ("0.4", "NA")))
    assert measured.seconds == 0.4 and math.isnan(measured.memory_mb)


def test_of_a_repeated_measurement_the_mean_counts(tmp_path):
    measured = read_benchmark(write_benchmark(tmp_path / "a.tsv", ("1.0", "10"), ("3.0", "20")))
    assert measured.seconds == 2.0
    assert measured.memory_mb == pytest.approx(20 * 2**20 / 1e6)


@pytest.mark.parametrize("content", ["", "s\tmax_rss\n", "a\tb\n1\t2\n", "s\tmax_rss\nx\t2\n"])
def test_what_is_no_measurement_is_named(tmp_path, content):
    path = tmp_path / "broken.tsv"
    path.write_text(content)
    with pytest.raises(StudyError, match=r"broken\.tsv: this is no measurement"):
        read_benchmark(path)


def test_titles_are_the_published_ones(study):
    found = runtimes.titles(study)
    assert found["fig2a"] == "LIF rate function and its smoothed version"
    assert found["curve"] == "Curve"


@pytest.mark.parametrize(
    ("minutes", "missing", "text"),
    [
        (0.01, 0, "< 0.1"),
        (0.049, 3, "-"),
        (0.05, 0, "0.1"),
        (3.44, 0, "3.4"),
        (3.44, 2, ">= 3.4"),
        (99.44, 0, "99.4"),
        (99.5, 0, "100"),
        (1234.4, 0, "1234"),
        (math.nan, 2, "-"),
    ],
)
def test_minutes_for_people(minutes, missing, text):
    assert minutes_text(minutes, missing) == text


def table_of(block):
    lines = [line for line in block.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_block_of_a_document(study, benchmarks):
    demo = collect(study, benchmarks, {})
    demo.insert(0, "study", study.name)
    paper = demo.assign(minutes=demo["minutes"] * 100, machine="Some CPU")
    paper.loc[paper["result"] == "whole study", "jobs_without_time"] = 1
    block = readme_block({"demo": demo, "paper": paper})
    header, _, *rows = table_of(block)
    assert header == ["", "demo: minutes", "demo: memory", "paper: minutes", "paper: memory"]
    cells = {name: rest for name, *rest in rows}
    whole = row(demo, "whole study")["minutes"]
    assert cells["**`thuesen2022`, everything**"] == [
        f"{whole:.1f} (19 jobs)",
        "1049 MB",
        f">= {100 * whole:.0f} (19 jobs)",
        "1049 MB",
    ]
    assert cells["Training"][0] == "4.0"
    names = [name for name in cells if name.startswith("`")]
    assert names[0] == "`thuesen2022.again`" and len(names) == 5, "the longest results first"
    assert "Measured on Some CPU (paper)" in " ".join(block.split())
    assert "`>=`" in block
    assert "`>=`" not in readme_block({"demo": demo})
    assert max(map(len, block.rpartition("|")[2].splitlines())) <= 100


def test_a_study_that_a_scale_lacks_leaves_its_cells_empty(study, benchmarks):
    demo = collect(study, benchmarks, {})
    demo.insert(0, "study", study.name)
    other = demo.assign(study="song2020")
    block = readme_block({"demo": demo, "paper": pd.concat([demo, other])})
    (line,) = [cells for cells in table_of(block) if cells[0].startswith("**`song2020`")]
    assert line[1:3] == ["", ""] and line[3].endswith("(19 jobs)")


def test_rewriting_a_block_keeps_the_rest(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\nlines\n{END}\nafter\n")
    assert rewrite_block(path, BEGIN, END, "new\n")
    assert path.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert not rewrite_block(path, BEGIN, END, "new")


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_wrong_marks_are_refused(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"README\.md: the marks .* once"):
        rewrite_block(path, BEGIN, END, "new")
    assert path.read_text() == text


def test_missing_document_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"nowhere\.md: the document is missing"):
        rewrite_block(tmp_path / "nowhere.md", BEGIN, END, "new")


@pytest.fixture
def project(project_root, study, benchmarks, tmp_path):
    """A folder that passes for a project, with run times of two scales and a reference run."""
    folder = tmp_path / "project"
    (folder / "workflow" / "schemas").mkdir(parents=True)
    frame = collect(study, benchmarks, {})
    frame.insert(0, "study", study.name)
    for place, factor in (("quick", 2), ("demo", 1), ("reference", 1000)):
        path = folder / "results" / place / "thuesen2022" / "runtimes.csv"
        path.parent.mkdir(parents=True)
        frame.assign(minutes=frame["minutes"] * factor).to_csv(path, index=False)
        Path(f"{path}.json").write_text('{"cpu": "Some CPU"}')
    (folder / "README.md").write_text(f"{BEGIN}\n{END}\n")
    return folder


def test_run_times_of_all_scales_are_found(project):
    found = find_run_times(project)
    assert list(found) == ["demo", "quick", "paper"]
    minutes = [rows[0]["minutes"] for rows in found.values()]
    assert minutes[1] == pytest.approx(2 * minutes[0])
    assert minutes[2] == pytest.approx(1000 * minutes[0])
    assert {row["machine"] for rows in found.values() for row in rows} == {"Some CPU"}


def test_an_own_run_at_the_paper_scale_goes_before_the_reference(project):
    os.replace(project / "results/quick", project / "results/paper")
    found = find_run_times(project)
    assert list(found) == ["demo", "paper"]
    assert found["paper"][0]["minutes"] == pytest.approx(2 * found["demo"][0]["minutes"])


def test_a_broken_table_is_named(project):
    (project / "results/demo/thuesen2022/runtimes.csv").write_text("study,part\na,b\n")
    with pytest.raises(
        StudyError, match="demo/thuesen2022/runtimes.csv: a table of run times has the columns"
    ):
        find_run_times(project)


def program(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "plausible.reproduction.runtimes", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_program_renews_a_document(project):
    done = program(project, "--readme", "README.md")
    assert done.returncode == 0, done.stderr
    first = (project / "README.md").read_text()
    assert "paper: minutes" in first and first.endswith(f"{END}\n")
    assert "nothing to change" in program(project, "--readme", "README.md").stdout
    assert (project / "README.md").read_text() == first


def test_program_without_run_times(project):
    for path in project.rglob("runtimes.csv"):
        path.unlink()
    done = program(project)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there are no run times") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["thuesen2022", "song2020", "oconnor2020"])
def test_limits_for_cluster_schedulers_are_three_times_what_was_measured(name):
    """Of the committed reference run; machines differ by such a factor."""
    root = Path(__file__).parents[2]
    study = load_studies(root / "workflow/studies", load_config({"scale": "paper"}))[name]
    measured = pd.read_csv(root / f"results/reference/{name}/runtimes.csv").set_index("result")
    limits = {"train": study.scale_value("training_minutes", 10)}
    limits["simulate"] = study.scale_value("simulation_minutes", 10)
    compared = 0
    for result in {*study.results} & {*measured.index}:
        minutes, memory = [5], [1500]
        for stage, task in tasks_of(study, result):
            if stage in limits:
                minutes.append(limits[stage])
            elif stage == "sweep":
                sweep = study.declaration["sweep"][re.sub(r"[.]\d+$", "", task)]
                minutes.append(sweep.get("minutes", 30))
                memory.append(sweep.get("memory_mb", 1500))
        longest = measured.loc[result, "longest_job_minutes"]
        assert not 3 * longest > max(minutes), f"{result}: {longest:.1f} min of {max(minutes)}"
        assert not measured.loc[result, "peak_memory_mb"] > max(memory), result
        compared += 1
    assert compared > 20
