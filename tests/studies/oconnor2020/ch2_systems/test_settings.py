"""Settings of chapter 2's systems: what the study file states, and what is refused."""

import pytest

from plausible.errors import StudyError
from plausible.studies.oconnor2020.ch2_systems.settings import RandomProjections, TargetPropagation

from ...part_results import read_sweep

PART = "oconnor2020.ch2_systems"


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
def test_the_study_file_is_read_at_every_scale(scale):
    assert isinstance(read_sweep(PART, "target_propagation", scale), TargetPropagation)
    assert isinstance(read_sweep(PART, "random_projections", scale), RandomProjections)


@pytest.mark.parametrize(
    ("sweep", "changed", "said"),
    [
        ("random_projections", {"units": 6}, "a power of two"),
        ("random_projections", {"draws": 50}, "at most the number of draws"),
        ("target_propagation", {"target_step": 1.5}, "up to 1"),
        ("contrastive_divergence", {"visible": 30}, "up to 10"),
        ("unrolled_graph", {"steps": 2}, "from 3"),
    ],
)
def test_what_cannot_be_is_said(sweep, changed, said):
    with pytest.raises(StudyError, match=said):
        read_sweep(PART, sweep, **changed)
