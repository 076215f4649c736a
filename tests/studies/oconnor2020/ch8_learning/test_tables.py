"""Errors of all trainings for people."""

from plausible.studies.oconnor2020.ch8_learning.tables import TITLES, trainings_markdown

from ...part_results import published_of, read_sweep
from . import synthetic


def test_every_variant_has_a_row_and_a_name():
    table = synthetic.trainings_table()
    text = trainings_markdown(table, published_of("oconnor2020.ch8_learning"))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + table["variant"].nunique()
    assert set(TITLES) == set(read_sweep("oconnor2020.ch8_learning", "trainings").variants)
    assert "| 25 |" in next(row for row in rows if "binary, OSA |" in row)
