"""Compiled inner loops (numba), each with a readable twin.

numba keeps compiled functions between processes, but notices only changes of the file that a
function stands in, not of what it calls from another one. So they are kept in a folder named by
the sources of this whole room: after a change of any of them, nothing old is run. The environment
variable NUMBA_CACHE_DIR, where it is set, has its way.
"""

import hashlib
import os
from pathlib import Path


def compiled_code_folder(room: Path) -> Path:
    """Folder for what numba compiles from the modules in ``room``, as they are now."""
    sources = sorted(room.glob("*.py"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    return room / "__pycache__" / f"compiled-{digest[:16]}"


os.environ.setdefault("NUMBA_CACHE_DIR", str(compiled_code_folder(Path(__file__).parent)))
