"""Which results of a checkout are taken as they are."""

import json
import os
import shutil

import pytest

from plausible.errors import StudyError
from plausible.files import sha256_of
from plausible.reproduction.adoption import (
    adopt_results,
    came_with_the_checkout,
    check_folders,
    set_aside_changed,
)


@pytest.fixture
def chain(tmp_path):
    """outside -> a -> b -> c, with times in the wrong order."""
    folder = tmp_path / "results"
    folder.mkdir()
    outside = tmp_path / "outside.yaml"
    outside.write_text("published")
    os.utime(outside, (3000, 3000))
    inputs = {"outside.yaml": sha256_of(outside)}
    for age, name in enumerate("abc"):
        path = folder / f"{name}.csv"
        path.write_text(name)
        record = {"sha256": sha256_of(path), "inputs": inputs}
        (folder / f"{name}.csv.json").write_text(json.dumps(record))
        os.utime(path, (1000 - age, 1000 - age))
        inputs = {f"results/{name}.csv": sha256_of(path)}
    return tmp_path


def times(root):
    return [int((root / "results" / f"{name}.csv").stat().st_mtime) for name in "abc"]


def test_consistent_results_get_one_time(chain):
    assert [path.name for path in adopt_results("results", chain)] == ["a.csv", "b.csv", "c.csv"]
    assert set(times(chain)) == {3000}, "no older than any input"


def test_what_follows_a_changed_file_is_left_alone(chain):
    (chain / "results/b.csv").write_text("changed by hand")
    os.utime(chain / "results/b.csv", (2000, 2000))
    assert [path.name for path in adopt_results("results", chain)] == ["a.csv"]
    assert times(chain) == [3000, 2000, 998]


def test_a_changed_input_from_outside_adopts_nothing_that_depends_on_it(chain):
    (chain / "outside.yaml").write_text("corrected")
    assert adopt_results("results", chain) == []


def test_a_file_without_readable_provenance_is_left_alone(chain):
    (chain / "results/a.csv.json").write_text("{")
    assert adopt_results("results", chain) == []


def test_records_of_snakemake_are_seen(tmp_path):
    assert came_with_the_checkout(tmp_path)
    (tmp_path / ".snakemake/metadata").mkdir(parents=True)
    assert came_with_the_checkout(tmp_path)
    (tmp_path / ".snakemake/metadata/x").touch()
    assert not came_with_the_checkout(tmp_path)


def test_a_changed_file_is_set_aside_and_kept(chain):
    adopt_results("results", chain)
    folder = chain / "results"
    assert set_aside_changed(folder) == []
    (folder / "b.csv").write_text("by hand")
    os.utime(folder / "c.csv")  # touched, and as it was
    assert set_aside_changed(folder) == [folder / "b.csv.changed"]
    assert (folder / "b.csv.changed").read_text() == "by hand"
    assert not (folder / "b.csv").exists() and (folder / "c.csv").exists()


def test_in_a_copy_every_file_is_looked_at(chain):
    path = chain / "results/a.csv"
    path.write_text("by hand")
    os.utime(path, (1, 1))
    assert set_aside_changed(chain / "results") == []
    assert [path.name for path in set_aside_changed(chain / "results", every=True)] == [
        "a.csv.changed"
    ]


def test_places_where_nothing_can_be_written(tmp_path):
    check_folders([tmp_path, tmp_path / "none"])
    (tmp_path / "results").touch()
    with pytest.raises(StudyError, match="results: a file stands where"):
        check_folders([tmp_path / "results"])
    locked = tmp_path / "logs"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("the superuser may write anywhere")
    with pytest.raises(StudyError, match="logs: the folder cannot be written to"):
        check_folders([locked])


def test_a_full_disk_is_told_before_anything_starts(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=4096))
    with pytest.raises(StudyError, match="the disk is full; free some space"):
        check_folders([tmp_path])
    check_folders([tmp_path / "none"])
