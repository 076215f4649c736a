"""Song et al. 2020, results beyond the paper."""
