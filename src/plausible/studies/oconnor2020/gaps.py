"""The five gaps between brains and deep learning, and which system of the thesis closes which.

O'Connor 2020, section 1.5 (the gaps) and the summaries of chapters 3 to 8 (the systems).
"""

from typing import NamedTuple

import pandas as pd


class Gap(NamedTuple):
    """One difference between biology and deep learning."""

    name: str
    brain: str
    deep_learning: str


GAPS = (
    Gap(
        "no backprop",
        "no known second network that carries errors back",
        "errors are carried back layer by layer, after and apart from the forward pass",
    ),
    Gap(
        "spiking",
        "neurons send brief pulses that are all alike",
        "neurons send real numbers",
    ),
    Gap(
        "nonstationary data",
        "input is one stream, in which neighbouring moments are alike",
        "samples are drawn independently, in random order and many times",
    ),
    Gap(
        "asynchronous processing",
        "each neuron acts in its own time",
        "layers are computed one after another, for all samples of a minibatch at once",
    ),
    Gap(
        "no shared parameters",
        "each synapse has a strength of its own",
        "weights are shared by forward and backward pass, over space and over time",
    ),
)
"""Gaps 1 to 5 of section 1.5."""


class System(NamedTuple):
    """One system of the thesis and the gaps (1 to 5) of which its chapter speaks."""

    name: str
    chapter: int
    closes: tuple[int, ...]
    partly: tuple[int, ...] = ()
    leaves: tuple[int, ...] = ()


SYSTEMS = (
    System("Deep Spiking Networks", 3, (2, 4), leaves=(1, 3, 5)),
    System("Sigma-Delta Networks", 4, (2,), partly=(3,), leaves=(1, 4)),
    System("PDNN", 5, (2, 3), leaves=(1, 4)),
    System("Initialized EqProp", 7, (1,), partly=(4,)),
    System("Spiking EqProp", 8, (1, 2)),
)
"""Chapter 6 is about a learning rule rather than a system."""


def gap_table() -> pd.DataFrame:
    """One row a gap, in the order of section 1.5.

    Columns: number, gap, brain, deep_learning, closed_by, partly_by; the last two name systems
    with their chapters, separated by semicolons.
    """

    def names(number: int, field: str) -> str:
        found = (s for s in SYSTEMS if number in getattr(s, field))
        return "; ".join(f"{system.name} (ch{system.chapter})" for system in found)

    return pd.DataFrame(
        [
            {
                "number": number,
                "gap": gap.name,
                "brain": gap.brain,
                "deep_learning": gap.deep_learning,
                "closed_by": names(number, "closes"),
                "partly_by": names(number, "partly"),
            }
            for number, gap in enumerate(GAPS, start=1)
        ]
    )
