"""Compiled code must not outlive the sources it was compiled from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from plausible import kernels
from plausible.kernels import compiled_code_folder

SCRIPT = "import plausible.kernels.blocks, numba; print(numba.config.CACHE_DIR)"


def cache_folder(**environment):
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


def test_a_change_of_any_module_of_the_room_gives_another_folder(tmp_path):
    (tmp_path / "inner.py").write_text("def f(x):\n    return x\n")
    (tmp_path / "outer.py").write_text("from inner import f\n")
    before = compiled_code_folder(tmp_path)
    assert compiled_code_folder(tmp_path) == before
    (tmp_path / "inner.py").write_text("def f(x):\n    return 2 * x\n")
    assert compiled_code_folder(tmp_path) != before


def test_numba_uses_the_folder_unless_the_user_names_one(tmp_path):
    own = compiled_code_folder(Path(kernels.__file__).parent)
    assert cache_folder() == str(own)
    assert cache_folder(NUMBA_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_where_the_sources_cannot_be_written_to_another_folder_serves_all_jobs(
    tmp_path, monkeypatch
):
    room, run, home = tmp_path / "room", tmp_path / "run", tmp_path / "home"
    for folder in (room, run, home):
        folder.mkdir()
    (room / "inner.py").write_text("value = 1\n")
    (room / "__pycache__").write_text("no folder, so nothing can be written into it")
    monkeypatch.chdir(run)
    monkeypatch.setenv("HOME", str(home))
    assert compiled_code_folder(room).parent == home / ".cache" / "plausible"
    (run / ".snakemake").mkdir()
    found = compiled_code_folder(room)
    assert found.parent == run / ".snakemake" and found == compiled_code_folder(room)
    shutil.rmtree(run / ".snakemake")
    shutil.rmtree(home / ".cache" / "plausible")
    (home / ".cache" / "plausible").write_text("no folder either")
    last = compiled_code_folder(room)
    assert last.is_dir() and not last.is_relative_to(tmp_path / "home")
