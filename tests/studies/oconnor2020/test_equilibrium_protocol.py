"""The author's trainings: when they are tested, and when they have failed."""

from plausible.studies.oconnor2020.equilibrium_protocol import checkpoint_epochs, training_schedule


def test_stops_of_the_author() -> None:
    found = checkpoint_epochs(54)
    assert found[:8] == (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5)
    assert found[-4:] == (46.0, 48.0, 50.0, 54.0)
    assert checkpoint_epochs(1.1)[-2:] == (1.0, 1.1)
    assert {6.0, 7.0, 10.0, 12.0} <= set(found) and 11.0 not in found


def test_schedule_of_the_author() -> None:
    found = training_schedule((0.0, 1.0), 20, signs="plus")
    assert found.failure == (2.0, 50.0) and found.tested_training_images == 10_000
    assert found[:3] == ((0.0, 1.0), 20, "plus")
