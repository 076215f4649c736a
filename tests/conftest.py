"""Shared by all tests: one thread per process, and the folder with the real data files."""

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

# One thread, as in the workflow's jobs: sums are taken in one order, whatever the machine. To be
# set before numpy and torch are imported, and inherited by the processes that tests start.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import hypothesis  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

# A loaded machine is no failure, and continuous integration should fail for a change only.
hypothesis.settings.register_profile(
    "plausible", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.load_profile("plausible")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the Snakefile."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with MNIST, from PLAUSIBLE_DATA or beside the project; without one the test skips."""
    named = os.environ.get("PLAUSIBLE_DATA")
    folders = [Path(named)] if named else []
    for folder in [*folders, ROOT.parent / "shared" / "data"]:
        for place in (folder / "mnist", folder):
            if any(place.glob("train-images-idx3-ubyte*")):
                return folder
    pytest.skip("MNIST is not on this machine: set PLAUSIBLE_DATA to the folder that holds it")


@pytest.fixture
def write_idx() -> Callable[..., Path]:
    """Function that writes an array of bytes as an IDX file, compressed if the name ends in .gz."""

    def write(path: Path, array: np.ndarray, magic: int | None = None) -> Path:
        magic = 0x800 + array.ndim if magic is None else magic
        content = (
            struct.pack(f">I{array.ndim}I", magic, *array.shape) + array.astype("u1").tobytes()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write


@pytest.fixture
def idx_folder(tmp_path, write_idx) -> Path:
    """Folder with a small data set of ten classes and 5 x 7 pixels, two files plain and two .gz."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "own digits"
    for part, count, suffix in (("train", 40, ".gz"), ("t10k", 20, "")):
        images = rng.integers(0, 256, (count, 5, 7))
        write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count) % 10)
    return folder
