"""Settings of table 4: networks, algorithms, number of measurements."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, NotNegativeCount, Positive, Settings
from plausible.studies.song2020.settings import LayerSizes

BLOCKS = 5
"""Parts of the repetitions, whose ratios show how sure a ratio is."""


class Network(Settings):
    """A network whose weight update is timed."""

    layer_sizes: LayerSizes
    batch_size: Count


def weight_count(sizes: Sequence[int]) -> int:
    """Number of weights between layers of these sizes."""
    return sum(above * below for above, below in pairwise(sizes))


class Rules(ExperimentSettings):
    """Settings of the algorithms."""

    il_steps: NotNegativeCount
    """t_c of IL."""
    il_gamma: Positive
    """gamma of IL."""
    detection_steps: Count
    """t_d of Fa-Z-IL."""
    tolerance: NotNegative
    """Errors up to this size count as zero for phi."""
    learning_rate: Positive
    """Small enough that hundreds of updates leave the errors on the one sample at their size."""


class RunTime(Rules):
    """Time and memory of one weight update by each algorithm."""

    uses_device: ClassVar[bool] = True

    networks: Mapping[str, Network] = Field(min_length=1)
    warm_up: Count
    """Updates before the first measurement."""
    repetitions: Annotated[int, Field(ge=BLOCKS)]
    """Measured updates of every algorithm."""
