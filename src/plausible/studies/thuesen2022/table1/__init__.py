"""Thuesen 2022, table 1 and spiking networks (chapter 4.2)."""
