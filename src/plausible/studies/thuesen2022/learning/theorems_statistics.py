"""Statistical derivations of Thuesen 2022 (sections 2.3 to 2.5), checked numerically in float64."""

import numpy as np
import torch
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import multinomial, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional

from plausible.learning.backprop import cross_entropy, gradients
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import init_network, predict
from plausible.reproduction.theorem_checks import Check, checks, normal, one_hot
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import generator_of

BATCH, CLASSES = 40, 10


def mse_is_gaussian_mle(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 1-6: least squares is maximum likelihood for Gaussian targets of fixed variance."""
    generator = generator_of("mse_is_gaussian_mle", seed)
    targets = 3.0 + normal(generator, 50).numpy()
    least_squares = minimize_scalar(lambda mean: np.mean((targets - mean) ** 2), tol=1e-12)
    likelihood = minimize_scalar(lambda mean: -norm.logpdf(targets, mean, 0.7).sum(), tol=1e-12)
    prediction = normal(generator, BATCH, CLASSES).requires_grad_()
    target = normal(generator, BATCH, CLASSES)
    loss = 0.5 * ((target - prediction) ** 2).sum()
    (automatic,) = torch.autograd.grad(loss, prediction)
    means = (
        "distance between the means that minimise the squared error and the Gaussian negative "
        "log-likelihood"
    )
    residual = "autograd of 1/2 (y - yhat)^2 against yhat - y: maximum difference"
    apart = _largest(automatic - (prediction - target))
    return [
        Check("same_minimum", means, abs(float(least_squares.x - likelihood.x)), 1e-6),
        Check("gradient_is_the_residual", residual, apart, 1e-10),
    ]


def cross_entropy_is_mle(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 7-10: cross entropy with one-hot labels is the categorical negative log-likelihood."""
    generator = generator_of("cross_entropy_is_mle", seed)
    logits, labels = 3.0 * normal(generator, BATCH, CLASSES), one_hot(generator, BATCH, CLASSES)
    loss = float(cross_entropy(logits, labels)[0])
    probabilities = np.exp(logits.numpy() - logits.numpy().max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    likelihood = -multinomial.logpmf(labels.numpy(), 1, probabilities).mean()
    text = "cross entropy against the multinomial negative log-likelihood of scipy: relative "
    text += "difference"
    return [Check("equals_the_log_likelihood", text, abs(loss / float(likelihood) - 1.0), 1e-12)]


def softmax_jacobian(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 11-16: ds_i/dz_j = s_i (1{i=j} - s_j)."""
    logits = 2.0 * normal(generator_of("softmax_jacobian", seed), CLASSES)
    softmax = torch.softmax(logits, dim=0)
    formula = softmax[:, None] * (torch.eye(CLASSES, dtype=torch.float64) - softmax[None, :])
    automatic = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=0), logits)
    text = "s_i (1{i=j} - s_j) against autograd: maximum difference"
    return [Check("jacobian_agrees", text, _largest(formula - automatic), 1e-8)]


def cross_entropy_gradient(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 17-22: the derivative of the cross entropy by the logits is softmax(z) - y."""
    generator = generator_of("cross_entropy_gradient", seed)
    logits = (3.0 * normal(generator, BATCH, CLASSES)).requires_grad_()
    labels = one_hot(generator, BATCH, CLASSES)
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    (automatic,) = torch.autograd.grad(loss, logits)
    text = "output error softmax(z) - y of backprop against autograd: maximum difference"
    apart = _largest(cross_entropy(logits.detach(), labels)[1] - automatic)
    return [Check("gradient_agrees", text, apart, 1e-10)]


def softmax_order(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.3: the softmax keeps the order of the logits and gives probabilities."""
    logits = 3.0 * normal(generator_of("softmax_order", seed), 1000, CLASSES)
    probabilities = torch.softmax(logits, dim=1)
    moved = (logits.argsort(dim=1) != probabilities.argsort(dim=1)).any(dim=1).sum()
    outside = ((probabilities <= 0) | (probabilities >= 1)).sum()
    text = "random logits whose order differs from that of their probabilities (of 1000)"
    counts = {text: float(moved), "probabilities outside (0, 1) (of 10000)": float(outside)}
    text = "sum of the probabilities: maximum difference to 1"
    sums = Check("sums_to_one", text, _largest(probabilities.sum(dim=1) - 1.0), 1e-12)
    return [*checks("order_is_kept", 0.0, counts, "=="), sums]


def no_hidden_layer_is_logistic(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.4: without hidden layer the network is multinomial logistic regression."""
    generator = generator_of("no_hidden_layer_is_logistic", seed)
    features, classes, samples = 5, 4, 400
    # Classes that overlap widely: separable ones would have no finite optimum.
    label = torch.randint(classes, (samples,), generator=generator)
    inputs = normal(generator, classes, features)[label] + 2.0 * normal(
        generator, samples, features
    )
    targets = functional.one_hot(label, classes).to(torch.float64)
    network = init_network((features, classes), TrainingSettings(dtype="float64"), generator)

    def loss_and_gradient(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = torch.from_numpy(parameters).split([features * classes, classes])
        moved = network._replace(weights=(weight.view(classes, features),), biases=(bias,))
        loss, gradient = gradients(moved, inputs, targets)
        return float(loss), torch.cat([gradient.weights[0].ravel(), gradient.biases[0]]).numpy()

    start = torch.cat([network.weights[0].ravel(), network.biases[0]]).numpy()
    ours = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", tol=1e-12)
    solver = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    solver.fit(inputs.numpy(), label.numpy())
    reference = log_loss(label.numpy(), solver.predict_proba(inputs.numpy()))
    text = "loss of the trained one-layer network against scikit-learn's logistic regression: "
    text += "difference in nats"
    return [Check("same_optimum", text, abs(float(ours.fun) - float(reference)), 1e-3)]


def he_initialisation(settings: Theorems, seed: int) -> list[Check]:
    """Section 2.5: weights of standard deviation sqrt(2/n) keep the second moment with ReLU."""
    many, found = settings.he_networks, []
    for init, protocol, networks in (
        ("he_normal", "corrected", many),
        # A factor of 2 a layer is not hidden by the scatter of a few networks.
        ("thuesen_normal", "as_coded", min(many, 3)),
    ):
        moments = _second_moments(init, networks, generator_of(f"he_initialisation.{init}", seed))
        text = (
            f"{init}: mean over {networks} networks of the second moment of the activities, "
            "maximum relative change over 10 ReLU layers of width 512"
        )
        change = _largest(moments - 1.0)
        found.append(Check("second_moment_is_kept", text, change, 0.2, protocol=protocol))
    return found


def _second_moments(init: str, networks: int, generator: torch.Generator) -> Tensor:
    """Second moment of the activities of layers 1 to 10 relative to the input's, [10]."""
    settings = TrainingSettings(activation="relu", init=init, dtype="float64")
    sums = torch.zeros(10, dtype=torch.float64)
    for _ in range(networks):
        activity = normal(generator, 8, 512)
        start = (activity**2).mean()
        for layer in range(10):
            # One matrix at a time: ten of them would not stay in the cache.
            network = init_network((512, 512), settings, generator)
            activity = network.activation.value(predict(network, 0, activity))
            sums[layer] += (activity**2).mean() / start
    return sums / networks


def _largest(difference: Tensor) -> float:
    return float(difference.detach().abs().max())
