"""The five gaps between brains and deep learning, and which system of the thesis closes which.

O'Connor 2020, section 1.5 (the gaps) and the summaries of chapters 3 to 8 (the systems). Each gap
also names what implements it here and the results that measure it.
"""

from importlib import import_module
from typing import NamedTuple

import pandas as pd


class Gap(NamedTuple):
    """One difference between biology and deep learning."""

    name: str
    brain: str
    deep_learning: str
    implemented_in: tuple[tuple[str, str], ...] = ()
    """(module of plausible, name in it) of what stands for the gap, on either side of it."""
    measured_in: tuple[str, ...] = ()
    """Results of this study in which it is measured."""


GAPS = (
    Gap(
        "no backprop",
        "no known second network that carries errors back",
        "errors are carried back layer by layer, after and apart from the forward pass",
        (("learning.weight_sharing", "error_network"), ("learning.bptt", "backprop_through_time")),
        ("ch1.eq1.5.backprop_sgd", "ch1.weight_sharing"),
    ),
    Gap(
        "spiking",
        "neurons send brief pulses that are all alike",
        "neurons send real numbers",
        (
            ("neurons.integrate_and_fire", "simulate"),
            ("kernels.deep_spiking", "train"),
            ("networks.sigma_delta", "herding"),
        ),
        ("ch1.eq1.10.integrate_and_fire", "ch3.table3.2", "ch4.fig4.4"),
    ),
    Gap(
        "nonstationary data",
        "input is one stream, in which neighbouring moments are alike",
        "samples are drawn independently, in random order and many times",
        (("kernels.temporal_order", "temporal_dataset"),),
        ("ch4.fig4.3", "ch4.fig4.4", "appB.temporal_mnist"),
    ),
    Gap(
        "asynchronous processing",
        "each neuron acts in its own time",
        "layers are computed one after another, for all samples of a minibatch at once",
        (("networks.hopfield", "recall"), ("kernels.event_router", "route")),
        ("ch1.eq1.6.hopfield", "table_a1", "table_a2", "fig_a3"),
    ),
    Gap(
        "no shared parameters",
        "each synapse has a strength of its own",
        "weights are shared by forward and backward pass, over space and over time",
        (("learning.weight_sharing", "tie"), ("networks.recurrent", "unroll")),
        ("ch1.weight_sharing", "ch1.rnn_tcn"),
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

    Columns: number, gap, brain, deep_learning, closed_by, partly_by (systems with their chapters),
    implemented_in (names within the package, which are looked up), found (whether all of them
    exist), measured_in (results); lists are separated by semicolons.
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
                "implemented_in": "; ".join(".".join(place) for place in gap.implemented_in),
                "found": all(
                    hasattr(import_module(f"plausible.{module}"), name)
                    for module, name in gap.implemented_in
                ),
                "measured_in": "; ".join(gap.measured_in),
            }
            for number, gap in enumerate(GAPS, start=1)
        ]
    )
