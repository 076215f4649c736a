"""Accuracy, intervals, operation counts, energy, conversion diagnostics."""
