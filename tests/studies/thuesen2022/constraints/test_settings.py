"""Settings of the experiments on constraints: every rule refuses what breaks it."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("fig3", {"layer_sizes": [2]}, "layer_sizes.*a list of at least 2"),
        ("fig3", {"layer_sizes": [2, 0]}, r"layer_sizes\[1\]: found 0"),
        ("local_updates", {"layer_sizes": [2, 3, 2]}, "layer_sizes.*a list of at least 4"),
        ("constraints", {"layer_sizes": [2, 3, 2]}, "layer_sizes.*a list of at least 4"),
        ("constraints", {"without": "batch_size"}, "'batch_size' was not found"),
    ],
)
def test_a_wrong_setting_is_named(sweep, changes, words):
    with pytest.raises(StudyError, match=words):
        read_sweep("thuesen2022.constraints", sweep, "demo", **changes)
