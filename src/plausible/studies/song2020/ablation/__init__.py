"""Song et al. 2020, the ablation of figure 3 and the supplement."""
