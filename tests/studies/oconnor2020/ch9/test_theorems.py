"""Theorems of chapter 9: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.neurons import smoothing_neuron
from plausible.studies.oconnor2020.ch9 import theorems

from ...theorem_harness import Falsified, TheoremTests

DISCRETE, CONTINUOUS = smoothing_neuron.discrete_neuron, smoothing_neuron.continuous_neuron


def _weaker(arrivals, weights, *more):
    return DISCRETE(arrivals, 0.9 * np.asarray(weights), *more)


def _late(*given):
    """Times between spikes are longer by a thousandth."""
    found = CONTINUOUS(*given)
    return found._replace(sent=1.001 * found.sent)


class TestTheorems(TheoremTests):
    """The last neuron, and networks that settle."""

    document, part = "oconnor2020", "ch9"
    seeds = (0, 7)
    deviating = {
        # Eq. 9.4 gives the rate of change of a number that is no integral.
        ("ch9.eq9.4.encoder_limit", "limit_of_the_encoder", "as_published"),
    }
    falsified = (
        Falsified(
            "ch9.eq9.1.final_neuron", "tends_to_continuous_form", theorems, "discrete_neuron",
            _weaker,
        ),
        Falsified(
            "ch9.eq9.1.final_neuron", "equals_chapter_8_model", theorems, "discrete_neuron",
            _weaker,
        ),
        Falsified(
            "ch9.eq9.4.encoder_limit", "limit_of_the_encoder", theorems, "pre_code",
            lambda states, decay: states,
        ),
        Falsified("ch9.double_smoothing", "impulse_response", theorems, "discrete_neuron", _weaker),
        Falsified(
            "ch9.double_smoothing", "integrates_and_fires", theorems, "continuous_neuron", _late
        ),
        *(
            Falsified(
                "ch9.symmetry_guarantees_fixed_point", statement, theorems, "_speeds",
                lambda weights, biases, states: np.full(len(states), 1e-3),
            )
            for statement in ("symmetric_networks_settle", "symmetry_is_not_required")
        ),
    )  # fmt: skip
