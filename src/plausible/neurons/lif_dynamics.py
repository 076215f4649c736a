"""Leaky integrate-and-fire dynamics in discrete time, readable float64 reference. Numpy only.

Source: Thuesen 2022, section 3.3.2, eqs. 35-37 (membrane equation, its solution, firing rate) and,
for the ``euler`` variant, the simulator of the thesis's notebook.
"""

from typing import Literal, NamedTuple

import numpy as np

from plausible.errors import StudyError

Integration = Literal["euler", "exact"]
INTEGRATIONS = ("euler", "exact")

# Below this ln(ln(1 + exp(x))) is x to less than float64 rounding.
_ASYMPTOTE = -40.0


class LIF(NamedTuple):
    """Constants of a leaky integrate-and-fire neuron with resting potential 0.

    tau_RC = ``membrane_time_constant_s``, t_ref = ``refractory_period_s``, V_th = ``threshold``
    (Thuesen 2022, section 3.3.2).
    """

    membrane_time_constant_s: float = 0.02
    refractory_period_s: float = 0.004
    threshold: float = 1.0


def firing_rate_hz(
    current: np.ndarray,
    softplus_gamma: float = 0.0,
    rate_offset: float = 0.0,
    lif: LIF = LIF(),  # noqa: B008 - an immutable NamedTuple
) -> np.ndarray:
    """Firing rate for a constant current, in Hz: numpy form of ``neurons.rates``.

    r(J) = 1 / (t_ref + tau_RC ln(1 + V_th / rho)) with rho = max(0, J - V_th) for
    ``softplus_gamma`` 0 (eq. 37) and rho = gamma ln(1 + exp((J - V_th) / gamma)) otherwise (eq. 38,
    whose printed sign of the logarithm is wrong). ``rate_offset`` is added to rho; the thesis's
    notebook has 1e-12 there, which leaves a rate of about 2 Hz below the threshold.
    """
    excess = np.asarray(current, dtype=np.float64) - lif.threshold
    # In logarithms: far below the threshold rho underflows, but ln(rho) does not, and rho = 0 gives
    # a rate of exactly 0.
    with np.errstate(divide="ignore"):
        if softplus_gamma > 0:
            ratio = excess / softplus_gamma
            soft = np.log(np.logaddexp(0.0, np.maximum(ratio, _ASYMPTOTE)))
            log_rho = np.log(softplus_gamma) + np.where(ratio < _ASYMPTOTE, ratio, soft)
        else:
            log_rho = np.log(np.maximum(excess, 0.0))
        log_rho = np.logaddexp(log_rho, np.log(rate_offset))
    charging = np.logaddexp(0.0, np.log(lif.threshold) - log_rho)
    return 1.0 / (lif.refractory_period_s + lif.membrane_time_constant_s * charging)


def check_integration(
    integration: str, idle_steps: int, dt_s: float, lif: LIF, where: str = "simulate_lif"
) -> None:
    """Raise StudyError for an integration that is unknown or cannot be carried out."""
    if integration not in INTEGRATIONS:
        raise StudyError(
            f"{where}: integration is {integration!r}, expected one of {', '.join(INTEGRATIONS)}."
        )
    if not all(0 < constant < np.inf for constant in lif):
        raise StudyError(f"{where}: {lif} must hold finite positive numbers only.")
    if not 0 < dt_s < np.inf:
        raise StudyError(f"{where}: the time step is {dt_s} s, expected a finite positive number.")
    if integration == "euler" and (idle_steps < 0 or int(idle_steps) != idle_steps):
        raise StudyError(f"{where}: idle_steps is {idle_steps}, expected an integer of 0 or more.")
    if integration == "euler" and dt_s > lif.membrane_time_constant_s:
        raise StudyError(
            f"{where}: Euler steps of {dt_s} s overshoot a membrane time constant of "
            f"{lif.membrane_time_constant_s} s; choose a smaller step or integration 'exact'."
        )
    if integration == "exact" and lif.refractory_period_s < dt_s:
        raise StudyError(
            f"{where}: integration 'exact' allows one spike per step, so the time step of {dt_s} s "
            f"must not exceed the refractory period of {lif.refractory_period_s} s."
        )


def check_currents(current: np.ndarray, where: str) -> None:
    """Raise StudyError for input currents that are not finite: such a neuron would be silent."""
    wrong = np.argwhere(~np.isfinite(current))
    if len(wrong):
        raise StudyError(
            f"{where}: {len(wrong)} of {np.size(current)} input currents are not finite, the first "
            f"at {wrong[0].tolist()}; expected finite numbers."
        )


def simulate_lif(
    current: np.ndarray,
    dt_s: float,
    lif: LIF = LIF(),  # noqa: B008 - an immutable NamedTuple
    integration: Integration = "exact",
    idle_steps: int = 4,
) -> np.ndarray:
    """Spikes of neurons driven by ``current`` ``[steps, ...]``, constant within a step.

    The membrane potential obeys tau_RC dv/dt = J - v (eq. 35), starts at 0, and returns to 0 when
    it exceeds the threshold. Two ways of stepping:

    - ``euler``: v += dt (J - v) / tau_RC, a spike if v > V_th at the end of a step, then
      ``idle_steps`` steps in which v stays 0. The notebook of the thesis idles for 3 steps of 1 ms
      although t_ref is 4 ms, because its float32 countdown 0.004 - 4 * 0.001 ends below 0.
    - ``exact``: v relaxes by the closed form v(t) = J + (v(0) - J) exp(-t / tau_RC) (eq. 36), the
      crossing is located inside the step, and the neuron is active again t_ref after the crossing,
      in the middle of a step if need be. A constant current then fires at r(J) of eq. 37, with no
      error of order dt. ``idle_steps`` has no meaning here.

    Returns booleans of the shape of ``current``: at most one spike per neuron and step. Raises
    StudyError if the step is too long for the integration or a current is not finite.
    """
    check_integration(integration, idle_steps, dt_s, lif)
    current = np.asarray(current, dtype=np.float64)
    check_currents(current, "simulate_lif")
    if integration == "euler":
        return _euler(current, dt_s, lif, idle_steps)
    return _exact(current, dt_s, lif)


def _euler(current: np.ndarray, dt_s: float, lif: LIF, idle_steps: int) -> np.ndarray:
    spikes = np.zeros(current.shape, dtype=bool)
    potential = np.zeros(current.shape[1:])
    idle = np.zeros(current.shape[1:], dtype=np.int64)
    for step, drive in enumerate(current):
        integrating = idle == 0
        idle[~integrating] -= 1
        change = dt_s / lif.membrane_time_constant_s * (drive - potential)
        potential = np.where(integrating, potential + change, potential)
        spikes[step] = integrating & (potential > lif.threshold)
        potential[spikes[step]] = 0.0
        idle[spikes[step]] = idle_steps
    return spikes


def _exact(current: np.ndarray, dt_s: float, lif: LIF) -> np.ndarray:
    spikes = np.zeros(current.shape, dtype=bool)
    potential, refractory_s = np.zeros((2, *current.shape[1:]))
    for step, drive in enumerate(current):
        spikes[step] = exact_step(potential, refractory_s, drive, dt_s, lif)
    return spikes


def exact_step(
    potential: np.ndarray, refractory_s: np.ndarray, drive: np.ndarray, dt_s: float, lif: LIF
) -> np.ndarray:
    """One step of `simulate_lif` with integration ``exact``: which neurons fire, booleans.

    ``potential`` and ``refractory_s``, the time that a neuron still rests, change in place; both
    begin with 0. ``drive`` is the current of the step. All have one shape.
    """
    tau = lif.membrane_time_constant_s
    active_s = np.clip(dt_s - refractory_s, 0.0, dt_s)
    np.maximum(refractory_s - dt_s, 0.0, out=refractory_s)
    before = potential.copy()
    potential[...] = drive + (before - drive) * np.exp(-active_s / tau)
    fired = potential > lif.threshold
    crossing_s = tau * np.log((drive[fired] - before[fired]) / (drive[fired] - lif.threshold))
    refractory_s[fired] = lif.refractory_period_s - (active_s[fired] - crossing_s)
    potential[fired] = 0.0
    return fired
