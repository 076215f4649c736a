"""Every setting of a training run, by the names that study files use."""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from plausible.settings import Count, NotNegative, Positive, Settings


class TrainingSettings(Settings):
    """Settings of one training run; a study file gives each by name."""

    dataset: str = "digits"
    train_limit: Count | None = None
    """Use the first so many training images; None: all."""
    test_limit: Count | None = None
    hidden_sizes: tuple[Count, ...] = (300, 300)
    activation: Literal["relu", "soft_rate", "sigmoid", "identity"] = "soft_rate"
    """sigmoid and identity serve checks of derivations."""
    activation_scale: float = 0.05
    """Factor on the soft rate in Hz."""
    softplus_gamma: Positive = 0.05
    """Width of the smoothed threshold, eq. 38."""
    rate_offset: NotNegative = 0.0
    """Floor added inside the rate; 1e-12 in the code behind the thesis."""
    output: Literal["linear", "rate"] = "linear"
    """rate: batch norm and scaled soft rate on the output layer too."""
    batch_norm: bool = False
    """Needs batches of two samples or more; a rest of one at the end of an epoch is trained on, but
    left out of the moving averages."""
    batch_norm_affine: bool = True
    batch_norm_epsilon: Positive = 1e-5
    batch_norm_new_weight: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Weight of the new batch in the moving averages."""
    batch_norm_frozen_after_test: bool = False
    """After each test, train the rest of the epoch with frozen moving averages, as the thesis's
    loop does (it never leaves evaluation mode before the next epoch)."""
    init: Literal["he_normal", "thuesen_normal", "glorot_normal", "torch_default"] = "he_normal"
    input_scale: Positive = 1.0
    """Factor on the intensities in [0, 1]."""
    first_weight_scale: Positive = 1.0
    """Factor on the first weight matrix at initialisation."""
    learning_rule: Literal["backprop", "zil", "zil_sequential", "il"] = "backprop"
    """zil: simultaneous updates; zil_sequential: in the order of the thesis's code."""
    inference_steps: Count = 20
    """T of inference learning (il only)."""
    inference_step_size: Positive = 0.1
    """gamma of inference learning (il only; Z-IL has gamma = 1)."""
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: Positive = 0.01
    adam_second_moment: Literal["batch_gradient", "per_sample"] = "batch_gradient"
    """batch_gradient: (mean g_i)^2, Adam. per_sample: mean(g_i^2), the thesis's code."""
    adam_bias_correction: Literal["powers", "as_printed"] = "powers"
    """powers: 1 - beta^t. as_printed: 1 - beta (eq. 28 lost the exponent)."""
    adam_epsilon_inside_root: bool = False
    epochs: Count = 20
    batch_size: Count = 64
    shuffle: bool = True
    """False: file order in every epoch."""
    test_every_steps: Count = 200
    dtype: Literal["float32", "float64"] = "float32"
    input_noise_std: NotNegative = 0.0
    """Standard deviation of Gaussian noise on the training intensities, before the input scale."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability to drop a hidden unit in training (inverted dropout)."""

    @model_validator(mode="after")
    def _samples_with_a_variance(self) -> Self:
        if self.batch_norm and self.batch_size == 1:
            raise ValueError(
                "batch_size is 1 with batch_norm, expected 2 or more, since one sample has no "
                "variance; choose larger batches or leave batch_norm out"
            )
        return self


def settings_hash(settings: TrainingSettings, *keys: str | int) -> str:
    """SHA-256 of the settings and of ``keys``, whatever else the result depends on."""
    text = json.dumps([settings.model_dump(mode="json"), list(keys)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
