"""Section 4.3 for people to read."""

from plausible.studies.thuesen2022.constraints.tables import constraints_markdown

from . import synthetic


def test_constraints_stand_in_rows_and_methods_in_columns():
    text = constraints_markdown(synthetic.constraints(), {})
    table, measured = text.split("\n\n")
    header, _, *rows = table.splitlines()
    assert header.startswith("| constraint | SPCN (predictive coding network")
    assert len(rows) == 10 and all(row.count("|") == header.count("|") for row in rows)
    assert len(measured.splitlines()) == 2 + len(synthetic.MEASURED)
