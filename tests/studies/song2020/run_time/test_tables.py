"""Table 4 for people, from hand-made tidy tables."""

import pandas as pd
import pytest

from plausible.reproduction.published import result_name
from plausible.studies.song2020.run_time import tables

from ...part_results import published_of
from ..markdown import cells


@pytest.fixture(scope="module")
def printed():
    """Published values by the name of the result."""
    entries = published_of("song2020.run_time").entries
    return {result_name(name): entry["values"] for name, entry in entries.items()}


def test_run_times_are_compared_on_the_published_network_alone(printed):
    base = {"batch_size": 1, "device": "cpu", "algorithm": "il", "repetitions": 50}
    base |= {"milliseconds_per_update": 200.0, "milliseconds_low": 190.0}
    base |= {"milliseconds_high": 210.0, "ratio_to_bp": 2.0, "peak_memory_mb": 1800.0}
    table = pd.DataFrame(
        [
            {"network": "imagenet", "layer_sizes": tables.PUBLISHED_LAYERS, **base},
            {"network": "mnist", "layer_sizes": "784-10", **base},
            {
                "network": "imagenet",
                "layer_sizes": tables.PUBLISHED_LAYERS,
                **base,
                "algorithm": "bp_autograd",
            },
        ]
    )
    lines = cells(tables.table4_markdown(table, printed["table4"]))
    assert lines[1][2:] == ["CPU", "IL", "200", "190 to 210", "2.00", "19.2", "6.19", "1800"]
    assert lines[2][7:9] == ["-", "-"] and lines[3][7:9] == ["-", "-"]
