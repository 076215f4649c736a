"""Spiking models as NIR graphs: round trip, and the same spikes elsewhere."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import plausible
from plausible.errors import DataError
from plausible.neurons.lif_dynamics import LIF, simulate_lif

nir = pytest.importorskip("nir", reason="the package nir is an extra: pip install 'plausible[nir]'")


@pytest.fixture(params=["relu_model", "rate_model"])
def spiking(request, digits):
    model = request.getfixturevalue(request.param)
    return plausible.to_spiking(model, digits[0][:200] if request.param == "relu_model" else None)


def test_round_trip(spiking, digits, tmp_path):
    plausible.save_nir(spiking, tmp_path / "model.nir")
    again = plausible.load_nir(tmp_path / "model.nir")
    assert again[2:] == spiking[2:]
    for ours, theirs in zip((*again[0], *again[1]), (*spiking[0], *spiking[1]), strict=True):
        assert np.allclose(ours, theirs, rtol=1e-14, atol=0.0)
    images = digits[0][1500:1550]
    one, other = (each.simulate(images, time_ms=50) for each in (again, spiking))
    assert np.allclose(one.outputs, other.outputs, atol=0.5)
    assert np.mean(one.spikes == other.spikes) > 0.9 and one.spikes.sum() > 1000


def test_the_graph_is_what_nir_means(spiking, tmp_path):
    """Chain of affine maps and neurons; currents in the graph are those of the model."""
    plausible.save_nir(spiking, tmp_path / "model.nir")
    graph = nir.read(tmp_path / "model.nir")
    neurons = "IF" if spiking.neuron is None else "LIF"
    chain, node = [], "input"
    following = dict(graph.edges)
    while node in following:
        node = following[node]
        chain.append(type(graph.nodes[node]).__name__)
    assert chain == ["Affine", neurons, "Affine", neurons, "Affine", "Output"]
    assert len(graph.edges) == 6
    worth = spiking.full_activity[0] / (1.0 if spiking.neuron is None else 1e-4)
    second = graph.nodes["weights2"].weight
    assert second.shape == (30, 40) and np.allclose(second, spiking.weights[1].T * worth)
    if spiking.neuron is None:
        assert np.all(graph.nodes["neurons1"].v_threshold == spiking.full_activity[0])
    else:
        assert np.all(graph.nodes["neurons1"].tau == 0.02)


def nir_spikes(graph, inputs, steps, dt_s):
    """Spikes of every layer of LIF neurons as NIR defines them: Euler steps, no rest."""
    sent, layers = np.tile(inputs, (steps, 1, 1)), []
    for name in ("1", "2"):
        affine, neurons = graph.nodes[f"weights{name}"], graph.nodes[f"neurons{name}"]
        lif = LIF(float(neurons.tau[0]), 1.0, float(neurons.v_threshold[0]))
        current = sent @ affine.weight.T + affine.bias
        sent = simulate_lif(current, dt_s, lif, "euler", idle_steps=0).astype(np.float64)
        layers.append(sent)
    return layers


def test_the_same_spikes_in_snntorch(rate_model, digits, tmp_path):
    snntorch = pytest.importorskip("snntorch", reason="snnTorch is a peer: extra `peers`")
    pytest.importorskip("nirtorch")
    from snntorch.import_nir import import_from_nir

    plausible.save_nir(plausible.to_spiking(rate_model), tmp_path / "model.nir")
    graph, images = nir.read(tmp_path / "model.nir"), digits[0][1500:1510]
    expected = nir_spikes(graph, images, 300, 1e-4)
    modules = import_from_nir(graph)
    layers = [module for module in modules.modules() if isinstance(module, torch.nn.Linear)]
    neurons = [module for module in modules.modules() if isinstance(module, snntorch.Leaky)]
    assert len(layers) == 3 and len(neurons) == 2
    found = [[], []]
    for neuron in neurons:
        neuron.reset_mem()
    for _ in range(300):
        sent = torch.from_numpy(images).float()
        for k, (layer, neuron) in enumerate(zip(layers, neurons, strict=False)):
            sent = neuron(layer(sent))
            found[k].append(sent.detach().numpy())
    for ours, theirs in zip(expected, found, strict=True):
        # snnTorch computes in float32: a spike may come a step apart.
        assert ours.sum() > 100
        assert np.mean(ours != np.array(theirs)) < 2e-3 * ours.mean()


def test_what_is_no_model(tmp_path, sentence):
    with pytest.raises(DataError) as caught:
        plausible.load_nir(tmp_path / "none.nir")
    sentence(caught, "none.nir", "no such file")
    (tmp_path / "text.nir").write_text("no graph")
    with pytest.raises(DataError) as caught:
        plausible.load_nir(tmp_path / "text.nir")
    sentence(caught, "text.nir", "save_nir")
    nir.write(tmp_path / "other.nir", nir.NIRGraph.from_list(nir.Linear(np.ones((2, 3)))))
    with pytest.raises(DataError) as caught:
        plausible.load_nir(tmp_path / "other.nir")
    sentence(caught, "other.nir", "KeyError")
    with pytest.raises(plausible.ModelError) as caught:
        plausible.save_nir(torch.nn.Linear(2, 2), tmp_path / "a.nir")
    sentence(caught, "Linear", "to_spiking")


def test_without_the_package(spiking, tmp_path):
    code = (
        "import sys; sys.modules['nir'] = None\n"
        "import plausible\n"
        "try: plausible.load_nir('x')\n"
        "except plausible.ModelError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'plausible[nir]'" in done.stdout
