"""A classifier of spiking neurons that learns by spikes alone."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from tqdm import trange

from plausible.errors import ModelError
from plausible.kernels import deep_spiking
from plausible.kernels.deep_spiking_types import (
    UPDATES,
    SpikeTrains,
    additions,
    initial_weights,
    make_network,
    make_rule,
    real_weights,
)
from plausible.kernels.spike_emission import input_trains
from plausible.models.data import (
    Data,
    as_classes,
    as_count,
    as_given,
    as_number,
    as_samples,
)

LARGEST_INPUT = 10
"""An input of 1 spikes once in every step; ten times as large ones are no rates any more."""


class DeepSpikingClassifier:
    """A deep spiking network (O'Connor 2020, chapter 3; O'Connor and Welling 2016).

    Units have a potential and emit spikes, whose running mean approaches the activity of a ReLU
    network without biases. In each of ``steps`` time steps the inputs are added to the potentials
    of the input layer; output spikes that differ from the label's are errors, which are quantized
    to (signed) spikes themselves and travel back. All that a weight learns from are pairs of
    spikes; there is no multiplication but by the learning rate.

    Parameters
    ----------
    layer_sizes:
        Units of each layer: inputs, hidden layers, classes.
    update:
        ``fsgd``: weights move at each error spike (fractional updates, eq. 3.7). ``sgd``: at the
        end of each sample (eq. 3.6).
    steps:
        Time steps of a sample. More: finer activities, and more spikes.
    learning_rate:
        eta; a weight moves by eta / steps^2 for a pair of an input and an error spike.
    initial_std:
        Standard deviation of the initial weights. Small ones begin with few spikes and learn best.
    seed:
        Of the initial weights and of the order of the samples.

    Raises
    ------
    ModelError
        If an argument is not what is expected.
    """

    def __init__(
        self,
        layer_sizes: tuple[int, ...],
        *,
        update: str = "fsgd",
        steps: int = 10,
        learning_rate: float = 0.01,
        initial_std: float = 0.01,
        seed: int = 0,
    ) -> None:
        if np.ndim(layer_sizes) != 1 or len(layer_sizes) < 2:
            raise ModelError(
                f"layer_sizes: found {layer_sizes}, expected at least two numbers: inputs and "
                "classes."
            )
        self.layer_sizes = tuple(as_count(each, "layer_sizes", 1) for each in layer_sizes)
        if update not in UPDATES:
            raise ModelError(f"update: found {update!r}, expected one of {', '.join(UPDATES)}.")
        steps, initial_std = as_count(steps, "steps", 1), as_number(initial_std, "initial_std")
        learning_rate = as_number(learning_rate, "learning_rate")
        self._rule = make_rule(steps, learning_rate, update=update)
        self._generator = np.random.default_rng(as_count(seed, "seed"))
        weights = initial_weights(self.layer_sizes, self._generator, initial_std)
        self._network = make_network(weights, self._rule)

    def __repr__(self) -> str:
        units = "-".join(map(str, self.layer_sizes))
        return f"DeepSpikingClassifier of {units} units, {self._rule.steps} time steps"

    @property
    def weights(self) -> list[NDArray[np.float64]]:
        """[inputs, units] of each layer."""
        return real_weights(self._network, self._rule)

    def fit(
        self,
        inputs: Data,
        labels: Data,
        *,
        epochs: int = 1,
        shuffle: bool = True,
        progress: bool = False,
    ) -> Self:
        """Train on ``inputs`` [n, features] with ``labels`` [n], and return self.

        A later call goes on. Inputs are numbers from 0 to about 1; those of more axes are
        flattened. ``progress`` shows a bar with the time left. Raises ModelError if the training
        diverges (more than 64 spikes a unit and step); then make another network with a smaller
        learning rate.
        """
        x = self._inputs(inputs)
        y = as_classes(labels, len(x), self.layer_sizes[-1])
        epochs = as_count(epochs, "epochs")
        trains = self._trains(x)
        for epoch in trange(epochs, disable=not progress, desc="epochs", leave=False):
            order = self._generator.permutation(len(x)) if shuffle else np.arange(len(x))
            found = deep_spiking.train(self._network, self._rule, trains, y, order, self._generator)
            if found.diverged:
                raise ModelError(
                    f"the training diverged in epoch {epoch + 1}, after {found.samples} samples; "
                    "begin again with a smaller learning_rate."
                )
        return self

    def outputs(self, inputs: Data) -> Data:
        """Running outputs after each time step, [n, steps, classes].

        Those of the last step are the most exact; earlier ones are a guess for fewer spikes.
        """
        x = self._inputs(inputs)
        found = deep_spiking.predict(self._network, self._rule, self._trains(x))
        times = np.arange(1, self._rule.steps + 1)[:, None]
        return as_given(found.outputs / times, inputs)

    def predict(self, inputs: Data) -> Data:
        """Classes after the last time step, int64 [n]."""
        x = self._inputs(inputs)
        found = deep_spiking.predict(self._network, self._rule, self._trains(x))
        return as_given(found.classes[:, -1], inputs)

    def additions(self, inputs: Data) -> Data:
        """Weights that spikes added up to each time step, int64 [n, steps]."""
        x = self._inputs(inputs)
        found = deep_spiking.predict(self._network, self._rule, self._trains(x))
        return as_given(additions(found.spikes, self.layer_sizes), inputs)

    def _inputs(self, inputs: Data) -> NDArray[np.float64]:
        x = as_samples(inputs, self.layer_sizes[0])
        if not 0.0 <= x.min() <= x.max() <= LARGEST_INPUT:
            raise ModelError(
                f"inputs: found numbers from {x.min():g} to {x.max():g}, expected them from 0 to "
                f"about 1, at most {LARGEST_INPUT}; divide them by the largest."
            )
        return x

    def _trains(self, inputs: NDArray[np.float64]) -> SpikeTrains:
        return input_trains(inputs, self._rule.steps)
