"""Files that data sets consist of: found in a folder, else downloaded, and checked either way."""

import gzip
import hashlib
import os
import sys
import textwrap
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plausible.errors import DataError

CONNECTION_TIMEOUT_S = 20.0


class PublishedFile(NamedTuple):
    """A file whose content is known; it may lie there plain or as ``<name>.gz``."""

    name: str
    """Name of the plain file."""
    sha256: str
    """SHA-256 of the plain content."""
    gzip_sha256: str | None = None
    """SHA-256 of ``<name>.gz`` where this is what is published; None: it is the plain file."""


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Folder for data files: ``data_dir``, else PLAUSIBLE_DATA, else the user's cache."""
    named = data_dir or os.environ.get("PLAUSIBLE_DATA")
    if named:
        return Path(os.path.expanduser(named))
    import pooch  # costs a fifth of a second: only for those who need it

    return Path(pooch.os_cache("plausible"))


def search_folders(collection: str, data_dir: str | Path | None = None) -> list[Path]:
    """Folders in which files are looked for: ``<data folder>/<collection>``, then that folder."""
    folder = data_folder(data_dir)
    return [folder / collection, folder]


def find_file(name: str, folders: Sequence[Path]) -> Path | None:
    """The first of ``<folder>/<name>.gz`` and ``<folder>/<name>`` that is there, or None."""
    paths = (folder / file for folder in folders for file in (f"{name}.gz", name))
    return next((path for path in paths if path.is_file()), None)


def read_bytes(path: str | Path, sha256: str | None = None) -> bytes:
    """Content of ``path``, uncompressed if it is a gzip file (whatever its name says).

    Raises
    ------
    DataError
        If the file is missing, cannot be read, is a damaged gzip file, or its (uncompressed)
        content does not have the given SHA-256.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise DataError(f"{path}: the file is missing.") from None
    except EOFError:
        raise DataError(
            f"{path}: the gzip file is truncated, its end is missing after {len(content)} bytes; "
            "get it again."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is corrupted ({error}); get it again.") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}).") from None
    found = hashlib.sha256(content).hexdigest() if sha256 else None
    if found != sha256:
        raise DataError(
            f"{path}: the file is not the published one, the SHA-256 of its uncompressed content "
            f"is {found} where {sha256} is expected; move it away, and it is downloaded again."
        )
    return content


def find_or_download(
    file: PublishedFile,
    folders: Sequence[Path],
    sources: Sequence[str],
    downloader: Callable[[str, str, Any], None] | None = None,
) -> Path:
    """Where ``file`` lies in ``folders``; if nowhere, it is downloaded into the first of them.

    Each of ``sources`` (addresses that end in /) is asked in turn. Pooch stores what comes only if
    it is complete and has the published checksum. ``downloader(address, path, _)`` does the
    transfer (default: over HTTP, with a progress bar on a terminal).

    Raises
    ------
    DataError
        If no source gives the file: one sentence that names it, its checksum, where to put it,
        and the scale that needs no download.
    """
    found = find_file(file.name, folders)
    if found:
        return found
    import pooch

    name = f"{file.name}.gz" if file.gzip_sha256 else file.name
    checksum = file.gzip_sha256 or file.sha256
    transfer = downloader or pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(), timeout=CONNECTION_TIMEOUT_S
    )
    reasons = []
    for source in sources:
        cache = pooch.create(folders[0], source, registry={name: checksum}, retry_if_failed=1)
        try:
            path = Path(cache.fetch(name, downloader=transfer))
            path.chmod(0o644)  # pooch makes it private to its owner; a data folder may be shared
            return path
        except (OSError, ValueError) as error:  # no connection; another checksum
            reason = textwrap.shorten(str(error), 120, placeholder="...") or type(error).__name__
            reasons.append(f"{source}: {reason}")
    raise DataError(
        f"{folders[0] / name}: this file (SHA-256 {checksum}) is missing and could not be "
        f"downloaded ({'; '.join(reasons)}); put it there, or name the folder that holds it by "
        "data.dir in the configuration or by the environment variable PLAUSIBLE_DATA, or use "
        "`scale: demo`, which needs no download."
    )
