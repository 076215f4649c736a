"""Song et al. 2020: exact backpropagation in predictive coding networks."""
