"""What O'Connor says causes his results, and the verdicts by which it stands or falls."""

from plausible.reproduction.summaries import Cause
from plausible.reproduction.verdicts import REPRODUCED

AS_MANY = ", as many operations"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "3.4.1",
        "Quantized spikes converge to what they code as 1/T, spikes drawn at random as 1/√T.",
        (
            ("ch3.rates_claim", "expect:0 quantization", "corrected", REPRODUCED),
            ("ch3.rates_claim", "expect:0 sampling", "corrected", REPRODUCED),
        ),
    ),
    Cause(
        "3.4.7",
        "Updates at single error spikes (FSGD) sum up to a step along the gradient.",
        (
            ("appA.algorithm13", "expect:0 #1", "corrected", REPRODUCED),
            ("appA.algorithm13", "expect:0 #2", "corrected", REPRODUCED),
        ),
        "With the same η the step is half that of SGD: a spike takes part only in the updates that "
        "come after it.",
    ),
    Cause(
        "3.6",
        "Additions, comparisons and look-ups of integers suffice.",
        (
            ("ch3.integer_only", "expect:0 #4", "corrected", REPRODUCED),
            ("ch3.integer_only", "expect:0 #5", "corrected", REPRODUCED),
            ("ch3.integer_only", "expect:0 #6", "corrected", REPRODUCED),
        ),
        "The integers are the exact network; a real-valued one is the same only where floating "
        "point makes no rounding errors.",
    ),
    Cause(
        "3.5.2",
        "Most of the distance between the spiking and the ReLU network comes from the training, "
        "not from the discrete forward pass.",
        (("ch3.training_not_forward", "expect:0 thesis split", "as_coded", REPRODUCED),),
        "The note of that row has both parts, with the ReLU weights in a discrete pass; with the "
        "weights that FSGD has trained the pass makes hardly a difference (table 3.2, last row).",
    ),
    Cause(
        "3.5.2",
        "The spiking network generalises better: its test error is nearer to its training error.",
        (
            (
                "ch3.smaller_generalisation_gap",
                "expect:0 FSGD, thesis split",
                "as_coded",
                REPRODUCED,
            ),
            ("ch3.fig3.2", "expect:0 FSGD, thesis split", "as_coded", REPRODUCED),
            (
                "ch3.smaller_generalisation_gap",
                "expect:0 FSGD after the training, thesis split",
                "as_coded",
                REPRODUCED,
            ),
        ),
        "A gap is small as long as the training error is large. After 50 epochs table 3.2 itself "
        "has the larger gap for the spiking network (1.70 points against 1.20).",
    ),
    Cause(
        "3.5.3",
        "Fractional updates teach the network to guess early.",
        (("ch3.early_guess", "expect:0 hypothesis 2 holds, thesis split", "as_coded", REPRODUCED),),
    ),
    Cause(
        "3.4.6",
        "With quantizers of errors that are reset to zero, a network of small weights does not "
        "learn.",
        (
            ("ch3.no_zero_reset", "expect:0 zero reset", "as_coded", REPRODUCED),
            ("ch3.no_zero_reset", "expect:0 no reset", "as_coded", REPRODUCED),
        ),
        "At first ten error spikes of a sample do not add up to 1/2 in any lower quantizer, and "
        "the last matrix has nearly no input spikes; whether it grows enough to let errors through "
        "later depends on the initial weights.",
    ),
    Cause(
        "4.4",
        "A sigma-delta network computes what the rounding network does, in any order of frames.",
        (
            ("ch4.fig4.4", "expect:0", "as_coded", REPRODUCED),
            ("ch4.same_error_both_orders", "expect:0 test", "as_coded", REPRODUCED),
        ),
    ),
    Cause(
        "4.6.1",
        "Optimal scales make up for a badly scaled network: large where its values are small, "
        "small where they are large.",
        (
            ("ch4.fig4.2", f"expect:2 first hidden layer{AS_MANY}", "as_coded", REPRODUCED),
            ("ch4.fig4.2", f"expect:2 second hidden layer{AS_MANY}", "as_coded", REPRODUCED),
        ),
        "Compared at the computation of the start, since each lambda also makes all scales larger "
        "or smaller together.",
    ),
    Cause(
        "4.6.2",
        "Sending changes is cheaper than sending values where frames resemble their neighbours, "
        "and dearer where they do not.",
        (
            ("ch4.fig4.4", "expect:1 fewer", "as_coded", REPRODUCED),
            ("ch4.fig4.4", "expect:2", "as_coded", REPRODUCED),
        ),
    ),
    Cause(
        "4.6.2",
        "With little weight on computation, discretised networks come to the error of the original "
        "with fewer operations.",
        (
            ("ch4.reaches_original_error", "expect:0 rounding", "as_coded", REPRODUCED),
            ("ch4.reaches_original_error", "expect:0 sigma-delta", "as_coded", REPRODUCED),
        ),
        "Fewer than those of a dense pass; a pass that skips zeros and one in integers of 8 bits "
        "or fewer are the nearer competitors.",
    ),
)
