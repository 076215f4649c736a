"""Distance of numbers from published ones that were read off a colour scale with an end."""

import pandas as pd


def cell_distance(ours: pd.Series, published: pd.Series, top: float, group: pd.Series) -> pd.Series:
    """sum |ours - published| / sum published over the cells of each ``group``, cut at ``top``.

    A published number at the end of its scale, ``top``, means "at least", so everything beyond it
    agrees; a run of ours that overflowed (NaN) is beyond every scale. Sums are compared, not the
    ratios of single cells: cells near zero, which the noise of a seed decides, would rule these.
    """
    theirs = published.clip(upper=top)
    apart = (ours.fillna(top).clip(upper=top) - theirs).abs()
    return apart.groupby(group, sort=False).sum() / theirs.groupby(group, sort=False).sum()
