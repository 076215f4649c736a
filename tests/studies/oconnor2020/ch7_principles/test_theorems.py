"""Theorems of chapter 7: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.learning import equilibrium_propagation, initialiser
from plausible.networks import equilibrium
from plausible.studies.oconnor2020.ch7_principles import (
    theorems,
    theorems_alignment,
    theorems_dynamics,
)

from ...theorem_harness import Falsified, TheoremTests

LOCAL, GLOBAL = initialiser.local_gradients, initialiser.global_gradients
CONTRAST, SETTLE, STEP = equilibrium_propagation.contrast, equilibrium.settle, equilibrium.step


def _pushed(network, inputs, start, steps, forces=equilibrium.FREE, step_size=0.5, clipped=True):
    """A pull that pushes."""
    away = forces._replace(pull=-0.3 * forces.pull)
    return SETTLE(network, inputs, start, steps, away, step_size, clipped)


def _strongly_nudged(
    network, inputs, start, steps, forces=equilibrium.FREE, step_size=0.5, clipped=True
):
    """A nudge of one size, whatever beta is."""
    forces = forces._replace(beta=0.5 if forces.beta else 0.0)
    return SETTLE(network, inputs, start, steps, forces, step_size, clipped)


def _free(network, drive, states, forces=equilibrium.FREE, step_size=0.5, clipped=True):
    """Twice the step, and a constant push outwards."""
    moved = STEP(network, drive, states, forces, 2.0 * step_size, clipped)
    return tuple(state + 0.3 * step_size**0.1 for state in moved)


def _negated(network, inputs, minus, plus, beta, form="energy"):
    """A sign of beta that is lost."""
    return CONTRAST(network, inputs, minus, plus, abs(beta), form)


def _uphill(network, inputs, minus, plus, beta, form="energy"):
    return CONTRAST(network, inputs, minus, plus, -beta, form)


def _supervised(network, inputs, minus, plus, beta, form="energy"):
    """Learns from the outputs of the nudged phase alone."""
    return CONTRAST(network, inputs, minus, (*minus[:-1], plus[-1]), beta, form)


def _through_random(network, inputs, passed, targets, feedback=None):
    rng = np.random.default_rng(int(1e6 * abs(inputs[0, 0])))
    matrices = [rng.normal(size=w.T.shape) / 4 for w in network.weights[1:]]
    return GLOBAL(network, inputs, passed, targets, matrices)


class TestTheorems(TheoremTests):
    """Initialising network, alignment, clipping, sign of beta, related work."""

    document, part = "oconnor2020", "ch7_principles"
    seeds = (0, 5)
    wrong = {("ch7.clip_is_no_change", "same_fixed_points")}
    deviating = {
        ("ch7.eq7.7.gradient_alignment", "formulas_agree_with_autodiff", "as_published"),
        ("ch7.clip_is_no_change", "same_fixed_points", "as_published"),
        ("ch7.mac_form", "same_gradients", "as_published"),
    }
    falsified = (
        *(
            Falsified("ch7.eq7.1.init_network", name, theorems, "local_gradients", GLOBAL)
            for name in ("gradient_is_local", "only_local_term_used")
        ),
        Falsified(
            "ch7.eq7.5.lambda_term", "fixed_point_moves_to_forward", theorems, "settle", _pushed
        ),
        Falsified(
            "ch7.eq7.7.gradient_alignment", "formulas_agree_with_autodiff", theorems_alignment,
            "_formulas",
            lambda problem, linear=False, slope=True, right=theorems_alignment._formulas: [
                1.1 * each for each in right(problem, linear, slope)
            ],
        ),
        Falsified(
            "ch7.eq7.7.gradient_alignment", "first_term_aligned", theorems_alignment, "cosine",
            lambda one, other: 0.9,
        ),
        *(
            Falsified(result, statement, theorems_alignment, "global_gradients", _through_random)
            for result, statement in (
                ("appD.alignment_at_init", "mean_cosine_positive"),
                ("ch7.alignment_near_optimum", "almost_always_positive"),
                ("ch7.alignment_near_optimum", "falls_with_distance"),
                ("appD.saturated_filter", "parts_add_up"),
            )
        ),
        Falsified(
            "ch7.alignment_inequality", "inequality_holds", theorems_alignment, "cosine",
            lambda one, other: float(np.linalg.norm(one)),
        ),
        Falsified(
            "ch7.strong_diagonal", "diagonal_stands_out", theorems_alignment, "_contrast",
            lambda matrix, right=theorems_alignment._contrast: right(matrix[::-1]),
        ),
        Falsified(
            "ch7.strong_diagonal", "orthogonal_is_the_identity", theorems_alignment,
            "_from_identity", lambda w2: float(np.abs(w2 @ w2 - np.eye(len(w2))).max()),
        ),
        Falsified(
            "appD.saturated_filter", "filtered_form_is_equal", theorems_alignment, "forward_pass",
            lambda network, inputs, right=theorems_alignment.forward_pass: right(
                network._replace(squash=network.squash._replace(leak=0.1)), inputs
            ),
        ),
        Falsified(
            "appD.saturated_filter", "terms_are_aligned", theorems_alignment, "_terms",
            lambda rng, independent=False, right=theorems_alignment._terms: right(rng, True),
        ),
        *(
            Falsified("ch7.clip_is_no_change", name, theorems_dynamics, "step", _free)
            for name in ("excursion_is_bounded", "excursion_falls")
        ),
        Falsified(
            "ch7.beta_sign_cancels", "mean_of_signs_is_nearer", theorems_dynamics, "contrast",
            _negated,
        ),
        Falsified(
            "ch7.beta_sign_cancels", "residual_without_target", theorems_dynamics, "settle",
            _strongly_nudged,
        ),
        Falsified(
            "ch7.beta_sign_cancels", "signs_agree", theorems_dynamics, "contrast", _negated
        ),
        *(
            Falsified("ch7.contrastive_energy", name, theorems_dynamics, "contrast", wrong)
            for name, wrong in (("always_rises", _uphill), ("rises_by_the_square", _supervised))
        ),
        *(
            Falsified(
                "ch7.mac_form", name, theorems, "forward_pass",
                lambda network, inputs, right=theorems.forward_pass: right(
                    network._replace(biases=tuple(b + 0.2 for b in network.biases)), inputs
                ),
            )
            for name in ("same_gradients", "both_vanish")
        ),
        Falsified(
            "ch7.zero_temperature", "mean_field_is_coordinate_descent", theorems, "expit",
            lambda x: 1.0 / (1.0 + np.exp(-1e-3 * x)),
        ),
    )  # fmt: skip
