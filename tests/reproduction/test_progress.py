"""How far a run is: jobs are counted, and weighed by what they took before."""

import pytest

from plausible.reproduction import progress
from plausible.reproduction.progress import PlannedJob, finished, plan


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """A clock that the test moves, in minutes, and an empty folder to run in."""
    minutes = [0.0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress.time, "time", lambda: 60.0 * minutes[0])
    return minutes


def test_jobs_weigh_what_they_took_before(clock):
    plan([PlannedJob("a", 1.0, 10), PlannedJob("b", 3.0, 10), PlannedJob("c", 6.0, 10)])
    clock[0] = 2.0
    assert finished("a") == "1 of 3 jobs, about 18 min left", "9 times the weight, at half speed"
    clock[0] = 8.0
    assert finished("c") == "2 of 3 jobs, about 3 min left"
    assert finished("c") == "2 of 3 jobs, about 3 min left", "a job that was done again"
    assert finished("b") == "3 of 3 jobs"


def test_a_job_that_was_never_measured_weighs_its_usual_share_of_its_bound(clock):
    plan([PlannedJob("a", 2.0, 10), PlannedJob("new", None, 50)])
    clock[0] = 2.0
    assert finished("a") == "1 of 2 jobs, about 10 min left"


def test_the_end_is_near(clock):
    plan([PlannedJob("a", 1.0, 10), PlannedJob("b", 0.1, 10)])
    clock[0] = 1.0
    assert finished("a") == "1 of 2 jobs, < 1 min left"


def test_without_a_plan_or_outside_of_it_nothing_is_said(clock):
    assert finished("a") == ""
    plan([PlannedJob("a", None, 10)])
    assert finished("b") == ""
    plan([PlannedJob("b", None, 10), PlannedJob("c", None, 10)])
    assert finished("b").startswith("1 of 2"), "a new run counts from the start"
    progress.PLAN.write_text("no JSON")
    assert finished("b") == ""
