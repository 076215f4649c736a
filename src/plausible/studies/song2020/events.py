"""What the logged runs of figure 2 say: when weights learn, after how many inference steps."""

import pandas as pd


def logged_updates(events: pd.DataFrame, algorithm: str) -> list[tuple[int, int]]:
    """(t, l + 1) of every update of theta^{l+1}."""
    rows = events[(events["algorithm"] == algorithm) & (events["event"] == "weight_update")]
    return list(zip(rows["t"].astype(int), rows["layer"].astype(int), strict=True))


def steps_before(events: pd.DataFrame, algorithm: str) -> int:
    """Inference steps before the time t of the last update."""
    last = max((t for t, _ in logged_updates(events, algorithm)), default=-1)
    rows = events[(events["algorithm"] == algorithm) & (events["event"] == "inference")]
    return rows.loc[rows["t"].astype(int) < last, "t"].nunique()
