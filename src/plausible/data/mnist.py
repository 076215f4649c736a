"""MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels, in the original order.

The four published files are looked for in a folder, else downloaded from one of several mirrors;
either way they must have the published checksums.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from plausible.data import idx
from plausible.data.dataset import Dataset, make_dataset
from plausible.errors import DataError
from plausible.files import atomic_path, sha256_of

WHITE = 255
SHAPE = (28, 28)
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
CONNECTION_TIMEOUT_S = 20.0


class SourceFile(NamedTuple):
    """One of the four files of MNIST, or of a data set made in its likeness."""

    name: str
    """Name of the plain file; the published one is compressed and ends in .gz."""
    holds: str
    """``images`` or ``labels``."""
    gzip_sha256: str
    """SHA-256 of MNIST's published .gz file."""
    plain_sha256: str
    """SHA-256 of its content."""


FILES = (
    SourceFile(
        "train-images-idx3-ubyte",
        "images",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    SourceFile(
        "train-labels-idx1-ubyte",
        "labels",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    SourceFile(
        "t10k-images-idx3-ubyte",
        "images",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    SourceFile(
        "t10k-labels-idx1-ubyte",
        "labels",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Folder for data files: ``data_dir``, else PLAUSIBLE_DATA, else the user's cache."""
    named = data_dir or os.environ.get("PLAUSIBLE_DATA")
    if named:
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("plausible"))


def search_folders(data_dir: str | Path | None = None) -> list[Path]:
    """Folders in which MNIST is looked for: ``<folder>/mnist`` and the folder itself."""
    folder = data_folder(data_dir)
    return [folder / "mnist", folder]


def find_file(file: SourceFile, folders: Sequence[Path]) -> Path | None:
    """The first of ``<folder>/<name>.gz`` and ``<folder>/<name>`` that is there, or None."""
    for folder in folders:
        for name in (f"{file.name}.gz", file.name):
            if (folder / name).is_file():
                return folder / name
    return None


def prepare_mnist(data_dir: str | Path | None = None) -> Dataset:
    """MNIST as a Dataset, read from disk, after a download if it is not there.

    Raises
    ------
    DataError
        If a file is damaged, or is missing and cannot be downloaded.
    """
    folders = search_folders(data_dir)
    arrays = []
    for file in FILES:
        path = find_file(file, folders) or download(file, folders[0])
        read = idx.read_images if file.holds == "images" else idx.read_labels
        arrays.append(read(path))
        _check(path, file)
    return make_dataset("mnist", *arrays, SHAPE, WHITE)


def _check(path: Path, file: SourceFile) -> None:
    expected = file.gzip_sha256 if path.suffix == ".gz" else file.plain_sha256
    found = sha256_of(path)
    if found != expected:
        raise DataError(
            f"{path}: the file is not the published one, its SHA-256 is {found} where {expected} "
            "is expected; delete it, and it is downloaded again."
        )


def download(
    file: SourceFile,
    folder: Path,
    mirrors: Sequence[str] = MIRRORS,
    fetch: Callable[[str, Path], None] | None = None,
) -> Path:
    """Download ``file`` into ``folder`` from the first mirror that gives it undamaged.

    ``fetch(url, path)`` does the transfer (default: pooch, with a progress bar on a terminal).

    Raises
    ------
    DataError
        If no mirror does: one sentence that names the file, its checksum, where to put it, and
        the scale that needs no download.
    """
    name = f"{file.name}.gz"
    target = folder / name
    reasons = []
    for mirror in mirrors:
        print(f"Downloading {mirror}{name}", file=sys.stderr, flush=True)
        try:
            with atomic_path(target) as temporary:
                (fetch or _fetch)(mirror + name, temporary)
                found = sha256_of(temporary)
                if found != file.gzip_sha256:
                    raise OSError(f"it gave a file with the SHA-256 {found}")
            return target
        except OSError as error:  # every error of requests is an OSError
            reasons.append(f"{mirror.split('/')[2]}: {_first_line(error)}")
    raise DataError(
        f"{target}: this file of MNIST (SHA-256 {file.gzip_sha256}) is missing and could not be "
        f"downloaded ({'; '.join(reasons)}); put it there, or name the folder that holds it by "
        "data.dir in the configuration or by the environment variable PLAUSIBLE_DATA, or use "
        "`scale: demo`, which needs no download."
    )


def _fetch(url: str, path: Path) -> None:
    import pooch

    progress = sys.stderr.isatty()
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=CONNECTION_TIMEOUT_S)
    downloader(url, str(path), None)


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
