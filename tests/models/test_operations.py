"""Operation counts of a model against a plain count."""

import numpy as np
import pytest
import torch

import plausible


def test_counts_of_a_torch_model(relu_model, digits):
    images = digits[0][1500:1520]
    table = plausible.operations(relu_model, images).set_index("layer")
    assert table["dense_multiply_adds"].tolist() == [2560, 1200, 300, 4060]
    activity, counted = torch.from_numpy(images), []
    for module in relu_model:
        if isinstance(module, torch.nn.Linear):
            counted.append(
                sum(
                    len(module.weight)
                    for sample in activity
                    for value in sample
                    if float(value) != 0.0
                )
                / len(images)
            )
        activity = module(activity)
    assert table["sparse_operations"].tolist() == pytest.approx([*counted, sum(counted)])
    assert counted[0] < 2560 and counted[1] < 1200
    assert table.loc["all", "dense_energy_nj"] == pytest.approx(4060 * 4.6e-3)
    assert table.loc["1", "sparse_energy_nj"] == pytest.approx(counted[0] * 4.6e-3)


def test_counts_of_a_spiking_model(relu_model, digits):
    images = digits[0][1500:1520]
    spiking = plausible.to_spiking(relu_model, digits[0][:200])
    run = spiking.simulate(images, time_ms=30)
    table = plausible.operations(spiking, images, time_ms=30).set_index("layer")
    additions = np.array([0.0, *run.spikes[:, 1:3].mean(axis=0) * [30, 10]])
    assert table["sparse_operations"][:3].tolist() == pytest.approx(additions.tolist())
    assert table.loc["all", "sparse_operations"] == pytest.approx(run.additions.mean())
    inputs = np.count_nonzero(images, axis=1).mean() * 40
    assert table["input_multiply_adds"].tolist() == pytest.approx([inputs, 0, 0, inputs])
    energy = inputs * 4.6e-3 + additions.sum() * 0.9e-3
    assert table.loc["all", "sparse_energy_nj"] == pytest.approx(energy)


def test_poisson_inputs_cost_additions(relu_model, digits):
    spiking = plausible.to_spiking(relu_model, digits[0][:200])
    table = plausible.operations(spiking, digits[0][:20], time_ms=30, coding="poisson")
    assert table["input_multiply_adds"].tolist() == [0, 0, 0, 0]
    assert table["sparse_operations"][0] > 1000


def test_options_belong_to_spiking_models(relu_model, digits, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        plausible.operations(relu_model, digits[0][:2], time_ms=30)
    sentence(caught, "time_ms", "SpikingModel")
    with pytest.raises(plausible.ModelError) as caught:
        plausible.operations("model", digits[0][:2])
    sentence(caught, "str", "SpikingModel")
