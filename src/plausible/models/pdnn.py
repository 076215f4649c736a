"""A classifier that learns on a stream and sends what changes."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tqdm import trange

from plausible.errors import ModelError
from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import (
    UPDATES,
    flush,
    fresh_side,
    initial_weights,
    make_network,
    make_rule,
)
from plausible.models.data import (
    Data,
    as_classes,
    as_count,
    as_given,
    as_number,
    as_samples,
)


class PDNN:
    """A proportional-derivative network (O'Connor 2020, chapter 5).

    A network of ReLU layers and a softmax whose neurons send whole numbers: a share of their value
    and of its change since the sample before, quantized, forward and backward. A sample is one time
    step; neurons remember, so that samples which resemble the ones before cost few additions. It is
    trained one sample at a time, in the order of the stream.

    Parameters
    ----------
    layer_sizes:
        Units of each layer: inputs, hidden layers, classes.
    k_alpha:
        Memory of the code, from 0 (what is sent is the value) to below 1 (its change). Near 1 fewer
        additions are needed for a slow stream, and weights that learn fast are followed less well.
        One number, or numbers from an epoch on: ``{0: 0.5, 1: 0.9}`` is O'Connor's schedule (C.6).
    k_beta_relative:
        Step of the code in units of the mean size of what a layer sends, which it follows. Small: a
        finer code, and more additions.
    update:
        When a weight learns of the product of what its neurons have read: ``reconstruction`` at
        each sample, ``past`` at a spike of either, for the time since the last one, ``future`` at a
        spike, for all time to come, ``stdp`` at the second spike of each pair. Their sums are the
        same once the stream has ended (`flush`).
    learning_rate:
        Step size of gradient descent.
    seed:
        Of the initial weights.

    Raises
    ------
    ModelError
        If an argument is not what is expected.
    """

    def __init__(
        self,
        layer_sizes: tuple[int, ...],
        *,
        k_alpha: float | Mapping[int, float] = 0.5,
        k_beta_relative: float = 0.91,
        update: str = "past",
        learning_rate: float = 0.01,
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
        self._k_alphas = _schedule(k_alpha)
        self._epochs = 0
        k_beta_relative = as_number(k_beta_relative, "k_beta_relative")
        learning_rate = as_number(learning_rate, "learning_rate")
        self._rule = make_rule(learning_rate, self._k_alphas[0], k_beta_relative, update=update)
        rng = np.random.default_rng(as_count(seed, "seed"))
        self._network = make_network(initial_weights(self.layer_sizes, rng), self._rule)

    def __repr__(self) -> str:
        units = "-".join(map(str, self.layer_sizes))
        return f"PDNN of {units} units, k_alpha {self._rule.k_alpha:g}"

    @property
    def weights(self) -> list[NDArray[np.float64]]:
        """[inputs, units] of each layer."""
        return [matrix.copy() for matrix in self._network.matrices]

    @property
    def biases(self) -> list[NDArray[np.float64]]:
        """[units] of each layer."""
        return np.split(self._network.biases.copy(), np.cumsum(self.layer_sizes)[:-1])[1:]

    def fit(self, inputs: Data, labels: Data, *, epochs: int = 1, progress: bool = False) -> Self:
        """Train on the stream ``inputs`` [n, features] with ``labels`` [n], and return self.

        Samples are taken in their order; a later call goes on with the stream, and counts its
        epochs on. Those of more axes are flattened. ``progress`` shows a bar with the time left.
        Raises ModelError if the training diverges; then make another network with a smaller
        learning rate or k_alpha.
        """
        x = self._inputs(inputs)
        y = as_classes(labels, len(x), self.layer_sizes[-1])
        for epoch in trange(
            as_count(epochs, "epochs"), disable=not progress, desc="epochs", leave=False
        ):
            due = max(start for start in self._k_alphas if start <= self._epochs)
            self._rule = self._rule._replace(k_alpha=self._k_alphas[due])
            found = pdnn.train(self._network, self._rule, x, 1.0, y)
            self._epochs += 1
            if found.diverged:
                raise ModelError(
                    f"the training diverged in epoch {epoch + 1}, after {found.samples} samples; "
                    "begin again with a smaller learning_rate or k_alpha."
                )
        return self

    def flush(self) -> Self:
        """End the stream, and return self.

        Weights learn what its spikes would still add if neurons were silent from now on; then the
        neurons forget it. The next `fit` begins another stream.
        """
        flush(self._network, self._rule)
        return self

    def predict(self, inputs: Data) -> Data:
        """Classes, int64 [n], of a stream that neurons without any memory begin to see."""
        return as_given(self._run(inputs).classes, inputs)

    def additions(self, inputs: Data) -> Data:
        """Weights that are added for each sample of a stream, int64 [n]: each spike adds a row."""
        spikes = self._run(inputs).spikes[:, :-1]
        return as_given(spikes @ np.array(self.layer_sizes[1:]), inputs)

    def _run(self, inputs: Data) -> pdnn.Predictions:
        network = self._network
        side = fresh_side(self.layer_sizes, self._rule)
        side = side._replace(scales=network.forward.scales.copy())
        return pdnn.predict(network, self._rule, self._inputs(inputs), 1.0, side)

    def _inputs(self, inputs: Data) -> NDArray[np.float64]:
        return as_samples(inputs, self.layer_sizes[0])


def _schedule(k_alpha: Any) -> dict[int, float]:
    """k_alpha from an epoch on."""
    given = dict(k_alpha) if isinstance(k_alpha, Mapping) else {0: k_alpha}
    good = 0 in given and all(
        isinstance(start, int) and start >= 0 and isinstance(each, int | float) and 0 <= each < 1
        for start, each in given.items()
    )
    if not good:
        raise ModelError(
            f"k_alpha: found {k_alpha!r}, expected a number from 0 to below 1, or such numbers by "
            "the epoch from which on they hold, beginning with epoch 0."
        )
    return given
