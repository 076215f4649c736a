"""Statistical derivations of Thuesen 2022 (sections 2.3 to 2.5), checked numerically in float64."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import laplace, multinomial, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional

from plausible.learning.backprop import cross_entropy, gradients
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, forward, init_network
from plausible.reproduction.theorem_checks import Check, checks, controls, normal, one_hot
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import generator_of

BATCH, CLASSES = 40, 10
WIDTH = 64
Loss = Callable[[Network, Tensor, Tensor], tuple[float, list[Tensor]]]


def mse_is_gaussian_mle(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 1-6: least squares is maximum likelihood for Gaussian targets of fixed variance."""
    generator = generator_of("mse_is_gaussian_mle", seed)
    # A skewed sample: its median is not its mean.
    targets = 3.0 + normal(generator, 50).exp().numpy()

    def apart(likelihood: Callable[[float], float]) -> float:
        """Distance of the most likely mean to that of least squares."""
        within = {"bounds": (0.1, 20.0), "method": "bounded", "options": {"xatol": 1e-12}}
        squares = minimize_scalar(lambda mean: np.mean((targets - mean) ** 2), **within)
        return abs(float(squares.x - minimize_scalar(lambda m: -likelihood(m), **within).x))

    prediction = normal(generator, BATCH).requires_grad_()
    target = normal(generator, BATCH)
    loss = (0.5 * (target - prediction) ** 2).mean()
    (automatic,) = torch.autograd.grad(loss, prediction)
    residual = (prediction - target).detach()
    minimum, gradient = "same_minimum", "gradient_is_the_residual"
    means = "means that minimise the squared error and the Gaussian negative log-likelihood: "
    text = "autograd of the mean of 1/2 (y - yhat)^2 against (yhat_i - y_i)/N"
    printed = "eq. 6 as printed, with the sum over i on the right: maximum difference to autograd"
    return [
        Check(
            minimum,
            means + "distance",
            apart(lambda mean: norm.logpdf(targets, mean, 0.7).sum()),
        ),
        *controls(
            minimum,
            {
                "laplace_likelihood": apart(lambda mean: laplace.logpdf(targets, mean).sum()),
                "variance_of_the_squared_mean": apart(
                    lambda mean: norm.logpdf(targets, mean, abs(mean)).sum()
                ),
            },
        ),
        Check(gradient, f"{text}: maximum difference", _largest(automatic - residual / BATCH)),
        Check(gradient, printed, _largest(automatic - residual.mean()), protocol="as_published"),
        *controls(gradient, {"sum_for_the_mean": _largest(automatic - residual)}),
    ]


def cross_entropy_is_mle(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 7-10: cross entropy with one-hot labels is the categorical negative log-likelihood."""
    generator = generator_of("cross_entropy_is_mle", seed)
    logits, labels = 3.0 * normal(generator, BATCH, CLASSES), one_hot(generator, BATCH, CLASSES)
    probabilities = np.exp(logits.numpy() - logits.numpy().max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    likelihood = -multinomial.logpmf(labels.numpy(), 1, probabilities)

    def apart(entropies: np.ndarray) -> float:
        return float(np.abs(entropies / likelihood - 1.0).max())

    def entropies(own_logits: Tensor, own_labels: Tensor) -> np.ndarray:
        """Cross entropy of each sample."""
        pairs = zip(own_logits.split(1), own_labels.split(1), strict=True)
        return np.array([float(cross_entropy(*pair)[0]) for pair in pairs])

    smoothed = 0.9 * labels + 0.1 * (1.0 - labels) / (CLASSES - 1)
    swapped = entropies(smoothed.log(), torch.from_numpy(probabilities))
    check = "equals_the_log_likelihood"
    text = "cross entropy of each sample against the multinomial negative log-likelihood of scipy: "
    return [
        Check(check, text + "largest relative difference", apart(entropies(logits, labels))),
        *controls(
            check,
            {
                "arguments_swapped": apart(swapped),
                "label_of_the_next_sample": apart(entropies(logits, labels.roll(-1, 0))),
            },
        ),
    ]


def softmax_jacobian(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 11-16: ds_i/dz_j = s_i (1{i=j} - s_j)."""
    logits = 2.0 * normal(generator_of("softmax_jacobian", seed), CLASSES)
    softmax = torch.softmax(logits, dim=0)
    automatic = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=0), logits)

    def apart(kronecker: Tensor, other: Tensor) -> float:
        return _largest(softmax[:, None] * (kronecker - other) - automatic)

    identity = torch.eye(CLASSES, dtype=torch.float64)
    check, text = "jacobian_agrees", "s_i (1{i=j} - s_j) against autograd: maximum difference"
    return [
        Check(check, text, apart(identity, softmax[None, :])),
        *controls(
            check,
            {
                "kronecker_delta_omitted": apart(0.0 * identity, softmax[None, :]),
                "own_index_inside": apart(identity, softmax[:, None]),
            },
        ),
    ]


def cross_entropy_gradient(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 17-22: the derivative of the cross entropy by the logits is softmax(z) - y."""
    generator = generator_of("cross_entropy_gradient", seed)
    logits = (3.0 * normal(generator, BATCH, CLASSES)).requires_grad_()
    labels = one_hot(generator, BATCH, CLASSES)

    def apart(target: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> float:
        (automatic,) = torch.autograd.grad(loss(logits, target), logits)
        return _largest(cross_entropy(logits.detach(), target)[1] - automatic)

    def entropy(z: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(z, y, reduction="sum")

    def squared_error(z: Tensor, y: Tensor) -> Tensor:
        return 0.5 * ((torch.softmax(z, dim=1) - y) ** 2).sum()

    check = "gradient_agrees"
    text = "output error softmax(z) - y of backprop against autograd: maximum difference"
    return [
        Check(check, text, apart(labels, entropy)),
        *controls(
            check,
            {
                "label_with_two_ones": apart((labels + labels.roll(1, 1)), entropy),
                "squared_error": apart(labels, squared_error),
            },
        ),
    ]


def softmax_order(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.3: the softmax keeps the order of the logits and gives probabilities."""
    logits = 3.0 * normal(generator_of("softmax_order", seed), 1000, CLASSES)
    probabilities = torch.softmax(logits, dim=1)

    def moved(other: Tensor) -> float:
        """Share of the vectors whose order is another one."""
        differ = logits.argsort(dim=1) != other.argsort(dim=1)
        return float(differ.any(dim=1).double().mean())

    order, sums, text = "order_is_kept", "are_probabilities", "sum of the probabilities"
    outside = ((probabilities <= 0) | (probabilities >= 1)).double().mean()
    return [
        Check(order, "share of 1000 random logits with another order", moved(probabilities)),
        *controls(
            order,
            {
                "logits_of_other_sign": moved(torch.softmax(-logits, dim=1)),
                "absolute_logits": moved(torch.softmax(logits.abs(), dim=1)),
            },
        ),
        *checks(
            sums,
            {
                "sum": (f"{text}: maximum difference to 1", _largest(probabilities.sum(1) - 1.0)),
                "range": ("share of the probabilities outside (0, 1)", float(outside)),
            },
        ),
        *controls(sums, {"not_divided_by_the_sum": _largest(logits.exp().sum(1) - 1.0)}),
    ]


def no_hidden_layer_is_logistic(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.4: without hidden layer the network is multinomial logistic regression."""
    generator = generator_of("no_hidden_layer_is_logistic", seed)
    features, classes, samples = 5, 4, 400
    # Classes that overlap widely: separable ones would have no finite optimum.
    label = torch.randint(classes, (samples,), generator=generator)
    centres = normal(generator, classes, features)
    inputs = centres[label] + 2.0 * normal(generator, samples, features)
    network = init_network((features, classes), TrainingSettings(dtype="float64"), generator)
    network.biases[0].copy_(normal(generator, classes))
    regression = _logistic_regression(inputs, label)
    own = torch.log_softmax(forward(network, inputs), dim=1).numpy()

    def same_function(bias: np.ndarray) -> float:
        regression.coef_, regression.intercept_ = network.weights[0].t().numpy(), bias
        return float(np.abs(regression.predict_log_proba(inputs.numpy()) - own).max())

    function, optimum = "same_function", "same_optimum"
    text = "log-probabilities against those of scikit-learn's logistic regression with the same "
    trained = "loss of the trained network against that of scikit-learn's solver: difference, nats"
    return [
        Check(optimum, trained, _losses_apart(network, inputs, label, _cross_entropy)),
        *controls(
            optimum,
            {
                "hidden_layer": _hidden_layer_gains(generator),
                "squared_error": _losses_apart(network, inputs, label, _squared_error),
            },
        ),
        Check(
            function, text + "weights: maximum difference", same_function(network.biases[0].numpy())
        ),
        *controls(function, {"bias_omitted": same_function(np.zeros(classes))}),
    ]


def _hidden_layer_gains(generator: torch.Generator) -> float:
    """Loss of logistic regression minus that of a network with 4 hidden units, on XOR blobs."""
    corners = torch.randint(2, (400, 2), generator=generator)
    inputs = 2.0 * corners - 1.0 + 0.8 * normal(generator, 400, 2)
    hidden = TrainingSettings(dtype="float64", activation="sigmoid")
    network = init_network((2, 4, 2), hidden, generator)
    return _losses_apart(network, inputs, corners.sum(dim=1) % 2, _cross_entropy)


def _logistic_regression(inputs: Tensor, label: Tensor) -> LogisticRegression:
    solver = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    return solver.fit(inputs.numpy(), label.numpy())


def _losses_apart(network: Network, inputs: Tensor, label: Tensor, loss: Loss) -> float:
    """|cross entropy of the network that minimises ``loss`` - that of logistic regression|."""
    one_hot_labels = functional.one_hot(label).to(torch.float64)
    # In the vector of all parameters matrices lie unit by unit, as in memory.
    shapes = [each.t().shape for each in (*network.weights, *network.biases)]

    def at(parameters: np.ndarray) -> Network:
        parts = torch.from_numpy(parameters).split([shape.numel() for shape in shapes])
        found = [part.view(shape).t() for part, shape in zip(parts, shapes, strict=True)]
        count = len(network.weights)
        return network._replace(weights=tuple(found[:count]), biases=tuple(found[count:]))

    def value_and_gradient(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        value, found = loss(at(parameters), inputs, one_hot_labels)
        return value, torch.cat([each.t().ravel() for each in found]).numpy()

    start = torch.cat([each.t().ravel() for each in (*network.weights, *network.biases)]).numpy()
    # Enough for a convex loss; with hidden units on data that they separate there is no optimum.
    options = {"maxiter": 300, "ftol": 1e-12, "gtol": 1e-12}
    ours = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    reached = float(cross_entropy(forward(at(ours.x), inputs), one_hot_labels)[0])
    solver = _logistic_regression(inputs, label)
    return abs(reached - float(log_loss(label.numpy(), solver.predict_proba(inputs.numpy()))))


def _cross_entropy(network: Network, inputs: Tensor, labels: Tensor) -> tuple[float, list[Tensor]]:
    loss, found = gradients(network, inputs, labels)
    return float(loss), [*found.weights, *found.biases]


def _squared_error(network: Network, inputs: Tensor, labels: Tensor) -> tuple[float, list[Tensor]]:
    variables = [each.clone().requires_grad_() for each in (*network.weights, *network.biases)]
    logits = functional.linear(inputs, variables[0].t(), variables[1])
    loss = 0.5 * ((torch.softmax(logits, dim=1) - labels) ** 2).sum(dim=1).mean()
    return float(loss.detach()), list(torch.autograd.grad(loss, variables))


def he_initialisation(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.5: weights of standard deviation sqrt(2/n) keep the second moment with ReLU."""
    many = settings.he_networks
    # A factor of 2 a layer is not hidden by the scatter of a few networks.
    few = min(many, 100)

    def ratio(name: str, networks: int, **changed: float | str) -> float:
        return _layer_10_over_1(
            networks, generator_of(f"he_initialisation.{name}", seed), **changed
        )

    check = "second_moment_is_kept"
    text = "mean over {} networks of width {}: second moment of the activities of layer 10 over "
    text += "that of layer 1"
    coded = f"the author's code, standard deviation 2/sqrt(n): {text.format(few, WIDTH)}"
    return [
        Check(check, text.format(many, WIDTH), ratio("he_normal", many)),
        Check(check, coded, ratio("thuesen_normal", few, init="thuesen_normal"), "", "as_coded"),
        *controls(
            check,
            {
                "variance_1_over_n": abs(ratio("halved", few, scale=0.5**0.5) - 1.0),
                "identity_for_relu": abs(ratio("identity", few, activation="identity") - 1.0),
            },
        ),
    ]


def _layer_10_over_1(
    networks: int,
    generator: torch.Generator,
    init: str = "he_normal",
    activation: str = "relu",
    scale: float = 1.0,
) -> float:
    """Mean over random networks of the ratio of second moments of two layers."""
    settings = TrainingSettings(
        activation=activation, init=init, dtype="float64", first_weight_scale=scale
    )
    ratios = []
    for chunk in torch.arange(networks).split(100):
        activity, moments = normal(generator, len(chunk), 8, WIDTH), []
        for _ in range(10):
            # The standard deviation depends on the inputs alone: one tall matrix is a whole chunk.
            tall = init_network((WIDTH, WIDTH * len(chunk)), settings, generator)
            weights = tall.weights[0].t().view(len(chunk), WIDTH, WIDTH).mT
            activity = tall.activation.value(activity @ weights)
            moments.append(activity.square().mean(dim=(1, 2)))
        ratios.append(moments[-1] / moments[0])
    return float(torch.cat(ratios).mean())


def _largest(difference: Tensor) -> float:
    return float(difference.detach().abs().max())
