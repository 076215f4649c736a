"""The ordinary network of a stream with noise on what its layers receive.

z^(l+1) = h^l W^l + b^(l+1) + noise, in the place of the z of ``kernels.softmax_network``. Noise on
z is a shift of the biases for one sample, which is how it is done: gradients pass it as they pass a
bias. It stands for the noise that codes add in a PDNN (O'Connor 2020, section 5.4.1).
"""

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.kernels import softmax_network
from plausible.kernels.pdnn_types import Network


def draw_noise(
    rng: np.random.Generator, samples: int, sizes: tuple[int, ...], deviations: NDArray
) -> NDArray[np.float64]:
    """Normal noise for the units above the input, [samples, units].

    ``deviations`` [L] are the standard deviations of the layers above the input.

    Raises
    ------
    StudyError
        If they are not one finite number from 0 for each of these layers.
    """
    deviations = np.asarray(deviations, np.float64)
    fits = deviations.shape == (len(sizes) - 1,) and np.isfinite(deviations).all()
    if not (fits and (deviations >= 0).all()):
        raise StudyError(
            f"noise: found the deviations {deviations.tolist()}, expected {len(sizes) - 1} finite "
            "numbers of at least 0, one for each layer above the input."
        )
    spread = np.repeat(deviations, sizes[1:])
    return spread * rng.standard_normal((samples, len(spread)))


def train_with_noise(
    network: Network,
    learning_rate: float,
    images: NDArray,
    white: float,
    labels: NDArray,
    order: NDArray,
    noise: NDArray,
) -> int:
    """Train ``network`` in place on ``images[order]``; ``noise`` [len(order), units above input].

    Returns how many samples were done, fewer than asked for if the network diverged.
    """
    shifts = network.biases[network.sizes[0] :]
    for done, (sample, added) in enumerate(zip(order, noise, strict=True)):
        shifts += added
        one = slice(sample, sample + 1)
        trained = softmax_network.train(network, learning_rate, images[one], white, labels[one])
        shifts -= added
        if not trained:
            return done
    return len(order)


def outputs_with_noise(
    network: Network, images: NDArray, white: float, noise: NDArray
) -> NDArray[np.float64]:
    """Probabilities [samples, classes] under ``noise`` [samples, units above the input]."""
    network = network._replace(biases=network.biases.copy())
    plain, shifts = network.biases.copy(), network.biases[network.sizes[0] :]
    found = np.empty((len(images), network.sizes[-1]))
    for number, added in enumerate(noise):
        shifts[:] = plain[network.sizes[0] :] + added
        found[number] = softmax_network.outputs(network, images[number : number + 1], white)[0][0]
    return found
