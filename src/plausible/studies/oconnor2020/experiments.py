"""Experiments of O'Connor 2020, by the names that the study files use.

Every experiment has the signature ``f(settings, seeds, dataset, networks) -> DataFrame``: settings
from the study file (each function documents its keys), the seeds, the data set or None, and None,
since this study converts no networks. Random streams are named by study, experiment and seed.
"""

from collections.abc import Callable

import pandas as pd

EXPERIMENTS: dict[str, Callable[..., pd.DataFrame]] = {}
