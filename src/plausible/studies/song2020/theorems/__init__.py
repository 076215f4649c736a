"""Song et al. 2020, theorems, algorithms and derivations."""
