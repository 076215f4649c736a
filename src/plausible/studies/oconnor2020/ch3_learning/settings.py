"""Settings of chapter 3's trainings on MNIST: table 3.2, figures 3.2 and 3.3, table A.1."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, NotNegativeCount, Positive, Settings

Protocol = Literal["as_published", "as_coded", "calibrated", "corrected"]
Part = Literal["train", "thesis", "official"]
"""Training images, the author's test images, official test images."""
Sizes = Annotated[tuple[Count, ...], Field(min_length=1)]
Epochs = Annotated[tuple[NotNegative, ...], Field(min_length=1)]


class Rule(Settings):
    """What may be said of one network, or of all networks of a protocol; the rest is the sweep's.

    Options of the rule are those of `plausible.kernels.deep_spiking_types.make_rule`.
    """

    update: Literal["sgd", "fsgd"] = "fsgd"
    """At the end of a sample (equation 3.6), or at each error spike (3.7)."""
    smooth: bool = False
    """Whether updates multiply the sums that spikes quantize instead of their counts."""
    routing: Literal["breadth_first", "depth_first", "depth_first_as_coded"] = "breadth_first"
    """Order in which spikes act; as coded, an error spike goes back through changed weights."""
    hold_error: bool = True
    """Whether output and target spikes of a step are counted against each other."""
    back_reset: Literal["none", "zero", "random"] = "none"
    """What happens to the quantizers of errors at the start of a sample."""
    regularisation: NotNegative = 0.0
    """Size of the error spike that a spike of a layer counts as."""
    steps: Count | None = None
    """Time steps T of a sample."""
    learning_rate: Positive | None = None
    """Step size eta."""
    epochs: Count | None = None
    seeds: Count | None = None
    """How many of the seeds are trained, the first ones."""


class InProtocol(Rule):
    """What holds for all networks of a protocol."""

    printed_step: bool = False
    """Equations 3.6 and 3.7 literally: a weight moves by eta / T, not by eta / T^2, for each pair
    of spikes."""


class SpikingNetwork(Rule):
    """A network that is trained by error spikes."""

    protocols: tuple[Protocol, ...] | None = None
    """Protocols in which it is trained; None: all."""


class Network(SpikingNetwork):
    """A network that is trained as a spiking one, or by gradient descent as a vector network."""

    form: Literal["spiking", "rectified"] = "spiking"

    @model_validator(mode="after")
    def _has_a_rule_if_it_spikes(self):
        options = sorted(self.model_fields_set & RULE)
        if self.form == "rectified" and options:
            raise ValueError(
                f"found {options[0]!r} beside the form 'rectified', where none of "
                f"{', '.join(sorted(RULE))} is expected: a vector network has no error spikes"
            )
        return self


RULE = {"update", "smooth", "routing", "hold_error", "back_reset", "regularisation"}
"""Keys of a network that are options of its rule."""


def _check_names(place: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{place} names {name!r}, where one of {', '.join(known)} is expected")


class Trainings(ExperimentSettings):
    """What all trainings share. A network's own values beat those of its protocol, these ours."""

    divided: ClassVar[bool] = True

    hidden_sizes: Sizes
    """Units of each hidden layer."""
    initial_deviation: Positive
    """Standard deviation of the normal initial weights."""
    steps: Count
    """Time steps T of a sample."""
    learning_rate: Positive
    """Step size eta."""
    epochs: Count
    protocols: Mapping[Protocol, InProtocol]
    variants: Mapping[str, SpikingNetwork]
    """Networks by their ids."""
    test_epochs: Epochs
    """Epochs after which a network is tested, as far as it is trained."""

    @model_validator(mode="after")
    def _names_are_declared(self):
        for name, network in self.variants.items():
            _check_names(f"variants.{name}.protocols", network.protocols or (), self.protocols)
        return self

    def of(self, protocol: str, network: str) -> dict[str, Any]:
        """Settings that hold for a network in a protocol, those of its rule among them."""
        own = self.variants[network]
        stated = (
            one.model_dump(exclude_unset=True, exclude_none=True)
            for one in (self.protocols[protocol], own)
        )
        shared = {key: getattr(self, key) for key in ("steps", "learning_rate", "epochs")}
        return {key: value for one in (shared, *stated) for key, value in one.items()}


class SpikingTraining(Trainings):
    """Trainings with learning curves, and tests of the trained networks."""

    variants: Mapping[str, Network]
    tested_parts: tuple[Part, ...]
    """Images on which networks are tested at each of ``test_epochs``."""
    training_images_tested: Count
    """How many training images are tested there, the first ones."""
    anytime_steps: NotNegativeCount
    """Time steps of the test of a trained network step by step; 0 leaves out what is measured after
    the training."""


class ErrorSpikes(Trainings):
    """Trainings of spiking networks whose error spikes are counted between ``test_epochs``."""


class CountedAdditions(Trainings):
    """Trainings of spiking networks of whose tests every addition is counted."""

    images: Count
    """How many test images are counted, the first ones."""
