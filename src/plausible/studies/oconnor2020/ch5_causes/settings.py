"""Settings of the experiments on causes of chapter 5, and how their networks are trained.

Networks learn as the text says: the reading ``as_published`` of the part that trains for figure
5.5. Parts do not import each other, so its few constants stand here again; a test compares them.
"""

from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, field_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, Positive

SPLIT = "official"
K_ALPHAS = {0.0: 0.5, 1.0: 0.9}
"""k_alpha from an epoch on."""
K_BETA_RELATIVE = 0.91
PDNN, MLP = "pdnn", "mlp"
ADDITION_PJ, MULTIPLY_ADD_PJ = 0.1, 3.3
"""Energy of 32-bit integers: caption of figure 5.5."""
ORDERS = ("file", "temporal")
"""Of the images: MNIST as it is and Temporal MNIST."""


class Way(NamedTuple):
    """How a network departs from the PDNN or the ordinary network of the text."""

    network: str
    orders: tuple[str, ...] = ORDERS
    fineness: float = 1.0
    """The step of the codes is divided by it."""
    k_alphas: dict[float, float] = K_ALPHAS
    tuned: bool = True
    """Whether scales follow what they encode."""
    slow: bool = False
    """Whether the learning rate is divided."""
    more_seeds: bool = False
    """Whether several networks of each seed are trained in the order of the file."""


WAYS = {
    "pdnn": Way(PDNN, more_seeds=True),
    "mlp": Way(MLP, more_seeds=True),
    "mlp_noise": Way(MLP, ("file",), more_seeds=True),
    "pdnn_fine": Way(PDNN, ("file",), fineness=10.0, more_seeds=True),
    "pdnn_memoryless": Way(PDNN, k_alphas={0.0: 0.0}),
    "pdnn_fixed": Way(PDNN, ("file",), tuned=False),
    "pdnn_slow": Way(PDNN, ("temporal",), slow=True),
    "mlp_slow": Way(MLP, ("temporal",), slow=True),
}
"""``mlp_noise``: with noise as large as that of the codes; ``pdnn_fixed``: with the scales that all
begin with; ``pdnn_memoryless``: k_d = 0."""


class Trained(ExperimentSettings):
    """What trainings share."""

    width: Count
    """Units of the hidden layer."""
    learning_rate: Positive
    epochs: Count
    tuning_rate: Positive
    """Rate at which the steps of the codes follow the mean size of what a layer sends."""
    buffer_size: Count
    """Images among which the next one of the temporal order is looked for."""


class StreamCauses(Trained):
    """Trainings in which one thing is changed."""

    divided: ClassVar[bool] = True

    networks_per_seed: Count
    """Of the networks that are compared by their scores in the order of the file."""
    first_stops: tuple[Fraction, ...]
    """Tests within the first epoch, in epochs; further ones follow after each epoch."""
    training_images_tested: Count
    """The first ones, tested after each epoch."""
    smaller_steps: Positive
    """What the learning rate of the slow networks is divided by."""
    probed_epochs: Annotated[tuple[int, ...], Field(min_length=2)]
    """Epochs after which PDNNs are looked at sample by sample; the first is 0."""
    probed_samples: Count

    @field_validator("probed_epochs")
    @classmethod
    def _from_the_beginning(cls, epochs: tuple[int, ...]) -> tuple[int, ...]:
        if epochs[0] != 0 or list(epochs) != sorted(set(epochs)):
            raise ValueError(
                f"{list(epochs)} was found, where ascending numbers from 0 on are expected; "
                "correct the list."
            )
        return epochs


class FrameRates(Trained):
    """Trained networks whose weights stay, on cross-faded, still and other frames."""

    divided: ClassVar[bool] = True

    images: Count
    """Test images that are cross-faded."""
    settling_images: Count
    """The first of them, which are not counted."""
    sub_frames: Annotated[tuple[Count, ...], Field(min_length=3)]
    """n, ascending from 1."""
    still_images: Count
    """Test images that are shown as still pictures."""
    still_frames: Count
    """Frames of each that are counted, after as many that are not."""
    fineness: Annotated[tuple[Positive, ...], Field(min_length=2)]
    """What the steps of the trained codes are divided by, against a sigma-delta network."""
    predicted_images: Count
    """Test images whose cross-fades are coded with predictors of first and second order."""
    predicted_sub_frames: Annotated[tuple[Count, ...], Field(min_length=1)]
    prediction_steps: Annotated[tuple[Positive, ...], Field(min_length=3)]
    """Steps of these codes, in units of the mean size of the signal."""

    @field_validator("sub_frames")
    @classmethod
    def _from_one(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        if numbers[0] != 1 or list(numbers) != sorted(set(numbers)):
            raise ValueError(
                f"{list(numbers)} was found, where ascending numbers from 1 on are expected; "
                "correct the list."
            )
        return numbers
