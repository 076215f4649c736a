"""Settings of the experiments on video.

Source: O'Connor 2020, sections 4.6.3 and 5.4.2, B.6, C.7, C.8, and the code of the first.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, Positive, Settings

DIGITS, RECORDED, ORIGINAL = "moving digits", "recordings", "original"
"""What is shown to which network: digits that move to one that was trained on digits, recordings to
SqueezeNet, the videos of the thesis to VGG-19."""
TOPICS = ("splice", "camera", "rates", "top_layers", "stability", "end_to_end", "pictures")


class DigitNetwork(Settings):
    """The small network of moving digits, and the scenes."""

    size: Count
    """Sides of a frame in pixels."""
    slow: Positive
    """Pixels from frame to frame."""
    fast: Positive
    epochs: Count
    learning_rate: Positive
    batch_size: Count


class Scales(Settings):
    """The optimisation of scales; as coded but for the number of frames."""

    dense_weight: Positive
    """lambda times the products of a dense pass: 1e-11 times 19.6e9 for VGG-19."""
    learning_rate: Positive
    epochs: Count
    frames: Count
    """Of each of the two scenes on which scales are optimised."""


class Rates(Settings):
    """PD codes at several frame rates."""

    every: Annotated[tuple[Count, ...], Field(min_length=3)]
    """Every n-th frame is shown, ascending."""
    frames: Count
    """Frames that are counted at each rate."""
    warm_up: Count
    """Times that the first frame is shown before."""
    k_alpha: Annotated[float, Field(ge=0, lt=1)]
    k_beta_relative: Positive
    """Step of a code in units of the mean size of what a sender sends."""


class TopLayers(Settings):
    """Layers that are trained upon a fixed trunk, as PD-coded and as ordinary network."""

    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    training_clips: Count
    """Of each class."""
    test_clips: Count
    clip_frames: Count
    learning_rate: Positive
    tuning_rate: NotNegative
    epochs: Count
    tests_per_epoch: Count


class Stability(Settings):
    """Optimisations of scales that may fail."""

    weights: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Multiples of ``dense_weight``, each a run."""
    epochs: Count
    frames: Count


class EndToEnd(Settings):
    """Training of all layers with PD codes."""

    frames: Count
    rate: Positive
    """Learning rate times the sum of the squares of the features of the first frame."""


class Camera(Settings):
    """The camera that stands still."""

    stretches: Count
    """Stretches of successive frames, from all over the scene."""
    frames: Annotated[int, Field(ge=2)]
    """Of each stretch."""
    apart: Count
    """Frames from the beginning of a stretch to that of the next."""
    multiples: Annotated[tuple[Positive, ...], Field(min_length=2)]
    """Of the optimised scales, ascending."""


class Pictures(Settings):
    """Sample frames that are shown."""

    side: Count
    """Rows and columns of a picture."""
    across: Count
    """Frames of the spliced video that are shown."""


class Video(ExperimentSettings):
    """Everything on video."""

    divided: ClassVar[bool] = True
    uses_originals: ClassVar[bool] = True

    window: Count
    """Frames that are in memory at once."""
    drawn_seeds: Count
    """Seeds of what is random of networks and videos that are given: the noise of optimisations."""
    splice_frames: Count
    """Of each of the two scenes that are put together."""
    digits: DigitNetwork
    scales: Scales
    rates: Rates
    top_layers: TopLayers
    stability: Stability
    end_to_end: EndToEnd
    camera: Camera
    pictures: Pictures
