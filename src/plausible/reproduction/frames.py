"""What the table of a result is made from: the tables of its sources."""

from collections.abc import Mapping

import pandas as pd

Frames = Mapping[str, pd.DataFrame]
"""One DataFrame a source: ``train``, ``simulate.<name>``, ``sweep.<name>``."""


def as_they_are(frames: Frames) -> pd.DataFrame:
    """Rows of all sources, one under the other."""
    return pd.concat(list(frames.values()), ignore_index=True)
