"""Alignment of local and distant gradients (O'Connor 2020, section 7.3.4, D.2 and D.3).

Two layers, s1 = rho(x w1) and s2 = rho(s1 w2), with targets s1*, s2*. The local gradient of w1 is
that of 1/2 |s1 - s1*|^2, the distant one that of 1/2 |s2 - s2*|^2; G_A and G_B are what they have
without the targets. Independent forms are autograd and closed forms; the condition broken in most
controls is the feedback matrix w2^T, replaced by an independent one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor

from plausible.learning.initialiser import global_gradients, local_gradients
from plausible.measure.angles import cosine
from plausible.measure.slopes import log_slope
from plausible.networks.initialiser import Initialiser, forward_pass
from plausible.networks.leaky_clip import HARD_SIGMOID
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator

PRINTED = "as_published"
WIDTH, BATCH = 20, 10
DRAWS, NEAR_DRAWS, LEVEL = 300, 1000, 0.001
"""Of random networks, and one minus the level of an interval of their mean."""
NEAR, FAR = 1e-3, 0.5
"""Sizes of Delta w, in units of the standard deviation of w."""


def _rng(name: str, seed: int) -> np.random.Generator:
    return numpy_generator("oconnor2020", "ch7_principles", name, seed)


# ------------------------------------------------------------- eq. 7.7


class _Smooth(NamedTuple):
    """A smooth two-layer problem: weights, their change to the optimum, inputs."""

    w1: Tensor
    w2: Tensor
    d1: Tensor
    d2: Tensor
    x: Tensor


def _smooth(rng: np.random.Generator, size: float, linear: bool = False) -> _Smooth:
    scale = 1.0 / np.sqrt(WIDTH)
    shapes = [(WIDTH, WIDTH)] * 4
    w1, w2, d1, d2 = (torch.from_numpy(scale * rng.normal(size=shape)) for shape in shapes)
    if linear:
        w2 = torch.from_numpy(np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0])
    x = torch.from_numpy(rng.normal(size=(BATCH, WIDTH)))
    return _Smooth(w1, w2, size * d1, size * d2, x)


def _gradients(problem: _Smooth, second: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """dL1/dw1 and dL2/dw1 by autograd; the targets are those of w - Delta w."""
    w1, w2, d1, d2, x = problem
    first = torch.tanh
    targets = [first(x @ (w1 - d1))]
    targets.append(second(targets[0] @ (w2 - d2)))
    leaf = w1.clone().requires_grad_()
    s1 = first(x @ leaf)
    losses = (
        0.5 * (s1 - targets[0]).square().sum(),
        (0.5 * (second(s1 @ w2) - targets[1]).square().sum()),
    )
    return tuple(torch.autograd.grad(loss, leaf, retain_graph=True)[0] for loss in losses)


def _formulas(problem: _Smooth, linear: bool = False, slope: bool = True) -> list[Tensor]:
    """Eq. 7.7: the local gradient, and both terms of the distant one, to first order.

    ``slope``: whether rho' of the first layer is squared in the local gradient, and stands before
    x^T in the distant one, as it must.
    """
    w1, w2, d1, d2, x = problem
    s1 = torch.tanh(x @ w1)
    r1 = 1.0 - s1.square()
    r2 = torch.ones_like(s1) if linear else 1.0 - torch.tanh(s1 @ w2).square()
    last = r1 if slope else torch.ones_like(r1)
    moved = x @ d1 * r1
    local = x.T @ (moved * last)
    terms = [(moved @ w2 * r2.square()) @ w2.T, (s1 @ d2 * r2.square()) @ w2.T]
    return [local, *(x.T @ (term * last) for term in terms)]


def gradient_alignment(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 7.6, 7.7: formulas against autograd, and their alignment."""
    name, aligned = "formulas_agree_with_autodiff", "first_term_aligned"
    sizes = (1e-2, 1e-3, 1e-4)

    def orders(slope: bool = True, factor: float = 1.0) -> tuple[float, float]:
        off: list[list[float]] = [[], []]
        for size in sizes:
            problem = _smooth(_rng("formulas", seed), size)
            expected = _gradients(problem, torch.tanh)
            local, *distant = _formulas(problem, slope=slope)
            for place, found in enumerate((local, sum(distant))):
                true = factor * expected[place]
                off[place].append(float((found - true).norm() / true.norm()))
        return log_slope(sizes, off[0]), log_slope(sizes, off[1])

    text = "order of the relative error in |Delta w|, {}"
    layers = ("local gradient", "distant gradient")
    found = {
        layer.split()[0]: (text.format(layer), order)
        for layer, order in zip(layers, orders(), strict=True)
    }
    # The loss is printed without 1/2, and the formulas without the factor 2 that follows.
    printed = {
        layer.split()[0]: (text.format(layer), order)
        for layer, order in zip(layers, orders(factor=2.0), strict=True)
    }

    def missing(orthogonal: bool) -> float:
        problem = _smooth(_rng("aligned", seed), NEAR, linear=True)
        if not orthogonal:
            problem = problem._replace(w2=_smooth(_rng("aligned", seed), NEAR).w2)
        local, first, _ = _formulas(problem, linear=True)
        return 1.0 - cosine(local.numpy(), first.numpy())

    return [
        *checks(name, found),
        *checks(name, printed, PRINTED),
        *controls(name, {"slope_left_out": max(orders(slope=False))}),
        Check(aligned, "1 - cosine of dL1/dw1 and the first term of dL2/dw1", missing(True)),
        *controls(aligned, {"not_orthogonal": missing(False)}),
    ]


# ------------------------------------------------------------- random networks


def _pair(rng: np.random.Generator, width: int = WIDTH) -> Initialiser:
    """Two layers of hard sigmoids, weights normal with standard deviation 1 / sqrt(width)."""
    weights = tuple(rng.normal(0, 1 / np.sqrt(width), (width, width)) for _ in range(2))
    return Initialiser(weights, (np.zeros(width), np.zeros(width)), HARD_SIGMOID)


def _cosine(
    rng: np.random.Generator, size: float | None = None, independent: bool = False
) -> float:
    """Cosine of local and distant gradient of w1; targets at a distance ``size``, or independent.

    ``independent``: whether another matrix than w2^T carries the distant error down.
    """
    network = _pair(rng)
    other = _pair(rng)
    if size is not None:
        moved = (w + size * d for w, d in zip(network.weights, other.weights, strict=True))
        other = other._replace(weights=tuple(moved))
    inputs = rng.normal(size=(BATCH, WIDTH))
    feedback = [rng.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH))] if independent else None
    passed, targets = forward_pass(network, inputs), forward_pass(other, inputs).states
    local = local_gradients(network, inputs, passed, targets).weights[0]
    whole = global_gradients(network, inputs, passed, targets, feedback).weights[0]
    return cosine(local, whole - local)


def _low(values: list[float]) -> float:
    """Lower end of the interval of a mean, of the level 1 - `LEVEL`."""
    n = len(values)
    return float(
        np.mean(values) - stdtrit(n - 1, 1 - LEVEL / 2) * np.std(values, ddof=1) / np.sqrt(n)
    )


def alignment_at_init(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section D.3: local and distant gradient of a random network."""
    name, rng = "mean_cosine_positive", _rng("init", seed)
    found = [_cosine(rng) for _ in range(DRAWS)]
    broken = [_cosine(rng, independent=True) for _ in range(DRAWS)]
    text = f"lower end of the interval of the mean cosine over {DRAWS} random networks"
    return [Check(name, text, _low(found)), *controls(name, {"independent_feedback": _low(broken)})]


def alignment_near_optimum(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.3.4: near the ideal parameters almost all gradients are aligned."""
    share, falls, rng = "almost_always_positive", "falls_with_distance", _rng("near", seed)
    near = [_cosine(rng, NEAR) for _ in range(NEAR_DRAWS)]
    farther = ([_cosine(rng, size) for _ in range(DRAWS)] for size in (FAR, None))
    broken = [_cosine(rng, NEAR, independent=True) for _ in range(NEAR_DRAWS)]
    beyond = [_cosine(rng, FAR, independent=True) for _ in range(DRAWS)]
    means = [float(np.mean(each)) for each in (near, *farther)]
    positive, chance = (float(np.mean(np.array(each) > 0)) for each in (near, broken))
    return [
        Check(share, f"share of positive cosines, {NEAR_DRAWS} networks", positive),
        *controls(share, {"independent_feedback": chance}),
        Check(falls, "largest step of the mean cosine with distance", max(np.diff(means))),
        *controls(falls, {"independent_feedback": float(np.mean(beyond) - np.mean(broken))}),
    ]


def alignment_inequality(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.3.4: S(d, l) <= S(d + l, l)."""
    name, rng = "inequality_holds", _rng("inequality", seed)
    pairs = rng.normal(size=(1000, 2, 10)) * rng.uniform(0.1, 10.0, (1000, 2, 1))

    def excess(sign: float) -> list[float]:
        return [cosine(d, local) - cosine(d + sign * local, local) for d, local in pairs]

    return [
        Check(name, "largest S(d, l) - S(d + l, l), 1000 pairs", max(excess(1.0))),
        *controls(name, {"difference": min(excess(-1.0))}),
    ]


# ------------------------------------------------------------- D.3


def strong_diagonal(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.3.4, D.3: w2 rho'^2 w2^T of a random w2, and of an orthogonal one."""
    strong, exact, rng = "diagonal_stands_out", "orthogonal_is_the_identity", _rng("diagonal", seed)
    found, broken = {}, []
    for width in (50, 100, 200):
        w2, other = rng.normal(size=(2, width, width))
        unsaturated = rng.random(width) < 0.6
        text = f"mean diagonal over root mean square off it, width {width}"
        found[f"width_{width}"] = text, _contrast((w2 * unsaturated) @ w2.T)
        broken.append(abs(_contrast((w2 * unsaturated) @ other.T)))
    random = rng.normal(size=(100, 100)) / 10.0
    orthogonal = np.linalg.qr(random)[0]
    return [
        *checks(strong, found),
        *controls(strong, {"independent_matrix": max(broken)}),
        Check(exact, "largest difference from the identity", _from_identity(orthogonal)),
        *controls(exact, {"not_orthogonal": _from_identity(random)}),
    ]


def _contrast(matrix: NDArray) -> float:
    beside = matrix[~np.eye(len(matrix), dtype=bool)]
    return float(np.diag(matrix).mean() / np.sqrt((beside**2).mean()))


def _from_identity(w2: NDArray) -> float:
    return float(np.abs(w2 @ w2.T - np.eye(len(w2))).max())


def saturated_filter(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section D.3: the second layer's term with weights to units that are not saturated."""
    same, aligned, adds_up = "filtered_form_is_equal", "terms_are_aligned", "parts_add_up"
    rng = _rng("filter", seed)
    network, other = _pair(rng), _pair(rng)
    inputs = rng.normal(size=(BATCH, WIDTH))
    passed, targets = forward_pass(network, inputs), forward_pass(other, inputs).states
    w2, r1, r2 = network.weights[1], *(network.squash.slope(z) for z in passed.sums)
    s1, s2 = passed.states
    term = (s2 * r2) @ w2.T
    # The filter is one of columns (the text says rows), and another one for each sample.
    filtered = np.stack([s @ (w2 * keep) @ (w2 * keep).T for s, keep in zip(s1, r2, strict=True)])
    unfiltered = s1 @ w2 @ w2.T
    rest = -((targets[1] * r2) @ w2.T)
    local = local_gradients(network, inputs, passed, targets).weights[0]
    distant = global_gradients(network, inputs, passed, targets).weights[0] - local

    def off(product: NDArray) -> float:
        sums = inputs.T @ ((product + rest) * r1) / BATCH
        return float(np.abs(sums - distant).max())

    cosines = [_terms(rng) for _ in range(200)]
    broken = [_terms(rng, independent=True) for _ in range(200)]
    return [
        Check(same, "largest difference per sample", float(np.abs(term - filtered).max())),
        *controls(same, {"all_columns": float(np.abs(term - unfiltered).max())}),
        Check(aligned, "lower end of the interval of the mean cosine of G_A, G_B", _low(cosines)),
        *controls(aligned, {"independent_matrix": _low(broken)}),
        Check(adds_up, "G_B and the rest against the distant gradient", off(filtered)),
        *controls(adds_up, {"all_columns": off(unfiltered)}),
    ]


def _terms(rng: np.random.Generator, independent: bool = False) -> float:
    """Cosine of G_A = x^T (s1 rho') and G_B = x^T ((s1 w2' w2'^T) rho') of a random network."""
    network, inputs = _pair(rng), rng.normal(size=(BATCH, WIDTH))
    passed = forward_pass(network, inputs)
    r1, r2 = (network.squash.slope(z) for z in passed.sums)
    back = network.weights[1].T
    if independent:
        back = rng.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH))
    first = inputs.T @ (passed.states[0] * r1)
    second = inputs.T @ (((passed.states[1] * r2) @ back) * r1)
    return cosine(first, second)
