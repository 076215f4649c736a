"""Why results of chapter 3's training runs differ from the published ones."""

from plausible.reproduction.explanations import Explanation

_PRINTED_STEP = (
    "Equations 3.6 and 3.7 print the step η/T. With the author's η = 0.01 that is T times the step "
    "of his code, η/T²: both spike counts of an update are about T times the rates, so the "
    "update of rates has a step of ηT, and the networks hardly learn or unlearn again. "
)
_ONE_RUN = (
    "The printed number is that of one run with one random start, trained in Java, where spikes of "
    "equal potential leave in an unspecified order; the trajectory of such a network is chaotic. "
)
_FRACTIONAL_IS_SLOWER = (
    "Fractional updates multiply an error spike by the input spikes so far, on average about half "
    "of those of the whole sample, so the step of FSGD is about half that of SGD at the same η. "
    "It starts later and gains only in long trainings; after few epochs, or on few images, SGD is "
    "ahead. "
)
_OFFICIAL = (
    "The thesis calls the last 10,000 images of the training file its test set (its loader took "
    "the second of three parts); the official test images are somewhat harder for these networks. "
)
_SHORT = (
    "Where few images train the network, gaps and orders between networks are not those of MNIST. "
)
_NOT_HELD = (
    "Sent back at once, output and target spikes of a step pass the gates one by one instead of "
    "as their difference, and the error of a quiet sample no longer cancels. When this breaks a "
    "training depends on the step: here it learns at first. The order in which the author's code "
    "sends target spikes among the output spikes is not known. "
)
_HELD = (
    "With held errors both routings send the same spikes, so depth first by its name is the "
    "baseline; the author's notes give 3.38 % for it too. The printed 81.47 % belongs to depth "
    "first without held errors. "
)
_ZERO_RESET = (
    "With zero reset the quantizers of errors lose after each sample what did not become a spike, "
    "and the error spikes of one sample times small weights do not add up to 1/2: at first none is "
    "sent below the output, while without a reset they reach every layer (counted in "
    "beyond.zero_reset). Only the last matrix can change then, by spikes of the last hidden layer, "
    "which is silent for all or nearly all images. Where it stays so, the matrices below never "
    "change, nearly all images get the same answer, and the error is the share of the other nine "
    "digits; where it spikes often enough, the last matrix grows until error spikes reach the "
    "layers below, one after the other, and the network learns late. Which of both happens depends "
    "on the initial weights; the printed number is one run. "
)
_SILENT_START = (
    "Before training nearly every unit of the second layer is silent, because weights of this "
    "size do not bring its potentials to 1/2 within the time steps; training makes them spike at "
    "all. Sparse representations show in the vector network with the same weights, where half of "
    "the units are silent at first. "
)
_GAP = (
    "The gap grows as the training error falls: a network whose training error is near zero has a "
    "gap of about its test error. The spiking network that learns more slowly has a smaller gap "
    "because its training error is higher. Table 3.2 itself has the larger gap for FSGD (1.70 "
    "points against 1.20). "
)
_GUESS = (
    "How soon a guess is good enough depends on the criterion, and the thesis judges by eye; ours "
    "asks for the long-run error within 0.3 points. "
)
_FORMS = (
    "The spiking network sums what its last hidden layer sends, without the rectification of the "
    "ReLU output. Where an output unit of the ReLU network has died, which happens at this rate on "
    "few images, the sum still tells its class. "
)
_LONG_RUN = (
    "A spiking network after T steps approaches the vector network like 1/T and no faster, and "
    "images near a class boundary flip until then. "
)

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation("table_a1", "*", "as_published", _PRINTED_STEP + _OFFICIAL),
    Explanation("ch3.no_zero_reset", "*", "as_published", _PRINTED_STEP + _OFFICIAL),
    Explanation("table_a1", "value:Depth-First", "as_published", _HELD),
    Explanation("table_a1", "expect:2", "as_published", _HELD + _PRINTED_STEP),
    Explanation("table_a1", "*", "as_coded", _ONE_RUN),
    Explanation("ch3.no_zero_reset", "*", "as_coded", _ONE_RUN),
    Explanation("table_a1", "value:Back-Quantization = Zero-Reset", "as_coded", _ZERO_RESET),
    Explanation("ch3.no_zero_reset", "value:zero_reset", "as_coded", _ZERO_RESET),
    Explanation("ch3.no_zero_reset", "expect:0 zero reset", "as_coded", _ZERO_RESET),
    Explanation("table_a1", "expect:1", "as_coded", _ZERO_RESET),
    Explanation("table_a1", "value:Depth-First", "as_coded", _NOT_HELD),
    Explanation("table_a1", "expect:2", "as_coded", _NOT_HELD),
    Explanation("table_a1", "expect:3 fractional", "as_coded", _FRACTIONAL_IS_SLOWER),
    Explanation("ch3.fsgd_better", "expect:0 table A.1", "as_coded", _FRACTIONAL_IS_SLOWER),
    Explanation(
        "ch3.fsgd_better",
        "expect:0 table A.1",
        "as_published",
        _PRINTED_STEP + _FRACTIONAL_IS_SLOWER,
    ),
    *(
        Explanation(result, check, "*", _FRACTIONAL_IS_SLOWER + _SHORT)
        for result, check in (
            ("ch3.table3.2", "expect:0"),
            ("ch3.table3.2", "expect:1"),
            ("ch3.fsgd_better", "expect:0 table 3.2"),
            ("ch3.fig3.3", "expect:0"),
            ("ch3.early_guess", "expect:0 hypothesis 2 holds"),
            ("ch3.close_to_relu", "expect:0"),
            ("ch3.training_not_forward", "expect:0"),
        )
    ),
    *(
        Explanation(result, check, "*", _FORMS + _LONG_RUN)
        for result, check in (
            ("ch3.table3.2", "expect:2"),
            ("ch3.table3.2", "expect:3"),
            ("ch3.fig3.3", "expect:2"),
        )
    ),
    *(
        Explanation(result, check, "*", _GUESS)
        for result, check in (
            ("ch3.fig3.3", "expect:1 dense"),
            ("ch3.fig3.3", "expect:1 sparse"),
            ("ch3.early_guess", "expect:0 hypothesis 1 fails"),
        )
    ),
    Explanation("ch3.fig3.2", "expect:0", "*", _GAP),
    Explanation("ch3.smaller_generalisation_gap", "expect:0", "*", _GAP),
    Explanation("ch3.sparse_learned_computation", "expect:1 spikes", "*", _SILENT_START),
    *(
        Explanation(result, "*", protocol, text)
        for result in ("ch3.table3.2", "ch3.fsgd_better", "ch3.close_to_relu")
        for protocol, text in (("as_coded", _ONE_RUN), ("as_published", _OFFICIAL + _ONE_RUN))
    ),
)
