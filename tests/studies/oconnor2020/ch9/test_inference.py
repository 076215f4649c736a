"""Costs of an inference, small, against counts by loops and by arrays that count."""

import numpy as np
import pandas as pd
import pytest

from plausible.kernels import pdnn_reference
from plausible.kernels.pdnn_types import fresh_side, starts
from plausible.learning.equilibrium_propagation import Recipe, negative_phase
from plausible.learning.equilibrium_training import Networks, fresh_networks
from plausible.networks import sigma_delta
from plausible.networks.binary_equilibrium import Coding, advance, at_rest
from plausible.networks.equilibrium import make_equilibrium
from plausible.networks.initialiser import forward_pass, make_initialiser
from plausible.networks.leaky_clip import LEAKY_HARD_SIGMOID
from plausible.neurons.pd_coding import decode, encode, pd_code_of
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.studies.oconnor2020.ch9 import experiment_inference as inference
from plausible.studies.oconnor2020.ch9.tables import SYSTEMS

from ...part_results import read_sweep

PART = "oconnor2020.ch9"
SETTINGS = read_sweep(PART, "inference", "demo", width=8, epochs=1, counted_images=7)
SIZES = (6, 5, 3)


@pytest.fixture(scope="module")
def few(digits):
    """The first 240 training images and 40 test images."""
    return digits._replace(
        train_images=digits.train_images[:240],
        train_labels=digits.train_labels[:240],
        test_images=digits.test_images[:40],
        test_labels=digits.test_labels[:40],
    )


@pytest.fixture(scope="module")
def table(few):
    return inference.inference(SETTINGS, [0, 1], few)


@pytest.fixture(scope="module")
def bench(few):
    return inference._bench(SETTINGS, few)


def of(table, system, order="file", seed=0):
    """The row of one network."""
    keys = {"system": system, "order": order, "seed": seed}
    (_, row), *others = table[(table[list(keys)] == pd.Series(keys)).all(axis=1)].iterrows()
    assert not others
    return row


def test_every_system_has_a_row_of_each_seed(table):
    counts = table.groupby(["system", "order"]).size()
    assert set(counts.index) == set(SYSTEMS) and set(counts) == {2}
    assert table["error_percent"].between(0, 100).all()


def test_energies_are_those_of_products_and_additions(table):
    both = 3.1e-3 * table["multiplications"] + 0.1e-3 * table["additions"]
    np.testing.assert_allclose(table["energy_nj"], both, rtol=1e-12)
    units = 3.1e-3 * table["unit_multiplications"]
    np.testing.assert_allclose(table["unit_energy_nj"], units, rtol=1e-12)
    real = table["multiplications"] > 0
    skipped = 3.2e-3 * table.loc[real, "nonzero_multiplications"]
    np.testing.assert_allclose(table.loc[real, "nonzero_energy_nj"], skipped, rtol=1e-12)
    assert (table.loc[real, "nonzero_energy_nj"] < table.loc[real, "energy_nj"]).all()
    assert table.loc[~real, "nonzero_energy_nj"].isna().all()


def test_products_of_the_mlp_are_its_weights(table, bench, few):
    row = of(table, "mlp")
    assert row["multiplications"] == row["additions"] == 64 * 8 + 8 * 10
    trained, _ = inference._streamed(SETTINGS, bench, 0, "mlp")
    first, biases = trained.matrices[0], trained.biases[64:72]
    hidden = np.maximum(few.test_images / few.white @ first + biases, 0.0)
    products = 8 * (few.test_images != 0).sum() + 10 * (hidden != 0).sum()
    assert row["nonzero_multiplications"] == pytest.approx(products / 40)


def test_whole_messages_are_additions_one_by_one(table, bench, few):
    """Each unit of a message adds a row, as the network would without any product."""
    trained, _ = inference._streamed(SETTINGS, bench, 0, "mlp")
    edges = starts(trained.sizes)
    biases = [trained.biases[a:b] for a, b in zip(edges[1:], edges[2:], strict=False)]
    scales = inference._scales(SETTINGS, bench, [m.copy() for m in trained.matrices], biases)
    layers = sigma_delta.dense_network(trained.matrices, biases)
    for kind, more in (("rounding", 8 + 10), ("sigma_delta", 0)):
        found = sigma_delta.run(layers, few.test_images / few.white, kind, scales)
        added = sum(
            sigma_delta.sparse_product(event, weight)[1]
            for message, weight in zip(found.messages, trained.matrices, strict=True)
            for event in message
        )
        row = of(table, kind)
        assert row["additions"] == pytest.approx(added / 40 + more) and added > 0
        assert row["multiplications"] == 0
        wrong = found.outputs.argmax(axis=1) != few.test_labels
        assert row["error_percent"] == pytest.approx(100 * wrong.mean())


def test_spikes_of_the_pdnn_are_those_of_its_readable_twin(table, bench, few):
    trained, recipe = inference._streamed(SETTINGS, bench, 0, "pdnn")
    rule = recipe.at(SETTINGS.epochs)
    assert rule.k_alpha == SETTINGS.stream.k_alphas[1]
    side = fresh_side(trained.sizes, rule)._replace(scales=trained.forward.scales.copy())
    found = pdnn_reference.predict(trained, rule, few.test_images, float(few.white), side)
    additions = (found.spikes[:, 0] * 8 + found.spikes[:, 1] * 10).mean()
    row = of(table, "pdnn")
    assert row["additions"] == pytest.approx(additions)
    assert row["error_percent"] == pytest.approx(100 * (found.classes != few.test_labels).mean())


def test_temporal_order_saves_messages_and_changes_no_decision_of_chapter_4(table):
    for system in ("sigma_delta", "pdnn"):
        in_file, temporal = (of(table, system, order) for order in ("file", "temporal"))
        assert temporal["additions"] < 0.9 * in_file["additions"]
    assert of(table, "sigma_delta")["error_percent"] == of(table, "rounding")["error_percent"]


def slow_products(network, inputs, states, steps, step_size):
    """Products of all connections, and of those whose sender is not 0, one by one."""
    weights, every, some = network.weights, 0, 0

    def product(sender, weight):
        nonlocal every, some
        every, some = every + 1, some + (sender != 0)
        return sender * weight

    for sample, first, last in zip(inputs, *states, strict=True):
        hidden, output = list(first), list(last)
        drive = [
            sum(product(sample[i], weights[0][i, j]) for i in range(SIZES[0]))
            for j in range(SIZES[1])
        ]
        for _ in range(steps):
            sent, told = (np.clip(layer, 0, 1) for layer in (hidden, output))
            up = [sum(product(sent[j], weights[1][j, k]) for j in range(5)) for k in range(3)]
            down = [sum(product(told[k], weights[1][j, k]) for k in range(3)) for j in range(5)]
            hidden = [
                min(1, max(0, s + step_size * ((0 <= s <= 1) * (a + b) - s)))
                for s, a, b in zip(hidden, drive, down, strict=True)
            ]
            output = [
                min(1, max(0, s + step_size * ((0 <= s <= 1) * a - s)))
                for s, a in zip(output, up, strict=True)
            ]
    return every / len(inputs), some / len(inputs), hidden


@pytest.mark.parametrize("initialised", [False, True])
def test_products_of_settling_are_those_of_all_connections(initialised):
    rng = np.random.default_rng(3)
    networks = fresh_networks(SIZES, rng, initialised, dtype="float64")
    inputs = rng.random((4, 6)) * (rng.random((4, 6)) < 0.5)
    recipe = Recipe(7, 2, 0.5, (0.1, 0.1))
    start = np.zeros((4, 5)), np.zeros((4, 3))
    if initialised:
        start = forward_pass(networks.initialiser, inputs).states
    dense, nonzero, hidden = slow_products(networks.equilibrium, inputs, start, 7, 0.5)
    assert inference.settling_products(networks, recipe, inputs) == pytest.approx((dense, nonzero))
    settled = negative_phase(*networks, recipe, inputs)[0]
    np.testing.assert_allclose(settled[0][-1], hidden, atol=1e-12)
    assert dense == 6 * 5 + 7 * 2 * 5 * 3 and 6 * 5 < nonzero < dense
    # One step more is told apart.
    longer = inference.settling_products(networks, recipe._replace(negative_steps=8), inputs)
    assert longer[0] == dense + 2 * 5 * 3 and longer[1] > nonzero


def test_additions_are_those_of_every_bit_and_listener():
    rng = np.random.default_rng(5)
    network, inputs = make_equilibrium(SIZES, rng), rng.random((3, 6))
    coding = Coding(Adaptive(0.05, 1e-15), Schedule(0.3))
    now, listeners, added = at_rest(network, 3), {0: [1], 1: [2], 2: [1]}, [0]
    for _ in range(9):
        now = advance(network, coding, inputs, now)
        for layer, bits in enumerate(now.layers):
            ones = sum(bit == 1.0 for bit in bits.bits.ravel())
            heard = sum(SIZES[listener] for listener in listeners[layer])
            added.append(added[-1] + ones * heard / 3)
    assert inference.bit_additions(network, coding, inputs, 10) == pytest.approx(added[-1])
    assert inference.bit_additions(network, coding, inputs, 9) < added[-1]


class Counted(np.ndarray):
    """Array whose elementwise products, quotients and squares are counted, gates left out.

    A gate is a factor that is 0 or 1 everywhere: nothing is multiplied, something is let through.
    """

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [np.asarray(each) for each in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        gated = any(each.ndim and np.isin(each, (0, 1)).all() for each in plain)
        if ufunc in (np.multiply, np.divide, np.power, np.square) and not gated:
            Counted.total += np.size(result)
        return np.asarray(result).view(Counted)


def counted(run):
    """Products that ``run`` takes by arrays that count."""
    Counted.total = 0
    run()
    return Counted.total


def counting(network):
    """The network with parameters that count."""
    parts = ("weights", "biases")
    return network._replace(
        **{part: tuple(each.view(Counted) for each in getattr(network, part)) for part in parts}
    )


def test_units_take_as_many_products_as_they_are_said_to():
    rng, free = np.random.default_rng(2), 5 + 3
    inputs = rng.uniform(0.1, 0.9, (1, 6)).view(Counted)
    network, guess = make_equilibrium(SIZES, rng), make_initialiser(SIZES, rng)
    plain, guessing = Networks(counting(network)), Networks(counting(network), counting(guess))

    def settle(networks, steps, pull=0.0):
        return counted(
            lambda: negative_phase(*networks, Recipe(steps, 1, 0.5, (1, 1), pull=pull), inputs)
        )

    step = settle(plain, 6) - settle(plain, 5)
    assert step == inference.PRODUCTS["euler"] * free
    pulled = settle(guessing, 6, 0.1) - settle(guessing, 5, 0.1)
    assert pulled == (inference.PRODUCTS["euler"] + inference.PRODUCTS["pull"]) * free

    coding = Coding(Adaptive(0.05, 1e-15), Schedule(0.3))
    now = at_rest(plain.equilibrium, 1)
    for _ in range(12):
        now = advance(plain.equilibrium, coding, inputs, now)
    # The input is the same at every step, and so is what its encoders are given.
    clamped = 2 * 6
    found = counted(lambda: advance(plain.equilibrium, coding, inputs, now))
    assert found == clamped + inference.PRODUCTS["bits"] * free


def test_products_of_codes_and_leaks_are_those_of_their_equations():
    """These are taken of plain arrays, so the equations stand here again, and give the same."""
    rng = np.random.default_rng(4)
    x, before = (rng.uniform(-0.5, 1.5, (1, 6)).view(Counted) for _ in range(2))
    code, squash = pd_code_of(0.5, 0.9), LEAKY_HARD_SIGMOID

    def sent():
        return code.k_p * x + code.k_d * (x - before)

    def read():
        return code.k_beta * x + code.k_alpha * before

    assert counted(sent) == counted(read) == inference.PRODUCTS["pd_code"] * 6
    np.testing.assert_allclose(sent(), encode(np.vstack([before, x]), code)[1:])
    heard = np.vstack([before / code.k_beta, x])
    np.testing.assert_allclose(read(), decode(heard, code)[1:])

    def squashed():
        return np.clip(x, 0.0, 1.0) + squash.leak * x

    assert counted(squashed) == inference.PRODUCTS["leak"] * 6
    np.testing.assert_allclose(squashed(), squash.value(x))


def test_costs_of_units_are_products_of_steps_and_units(table):
    own, free = SETTINGS.settling, 8 + 10
    steps = {"eqprop": own.plain_steps[0], "binary_eqprop": 19 * own.binary_steps[0]}
    for system, each in steps.items():
        assert of(table, system)["unit_multiplications"] == each * free
    assert of(table, "initialised_forward")["unit_multiplications"] == free
    settled = of(table, "initialised_eqprop")["unit_multiplications"]
    assert settled == free * (1 + 2 * own.initialised_steps[0])
    assert of(table, "pdnn")["unit_multiplications"] == 2 * (64 + 8 + 8 + 10)
    assert of(table, "sigma_delta")["unit_multiplications"] == 64
    assert of(table, "deep_spiking")["unit_multiplications"] == 0


def test_shards_share_the_networks_and_change_nothing(few, table):
    parts = [
        inference.inference(SETTINGS.model_copy(update={"shard": shard, "shards": 3}), [0, 1], few)
        for shard in range(3)
    ]
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, table, check_exact=True)


def test_a_killed_job_goes_on(few, table, tmp_path, monkeypatch):
    kept = SETTINGS.model_copy(update={"checkpoints": tmp_path})

    def killed(*given):
        raise KeyboardInterrupt

    families = dict(inference.FAMILIES)
    last = families["binary_eqprop"]
    monkeypatch.setitem(inference.FAMILIES, "binary_eqprop", last._replace(measure=killed))
    with pytest.raises(KeyboardInterrupt):
        inference.inference(kept, [0], few)
    for name, family in families.items():
        again = family if name == "binary_eqprop" else family._replace(measure=killed)
        monkeypatch.setitem(inference.FAMILIES, name, again)
    found = inference.inference(kept, [0], few)
    expected = table[table["seed"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
