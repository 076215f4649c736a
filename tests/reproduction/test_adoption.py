"""Which results of a checkout are taken as they are."""

import json
import os

import pytest

from plausible.files import sha256_of
from plausible.reproduction.adoption import adopt_results, came_with_the_checkout


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
