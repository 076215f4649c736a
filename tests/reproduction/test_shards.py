"""What a job of a divided sweep has finished is kept, and nothing else."""

import numpy as np
import pytest

from plausible.reproduction.shards import stored


def test_what_fails_is_not_stored(tmp_path):
    with pytest.raises(ZeroDivisionError):
        stored(str(tmp_path), "x", lambda: 1 / 0)
    assert not list(tmp_path.iterdir())
    first = stored(str(tmp_path), "x", lambda: {"a": 0.1 + 0.2, "b": float("nan"), "c": -1})
    again = stored(str(tmp_path), "x", lambda: pytest.fail("computed again"))
    assert again["a"] == first["a"] and np.isnan(again["b"]) and again["c"] is not False
    assert stored(None, "x", lambda: 2) == 2
