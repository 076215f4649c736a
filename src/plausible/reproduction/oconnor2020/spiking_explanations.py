"""Why results of chapter 3's training runs differ from the published ones."""

from plausible.reproduction.explanations import Explanation
from plausible.reproduction.oconnor2020.spiking_rows import TEST_PARTS, on_split
from plausible.studies.oconnor2020.tables_spiking_training import TABLE3_2

_PRINTED_STEP = (
    "Equations 3.6 and 3.7 print the step η/T. With the author's η = 0.01 that is T times the step "
    "of his code, η/T²: both spike counts of an update are about T times the rates, so the "
    "update of rates has a step of ηT, and networks that change their weights at the end of a "
    "sample (SGD) hardly learn or unlearn again, with smooth gradients as without. "
)
_PRINTED_STEP_FRACTIONAL = (
    "Equations 3.6 and 3.7 print the step η/T, T times that of the author's code. Only the "
    "networks with fractional updates learn with it, and to a higher error than with η/T². A "
    "fractional update multiplies an error spike by the input spikes so far, on average about half "
    "of those of the whole sample, so its step is about half that of SGD, and it acts on the time "
    "steps that follow in the same sample; SGD adds up the errors of all time steps and changes "
    "the weights once. Which of both matters more is not separated here. Smooth gradients, which "
    "replace the spikes so far by the sum that they quantize, leave the size of the step as it is. "
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
    "The printed number is of the last 10,000 images of the training file, which the thesis calls "
    "its test set (its loader took the second of three parts); this row is of the official test "
    "images. After few epochs they are harder for these networks by some tenths of a point, after "
    "many they are not. "
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
    "ReLU output. Where an output unit of the ReLU network has died, which happens at the demo "
    "scale, the sum still tells its class. "
)
_LONG_RUN = (
    "A spiking network after T steps approaches the vector network like 1/T and no faster, and "
    "images near a class boundary flip until then. "
)
_GUESSES_OF_SGD = (
    "At the paper scale only the network trained with SGD is off, and to the better side: after 20 "
    "steps it errs 0.34 points (official split: 0.45) less than the vector network with its "
    "weights, after the 10 steps of its training +0.04 (official split: -0.14); the others are "
    "within 0.05 after 20 steps. The vector network rectifies its outputs, the spiking one does "
    "not; what part that makes was not measured. At the demo scale a single test image is 0.42 "
    "points of the thesis split. "
)
_FORMS_OF_FSGD = (
    "No cause is known. In the printed table the vector network of these weights has fewer "
    "training errors than the spiking one (0.34 against 0.37 %), in each of our runs at the paper "
    "scale it has a few more. "
)
_A1_FRACTIONAL = ("value:Fractional Updates", "value:Smooth & Fractional")
_ERRORS = (
    *(("ch3.table3.2", f"value:{row}: test error") for row in TABLE3_2),
    *(("ch3.fsgd_better", f"value:table3_2 {rule}") for rule in ("sgd", "fsgd")),
    *(("ch3.close_to_relu", f"value:{network}") for network in ("fsgd", "relu")),
)
"""Numbers that are compared on both test parts; a name of the official part is made by on_split."""

_TRAINING_OF_RELU = (
    "The table does not state its learning rate. With the 0.01 of the author's code the training "
    "error of the ReLU network passes the printed one around epoch 10 and goes on falling. The "
    "printed one also is the same to the last digit for its spiking form, whose errors are other "
    "ones in each of our runs; one of the two may be a copy. "
)

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation("table_a1", "*", "as_published", _PRINTED_STEP),
    Explanation("ch3.no_zero_reset", "*", "as_published", _PRINTED_STEP),
    *(
        Explanation("table_a1", check, "as_published", _PRINTED_STEP_FRACTIONAL + _OFFICIAL)
        for check in _A1_FRACTIONAL
    ),
    Explanation("table_a1", "value:Depth-First", "as_published", _HELD + _PRINTED_STEP),
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
    Explanation("ch3.fsgd_better", "expect:0 table A.1", "as_published", _PRINTED_STEP),
    Explanation("ch3.fsgd_better", "value:tableA_1 sgd", "as_published", _PRINTED_STEP),
    Explanation(
        "ch3.fsgd_better",
        "value:tableA_1 fsgd",
        "as_published",
        _PRINTED_STEP_FRACTIONAL + _OFFICIAL,
    ),
    *(
        Explanation(result, check, "*", _FRACTIONAL_IS_SLOWER + _SHORT)
        for result, check in (
            ("ch3.table3.2", "expect:0"),
            ("ch3.table3.2", "expect:1"),
            *(("ch3.fsgd_better", on_split("expect:0 table 3.2", part)) for part in TEST_PARTS),
            ("ch3.fig3.3", "expect:0"),
            *(
                ("ch3.early_guess", on_split("expect:0 hypothesis 2 holds", part))
                for part in TEST_PARTS
            ),
            ("ch3.close_to_relu", "expect:0"),
            ("ch3.training_not_forward", "expect:0"),
        )
    ),
    *(
        Explanation(result, check, "*", _FORMS + _LONG_RUN)
        for result, check in (
            ("ch3.table3.2", "expect:2"),
            ("ch3.table3.2", "expect:3"),
        )
    ),
    Explanation("ch3.fig3.3", "expect:2", "*", _GUESSES_OF_SGD),
    *(
        Explanation(result, check, "*", _GUESS)
        for result, check in (
            ("ch3.fig3.3", "expect:1"),
            *(
                ("ch3.early_guess", on_split("expect:0 hypothesis 1 fails", part))
                for part in TEST_PARTS
            ),
        )
    ),
    Explanation("ch3.fig3.2", "expect:0", "*", _GAP),
    Explanation("ch3.smaller_generalisation_gap", "expect:0", "*", _GAP),
    Explanation(
        "ch3.sparse_learned_computation", "expect:1 spikes, thesis split", "*", _SILENT_START
    ),
    *(
        Explanation(result, "*", "*", _ONE_RUN)
        for result in ("ch3.table3.2", "ch3.fsgd_better", "ch3.close_to_relu")
    ),
    *(
        Explanation("ch3.table3.2", f"value:{row}: training error", "*", _TRAINING_OF_RELU)
        for row in ("Vector ReLU MLP", "Spiking with ReLU Weights")
    ),
    Explanation(
        "ch3.table3.2",
        "value:ReLU with Spiking FSGD weights: training error",
        "*",
        _FORMS_OF_FSGD,
    ),
    *(
        Explanation(result, on_split(check, "official"), "*", _ONE_RUN + _OFFICIAL)
        for result, check in _ERRORS
    ),
)
