"""Every verdict of the demo run could have been lost."""

import pytest

from ..audit_harness import check_demo_run


@pytest.mark.slow
def test_corrupted_tables_lose_their_verdicts(project_root):
    check_demo_run(project_root, "song2020")
