"""Names of what a document published, found without reading all of it.

Snakemake asks for them whenever it starts, and then nobody needs what
`plausible.reproduction.published` does: read and check the files.
"""

import re
from pathlib import Path


def published_ids(folder: Path) -> frozenset[str]:
    """Names, the ids without the document, of the entries in a document's ``folder``."""
    name = re.escape(folder.name)
    entry = re.compile(rf"^- id: ['\"]?{name}[.]([\w.]+)['\"]?\s*$", re.MULTILINE)
    files = sorted(folder.glob("*.yaml"))
    return frozenset(
        name
        for file in files
        for name in entry.findall(file.read_text(encoding="utf-8", errors="replace"))
    )
