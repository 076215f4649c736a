"""Operations and energy of an inference: spikes against dense arithmetic.

The energies are those of 32-bit floating-point arithmetic in a 45 nm process (M. Horowitz,
"Computing's energy problem (and what we can do about it)", ISSCC 2014), the usual yardstick of the
field. They count arithmetic only: no memory access, no neuron updates, no random numbers, so they
compare ideal hardware, not this program.
"""

from collections.abc import Sequence

import numpy as np

from plausible.errors import StudyError

FLOAT32_ADD_PJ = 0.9
"""Energy of a 32-bit floating-point addition, 45 nm, in picojoules (Horowitz 2014)."""

FLOAT32_MULTIPLY_PJ = 3.7
"""Energy of a 32-bit floating-point multiplication, 45 nm, in picojoules (Horowitz 2014)."""


def synaptic_operations(layer_spikes: np.ndarray, layer_sizes: Sequence[int]) -> np.ndarray:
    """Additions caused by spikes: each spike adds one weight to every neuron of the next layer.

    ``layer_spikes`` ``[n, layers + 1, checkpoints]`` are spikes per image up to each checkpoint,
    those of the input first and those of the output, which reach nobody, last (the shape that
    ``kernels.lif_network`` returns). ``layer_sizes`` are the matching numbers of neurons. Returns
    int64 ``[n, checkpoints]``. Raises StudyError if the two do not match.
    """
    layer_spikes = np.asarray(layer_spikes)
    if layer_spikes.ndim != 3 or layer_spikes.shape[1] != len(layer_sizes):
        raise StudyError(
            f"synaptic operations: layer_spikes has shape {layer_spikes.shape}, "
            f"expected (images, {len(layer_sizes)}, checkpoints) for layers {tuple(layer_sizes)}."
        )
    fan_out = np.array([*layer_sizes[1:], 0], dtype=np.int64)
    return np.einsum("nlc,l->nc", layer_spikes.astype(np.int64), fan_out)


def dense_multiply_adds(layer_sizes: Sequence[int]) -> int:
    """Multiply-adds of one dense forward pass: the number of weights."""
    return sum(a * b for a, b in zip(layer_sizes[:-1], layer_sizes[1:], strict=True))


def spiking_energy_nj(operations: np.ndarray | float) -> np.ndarray | float:
    """Energy in nJ of synaptic operations, one 32-bit addition each."""
    return operations * (FLOAT32_ADD_PJ * 1e-3)


def dense_energy_nj(multiply_adds: np.ndarray | float) -> np.ndarray | float:
    """Energy in nJ of multiply-adds, one 32-bit multiplication and one addition each."""
    return multiply_adds * ((FLOAT32_ADD_PJ + FLOAT32_MULTIPLY_PJ) * 1e-3)
