"""Adding to potentials and taking spikes off them, compiled for one core.

The arithmetic is that of the arrays: float64, or integers with additions and comparisons alone. A
spike is written as in ``neurons.quantizers.spike_codes``: i, or -1 - i if it is negative.
"""

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.compiling import inlined, kernel, merged
from plausible.kernels.deep_spiking_types import SpikeTrains

OVERFLOW = -1


@merged
def unit_of(code):
    """Unit of a spike."""
    return code if code >= 0 else -1 - code


@inlined
def spike(j, potential, rectified, unit, half, below, limit, queue, capacity, keys, first, end):
    """Append the spikes of unit j, which is beyond the threshold, to ``queue``; its new end.

    The threshold is ``half``, of negative spikes ``below``. Those since entry ``first`` stand in
    the order of decreasing |phi|, equals in the order of the calls. Returns OVERFLOW where the
    potential is not below ``limit`` or the queue holds ``capacity`` spikes: a limit of less than
    2^53 units is what makes the loop end, and exact, whatever the weights have become.
    """
    value = potential[j]
    size = value if rectified else abs(value)
    if not size < limit:
        return OVERFLOW
    code = j if value > 0 else -1 - j
    threshold = half if value > 0 else below
    while size > threshold:
        if end == capacity:
            return OVERFLOW
        place = end
        while place > first and keys[place - 1] < size:
            keys[place], queue[place] = keys[place - 1], queue[place - 1]
            place -= 1
        keys[place], queue[place] = size, code
        end += 1
        size -= unit
    potential[j] = size if value > 0 else -size
    return end


@kernel
def _encode(values, steps, unit, half, limit, start, code, potential, keys):
    # For a literal integer numba would compile what is called once more.
    end = np.int64(0)
    for sample in range(values.shape[0]):
        potential[:] = 0
        for step in range(steps):
            start[sample, step] = end
            first = end
            for i in range(values.shape[1]):
                potential[i] += values[sample, i]
                if abs(potential[i]) > half:
                    end = spike(
                        i, potential, False, unit, half, half, limit, code, len(code), keys, first,
                        end,
                    )  # fmt: skip
                    if end < 0:
                        return OVERFLOW
        start[sample, steps] = end
    return end


def code_type(units: int) -> type[np.signedinteger]:
    """Smallest type of the spikes of a layer."""
    return np.int16 if units <= np.iinfo(np.int16).max else np.int32


def input_trains(values: np.ndarray, steps: int, white: int | None = None) -> SpikeTrains:
    """Input spikes of ``values`` ``[samples, units]`` in ``steps`` steps (algorithm 11).

    Grey levels (whole numbers) with their ``white`` are quantized in integer arithmetic, so that
    equal levels spike together and no rounding error decides on the order; real values are used as
    they are. Raises StudyError for values that are not finite or that spike too often.
    """
    values = np.ascontiguousarray(values)
    if values.ndim != 2 or steps < 1:
        raise StudyError(
            f"input spikes: values are {values.shape} and steps {steps}, expected [samples, units] "
            "and at least 1."
        )
    if np.issubdtype(values.dtype, np.integer):
        if white is None or white < 1:
            raise StudyError(f"input spikes: white is {white}, expected the grey level of 1.0.")
        unit, half, dtype = int(white), int(white) // 2, np.int64
    elif white is not None:
        raise StudyError("input spikes: white was given for real values, expected grey levels.")
    else:
        values = values.astype(np.float64)
        unit, half, dtype = 1.0, 0.5, np.float64
    size = np.abs(values.astype(np.float64)) if dtype is np.float64 else values.astype(np.int64)
    most = np.ceil(np.abs(size) * (steps / unit) + 1).sum(axis=1)
    if not np.isfinite(most).all() or most.sum() > 2**31:
        raise StudyError(
            f"input spikes: {most.sum():g} spikes would be needed, or a value is not finite; "
            "expected values near 0 to 1."
        )
    start = np.empty((len(values), steps + 1), np.int64)
    code = np.empty(int(most.sum()), code_type(values.shape[1]))
    keys = np.empty(len(code), dtype)
    end = _encode(
        values, steps, unit, half, unit * 2**40, start, code, np.empty(values.shape[1], dtype), keys
    )
    return SpikeTrains(start, code[:end].copy(), values, unit)
