"""Settings of the trainings of section 5.4.1, and what text and code of the thesis do otherwise."""

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Positive


class Reading(NamedTuple):
    """What text and code do differently."""

    split: str
    """Of the images (`plausible.data.splits`)."""
    k_alphas: dict[float, float]
    """k_alpha from an epoch on."""
    k_beta_relative: float
    """Step of a code in units of the mean size of what a layer sends."""
    share_scales: bool
    """Whether the scales of the codes go on following their signals while the network is tested."""
    counted_outputs: int | None
    """Output units of the ordinary network that its operations are counted for; None: all."""
    multiply_add_pj: float
    """Energy of a multiplication and its addition, 32-bit integers; Horowitz 2014 has 3.1 + 0.1."""


READINGS = {
    # Table of C.6: 0.5 in the first epoch, then 0.9; 3.2 + 0.1 pJ as in the caption of figure 5.5.
    "as_published": Reading("official", {0.0: 0.5, 1.0: 0.9}, 0.91, False, None, 3.3),
    # k_p = 0.1, k_d = 1; labels that are single numbers make one output unit; a multiplication of
    # 3.1 pJ and an addition of 0.1 pJ count as two operations of 1.6 pJ.
    "as_coded": Reading("thesis_joined", {0.0: 1.0 / 1.1}, 1.0 / 1.1, True, 1, 1.6),
}
_TEXT, _CODE = READINGS["as_published"], READINGS["as_coded"]
CHANGES = {
    "text": _TEXT,
    "memory": _TEXT._replace(k_alphas=_CODE.k_alphas, k_beta_relative=_CODE.k_beta_relative),
    "images": _TEXT._replace(split=_CODE.split),
    "scales": _TEXT._replace(share_scales=_CODE.share_scales),
    "code": _CODE,
}
"""From text to code: in one thing, and in all; what is counted does not change what is learnt.

``memory``: the constants k_alpha, 0.5 and then 0.9 or 1/1.1, and k_beta_relative, 0.91 or 1/1.1.
"""
ADDITION_PJ = 0.1
ORDERS = ("file", "temporal")
"""Of the images: MNIST as it is and Temporal MNIST."""


class Trained(ExperimentSettings):
    """What all trainings share."""

    divided: ClassVar[bool] = True

    width: Count
    """Units of every hidden layer."""
    learning_rate: Positive
    epochs: Count
    tests_per_epoch: Count
    """On the test images; on the training images a network is tested after whole epochs."""
    tuning_rate: Positive
    """Rate at which the steps of the codes follow the mean size of what a layer sends."""
    buffer_size: Count
    """Images among which the next one of the temporal order is looked for."""
    noise_samples: Count
    """Test samples on which the noise of the codes is measured after the training."""


class TextAndCode(Trained):
    """PDNNs with one hidden layer on Temporal MNIST, as `CHANGES` has them.

    With scales that follow in tests, what is learnt depends a little on how often there is one.
    """


class StreamTraining(Trained):
    """Figure 5.5 and the table of C.6: PDNNs and ordinary networks of several depths."""

    protocols: Annotated[tuple[Literal["as_published", "as_coded"], ...], Field(min_length=1)]
    hidden_layers: Annotated[tuple[Count, ...], Field(min_length=2)]
    """Numbers of hidden layers; the deepest networks are compared with the shallowest."""
    deeper_seeds: Count
    """Seeds of networks with more than the smallest number of them."""

    @model_validator(mode="after")
    def _ascending(self):
        depths = self.hidden_layers
        if list(depths) != sorted(set(depths)):
            raise ValueError(
                f"hidden_layers: {list(depths)} was found, where ascending numbers without "
                "repetition are expected; correct the list."
            )
        return self
