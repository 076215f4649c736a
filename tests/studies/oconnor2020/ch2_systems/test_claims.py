"""Verdicts on chapter 2's systems in O'Connor 2020: they hold, and each of them can fail."""

from plausible.studies.oconnor2020.ch2_systems import claims

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def change(table, column, rows, value):
    """Tables in which a column is another where ``rows`` is true."""

    def spoil(tables):
        frame = tables[table].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame[column] = frame[column].astype(float)
        frame.loc[chosen, column] = value(frame[column]) if callable(value) else value
        return {**tables, table: frame}

    return spoil


GRAPH, DIVERGENCE, COSTS = "ch2.fig2.2", "ch2.cd_closer_to_model", "ch2.rtrl_cost"
PROJECTIONS, TARGETS = "ch2.uoro_pseudorandom", "ch2.target_prop_discrete"


class TestClaims(ClaimTests):
    """What is run; theorems have tests of their own."""

    part = "oconnor2020.ch2_systems"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            GRAPH, "drawn_unrolled_graph", "another state",
            change(GRAPH, "deviation", "node == 'z_2' and seed == 1", 1e-9),
        ),
        Spoil(
            DIVERGENCE, "closer_than_the_data", "further away",
            change(DIVERGENCE, "distance", "gibbs_steps == 2", 0.99),
        ),
        Spoil(
            DIVERGENCE, "never_further_with_more_steps", "one step back",
            change(DIVERGENCE, "distance", "gibbs_steps == 7 and machine == 3 and seed == 0", 0.5),
        ),
        Spoil(
            TARGETS, "trains_the_hidden_layer", "no better than frozen",
            change(TARGETS, "test_error_percent", "network == 'target_propagation'", 30.0),
        ),
        Spoil(
            TARGETS, "feedback_stays_untied", "tied weights",
            change(TARGETS, "feedback_cosine", "network == 'target_propagation'", 0.99),
        ),
        Spoil(
            COSTS, "parameter_count", "biases counted as well",
            change(COSTS, "weights", "units == 100", 20100),
        ),
        Spoil(
            "ch2.uoro_cost", "cost_like_forward_pass", "a matrix for each unit",
            change(COSTS, "multiplications", "rule == 'uoro' and units == 128", 1e8),
        ),
        Spoil(
            "ch2.truncated_bptt", "cost_grows_with_horizon", "a horizon that costs nothing",
            change(COSTS, "multiplications", "rule == 'bptt' and horizon == 16", 3000),
        ),
        Spoil(
            PROJECTIONS, "no_better_than_random", "a third of the variance",
            change(PROJECTIONS, "hadamard", "element == 'signs'", lambda each: each - 1.1),
        ),
    ]  # fmt: skip

    def test_a_control_that_does_not_fail_leaves_it_open(self, tables, published):
        """The mean of four estimates must be better than one."""
        spoilt = change(PROJECTIONS, "mean_of_four", "element == 'signs'", 0.2)(dict(tables))
        found = self.verdicts_on(spoilt, published, PROJECTIONS, "no_better_than_random")
        assert set(found) == {"undecided"}

    def test_factor_of_rtrl_by_both_counts(self, tables, published):
        """As the text counts, and with the inputs of the forward pass."""
        evidence = claims.Evidence(tables, published.entry(COSTS), published, True)
        found = {one.protocol: one.values[0] for one in claims.numbers_of_ch2_rtrl_cost(evidence)}
        assert found == {"as_published": 20000.0, "corrected": 20000.0}
