"""Distance of numbers from published ones that were read off a colour scale with an end."""

import pandas as pd


def cell_distance(ours: pd.Series, published: pd.Series, top: float) -> pd.Series:
    """|ours - published| / published, both cut at ``top``, the end of the published scale.

    A published number at the end means "at least", so everything beyond it agrees; a run of ours
    that overflowed (NaN) is beyond every scale.
    """
    cut = ours.fillna(top).clip(upper=top) - published.clip(upper=top)
    return cut.abs() / published
