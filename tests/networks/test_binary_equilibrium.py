"""Binary networks that settle, against a loop over single units from the equations."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.networks.binary_equilibrium import (
    Coding,
    advance,
    at_rest,
    distance,
    informed,
    run,
    settle_binary,
)
from plausible.networks.equilibrium import fixed_point, make_equilibrium, zero_states
from plausible.neurons.bit_coding import quantize
from plausible.neurons.predictive_bits import pre_code
from plausible.neurons.step_sizes import Adaptive, Schedule

SIZES, BATCH, STEPS, FREE_STEPS = (6, 5, 4, 3), 2, 40, 25
RNG = np.random.default_rng(3)
NETWORK = make_equilibrium(SIZES, RNG)
for _bias in NETWORK.biases:
    _bias[...] = RNG.normal(0, 0.1, _bias.shape)
INPUTS = RNG.random((BATCH, SIZES[0]))
TARGET = np.eye(SIZES[-1])[RNG.integers(0, SIZES[-1], BATCH)]
CODINGS = {
    "plain": Coding(Schedule(1.0, 0.5)),
    "scheduled": Coding(Schedule(0.775, 0.313), Schedule(0.67, 0.578)),
    "adaptive": Coding(Adaptive(0.05, 1e-7), Schedule(0.275)),
    "matched": Coding(Schedule(0.8, 0.3), Schedule(0.9, 0.5), matched=True),
}


def by_units(coding, sample, beta=0.5, start=None, pull=0.0):
    """States of one sample after each step, unit by unit."""
    x, y = INPUTS[sample], TARGET[sample]
    bits = [[0.0] * size for size in SIZES]
    last = [[0.0] * size for size in SIZES]
    phi = [[0.0] * size for size in SIZES]
    s = [list(x), *([0.0] * size for size in SIZES[1:])]
    v = [[0.0] * size for size in SIZES]
    if start is not None:
        s = [list(x), *([min(1.0, max(0.0, a)) for a in layer[sample]] for layer in start)]
        tell(s, bits, last, phi, v)
    osa = {}
    history = []
    for t in range(1, STEPS + 1):
        lam = coding.decay.first / t**coding.decay.exponent
        lam_in = lam
        if coding.matched:
            lam_in = coding.decay.first / max(t - 1, 1) ** coding.decay.exponent
        heard = [list(layer) for layer in bits]
        for layer in range(len(SIZES)):
            for j in range(SIZES[layer]):
                if layer:
                    w = NETWORK.weights[layer - 1]
                    u = sum(heard[layer - 1][i] * w[i, j] for i in range(SIZES[layer - 1]))
                    if layer + 1 < len(SIZES):
                        up = NETWORK.weights[layer]
                        u += sum(heard[layer + 1][k] * up[j, k] for k in range(SIZES[layer + 1]))
                    v[layer][j] = (1 - lam_in) * v[layer][j] + lam_in * u
                    p = v[layer][j] + NETWORK.biases[layer - 1][j]
                    if layer == len(SIZES) - 1 and t > FREE_STEPS:
                        p += 2 * beta * (y[j] - s[layer][j])
                    if start is not None:
                        p += pull * (start[layer - 1][sample][j] - s[layer][j])
                    if isinstance(coding.step, Schedule):
                        eps = coding.step.first / t**coding.step.exponent
                    else:
                        eps = by_osa(osa, (layer, j), coding.step, p)
                    s[layer][j] = min(1.0, max(0.0, (1 - eps) * s[layer][j] + eps * p))
                a = (s[layer][j] - (1 - lam) * last[layer][j]) / lam
                last[layer][j] = s[layer][j]
                phi[layer][j] += a
                bits[layer][j] = 1.0 if phi[layer][j] > 0.5 else 0.0
                phi[layer][j] -= bits[layer][j]
        history.append([list(layer) for layer in s[1:]])
    return history


def tell(s, bits, last, phi, v):
    """Every unit knows the states of its neighbours, and has sent one bit of its own."""
    for layer, size in enumerate(SIZES):
        for j in range(size):
            last[layer][j] = s[layer][j]
            bits[layer][j] = 1.0 if s[layer][j] > 0.5 else 0.0
            phi[layer][j] = s[layer][j] - bits[layer][j]
            if layer:
                w = NETWORK.weights[layer - 1]
                v[layer][j] += sum(s[layer - 1][i] * w[i, j] for i in range(SIZES[layer - 1]))
                if layer + 1 < len(SIZES):
                    up = NETWORK.weights[layer]
                    v[layer][j] += sum(s[layer + 1][k] * up[j, k] for k in range(SIZES[layer + 1]))


def by_osa(memory, unit, rule, p):
    """Step of one unit by George and Powell's steps 2 and 3."""
    first = unit not in memory
    nu, mean, beta, delta, lam = memory.get(unit, (1.0, 0.0, 0.0, 0.0, 0.0))
    nu = nu / (1 + nu - rule.target)
    error = p - mean
    beta, delta = (1 - nu) * beta + nu * error, (1 - nu) * delta + nu * error**2
    sigma2 = (delta - beta**2) / (1 + lam)
    alpha = 1.0 if first else 1 - (sigma2 + rule.constant) / (delta + rule.constant)
    lam = (1 - alpha) ** 2 * lam + alpha**2
    memory[unit] = nu, mean + alpha * error, beta, delta, lam
    return alpha


@pytest.mark.parametrize("name", CODINGS)
def test_both_phases_by_single_units(name):
    coding, now = CODINGS[name], at_rest(NETWORK, BATCH)
    found = list(run(NETWORK, coding, INPUTS, now, FREE_STEPS))
    found += run(NETWORK, coding, INPUTS, found[-1], STEPS - FREE_STEPS, TARGET, 0.5)
    for sample in range(BATCH):
        for time, layers in enumerate(by_units(coding, sample)):
            for ours, theirs in zip(found[time].states, layers, strict=True):
                np.testing.assert_allclose(ours[sample], theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["scheduled", "adaptive"])
def test_a_network_that_is_informed_by_single_units(name):
    coding, rng = CODINGS[name], np.random.default_rng(8)
    start = tuple(rng.uniform(-0.1, 1.1, (BATCH, size)) for size in SIZES[1:])
    more = {"anchors": start, "pull": 0.2}
    now, found = informed(NETWORK, INPUTS, start), []
    for time in range(STEPS):
        nudge = (TARGET, 0.5) if time >= FREE_STEPS else ()
        now = advance(NETWORK, coding, INPUTS, now, *nudge, **more)
        found.append(now)
    plain = list(run(NETWORK, coding, INPUTS, at_rest(NETWORK, BATCH, start), STEPS))
    for sample in range(BATCH):
        for time, layers in enumerate(by_units(coding, sample, start=start, pull=0.2)):
            for ours, theirs in zip(found[time].states, layers, strict=True):
                np.testing.assert_allclose(ours[sample], theirs, rtol=0, atol=1e-12)
    assert all(
        np.abs(a.states[0] - b.states[0]).max() > 1e-3
        for a, b in zip(found[:5], plain[:5], strict=True)
    )


def test_input_layer_sends_the_train_of_its_encoder():
    coding = CODINGS["scheduled"]
    passed = run(NETWORK, coding, INPUTS, at_rest(NETWORK, BATCH), STEPS)
    sent = np.stack([now.layers[0].bits for now in passed])
    held = np.broadcast_to(INPUTS, (STEPS, *INPUTS.shape))
    code = pre_code(held, coding.decay.at(np.arange(1, STEPS + 1)))
    np.testing.assert_array_equal(sent, quantize(code, "sigma_delta"))


def test_annealed_bits_settle_where_real_numbers_do():
    exact = fixed_point(NETWORK, INPUTS, zero_states(NETWORK, BATCH)).states
    after = [
        settle_binary(NETWORK, CODINGS["scheduled"], INPUTS, at_rest(NETWORK, BATCH), steps)
        for steps in (30, 4000)
    ]
    errors = [distance(now.states, exact) for now in after]
    assert errors[1] < 0.01 < errors[0]


def test_stochastic_bits_have_the_state_as_probability():
    coding = Coding(Schedule(0.5), encoder="stochastic")
    rng, many = np.random.default_rng(0), np.tile(INPUTS, (3000, 1))
    now = advance(NETWORK, coding, many, at_rest(NETWORK, len(many)), rng=rng)
    means = now.layers[0].bits.reshape(3000, BATCH, -1).mean(axis=0)
    assert np.abs(means - INPUTS).max() < 5 * 0.5 / 3000**0.5
    assert set(np.unique(now.layers[0].bits)) == {0.0, 1.0}


def test_kept_states_are_where_it_starts():
    states = tuple(RNG.random((BATCH, size)) for size in SIZES[1:])
    now = advance(NETWORK, Coding(Schedule(0.0)), INPUTS, at_rest(NETWORK, BATCH, states))
    for ours, kept in zip(now.states, states, strict=True):
        np.testing.assert_array_equal(ours, kept)


@pytest.mark.parametrize(
    ("coding", "words"),
    [
        (Coding(Schedule(0.5), encoder="morse"), "encoder 'morse', expected one of sigma_delta"),
        (Coding(Schedule(2.0)), "range from 0 to 1"),
        (Coding(Schedule(0.5), Schedule(0.0)), "expected a schedule above 0"),
        (Coding(Schedule(0.5), Adaptive(0.1)), "expected a schedule above 0"),
    ],
)
def test_what_does_not_fit_is_one_sentence(coding, words):
    with pytest.raises(StudyError, match=words):
        settle_binary(NETWORK, coding, INPUTS, at_rest(NETWORK, BATCH), 1)
