"""The list of results: complete, with targets that exist, and quiet when its reader stops."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.errors import ConfigError
from plausible.reproduction.declaration import short_name
from plausible.reproduction.listing import (
    Line,
    format_long,
    format_short,
    known_minutes,
    lines_of,
    main,
    not_made,
    read_configuration,
    read_study,
)
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.runtimes import COLUMNS

STUDY = "thuesen2022"


@pytest.fixture(scope="module")
def study(project_root):
    return read_study(project_root, STUDY, read_configuration(project_root))


@pytest.fixture(scope="module")
def published(project_root):
    return load_published(published_folder(STUDY, project_root))


def write_minutes(root: Path, scale: str, **minutes: float) -> None:
    path = root / "results" / scale / STUDY / "runtimes.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        [STUDY, "result", name, "", 3, 0, value, value, 100.0] for name, value in minutes.items()
    ]
    rows.append([STUDY, "study", "whole study", "", 9, 1, 77.7, 1.0, 100.0])
    pd.DataFrame(rows, columns=["study", *COLUMNS]).to_csv(path, index=False)


def program(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "plausible.reproduction.listing", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_every_result_has_a_line_and_every_entry_is_accounted_for(study, published):
    lines = lines_of(study, published, {})
    assert [line.identifier for line in lines] == [f"{STUDY}.{name}" for name in study.results]
    assert all(line.title and line.kind for line in lines)
    assert [line.target for line in lines] == [short_name(STUDY, name) for name in study.results]
    left = [name for names in not_made(study, published).values() for name in names]
    assert {line.identifier for line in lines} | set(left) >= set(published.entries)
    assert not {line.identifier for line in lines} & set(left)


def test_what_is_not_made_is_not_reproducible(study, published):
    assert set(not_made(study, published)) <= {"illustration only", "needs external data"}


def test_titles_and_kinds_are_the_published_ones_or_the_study_files(study, published):
    lines = {line.identifier: line for line in lines_of(study, published, {})}
    entry = published.entries[f"{STUDY}.fig2a"]
    assert lines[f"{STUDY}.fig2a"][1:3] == (entry["title"], entry["kind"])
    beyond = lines[f"{STUDY}.beyond.energy"]
    assert beyond[1:3] == (study.results["beyond.energy"]["title"], "figure")
    assert lines[f"{STUDY}.theorems"].kind == "table"


def test_minutes_stand_with_their_scale(study, published, tmp_path):
    write_minutes(tmp_path, "paper", table1=91.26, fig2a=0.01)
    write_minutes(tmp_path, "demo", table1=1.54)
    minutes = known_minutes(tmp_path)
    assert list(minutes) == ["demo", "paper"]
    lines = {line.identifier: line for line in lines_of(study, published, minutes)}
    assert lines[f"{STUDY}.table1"].minutes == ("1.5", "91.3")
    assert lines[f"{STUDY}.fig2a"].minutes == ("-", "< 0.1")
    assert lines[f"{STUDY}.fig2b"].minutes == ("-", "-")


LINES = [
    Line("a.one", "A title of forty characters, as it seems", "figure", "a_one", ("1.5", "-")),
    Line("a.two.long", "Short", "claim", "a_two_long", (">= 12.0", "100")),
]


def test_the_short_list_has_targets_minutes_of_one_scale_and_titles_that_fit():
    header, first, second = format_short(LINES, 0, "demo", 40).splitlines()
    assert header.split() == ["target", "demo", "min", "title"]
    assert first == "a_one            1.5  A title of fort..."
    assert second == "a_two_long   >= 12.0  Short" and len(first) <= 40
    assert format_short(LINES, None, "quick", 60).splitlines()[1].split()[:2] == ["a_one", "-"]


def test_columns_of_the_long_list_are_aligned():
    header, *rows = format_long(LINES, ["demo", "paper"]).splitlines()
    for column, title in (("title", 1), ("kind", 2), ("short target", 3)):
        start = header.index(column)
        shown = zip(rows, LINES, strict=True)
        assert all(row[start:].startswith(line[title]) for row, line in shown)
        assert all(row[start - 2 : start] == "  " for row in rows)
    ends = [header.index("demo min") + len("demo min"), len(header)]
    assert rows[0][: ends[0]].endswith(" 1.5") and rows[1][: ends[0]].endswith(">= 12.0")
    assert rows[0].endswith("-") and rows[1].endswith("100")
    assert {len(row) for row in (header, *rows)} == {ends[1]}


def test_the_program_prints_narrow_lines_and_everything_on_request(project_root):
    done = program(folder=project_root)
    assert max(map(len, done.stdout.splitlines())) <= 100 and "demo min" in done.stdout
    assert re.search(r"^thuesen2022_table1 ", done.stdout, re.MULTILINE)
    assert "without a target" not in done.stdout


def test_program_lists_and_loads_nothing_heavy(project_root):
    code = (
        "import sys\n"
        "from plausible.reproduction.listing import main\n"
        "assert main(['--study', 'thuesen2022', '--all']) == 0\n"
        "heavy = {'torch', 'pandas', 'numpy', 'numba', 'matplotlib', 'snakemake'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^thuesen2022\.table1 .* thuesen2022_table1\b", done.stdout, re.MULTILINE)
    assert "thuesen2022.claim.hardware" in done.stdout.partition("without a target")[2]


def test_a_reader_that_stops_early_is_no_error(project_root):
    writer = subprocess.Popen(
        [sys.executable, "-u", "-m", "plausible.reproduction.listing"],
        cwd=project_root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    writer.stdout.close()
    assert writer.stderr.read() == ""
    assert writer.wait() == 0
    writer.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--study", "thuesen2202"), ["thuesen2202", "nearest: `thuesen2022`"]),
        (("--configfile", "nowhere.yaml"), ["nowhere.yaml", "missing"]),
    ],
)
def test_a_wrong_argument_gives_one_sentence(project_root, arguments, words):
    done = program(*arguments, folder=project_root)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words)


def test_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "--configfile" in shown and "--study" in shown


@pytest.fixture
def project(project_root, tmp_path):
    (tmp_path / "workflow").mkdir()
    for name in ("schemas", "studies"):
        (tmp_path / "workflow" / name).symlink_to(project_root / "workflow" / name)
    base = {"scale": "demo", "overrides": {"snn": {"epochs": 3, "batch_size": 16}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(base))
    return tmp_path


def test_a_file_is_laid_over_as_snakemake_does(project):
    """Mappings merge at every depth, lists and values replace."""
    update_config = pytest.importorskip("snakemake.utils").update_config
    over = {
        "scale": "paper",
        "seeds": [4],
        "overrides": {"snn": {"epochs": 9}, "ffnn": {"epochs": 1}},
    }
    (project / "mine.yaml").write_text(yaml.safe_dump(over))
    expected = yaml.safe_load((project / "config.yaml").read_text())
    update_config(expected, over)
    config = read_configuration(project, project / "mine.yaml")
    assert {key: config[key] for key in expected} == expected
    assert config["overrides"]["snn"] == {"epochs": 9, "batch_size": 16}
    assert read_configuration(project, project / "mine.yaml", scale="quick")["scale"] == "quick"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scale: [", "no valid YAML"),
        ("- demo", "where keys with values are expected"),
        ("scael: demo", "no known key"),
    ],
)
def test_a_wrong_file_is_refused(project, text, sentence):
    (project / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        read_configuration(project, project / "mine.yaml")


def test_an_empty_file_changes_nothing(project):
    (project / "mine.yaml").write_text("# nothing\n")
    assert read_configuration(project, project / "mine.yaml") == read_configuration(project)
