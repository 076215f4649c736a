"""Types that the settings of several parts share: depths, moments, layer sizes, long trainings."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegativeCount, Positive

Depths = Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)]
"""Values of l_max, the number of weight matrices: one more than there are hidden layers."""
LayerSizes = Annotated[tuple[Count, ...], Field(min_length=2)]
"""Units of every layer, input first."""
AT_L = "l"
"""In a list of moments: the matrix theta^{l+1} learns at t = l, each at its own."""
Moment = Literal["l"] | NotNegativeCount
Positives = Annotated[tuple[Positive, ...], Field(min_length=1)]


class Trainings(ExperimentSettings):
    """Networks of several depths that are trained, each beside its backprop twin."""

    divided: ClassVar[bool] = True

    l_max: Depths
    hidden: Count
    """Units of every hidden layer."""
    epochs: Count
    weight_limit: Positive
    """Training ends where a weight is larger; the network counts as diverged."""
    train_limit: Count | None
    """Only the first so many training images; null: all of them."""


def check_moments(name: str, moments: tuple[Moment, ...], steps: int) -> None:
    """Raise ValueError if the setting ``name`` updates weights after the last inference step."""
    late = [moment for moment in moments if moment != AT_L and moment > steps]
    if late:
        raise ValueError(
            f"{name}: the weights would be updated after {late[0]} inference steps, where there "
            f"are T = {steps}; lower it or raise steps"
        )
