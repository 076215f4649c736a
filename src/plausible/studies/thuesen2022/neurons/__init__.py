"""Thuesen 2022, single neurons: rates, Poisson coding, filters (chapters 3.3 and 3.4)."""
