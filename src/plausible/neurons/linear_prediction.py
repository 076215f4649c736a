"""Codes that predict from more than one step: coefficients of a signal, and what is sent.

Source: O'Connor 2020, C.2, eq. C.1 to C.3. A signal x [steps, ...] is sent as

    a_t = (x_t - sum_tau omega_tau x_(t-tau)) / step,   s_t = Q(a_t)

and read as y_t = step s_t + sum_tau omega_tau y_(t-tau). With omega = (k_d / (k_p + k_d)) and the
step 1 / (k_p + k_d) it is the PD code of ``pd_coding``. The coefficients that minimise the mean of
a_t^2 solve the normal equations of the autocorrelation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_toeplitz

from plausible.errors import StudyError
from plausible.neurons.pd_coding import Coded, predictive_decode, predictive_encode
from plausible.neurons.quantizers import quantize_stream


def fitted_coefficients(signal: ArrayLike, order: int) -> NDArray[np.float64]:
    """omega_1 to omega_order of ``signal`` [steps, ...], [order]; units share them.

    From the autocorrelation r_k = sum_t x_t x_(t-k) of all units, the signal being 0 before and
    after its steps (Yule-Walker): a decoder with these coefficients forgets.

    Raises
    ------
    StudyError
        If the order is not a whole number from 1 to the number of steps - 1, or the signal is 0.
    """
    signal = np.asarray(signal, np.float64)
    steps = len(signal)
    if int(order) != order or not 1 <= order < steps or not signal.any():
        raise StudyError(
            f"linear prediction: found the order {order} and {steps} steps, expected a whole "
            "number from 1 to less than that, and a signal that is not 0 throughout."
        )
    lags = [float((signal[lag:] * signal[: steps - lag]).sum()) for lag in range(order + 1)]
    return solve_toeplitz(lags[:order], lags[1:])


def transmit_predicted(signal: ArrayLike, coefficients: ArrayLike, step: float) -> Coded:
    """Encode, quantize and decode ``signal`` [steps, ...]; ``step`` is what a spike adds.

    Raises StudyError unless the step is positive and finite.
    """
    if not 0 < step < np.inf:
        raise StudyError(f"linear prediction: found the step {step}, expected one above 0.")
    encoded = predictive_encode(signal, coefficients) / step
    spikes = quantize_stream(encoded).spikes.astype(np.float64)
    return Coded(encoded, spikes, predictive_decode(step * spikes, coefficients))
