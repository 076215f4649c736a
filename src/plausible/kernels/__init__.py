"""Compiled inner loops (numba), each with a readable twin."""
