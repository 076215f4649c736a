"""pcx (predictive coding in JAX) as a peer of one weight update: Z-IL and IL as in its examples.

Importing this module needs pcx; see README.md beside it.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pcx.functional as pxf
import pcx.nn as pxnn
import pcx.predictive_coding as pxc
import pcx.utils as pxu

OF_SAMPLES = pxc.VodeParam | pxc.VodeParam.Cache


class Model(pxc.EnergyModule):
    """Value nodes before the activation, linear output, squared errors, no biases."""

    def __init__(self, weights: list[np.ndarray]) -> None:
        super().__init__()
        self.layers = []
        for weight in weights:  # [fan_in, fan_out], input first
            layer = pxnn.Linear(*weight.shape, bias=False)
            layer.nn.weight.set(jnp.asarray(weight.T))
            self.layers.append(layer)
        self.vodes = [pxc.Vode() for _ in weights]
        self.vodes[-1].h.frozen = True

    def __call__(self, x, y):
        for layer, vode in zip(self.layers, self.vodes, strict=True):
            x = vode(layer(jax.nn.sigmoid(x)))
        if y is not None:
            self.vodes[-1].set("h", y)
        return self.vodes[-1].get("u")

    def weights(self) -> list[np.ndarray]:
        """Copies, [fan_in, fan_out], input first."""
        return [np.asarray(layer.nn.weight.get()).T for layer in self.layers]


@pxf.vmap(pxu.M(OF_SAMPLES).to((None, 0)), in_axes=(0, 0), out_axes=0)
def forward(x, y, *, model):
    return model(x, y)


@pxf.vmap(pxu.M(OF_SAMPLES).to((None, 0)), in_axes=(0,), out_axes=(None, 0), axis_name="batch")
def energy(x, *, model):
    y = model(x, None)
    return jax.lax.psum(model.energy(), "batch"), y


def begin(x, y, model, optim_h) -> None:
    """Prediction phase."""
    model.train()
    with pxu.step(model, pxc.STATUS.INIT, clear_params=pxc.VodeParam.Cache):
        forward(x, y, model=model)
    optim_h.init(pxu.M_hasnot(pxc.VodeParam, frozen=True)(model))


@pxf.jit()
def zil(x, y, *, model, optim_w, optim_h):
    """Step t touches node L - t - 2 and matrix L - t - 1 only (pcx counts from the input)."""
    begin(x, y, model, optim_h)
    layers = len(model.vodes)
    for t in range(layers):
        with pxu.step(model, clear_params=pxc.VodeParam.Cache):
            mask = pxu.M(None).to([False, False])(model, is_pytree=True)
            if t < layers - 1:
                mask.vodes[layers - t - 2].h = True
            mask.layers[layers - t - 1] = pxu.M(pxnn.LayerParam).to([False, True])(
                model.layers[layers - t - 1], is_pytree=True
            )
            _, found = pxf.value_and_grad({"model": mask}, has_aux=True)(energy)(x, model=model)
        optim_h.step(model, found["model"])
        optim_w.step(model, found["model"])
    optim_h.clear()


def make_il(steps: int):
    """IL with ``steps`` inference steps, all nodes at each of them."""

    @pxf.jit()
    def il(x, y, *, model, optim_w, optim_h):
        begin(x, y, model, optim_h)
        nodes = pxu.M_hasnot(pxc.VodeParam, frozen=True).to([False, True])
        for _ in range(steps):
            with pxu.step(model, clear_params=pxc.VodeParam.Cache):
                _, found = pxf.value_and_grad(nodes, has_aux=True)(energy)(x, model=model)
            optim_h.step(model, found["model"])
        optim_h.clear()
        with pxu.step(model, clear_params=pxc.VodeParam.Cache):
            weights = pxu.M(pxnn.LayerParam).to([False, True])
            _, found = pxf.value_and_grad(weights, has_aux=True)(energy)(x, model=model)
        optim_w.step(model, found["model"])

    return il


class Trainer:
    """One network and its update, called on one fixed batch."""

    def __init__(
        self,
        rule: Callable,
        weights: list[np.ndarray],
        inputs: np.ndarray,
        targets: np.ndarray,
        learning_rate: float,
        gamma: float,
    ) -> None:
        self.rule, self.model = rule, Model(weights)
        self.inputs, self.targets = jnp.asarray(inputs), jnp.asarray(targets)
        self.optim_w = pxu.OptimTree(
            lambda: optax.sgd(learning_rate),
            lambda leaf: isinstance(leaf, pxnn.Layer),
            pxu.M(pxnn.LayerParam)(self.model),
        )
        self.optim_h = pxu.OptimTree(
            lambda: optax.sgd(gamma), lambda leaf: isinstance(leaf, pxc.Vode)
        )

    def update(self) -> None:
        self.rule(
            self.inputs,
            self.targets,
            model=self.model,
            optim_w=self.optim_w,
            optim_h=self.optim_h,
        )
        jax.block_until_ready([layer.nn.weight.get() for layer in self.model.layers])
