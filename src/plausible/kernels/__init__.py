"""Compiled inner loops (numba), each with a readable twin.

numba keeps compiled functions between processes, but notices only changes of the file that a
function stands in, not of what it calls from another one. So they are kept in a folder named by the
sources of this whole package: after a change of any of them, nothing old is run. The environment
variable NUMBA_CACHE_DIR, where it is set, has its way. Where the sources may not be written to, the
folder stands with the other records of the workflow, else in the user's cache, so that still every
function is compiled once for all jobs.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def compiled_code_folder(package: Path) -> Path:
    """Folder for what numba compiles from the modules in ``package``, as they are now."""
    sources = sorted(package.glob("*.py"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    places = [package / "__pycache__"]
    if Path(".snakemake").is_dir():
        places.append(Path(".snakemake").absolute())
    with suppress(RuntimeError):  # a user without a home
        places.append(Path.home() / ".cache" / "plausible")
    for place in places:
        folder = place / f"compiled-{digest[:16]}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            return folder
    folder = tempfile.mkdtemp(prefix="plausible-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


os.environ.setdefault("NUMBA_CACHE_DIR", str(compiled_code_folder(Path(__file__).parent)))
