"""Exchange of weights between rectified networks and deep spiking networks.

Without biases both have the same weights: the spiking network approaches the outputs of the
rectified one as the number of time steps grows (O'Connor 2020, sections 3.4.5 and 3.5.2). What
differs is their layout, ``[fan_out, fan_in]`` in ``networks.mlp`` and ``[fan_in, fan_out]`` in the
kernels, and what would not survive is refused.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from plausible.errors import StudyError


def to_spiking(
    weights: Sequence[ArrayLike], biases: Sequence[ArrayLike] | None = None
) -> list[np.ndarray]:
    """Weights ``[fan_in, fan_out]`` of a spiking network from ``[fan_out, fan_in]``, in float64.

    Raises StudyError if a bias is not zero (a spiking network has none) or a weight not finite.
    """
    for layer, bias in enumerate(biases or (), 1):
        if np.any(np.asarray(bias) != 0):
            raise StudyError(
                f"conversion to a deep spiking network: layer {layer} has a bias that is not 0, "
                "expected a network without biases."
            )
    matrices = [np.array(np.transpose(matrix), np.float64, order="C") for matrix in weights]
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        raise StudyError(
            "conversion to a deep spiking network: weights are not finite, as after a training "
            "that diverged."
        )
    return matrices


def to_rectified(weights: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Weights ``[fan_out, fan_in]`` from the ``[fan_in, fan_out]`` of a spiking network."""
    return [np.array(np.transpose(matrix), np.float64, order="C") for matrix in weights]
