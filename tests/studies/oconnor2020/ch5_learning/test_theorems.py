"""Passes of a PDNN against torch: they agree, and would not if the network were wrong."""

from types import SimpleNamespace

from plausible.kernels import pdnn
from plausible.studies.oconnor2020.ch5_learning import theorems

from ...theorem_harness import Falsified, TheoremTests


def _leaky_decoder(network, rule, inputs, white):
    """The decoder forgets a little faster than the encoder."""
    network.forward.units[theorems.DECODED] *= 0.99
    return pdnn.predict(network, rule, inputs, white)


def _first_matrix_backwards(network, rule, inputs, white, labels):
    """The first matrix moves with the gradient."""
    before = network.matrices[0].copy()
    found = pdnn.train(network, rule, inputs, white, labels)
    network.matrices[0][...] = 2.0 * before - network.matrices[0]
    return found


class TestTheorems(TheoremTests):
    """Eq. 5.10 to 5.12."""

    document, part = "oconnor2020", "ch5_learning"
    seeds = (0, 7)
    falsified = (
        Falsified(
            "ch5.eq5.12.pdnn", "plain_network_without_quantization", theorems, "pdnn",
            SimpleNamespace(predict=_leaky_decoder, train=pdnn.train),
        ),
        Falsified(
            "ch5.eq5.12.pdnn", "gradients_approach_backprop", theorems, "pdnn",
            SimpleNamespace(predict=pdnn.predict, train=_first_matrix_backwards),
        ),
    )  # fmt: skip


def test_gradients_come_nearer_with_finer_codes():
    missing = [1.0 - theorems.gradient_cosines(3, step) for step in (1e-2, 1e-4)]
    assert 0.0 < missing[1] < 0.1 * missing[0]
