"""Thuesen 2022, constraints of biology (chapter 4.3)."""
