"""Thuesen 2022, learning: backprop, predictive coding, Z-IL (chapters 2, 3.5 and 4.1)."""
