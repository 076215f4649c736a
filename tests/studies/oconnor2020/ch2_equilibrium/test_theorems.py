"""Theorems on equilibrium propagation: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.learning import equilibrium_propagation
from plausible.networks import equilibrium
from plausible.studies.oconnor2020.ch2_equilibrium import theorems

from ...theorem_harness import Falsified, TheoremTests

CONTRAST, TRAJECTORY = equilibrium_propagation.contrast, equilibrium.trajectory


def _doubled_pressure(network, drive, states, forces=equilibrium.FREE):
    """Each connection counted twice."""
    twice = network._replace(weights=tuple(2.0 * each for each in network.weights))
    return equilibrium.descent(twice, drive, states, forces)


def _long_steps(network, inputs, start, steps, forces=equilibrium.FREE, step_size=0.5):
    return TRAJECTORY(network, inputs, start, steps, forces, 2.2)


def _half_nudged(network, inputs, start, steps, forces=equilibrium.FREE, step_size=0.5):
    """A positive phase that jumps, so that its sums over steps are coarse."""
    found = TRAJECTORY(network, inputs, start, steps, forces, step_size)
    return tuple(np.stack([layer[0], layer[-1]]) for layer in found)


def _hebbian(network, inputs, minus, plus, beta, form="energy"):
    """Without the negative phase."""
    zeros = tuple(0.0 * each for each in minus)
    return CONTRAST(network, inputs, zeros, plus, beta, form)


def _squared_beta(network, inputs, minus, plus, beta, form="energy"):
    return CONTRAST(network, inputs, minus, plus, beta * (1.0 + 30.0 * abs(beta) ** 0.5), form)


def _global(network, inputs, minus, plus, beta, form="energy"):
    """Every weight learns with the mean activity of the network."""
    found = CONTRAST(network, inputs, minus, plus, beta, form)
    level = np.mean([each.mean() for each in plus])
    return found._replace(weights=tuple(level * each for each in found.weights))


class TestTheorems(TheoremTests):
    """Energy, update, integral."""

    document, part = "oconnor2020", "ch2_equilibrium"
    seeds = (0, 5)
    deviating = {("ch2.eq2.15.as_printed", "chain_ends_at_the_contrast", "as_published")}
    falsified = (
        Falsified(
            "ch2.eq2.10.eqprop_model", "dynamics_descend_the_energy", theorems, "descent",
            _doubled_pressure,
        ),
        Falsified(
            "ch2.eq2.10.eqprop_model", "energy_never_rises", theorems, "trajectory", _long_steps
        ),
        Falsified(
            "ch2.eq2.12.eqprop_learning", "update_is_the_gradient", theorems, "contrast", _hebbian
        ),
        Falsified(
            "ch2.eq2.12.eqprop_learning", "error_of_first_order", theorems, "contrast",
            _squared_beta,
        ),
        Falsified("ch2.eq2.12.eqprop_learning", "update_is_local", theorems, "contrast", _global),
        *(
            Falsified("ch2.eq2.15.dynamics_relation", name, theorems, "trajectory", wrong)
            for name, wrong in (
                ("symmetrised_integral", _half_nudged),
                ("error_of_first_order", _long_steps),
            )
        ),
        *(
            Falsified("ch2.eq2.15.as_printed", name, theorems, "trajectory", wrong)
            for name, wrong in (
                ("first_of_first_order", _long_steps),
                ("chain_ends_at_the_contrast", _half_nudged),
            )
        ),
        Falsified(
            "ch2.eq2.15.as_printed", "first_approximation", theorems, "_sum",
            lambda pre, post: np.einsum("tbi,tbj->ij", 0.98 * pre[1:], np.diff(post, axis=0)),
        ),
    )  # fmt: skip
