"""Theorems of chapter 4 and appendix B: every statement is measured, holds, and can fail."""

import numpy as np
import pytest
import torch

from plausible.learning import scale_optimisation
from plausible.networks import sigma_delta
from plausible.studies.oconnor2020.ch4_principles import theorems, theorems_scales
from plausible.studies.oconnor2020.ch4_principles import theorems_operations as operation

from ...theorem_harness import Falsified, TheoremTests

DIFFERENCE = sigma_delta.temporal_difference
SUM_TO = scale_optimisation._sum_to
SCALES, ENERGIES = "ch4.eq4.10.scale_optimisation", "ch4.energy_advantage"
SCALED, UPDATE = "ch4.eq4.6.scaled_networks", "update_is_that_of_the_equations"
GRADIENTS = scale_optimisation.scale_gradients


def _leaky_difference(frames, last=None):
    found, last = DIFFERENCE(frames, last)
    return 0.99 * found, last


def _truncating_herding(inputs, potential=None):
    messages = np.empty_like(inputs)
    for time, value in enumerate(inputs):
        potential = value if potential is None else potential + value
        messages[time] = np.trunc(potential)
        potential = potential - messages[time]
    return messages, potential


def _truncating_differences(inputs, memory):
    return _truncating_herding(DIFFERENCE(inputs)[0])[0], None


def _gradients(change):
    """Gradients of the scales that are changed."""

    def scale_gradients(*given):
        found = GRADIENTS(*given)
        return found._replace(log_scales=tuple(map(change, found.log_scales)))

    return scale_gradients


def _dense_count(events, weight):
    return events @ weight, weight.size


def _doubled_sum(values, log_scale):
    return 2.0 * SUM_TO(values, log_scale)


class TestTheorems(TheoremTests):
    """Differences, scales, operations and energies."""

    document, part = "oconnor2020", "ch4_principles"
    seeds = (0, 7)
    readings = {SCALES, ENERGIES}
    deviating = {
        # The count of the author's code, which leaves out biases.
        ("appB.flops", "formulas_count_operations", "as_coded"),
        (ENERGIES, "half_are_multiplications", "as_coded"),
        # Eq. 4.6 rounds after the difference.
        (SCALED, "sigma_delta_form_equals_rounding_form", "as_published"),
    }
    falsified = (
        *(
            Falsified(result, statement, theorems, "temporal_difference", _leaky_difference)
            for result, statement in (
                ("ch4.algorithm4", "output_is_the_difference"),
                ("ch4.algorithm5", "integral_of_difference"),
                ("ch4.eq4.1", "commutes_with_linear_maps"),
            )
        ),
        *(
            Falsified(result, statement, theorems, "herding", _truncating_herding)
            for result, statement in (
                ("appB.algorithm14", "potential_stays_small"),
                ("appB.eqB.10", "sequences_equal"),
                ("appB.eqB.11", "outputs_equal"),
            )
        ),
        *(
            Falsified("appB.algorithm14", statement, theorems, "herding", wrong)
            for statement, wrong in (
                ("messages_are_integers", lambda inputs, potential=None: (inputs / 2, inputs[0])),
                ("nothing_is_lost", lambda inputs, potential=None: (np.rint(inputs), inputs[0])),
            )
        ),
        Falsified(
            "appB.algorithm15",
            "differences_of_rounded_inputs",
            theorems,
            "delta_herding",
            lambda frames, last=None: (np.rint(DIFFERENCE(frames, last)[0]), frames[-1]),
        ),
        Falsified("ch4.eq4.3", "product_and_additions", operation, "sparse_product", _dense_count),
        Falsified(
            "appB.eqB.17.baking_scales",
            "outputs_equal",
            theorems_scales,
            "bake_scales",
            lambda weights, biases, scales: (weights, biases),
        ),
        *(
            Falsified("appB.flops", "formulas_count_operations", operation, name, wrong)
            for name, wrong in (
                ("event_additions", lambda sent, _: np.abs(sent).sum(axis=1)),
                ("discretised_additions", lambda events, *_: events.sum(axis=1)),
            )
        ),
        Falsified(
            ENERGIES, "half_are_multiplications", operation, "_multiply_and_add",
            lambda *_, **__: operation.Counted(5, 4), "as_published",
        ),
        *(
            Falsified(SCALES, UPDATE, scale_optimisation, "_sum_to", _doubled_sum, protocol)
            for protocol in ("as_coded", "as_published")
        ),
        *(
            Falsified(SCALES, statement, theorems_scales, "scale_gradients", wrong, protocol)
            for statement, wrong in (
                ("loss_falls", _gradients(lambda each: -each)),
                ("larger_lambda_gives_smaller_scales", _gradients(torch.zeros_like)),
            )
            for protocol in ("as_coded", "as_published")
        ),
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("result", "statement", "kind", "encoder"),
        [
            (
                "ch4.temporal_difference_network", "outputs_equal",
                "temporal_difference", lambda x, _: (x, None),
            ),
            *(
                ("ch4.eq4.2", statement, "sigma_delta_herding", _truncating_differences)
                for statement in (
                    "outputs_equal_in_any_order",
                    "outputs_identical_in_whole_numbers",
                )
            ),
            (
                "ch4.eq4.2", "depends_on_the_present_input_only",
                "sigma_delta_herding", sigma_delta._rounded_difference,
            ),
            *(
                ("ch4.eq4.2", statement, "sigma_delta_herding", lambda x, _: (2 * np.rint(x), None))
                for statement in ("nothing_for_a_static_input", "cheaper_for_slow_inputs")
            ),
            (
                SCALED, "larger_scales_cost_more_and_err_less",
                "rounding", lambda x, _: (np.sign(x), None),
            ),
            (
                SCALED, "error_falls_as_one_over_k",
                "rounding", lambda x, _: (1.1 * np.rint(x), None),
            ),
            (
                SCALED, "sigma_delta_form_equals_rounding_form",
                "sigma_delta_herding", _truncating_differences,
            ),
        ],
    )  # fmt: skip
    def test_a_wrong_network_is_noticed(self, result, statement, kind, encoder, monkeypatch):
        monkeypatch.setitem(sigma_delta._ENCODERS, kind, encoder)
        found = [
            self.holds(result, statement, check.deviation)
            for check in self.functions()[result](self.record(), 0)
            if check.check == statement and check.protocol == "corrected" and not check.control
        ]
        assert found and not all(found)

    def test_the_code_leaves_biases_out(self, table):
        coded = table[(table["id"] == "appB.flops") & (table["protocol"] == "as_coded")]
        assert (coded["deviation"] == 410).all()
