"""Changed weights are counted, and a wrong count or a wrong rule is noticed."""

from types import SimpleNamespace

import pytest

from plausible.kernels import pdnn
from plausible.studies.oconnor2020.ch5_causes import theorems

from ...theorem_harness import Falsified, TheoremTests


def _one_row_more(network, rule, inputs, white, labels):
    """A weight outside of the rows and columns moves as well."""
    found = pdnn.train(network, rule, inputs, white, labels)
    if len(inputs) == 1:
        network.matrices[0][...] *= 1.0 + 1e-12
    return found


class TestTheorems(TheoremTests):
    """Section 5.3.6."""

    document, part = "oconnor2020", "ch5_causes"
    falsified = (
        Falsified(
            "ch5.update_entries", "touched_entries", theorems, "pdnn",
            SimpleNamespace(train=_one_row_more),
        ),
    )  # fmt: skip


def test_something_fires_in_part_of_the_steps():
    """Neither nothing nor everything, or the count would say little."""
    for _, inputs, errors, height, width in theorems.counts(0)[:10]:
        assert 0 < inputs < height and 0 < errors < width


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_counts_the_same(seed, monkeypatch):
    """What the share of touched weights is computed from, on the steps after the warm-up."""
    counted = []
    train = pdnn.train

    def seen(network, rule, images, *rest):
        found = train(network, rule, images, *rest)
        counted.extend(found.touched[:-1] if len(images) == 1 else [])
        return found

    monkeypatch.setattr(theorems, "pdnn", SimpleNamespace(train=seen))
    assert [changed for changed, *_ in theorems.counts(seed)] == counted
