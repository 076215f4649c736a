"""Shares of draws, with their exact limits."""

from scipy.special import betaincinv


def share_limit(number: int, of: int, side: int = -1) -> float:
    """Lower (``side`` -1) or upper 95 % limit of a share, exact (Clopper and Pearson)."""
    if number == (0 if side < 0 else of):
        return float(side > 0)
    lower = side < 0
    return float(betaincinv(number + (not lower), of - number + lower, 0.025 if lower else 0.975))
