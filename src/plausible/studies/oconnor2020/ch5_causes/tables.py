"""Rows of the part's experiments that a result shows."""

from plausible.studies.oconnor2020 import selection

selected_rows = selection.selected_rows
