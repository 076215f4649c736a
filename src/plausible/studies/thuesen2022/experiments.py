"""Short experiments of Thuesen 2022, by the names that the study file uses.

Every experiment has the signature ``f(settings, seeds, dataset, networks) -> DataFrame``: settings
from the study file (each function documents its keys), the seeds, the data set or None, and the
converted networks as ``{"<network>.<protocol>": {seed: SpikingNetwork}}`` or None. Random streams
are named by study, experiment and seed.
"""

from collections.abc import Callable

import pandas as pd

from plausible.studies.thuesen2022.coding_experiments import alpha_filter_tau, poisson_noise
from plausible.studies.thuesen2022.constraints import constraints
from plausible.studies.thuesen2022.figure_experiments import fig2a, fig2b, fig2c, fig3, fig4
from plausible.studies.thuesen2022.learning_experiments import (
    activation_scaling,
    il_cost,
    zil_equals_backprop,
)
from plausible.studies.thuesen2022.locality import local_updates
from plausible.studies.thuesen2022.spiking_experiments import (
    conversion_diagnostic,
    fig6,
    input_rate,
)
from plausible.studies.thuesen2022.theorems import theorems

EXPERIMENTS: dict[str, Callable[..., pd.DataFrame]] = {
    "fig2a": fig2a,
    "fig2b": fig2b,
    "fig2c": fig2c,
    "fig3": fig3,
    "fig4": fig4,
    "fig6": fig6,
    "zil_equals_backprop": zil_equals_backprop,
    "activation_scaling": activation_scaling,
    "alpha_filter_tau": alpha_filter_tau,
    "poisson_noise": poisson_noise,
    "il_cost": il_cost,
    "local_updates": local_updates,
    "constraints": constraints,
    "theorems": theorems,
    "input_rate": input_rate,
    "conversion_diagnostic": conversion_diagnostic,
}
