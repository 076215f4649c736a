"""Theorems of chapter 4 and appendix B of O'Connor 2020: networks that send differences.

One function per published entry; it takes the settings and a seed and returns its checks, with the
same comparison of a broken form as control. All arithmetic is in float64 unless it is in whole
numbers. Sequences are random walks, so that frames resemble their neighbours without being equal,
or independent frames, which resemble nothing. Of several broken sequences the least broken counts.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.measure.operations import event_additions
from plausible.networks.sigma_delta import (
    Layer,
    delta_herding,
    dense_network,
    herding,
    run,
    temporal_difference,
    temporal_integration,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import correlated_frames
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import (
    SIZES,
    differing,
    random_parameters,
    relative,
    theorem_generator,
)

FRAMES = 300
IMAGE = (8, 8)
CUTS = (0, 1, 2, 57, 200, FRAMES)
"""Where a sequence is cut when it is given in pieces."""
SINGLY = tuple(range(FRAMES + 1))
LITERAL, PRINTED = "sigma_delta_herding", "sigma_delta_as_printed"
BROKEN_ORDER = "rounded_after_the_difference"


def _sequences(generator: np.random.Generator, units: int) -> dict[str, NDArray]:
    """A slow and an independent sequence of an amplitude of a few units, [frames, units]."""
    noise = generator.standard_normal((FRAMES, units))
    return {"slow": 3.0 * correlated_frames(noise, 0.99), "independent": 3.0 * noise}


def _convolution(kernel: NDArray) -> Callable[[NDArray], NDArray]:
    """Valid cross-correlation of images [frames, rows * columns] with ``kernel``, flattened."""

    def convolve(frames: NDArray) -> NDArray:
        images = frames.reshape(len(frames), *IMAGE)
        windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape, axis=(1, 2))
        return np.einsum("nrcij,ij->nrc", windows, kernel).reshape(len(frames), -1)

    return convolve


def _largest(found: ArrayLike, expected: ArrayLike) -> float:
    return float(np.abs(np.subtract(found, expected)).max())


def _delta(frames: NDArray) -> NDArray:
    return temporal_difference(frames)[0]


def _sigma(frames: NDArray) -> NDArray:
    return temporal_integration(frames)[0]


def _pieces(
    module: Callable, frames: NDArray, cuts: Sequence[int] = CUTS, stored: bool = True
) -> NDArray:
    """Outputs for a sequence that is given in pieces, each with what the last one left or not."""
    memory, pieces = None, []
    for begin, end in pairwise(cuts):
        piece, memory = module(frames[begin:end], memory if stored else None)
        pieces.append(piece)
    return np.concatenate(pieces)


def output_is_the_difference(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 4: y = x - x_last, from x_last = 0, with a state that persists."""
    check, found, broken = "output_is_the_difference", {}, []
    for name, frames in _sequences(theorem_generator("algorithm4", seed), 9).items():
        slow = [frames[0], *(frame - before for before, frame in pairwise(frames))]
        text = f"{name} frames: all outputs, given in pieces, against a loop"
        found[name] = text, _largest(_pieces(temporal_difference, frames), slow)
        broken.append(_largest(_pieces(temporal_difference, frames, SINGLY, stored=False), slow))
    return checks(check, found) + controls(check, {"last_input_not_stored": min(broken)})


def integration_inverts_difference(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 5: y = y + x; the running sum of the differences is the input."""
    check, found, leaky, late = "integral_of_difference", {}, [], []
    for name, frames in _sequences(theorem_generator("algorithm5", seed), 9).items():
        forms = {
            "sum": ("Σ(x) against a loop", frames, _summed(frames)),
            "inverse": ("Σ(Δ(x)) against x", _delta(frames), frames),
        }
        for form, (text, values, expected) in forms.items():
            found[f"{form}_{name}"] = f"{text}, {name} frames", relative(_sigma(values), expected)
        _, differences, _ = forms["inverse"]
        leaky.append(relative(_summed(differences, leak=0.99), frames))
        late.append(relative(_summed(differences, late=True), frames))
    broken = {"leaky_sum": min(leaky), "sum_before_the_update": min(late)}
    return checks(check, found) + controls(check, broken)


def _summed(values: NDArray, leak: float = 1.0, late: bool = False) -> NDArray:
    """Running sum in a loop, which may leak, or be sent before it is updated."""
    total, sums = np.zeros(values.shape[1]), []
    for value in values:
        before, total = total, leak * total + value
        sums.append(before if late else total)
    return np.array(sums)


def difference_commutes(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.1: Delta(w(Sigma(x))) = w(x) and its like: Delta, Sigma and linear w commute."""
    check, generator = "commutes_with_linear_maps", theorem_generator("eq4.1", seed)
    weight = generator.standard_normal((10, IMAGE[0] * IMAGE[1])).T
    kernel, bias = generator.standard_normal((3, 3)), 10.0
    maps = [lambda frames: frames @ weight, _convolution(kernel)]
    sequences = _sequences(generator, IMAGE[0] * IMAGE[1]).values()

    def apart(change: Callable[[NDArray], NDArray]) -> dict[str, list[float]]:
        """Every form with each map, followed by ``change``, and with each sequence."""
        found = [
            _commuting_forms(frames, lambda given, linear=linear: change(linear(given)))
            for linear in maps
            for frames in sequences
        ]
        return {form: [each[form] for each in found] for form in found[0]}

    text = "largest of a matrix and a convolution, slow and independent frames"
    linear = {
        f"form_{number}": (f"{form}: {text}", max(deviations))
        for number, (form, deviations) in enumerate(apart(lambda values: values).items(), start=1)
    }
    broken = {"rectified_map": _rectified, "map_with_bias": lambda values: values + bias}
    return checks(check, linear) + controls(
        check,
        {
            # Where w is on the same side of both Δ and Σ, any map will do.
            name: min(min(each) for form, each in apart(change).items() if form != _ANY_MAP)
            for name, change in broken.items()
        },
    )


_ANY_MAP = "w(Δ(Σ(x))) = w(x)"


def _commuting_forms(frames: NDArray, linear: Callable[[NDArray], NDArray]) -> dict[str, float]:
    """Relative deviations of the equalities that hold if Delta, Sigma and ``linear`` commute."""
    mapped = linear(frames)
    return {
        "Δ(w(Σ(x))) = w(x)": relative(_delta(linear(_sigma(frames))), mapped),
        "Σ(w(Δ(x))) = w(x)": relative(_sigma(linear(_delta(frames))), mapped),
        _ANY_MAP: relative(linear(_delta(_sigma(frames))), mapped),
        "Σ(w(x)) = w(Σ(x))": relative(_sigma(mapped), linear(_sigma(frames))),
        "Δ(w(x)) = w(Δ(x))": relative(_delta(mapped), linear(_delta(frames))),
    }


def _rectified(values: NDArray) -> NDArray:
    return np.maximum(values, 0)


def temporal_difference_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4.4.1: pairs of integration and difference leave the function as it was."""
    check, kind = "outputs_equal", "temporal_difference"
    generator = theorem_generator("temporal_difference_network", seed)
    layers = dense_network(*random_parameters(generator, bias_deviation=1.0), output="identity")
    summed_bias = [
        layer._replace(linear=lambda x, layer=layer: layer.linear(x) + layer.bias, bias=0.0)
        for layer in layers
    ]
    found, left_out, bias = {}, [], []
    for name, frames in _sequences(generator, SIZES[0]).items():
        original = run(layers, frames, "original").outputs
        text = f"outputs against those of the original network, {name} frames"
        found[name] = text, relative(run(layers, frames, kind).outputs, original)
        # h(w(Δ(x)) + b) without Σ is the layer of the original network, given differences.
        first = run(layers[:1], _delta(frames), "original").outputs
        left_out.append(relative(run(layers[1:], first, kind).outputs, original))
        bias.append(relative(run(summed_bias, frames, kind).outputs, original))
    broken = {"integration_left_out": min(left_out), "bias_in_every_difference": min(bias)}
    return checks(check, found) + controls(check, broken)


def sigma_delta_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.2: rounding before the difference makes outputs those of the rounding network."""
    generator = theorem_generator("eq4.2", seed)
    layers = dense_network(*random_parameters(generator, bias_deviation=1.0), output="identity")
    whole = _whole_number_network(generator)
    sequences = _sequences(generator, SIZES[0])
    slow, independent = sequences.values()
    orders = sequences | {"shuffled": slow[generator.permutation(FRAMES)]}
    found = []
    for check, network, apart in (
        ("outputs_equal_in_any_order", layers, relative),
        ("outputs_identical_in_whole_numbers", whole, _largest),
    ):

        def off(kind: str, frames: NDArray, network=network, apart=apart) -> float:
            outputs = [run(network, frames, each).outputs for each in (kind, "rounding")]
            return apart(*outputs)

        text = "outputs against those of the rounding network"
        equal = {name: (f"{name} frames: {text}", off(LITERAL, orders[name])) for name in orders}
        broken = min(off(PRINTED, frames) for frames in orders.values())
        found += checks(check, equal) + controls(check, {BROKEN_ORDER: broken})
    return [
        *found,
        *_present_input_only(layers, slow, independent),
        *_operations_of_differences(layers, sequences),
    ]


def _present_input_only(layers: Sequence[Layer], one: NDArray, other: NDArray) -> list[Check]:
    """Outputs for the same frames behind two different histories."""
    check, half = "depends_on_the_present_input_only", FRAMES // 2

    def apart(kind: str) -> float:
        histories = one, np.concatenate([other[:half], one[half:]])
        return relative(*(run(layers, each, kind).outputs[half:] for each in histories))

    text = f"outputs of {FRAMES - half} frames behind one history against those behind another"
    return checks(check, {"": (text, apart(LITERAL))}) + controls(
        check, {BROKEN_ORDER: apart(PRINTED)}
    )


def _operations_of_differences(
    layers: Sequence[Layer], sequences: dict[str, NDArray]
) -> list[Check]:
    """Additions of the sigma-delta network for frames that stay, resemble one another or do not."""
    static = np.repeat(sequences["slow"][-1:], 20, axis=0)

    def additions(kind: str, frames: NDArray, first: int = 0) -> float:
        sent = run(layers, frames, kind).messages
        pairs = zip(layers, sent, strict=True)
        return sum(float(event_additions(each[first:], one.fan_out).sum()) for one, each in pairs)

    ratio = {
        name: additions(LITERAL, frames) / additions("rounding", frames)
        for name, frames in sequences.items()
    }
    still, cheaper = "nothing_for_a_static_input", "cheaper_for_slow_inputs"
    text = "operations for a frame that is repeated, but for those of its first time"
    return [
        *checks(still, {"": (text, additions(LITERAL, static, first=1))}),
        *controls(still, {"rounding_network": additions("rounding", static, first=1)}),
        *checks(cheaper, {"": ("operations over those of the rounding network", ratio["slow"])}),
        *controls(cheaper, {"frames_in_random_order": ratio["independent"]}),
    ]


def _whole_number_network(generator: np.random.Generator) -> tuple[Layer, ...]:
    """A ReLU network whose weights, biases and sums are whole numbers, added without rounding."""
    weights = [generator.integers(-3, 4, (above, below)).T for below, above in pairwise(SIZES)]
    biases = [generator.integers(-5, 6, size) for size in SIZES[1:]]
    return dense_network(weights, biases, output="relu")


def herding_keeps_its_potential_small(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 14: phi += x; s = round(phi); phi -= s."""
    generator = theorem_generator("algorithm14", seed)
    sequences = _sequences(generator, 50) | {"long": generator.normal(0.1, 1.0, (10_000, 5))}
    small, whole, kept = {}, {}, {}
    fractions, forgotten = [], []
    for name, inputs in sequences.items():
        messages, potentials = _step_by_step(inputs)
        total = np.cumsum(inputs, axis=0)
        small[name] = f"{name} inputs: largest |phi|", float(np.abs(potentials).max())
        whole[name] = f"{name} inputs: messages that are no integers", _fractions(messages)
        kept[name] = (
            f"{name} inputs: messages so far and phi against the sum of the inputs",
            _largest(np.cumsum(messages, axis=0) + potentials, total),
        )
        fractions.append(_fractions(_herded(inputs, rounding=lambda values: values)[0]))
        messages, potentials = _step_by_step(inputs, stored=False)
        forgotten.append(_largest(np.cumsum(messages, axis=0) + potentials, total))
    floor = min(float(np.abs(_herded(each, np.floor)[1]).max()) for each in sequences.values())
    raised = float(np.abs(_herded(sequences["long"], lowered=False)[1]).max())
    return [
        *checks("potential_stays_small", small),
        *controls(
            "potential_stays_small", {"floor_for_round": floor, "potential_not_lowered": raised}
        ),
        *checks("messages_are_integers", whole),
        *controls("messages_are_integers", {"potential_sent": min(fractions)}),
        *checks("nothing_is_lost", kept),
        *controls("nothing_is_lost", {"potential_not_kept": min(forgotten)}),
    ]


def _step_by_step(inputs: NDArray, stored: bool = True) -> tuple[NDArray, NDArray]:
    """Messages of the herding and its potentials, with one that is kept or starts anew."""
    potential, sent, left = None, [], []
    for value in inputs:
        messages, potential = herding(value[np.newaxis], potential if stored else None)
        sent.append(messages[0])
        left.append(potential)
    return np.array(sent), np.array(left)


def _herded(
    inputs: NDArray,
    rounding: Callable[[NDArray], NDArray] = np.rint,
    start: float = 0.0,
    lowered: bool = True,
) -> tuple[NDArray, NDArray]:
    """Messages and potentials of a herding by another rounding, start or update."""
    potential, messages = np.full(inputs.shape[1], start), np.empty_like(inputs)
    potentials = np.empty_like(inputs)
    for time, value in enumerate(inputs):
        potential = potential + value
        messages[time] = rounding(potential)
        if lowered:
            potential = potential - messages[time]
        potentials[time] = potential
    return messages, potentials


def _fractions(messages: NDArray) -> float:
    return differing(messages, np.rint(messages))


def messages_are_whole_numbers(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 15: s = round(x); s - s_last is sent."""
    check, found = "differences_of_rounded_inputs", {}
    rounded, forgotten = [], []
    for name, frames in _sequences(theorem_generator("algorithm15", seed), 50).items():
        messages = _pieces(delta_herding, frames)
        expected = np.diff(np.rint(frames), axis=0, prepend=0.0)
        text = f"{name} inputs: messages, given in pieces, against differences of rounded inputs"
        found[f"messages_{name}"] = text, _largest(messages, expected)
        text = f"{name} inputs: sums of messages against rounded inputs"
        found[f"sums_{name}"] = text, _largest(np.cumsum(messages, axis=0), np.rint(frames))
        sums = np.cumsum(np.rint(_delta(frames)), axis=0)
        rounded.append(_share(sums, np.rint(frames)))
        forgotten.append(_share(_pieces(delta_herding, frames, SINGLY, stored=False), expected))
    broken = {"rounded_differences": min(rounded), "last_message_not_stored": min(forgotten)}
    return checks(check, found) + controls(check, broken)


def _share(one: ArrayLike, other: ArrayLike) -> float:
    """Share of the entries that are not the same."""
    return float(np.mean(np.not_equal(one, other)))


def herding_of_differences(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.10: herd(Delta(u)) = Delta(round(u)), where round(x + n) = round(x) + n for whole n.

    Rounding halves to even, as numpy and torch do, is not of this kind: 0.5 goes to 0 and 1.5 to
    2. Rounding halves up is. So inputs that are exactly half-way differ for the one, not the other.
    """
    check, generator = "sequences_equal", theorem_generator("eqB.10", seed)
    sequences = _sequences(generator, 50)
    ties = generator.integers(-8, 9, (FRAMES, 50)) / 2.0
    floor, shifted, first, found = [], [], [], {}
    for name, frames in sequences.items():
        expected = delta_herding(frames)[0]
        text = f"messages that differ, {name} inputs"
        found[name] = text, differing(herding(_delta(frames))[0], expected)
        floor.append(_share(_herded(_delta(frames), np.floor)[0], expected))
        shifted.append(_share(_herded(_delta(frames), start=0.4)[0], expected))
        later = temporal_difference(frames, np.full(50, 3.3))[0]
        first.append(_share(herding(later)[0][0], expected[0]))
    up = differing(_herded(_delta(ties), _half_up)[0], _delta(_half_up(ties)))
    found["halves_up"] = "messages that differ, multiples of 1/2, halves rounded up", up
    broken = {
        "floor_on_one_side": min(floor),
        "potential_starts_at_0_4": min(shifted),
        "first_input_not_zero": min(first),
        "halves_to_even": _share(herding(_delta(ties))[0], delta_herding(ties)[0]),
    }
    return checks(check, found) + controls(check, broken)


def _half_up(values: NDArray) -> NDArray:
    return np.floor(values + 0.5)


def modulation_gives_rounding(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.11: Sigma(w(herd(Delta(x)))) = w(round(x)), and what stands between them."""
    check, generator = "outputs_equal", theorem_generator("eqB.11", seed)
    weight = generator.standard_normal((10, 50)).T

    def forms(frames: NDArray, change: Callable = lambda values: values) -> dict[str, float]:
        """Deviations of the printed forms, with w followed by ``change``."""

        def linear(values: NDArray) -> NDArray:
            return change(values @ weight)

        rounded = np.rint(frames)
        printed = {
            "herded": _sigma(linear(herding(_delta(frames))[0])),
            "differences": _sigma(linear(_delta(rounded))),
            "integrated": linear(_sigma(_delta(rounded))),
        }
        return {name: relative(each, linear(rounded)) for name, each in printed.items()}

    found, stateless, rectified = {}, [], []
    for name, frames in _sequences(generator, 50).items():
        for form, deviation in forms(frames).items():
            text = f"form with {form} messages against w(round(x)), {name} inputs"
            found[f"{form}_{name}"] = text, deviation
        sums = _sigma(np.rint(_delta(frames)) @ weight)
        stateless.append(relative(sums, np.rint(frames) @ weight))
        broken = forms(frames, _rectified)
        rectified.append(min(broken["herded"], broken["differences"]))
    return checks(check, found) + controls(
        check, {BROKEN_ORDER: min(stateless), "rectified_map": min(rectified)}
    )
