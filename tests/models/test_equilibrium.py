"""`eqprop` and `settle` on models of torch: gradients at fixed points, learning, refusals."""

import numpy as np
import pytest
import torch
from torch import nn

import plausible
from plausible.errors import ModelError


def make_model(seed: int = 0, bias: bool = True) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(6, 8, bias=bias), nn.Hardtanh(0, 1), nn.Linear(8, 4, bias=bias), nn.Hardtanh(0, 1)
    ).double()
    if bias:
        with torch.no_grad():
            for layer in (model[0], model[2]):
                layer.weight *= 0.6
                layer.bias += 0.4
    return model


def data(seed: int = 1):
    rng = np.random.default_rng(seed)
    return rng.uniform(size=(5, 6)), rng.integers(4, size=5)


def loss_at_rest(model, inputs, labels) -> float:
    outputs = plausible.settle(model, inputs, steps=400)
    return float(((outputs - np.eye(4)[labels]) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("beta", [1e-4, -1e-4])
def test_it_is_the_gradient_of_the_settled_loss(beta) -> None:
    model, (inputs, labels) = make_model(), data()
    given = plausible.eqprop(model, inputs, labels, beta=beta, steps=400, nudged_steps=400)
    assert float(given) == pytest.approx(loss_at_rest(model, inputs, labels))
    for layer in (model[0], model[2]):
        for parameter, place in ((layer.weight, (2, 1)), (layer.bias, (3,))):
            with torch.no_grad():
                parameter[place] += 1e-6
                up = loss_at_rest(model, inputs, labels)
                parameter[place] -= 2e-6
                down = loss_at_rest(model, inputs, labels)
                parameter[place] += 1e-6
            assert float(parameter.grad[place]) == pytest.approx((up - down) / 2e-6, abs=2e-3)


def test_gradients_add_up_and_frozen_parameters_have_none() -> None:
    model, (inputs, labels) = make_model(), data()
    model[0].bias.requires_grad_(False)
    plausible.eqprop(model, inputs, labels)
    once = model[2].weight.grad.clone()
    plausible.eqprop(model, torch.from_numpy(inputs), torch.from_numpy(labels))
    torch.testing.assert_close(model[2].weight.grad, 2 * once)
    assert model[0].bias.grad is None


def test_targets_are_what_one_hot_labels_say() -> None:
    inputs, labels = data()
    found = []
    for given in (labels, np.eye(4)[labels]):
        model = make_model()
        plausible.eqprop(model, inputs, given)
        found.append(model[0].weight.grad)
    torch.testing.assert_close(*found)


def test_an_optimizer_learns_with_it() -> None:
    model, (inputs, labels) = make_model(), data()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = loss_at_rest(model, inputs, labels)
    for number in range(300):
        optimizer.zero_grad()
        plausible.eqprop(model, inputs, labels, beta=0.3 * (-1) ** number)
        optimizer.step()
    assert loss_at_rest(model, inputs, labels) < 0.3 * first


def test_models_without_biases_and_with_flatten() -> None:
    inputs, labels = data()
    model = nn.Sequential(nn.Flatten(), *make_model(bias=False))
    plausible.eqprop(model, inputs.reshape(5, 2, 3), labels)
    assert model[1].weight.grad.abs().sum() > 0
    assert isinstance(plausible.settle(model, torch.from_numpy(inputs)), torch.Tensor)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (nn.Linear(6, 4), "is a Linear"),
        (nn.Sequential(nn.Linear(6, 4)), "1 modules"),
        (nn.Sequential(nn.Linear(6, 4), nn.ReLU()), "ReLU"),
        (nn.Sequential(nn.Linear(6, 4), nn.Hardtanh()), "min_val"),
        (nn.Sequential(nn.ReLU(), nn.Hardtanh(0, 1)), "found a ReLU"),
        (
            nn.Sequential(nn.Linear(6, 5), nn.Hardtanh(0, 1), nn.Linear(4, 4), nn.Hardtanh(0, 1)),
            "takes 4 inputs",
        ),
    ],
)
def test_other_models_are_refused(model, text) -> None:
    inputs, labels = data()
    with pytest.raises(ModelError, match=text):
        plausible.eqprop(model, inputs, labels)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"beta": 0.0}, "beta"), ({"steps": 0}, "steps"), ({"step_size": -1.0}, "step_size")],
)
def test_arguments_that_mean_nothing_are_refused(options, text) -> None:
    with pytest.raises(ModelError, match=text):
        plausible.eqprop(make_model(), *data(), **options)


def test_what_does_not_fit_is_refused() -> None:
    inputs, labels = data()
    with pytest.raises(ModelError, match="targets"):
        plausible.eqprop(make_model(), inputs, np.zeros((5, 3)))
    with pytest.raises(ModelError, match="inputs"):
        plausible.eqprop(make_model(), inputs[:, :5], labels)
    broken = make_model()
    with torch.no_grad():
        broken[0].weight[0, 0] = float("nan")
    with pytest.raises(ModelError, match="not finite"):
        plausible.settle(broken, inputs)
