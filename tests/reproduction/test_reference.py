"""The reference run, copied from a synthetic run."""

import json
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from plausible.errors import StudyError
from plausible.files import sha256_of
from plausible.reproduction import reference, reference_again, reference_staging
from plausible.reproduction.listing import read_study
from plausible.reproduction.reference import main, make_reference, run_configuration
from plausible.reproduction.reference_again import make_again
from plausible.reproduction.reference_sources import PICTURE_LIMIT
from plausible.reproduction.reference_staging import LIMIT
from plausible.reproduction.runtimes import COLUMNS, find_run_times

ROOT = Path(__file__).resolve().parents[2]
NAME = "thuesen2022"
RUN = f"results/paper/{NAME}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLISHED = "workflow/published/thuesen2022/table1.yaml"
NETWORK = f"{RUN}/train/one.corrected.0.csv"
MACHINE = {
    "python": "3.11.7",
    "platform": "Linux",
    "cpu": "Some CPU",
    "cpu_cores": 2,
    "gpu": None,
    "packages": {"plausible": "0.1.0", "numpy": "2.4.6"},
}


PAGE = (
    f'<a href="../../results/reference/{NAME}/curve.csv">data</a>'
    '<a href="#top">up</a><a href="https://example.org/x">far</a>'
    f'<a href="{NAME}.ipynb">notebook</a>'
    '<img data-picture="curve" src="data:image/svg+xml,%3Csvg/%3E" alt="a curve">'
)


@pytest.fixture(autouse=True)
def executed(monkeypatch):
    """Reports made without a kernel, and the parameters that they were given."""
    given = []

    def render(templates, parameters, ipynb, pages, log, terms):
        given.append((list(templates), dict(parameters)))
        output = nbformat.v4.new_output("display_data", data={"text/html": render.page})
        cells = [nbformat.v4.new_code_cell(repr(parameters["results_dir"]), outputs=[output])]
        ipynb.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
        for page in pages.values():
            page.write_text(render.page)

    render.page, render.given = PAGE, given
    monkeypatch.setattr(reference_staging, "render_notebook", render)
    return render


class FakeRun:
    """A finished run of a small study in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write_study()
        outside = PUBLISHED
        self.put(NETWORK, "seed,step\n0,1\n", "train", [])
        self.put(f"{RUN}/curve.csv", "seed,x\n0,1.5\n", "tabulate_result", [NETWORK])
        self.put(f"{RUN}/numbers.csv", "seed,x\n0,2.5\n", "tabulate_result", [NETWORK])
        for suffix in ("svg", "png"):
            self.put(f"{RUN}/curve.{suffix}", f"<{suffix}/>", "draw_figure", [f"{RUN}/curve.csv"])
        self.put(f"{RUN}/numbers.md", "| x |\n", "write_markdown", [f"{RUN}/numbers.csv", outside])
        verdicts = pd.DataFrame(
            {"id": ["a", "b", "c"], "verdict": ["differs", *["reproduced"] * 2]}
        )
        tables = [f"{RUN}/curve.csv", f"{RUN}/numbers.csv", outside]
        for name in ("verdicts", "entries"):
            self.put(f"{RUN}/{name}.csv", verdicts.to_csv(index=False), "judge_results", tables)
        times = pd.DataFrame(
            [[NAME, "study", "whole study", "All", 9, 0, 91.25, 8.0, 812.3]],
            columns=["study", *COLUMNS],
        )
        times_file = f"{RUN}/runtimes.csv"
        self.put(times_file, times.to_csv(index=False), "collect_run_times", tables[:2])

    def write_study(self) -> None:
        whole = yaml.safe_load((ROOT / f"workflow/studies/{NAME}/study.yaml").read_text())
        part = {
            "train": {"one": {"title": "a run", "only_protocols": ["corrected"]}},
            "results": {
                "curve": {"title": "A", "from": {"train": ["one"]}, "figure": "table1_figure"},
                "numbers": {
                    "title": "B",
                    "from": {"train": ["one"]},
                    "markdown": "table1_markdown",
                },
                "again": {"title": "C", "data": "numbers"},
            },
        }
        files = {"study": whole | {"parts": ["table1"]}, "table1": part}
        for folder in ("studies", "published"):
            (self.root / "workflow" / folder / NAME).mkdir(parents=True)
        (self.root / "workflow/schemas").symlink_to(ROOT / "workflow/schemas")
        for name, content in files.items():
            path = self.root / f"workflow/studies/{NAME}/{name}.yaml"
            path.write_text(yaml.safe_dump(content))
        (self.root / PUBLISHED).write_text("published")
        (self.root / "config.yaml").write_text(f"scale: demo\nstudies: [{NAME}]\nseeds: [0, 1]\n")

    def put(self, name: str, content: str, rule: str, inputs, **changes) -> None:
        """Write a file with its provenance."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        record = {
            "file": name,
            "sha256": sha256_of(path),
            "rule": rule,
            "settings": {"comparable": True},
            "inputs": {source: sha256_of(self.root / source) for source in inputs},
            "git_commit": COMMIT,
            "git_clean": True,
            **MACHINE,
            **changes,
        }
        Path(f"{path}.json").write_text(json.dumps(record))

    def change_record(self, name: str, **changes) -> None:
        path = self.root / f"{name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def enlarge(self, name: str, size: int) -> None:
        """Make a file larger, and all provenance consistent with it."""
        path = self.root / name
        path.write_text(path.read_text() + " " * size)
        self.change_record(name, sha256=sha256_of(path))
        for side_car in self.root.glob("*/paper/**/*.json"):
            record = json.loads(side_car.read_text())
            if name in record["inputs"]:
                record["inputs"][name] = sha256_of(path)
                side_car.write_text(json.dumps(record))

    @property
    def study(self):
        return read_study(self.root, NAME, run_configuration(self.root, "paper"))

    def make(self, **options):
        return make_reference(self.root, self.study, **options)

    @property
    def made(self) -> Path:
        return self.root / "results/reference" / NAME

    @property
    def reports(self) -> Path:
        return self.root / "reports/reference"


@pytest.fixture
def run(tmp_path):
    return FakeRun(tmp_path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".json"}


def test_what_is_copied(run):
    summary = run.make()
    assert names(run.made) == {
        *("curve.csv", "curve.svg", "numbers.csv", "numbers.md"),
        *("verdicts.csv", "entries.csv", "runtimes.csv", "README.md"),
    }
    assert names(run.reports) == {f"{NAME}.html", f"{NAME}.table1.html", f"{NAME}.ipynb"}
    files = [path for folder in (run.made, run.reports) for path in folder.iterdir()]
    assert (summary.files, summary.size) == (len(files), sum(p.stat().st_size for p in files))
    assert summary.verdicts == {"reproduced": 2, "differs": 1}
    assert list((run.root / "results/reference").iterdir()) == [run.made], "nothing temporary stays"


def test_every_copy_has_its_provenance(run):
    run.make()
    for path in [*run.made.iterdir(), *run.reports.iterdir()]:
        if path.suffix != ".json" and path.name != "README.md":
            record = json.loads(Path(f"{path}.json").read_text())
            assert record["sha256"] == sha256_of(path), path.name
            made_here = "copied_from" in record or path.parent == run.reports
            place = record["file"] if made_here else None
            assert place in (None, str(path.relative_to(run.root)))
    same = (run.made / "curve.csv.json").read_bytes()
    assert same == (run.root / f"{RUN}/curve.csv.json").read_bytes()


def test_run_times_are_those_of_the_study(run):
    run.make()
    frame = pd.read_csv(run.made / "runtimes.csv")
    assert list(frame["study"]) == [NAME] and list(frame["minutes"]) == [91.25]
    assert find_run_times(run.root)["paper"][0]["peak_memory_mb"] == 812.3


def test_the_report_is_executed_on_the_copied_files(run, executed):
    summary = run.make()
    ((templates, parameters),) = executed.given
    assert templates == [
        f"workflow/notebooks/{NAME}/{n}.md" for n in ("study", "table1", "closing")
    ]
    assert parameters["scale"] == "paper" and parameters["reference_dir"] is None
    assert summary.dead_links == ()
    for suffix in ("html", "ipynb"):
        text = (run.reports / f"{NAME}.{suffix}").read_text()
        assert "../../results/reference/thuesen2022/curve.svg" in text and "data:" not in text
        assert ".partial" not in text and str(run.root) not in text


def test_dead_links_are_reported(run, executed):
    lost = ("nowhere.html", "../../results/reference/thuesen2022/lost.csv")
    executed.page += "".join(f'<a href="{place}">x</a>' for place in lost)
    assert run.make().dead_links == lost


def test_a_large_picture_is_kept_as_png(run):
    run.enlarge(f"{RUN}/curve.svg", PICTURE_LIMIT)
    assert run.make().dead_links == ()
    assert {"curve.png"} == {name for name in names(run.made) if name.startswith("curve.p")}
    assert not (run.made / "curve.svg").exists()
    assert "curve.png" in (run.reports / f"{NAME}.html").read_text()
    assert "PNG instead of SVG: `curve`" in (run.made / "README.md").read_text()


def readme(run) -> str:
    return (run.made / "README.md").read_text()


def test_the_page_says_where_the_run_comes_from(run):
    run.make()
    text = readme(run)
    for fact in (
        f"`{COMMIT}`, with a clean tree",
        "| data set | `mnist` |",
        "| seeds | 0, 1 |",
        "| machine | Some CPU, 2 cores, no GPU used |",
        "| packages | plausible 0.1.0, numpy 2.4.6 |",
        "| time | 91.2 minutes on one core, 9 jobs |",
        "| memory | 812 MB in the largest job |",
        "| reproduced | 2 |",
        "| differs | 1 |",
        f"git checkout {COMMIT}",
        "snakemake --cores 8 all --config scale=paper",
    ):
        assert fact in text, fact
    page = f"../../../reports/reference/{NAME}"
    for link in ("verdicts.csv", f"{page}.html", f"{page}.ipynb"):
        assert f"]({link})" in text and (run.made / link).is_file()
    assert str(run.root) not in text


def test_the_page_gives_the_date_of_the_commit(run):
    git = ["git", "-C", str(run.root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    dated = ["--date=2026-01-02T03:04:05Z", "--allow-empty", "-q", "-m", "code"]
    environment = {"GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z", "PATH": "/usr/bin:/bin"}
    subprocess.run([*git, "commit", *dated], check=True, env=environment)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    commit = head.stdout.strip()
    for side_car in run.root.rglob("*.json"):
        run.change_record(
            str(side_car.relative_to(run.root)).removesuffix(".json"), git_commit=commit
        )
    run.make()
    assert f"commit `{commit}` of 2026-01-02, with a clean tree" in readme(run)


MIXED = [
    (NETWORK, {"git_commit": "fedcba"}, "fedcba"),
    (f"{RUN}/curve.svg", {"git_clean": False}, "with uncommitted changes"),
    (f"{RUN}/curve.csv", {"git_commit": None, "git_clean": None}, "unknown code"),
]


@pytest.mark.parametrize(("name", "changes", "words"), MIXED)
def test_mixed_code_is_refused_or_named(run, name, changes, words):
    """Also of files that are not copied, like those of the trainings."""
    run.change_record(name, **changes)
    with pytest.raises(StudyError, match=rf"not made by one commit.*{words}.*--allow-mixed"):
        run.make()
    assert not run.made.exists()
    run.make(allow_mixed=True)
    text = readme(run)
    rule = json.loads((run.root / f"{name}.json").read_text())["rule"]
    code = text.partition("## Code")[2].partition("## Files")[0]
    rows = [line for line in code.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 2
    (line,) = [line for line in rows if words in line]
    assert line.endswith(f"| {rule} 1 |"), "one file of this rule was made so"
    assert "not made by one commit" in text and "git checkout" not in text


def test_uncommitted_code_of_one_commit_is_named(run):
    for side_car in run.root.rglob("*.json"):
        name = str(side_car.relative_to(run.root)).removesuffix(".json")
        run.change_record(name, git_clean=False)
    with pytest.raises(StudyError, match="0123456789 with uncommitted changes; run it again"):
        run.make()
    run.make(allow_mixed=True)
    assert "**uncommitted changes in the tree**" in readme(run)


@pytest.mark.parametrize(
    "name",
    [
        *(f"{RUN}/{file}" for file in ("curve.csv", "curve.png", "numbers.md", "verdicts.csv")),
        f"{RUN}/runtimes.csv",
    ],
)
def test_an_incomplete_run_is_refused(run, name):
    (run.root / name).unlink()
    with pytest.raises(StudyError, match=rf"not complete: 1 of 8 files .* first is {name};"):
        run.make()


@pytest.mark.parametrize("name", [f"{RUN}/curve.csv", NETWORK])
def test_missing_provenance_is_refused(run, name):
    (run.root / f"{name}.json").unlink()
    with pytest.raises(StudyError, match=f"{name}: its provenance .* is missing"):
        run.make()


def test_broken_provenance_is_refused(run):
    (run.root / f"{NETWORK}.json").write_text("{")
    with pytest.raises(StudyError, match="this is no provenance"):
        run.make()


@pytest.mark.parametrize("name", [f"{RUN}/numbers.csv", NETWORK])
def test_a_file_changed_by_hand_is_refused(run, name):
    with open(run.root / name, "a") as stream:
        stream.write("0,9.9\n")
    with pytest.raises(StudyError, match=f"{name}"):
        run.make()


def test_results_of_other_inputs_are_refused(run):
    (run.root / PUBLISHED).write_text("corrected")
    with pytest.raises(StudyError, match=r"made from another version of workflow/published"):
        run.make()
    run.put(NETWORK, "seed,step\n0,2\n", "train", [])
    with pytest.raises(StudyError, match=f"another version of {NETWORK}"):
        run.make()


def test_other_settings_than_published_are_refused(run):
    run.change_record(f"{RUN}/verdicts.csv", settings={"comparable": False})
    with pytest.raises(StudyError, match="judged as not comparable"):
        run.make()


def test_too_large_a_run_is_refused_and_nothing_changes(run):
    run.make()
    before = {path: path.read_bytes() for path in run.made.iterdir()}
    run.enlarge(f"{RUN}/numbers.csv", LIMIT)
    allowed = LIMIT // 1_000_000
    message = rf"{allowed}\.0 MB, and {allowed} MB are allowed; .* numbers\.csv \({allowed}000 kB\)"
    with pytest.raises(StudyError, match=message):
        run.make()
    assert {path: path.read_bytes() for path in run.made.iterdir()} == before
    assert list((run.root / "results/reference").iterdir()) == [run.made]


def test_a_second_run_replaces_the_first(run):
    run.make()
    (run.made / "old.csv").write_text("of a result that is gone")
    (run.reports / "song2020.html").write_text("another study")
    (run.reports / f"{NAME}.old.html").write_text("of a part that is gone")
    run.make()
    assert "old.csv" not in names(run.made)
    assert "song2020.html" in names(run.reports)
    assert f"{NAME}.old.html" not in names(run.reports)


def test_verdicts_can_be_made_again_from_the_tables(run, monkeypatch):
    run.make()
    before = {path.name: path.read_bytes() for path in run.made.iterdir()}
    judged = []

    def judge(study, tables, scale, published, comparable, partial):
        judged.append((study, sorted(tables), scale, comparable and partial))
        verdicts = {"id": ["a", "b"], "verdict": ["differs", "differs"], "duplicate_of": ""}
        return pd.DataFrame(verdicts)

    monkeypatch.setattr(reference_again, "verdict_table", judge)
    monkeypatch.setattr(reference_again, "load_published", lambda *given: None)
    monkeypatch.setattr(reference_again, "entry_verdicts", lambda verdicts, published: verdicts)
    shown = []
    monkeypatch.setattr(reference_again, "_show_again", lambda *given: shown.append(given[2]))
    summary = make_again(run.root, run.study)
    # Tables of the run that is still there count as later ones; without it the old ones stay.
    assert judged == [(NAME, ["curve", "numbers"], "paper", True)]
    assert summary.verdicts == {"differs": 2} and set(shown) == set(run.study.results)
    changed = {name for name in before if (run.made / name).read_bytes() != before[name]}
    told_again = ("verdicts", "entries", "runtimes")
    judged_again = {f"{name}.csv{end}" for name in told_again for end in ("", ".json")}
    assert changed == {*judged_again, "README.md"}
    record = json.loads((run.made / "verdicts.csv.json").read_text())
    assert record["sha256"] == sha256_of(run.made / "verdicts.csv")
    text = readme(run)
    assert "| differs | 2 |" in text and "| reproduced |" not in text
    assert "made again from the tables, later" in text and f"`{COMMIT}`, with a clean" in text
    assert f"All tables belong to commit `{COMMIT}`, with a clean" in text and "## Code" not in text
    make_again(run.root, run.study)
    assert readme(run) == text
    run.change_record(f"{RUN}/curve.csv", git_clean=False)
    with pytest.raises(StudyError, match="not made by one commit with a clean tree"):
        make_again(run.root, run.study)
    for name in ("curve", "numbers"):
        (run.root / RUN / f"{name}.csv").unlink()
    (run.made / "numbers.csv").unlink()
    make_again(run.root, run.study)
    assert judged[-1] == (NAME, ["curve"], "paper", True) and shown[-1] == "curve"
    assert "Not in this run, because it is older: `numbers`" in readme(run)
    make_again(run.root, run.study, ["curve"], "the demo run gives the same")
    record = json.loads((run.made / "curve.csv.json").read_text())
    commit = reference_staging.code_state()["git_commit"]
    assert record["carried_over"] == {"to": commit, "because": "the demo run gives the same"}
    said = f"carried over to `{commit}`, because the demo run gives the same."
    assert said in readme(run)
    make_again(run.root, run.study)
    assert said in readme(run)
    assert f"| seeds | {', '.join(map(str, run.study.seeds))} |" in readme(run)
    for name, because in (("curve", ""), ("numbers", "of something")):
        with pytest.raises(StudyError, match=f"--carry {name}: found no"):
            make_again(run.root, run.study, [name], because)
    (run.made / "README.md").unlink()
    with pytest.raises(StudyError, match="there is no reference run"):
        make_again(run.root, run.study)


def test_a_failure_while_swapping_keeps_the_old_run(run, monkeypatch):
    run.make()
    before = names(run.made)
    rename = reference_staging.os.rename

    def failing(source, target):
        if Path(source).name == "results":
            raise OSError("no space")
        rename(source, target)

    monkeypatch.setattr(reference_staging.os, "rename", failing)
    with pytest.raises(OSError, match="no space"):
        run.make()
    assert names(run.made) == before


def test_the_program(run, capsys, monkeypatch):
    # The page itself is tested with the reports; the verdicts here have fewer columns.
    pages = []
    monkeypatch.setattr(reference, "write_reference_index", lambda *given: pages.append(given))
    # The run kept its configuration; what config.yaml says now does not matter.
    (run.root / "results/paper/config.yaml").write_text(
        f"scale: paper\nstudies: [{NAME}]\nseeds: [7]\n"
    )
    (run.root / "config.yaml").write_text(f"studies: [{NAME}]\noverrides: {{one: {{epochs: 1}}}}\n")
    assert run_configuration(run.root, "paper")["overrides"] == {}
    assert main(["--root", str(run.root)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"results/reference/{NAME}: ") and "2 reproduced, 1 differs" in shown
    assert "| seeds | 7 |" in readme(run)
    assert pages == [(run.root,)]
    (run.root / f"{RUN}/curve.csv").unlink()
    assert main(["--root", str(run.root), "--study", NAME]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: ") and errors.count("\n") == 1
