"""Values that the settings of chapter 1 may have."""

from plausible.studies.setting_rules import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Rule, is_number

_NUMBER = Rule(is_number, "a finite number")
_INSIDE = Rule(
    lambda value: is_number(value) and 0 < value < 1, "a number between 0 and 1, without these"
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(("units", "networks", "recalls", "sweeps", "sizes", "kernel_steps"), COUNT),
    **dict.fromkeys(("loads", "gains", "input_rate_hz", "time_constant_s", "trace_s"), POSITIVE),
    **dict.fromkeys(("rate_s", "window_s", "tau_plus_s", "tau_minus_s", "k_p"), POSITIVE),
    **dict.fromkeys(("turned_fraction", "turned_fractions"), FRACTION),
    **dict.fromkeys(("weight_deviation", "k_d", "a_plus", "a_minus"), NOT_NEGATIVE),
    **dict.fromkeys(("weight_mean", "drives_hz"), _NUMBER),
    "alpha": _INSIDE,
}
"""By the name of the setting; a list must hold such values throughout."""
