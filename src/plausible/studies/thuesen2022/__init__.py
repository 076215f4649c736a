"""Thuesen 2022: predictive coding and biologically plausible neural networks."""
