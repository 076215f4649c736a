"""Tables of chapter 1 of O'Connor 2020."""

from io import StringIO

import pandas as pd

from plausible.studies.oconnor2020.ch1.tables import gaps_markdown

from . import synthetic


def test_gaps_for_people():
    table = synthetic.good_tables()["ch1.gaps"]
    # Empty cells are missing ones once they were in a file.
    text = gaps_markdown(pd.read_csv(StringIO(table.to_csv(index=False))), {})
    lines = text.splitlines()
    assert lines[2].startswith("| 1. no backprop |") and lines[6].startswith("| 5. no shared")
    assert "`kernels.event_router.route`" in lines[5] and "| none | none |" in lines[6]
