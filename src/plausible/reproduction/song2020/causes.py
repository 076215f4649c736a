"""What Song et al. say causes their results, and the verdicts by which it stands or falls."""

from plausible.reproduction.summaries import Cause
from plausible.reproduction.verdicts import REPRODUCED

CAUSES: tuple[Cause, ...] = (
    Cause(
        "3",
        "Under C1, C2 and C3 inference learning is backprop.",
        (("theorem3.2", "expect:0 #1", "corrected", REPRODUCED),),
        "Provided that value nodes and weights are both updated from the state of time t; in the "
        "order of the listings it is not.",
    ),
    Cause(
        "A.7",
        "What remains of the weight divergence at t = l and gamma = 1 is rounding.",
        (
            ("fig3", "expect:1", "calibrated", REPRODUCED),
            ("fig3", "expect:1", "as_coded", REPRODUCED),
        ),
        "On average over seeds, as the maps are. Training enlarges it, in some runs past the "
        "printed bound.",
    ),
    Cause(
        "5.1",
        "Equality needs C2 and C3: only t = l with gamma = 1 has no divergence.",
        tuple(
            ("claim.c2_c3_needed", f"expect:0 l_max {depth}", "as_coded", REPRODUCED)
            for depth in (2, 3, 4)
        ),
    ),
    Cause(
        "5.1",
        "Equality needs C1: any noise in the value nodes makes the networks diverge.",
        (
            ("claim.c1_needed", "expect:0 initial noise", "as_coded", REPRODUCED),
            ("claim.c1_needed", "expect:0 persistent noise", "as_coded", REPRODUCED),
        ),
    ),
    Cause(
        "5.1",
        "The noise of the ablation is drawn once, around the value nodes at t = 0.",
        (
            (
                "supp.table1",
                "value:divergence_of_final_weights sigma 100, initial noise",
                "as_coded",
                REPRODUCED,
            ),
        ),
        "Such noise is bounded by f in its effect; the printed divergence grows in proportion to "
        "sigma, as noise that stays in the error nodes does.",
    ),
    Cause(
        "A.5",
        "Without C3 alone, Z-IL is backprop with the rate alpha gamma^l in theta^{l+1}.",
        (("claim.gamma_power_learning_rate", "expect:0 #1", "corrected", REPRODUCED),),
    ),
    Cause(
        "4",
        "With t_d = 4, phi finds every moment t = l.",
        (("claim.td4_detects_all", "expect:0 exact test", "as_published", REPRODUCED),),
    ),
    Cause(
        "4",
        "With t_d = 1 or 2, phi misses some of them.",
        (("table3", "expect:1 exact test", "as_published", REPRODUCED),),
        "By the rule as stated none is missed: error nodes are exactly zero before t = l.",
    ),
    Cause(
        "4",
        "Fa-Z-IL has the test errors of Z-IL and backprop.",
        (("claim.fazil_same_as_zil", "expect:0", "as_coded", REPRODUCED),),
    ),
    Cause(
        "5.2",
        "IL is much slower than backprop because of its t_c inference steps.",
        (
            ("table4", "expect:2 imagenet cpu", "", REPRODUCED),
            ("table4", "expect:2 mnist cpu", "", REPRODUCED),
        ),
        "The product of the input with the first matrix does not change from step to step; "
        "computed once, it leaves little to do where that matrix has 95 % of all weights (table "
        "4), and much in the small network.",
        one_is_enough=True,
    ),
    Cause(
        "5.2",
        "Z-IL and Fa-Z-IL cost little more than backprop.",
        (
            ("table4", "expect:0 imagenet cpu", "", REPRODUCED),
            ("table4", "expect:1 imagenet cpu", "", REPRODUCED),
        ),
    ),
)
