"""Settings of the theorems."""

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count


class Theorems(ExperimentSettings):
    """What grows with the scale."""

    batches: Count
    """First batches of images on which IL is compared with backprop."""
