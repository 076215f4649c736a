"""Song et al. 2020, run times (table 4)."""
