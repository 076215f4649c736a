"""Every setting of a training run, by the names that study files use."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from plausible.errors import ConfigError

_CHOICES = {
    "activation": ("relu", "soft_rate", "sigmoid", "identity"),
    "output": ("linear", "rate"),
    "init": ("he_normal", "thuesen_normal", "glorot_normal", "torch_default"),
    "learning_rule": ("backprop", "zil", "zil_sequential", "il"),
    "optimizer": ("sgd", "adam"),
    "adam_second_moment": ("batch_gradient", "per_sample"),
    "adam_bias_correction": ("powers", "as_printed"),
    "dtype": ("float32", "float64"),
}
_POSITIVE = (
    "softplus_gamma",
    "batch_norm_epsilon",
    "input_scale",
    "first_weight_scale",
    "inference_steps",
    "inference_step_size",
    "learning_rate",
    "epochs",
    "batch_size",
    "test_every_steps",
)


class TrainingSettings(NamedTuple):
    """Settings of one training run; a study file gives each by name."""

    dataset: str = "digits"
    train_limit: int | None = None
    """Use the first so many training images; None: all."""
    test_limit: int | None = None
    hidden_sizes: tuple[int, ...] = (300, 300)
    activation: str = "soft_rate"
    """relu | soft_rate (sigmoid and identity serve checks of derivations)."""
    activation_scale: float = 0.05
    """Factor on the soft rate in Hz."""
    softplus_gamma: float = 0.05
    """Width of the smoothed threshold, eq. 38."""
    rate_offset: float = 0.0
    """Floor added inside the rate; 1e-12 in the code behind the thesis."""
    output: str = "linear"
    """linear | rate: batch norm and scaled soft rate on the output layer too."""
    batch_norm: bool = False
    """Needs batches of two samples or more; a rest of one at the end of an epoch is trained on, but
    left out of the moving averages."""
    batch_norm_affine: bool = True
    batch_norm_epsilon: float = 1e-5
    batch_norm_new_weight: float = 0.1
    """Weight of the new batch in the moving averages."""
    batch_norm_frozen_after_test: bool = False
    """After each test, train the rest of the epoch with frozen moving averages, as the thesis's
    loop does (it never leaves evaluation mode before the next epoch)."""
    init: str = "he_normal"
    input_scale: float = 1.0
    """Factor on the intensities in [0, 1]."""
    first_weight_scale: float = 1.0
    """Factor on the first weight matrix at initialisation."""
    learning_rule: str = "backprop"
    """backprop | zil (simultaneous) | zil_sequential (order of the thesis's code) | il."""
    inference_steps: int = 20
    """T of inference learning (il only)."""
    inference_step_size: float = 0.1
    """gamma of inference learning (il only; Z-IL has gamma = 1)."""
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    adam_second_moment: str = "batch_gradient"
    """batch_gradient: (mean g_i)^2, Adam. per_sample: mean(g_i^2), the thesis's code."""
    adam_bias_correction: str = "powers"
    """powers: 1 - beta^t. as_printed: 1 - beta (eq. 28 lost the exponent)."""
    adam_epsilon_inside_root: bool = False
    epochs: int = 20
    batch_size: int = 64
    shuffle: bool = True
    """False: file order in every epoch."""
    test_every_steps: int = 200
    dtype: str = "float32"
    input_noise_std: float = 0.0
    """Standard deviation of Gaussian noise on the training intensities, before the input scale."""
    dropout: float = 0.0
    """Probability to drop a hidden unit in training (inverted dropout)."""


def settings_from_mapping(values: Mapping[str, Any]) -> TrainingSettings:
    """Settings from a mapping such as a run of a study file.

    Raises ConfigError for an unknown name (with the nearest known one) or a value out of range.
    """
    for name in values:
        if name not in TrainingSettings._fields:
            near = difflib.get_close_matches(name, TrainingSettings._fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ConfigError(f"training settings: {name!r} is not a setting{hint}")
    values = dict(values)
    if "hidden_sizes" in values:
        values["hidden_sizes"] = tuple(values["hidden_sizes"])
    settings = TrainingSettings(**values)
    check_settings(settings)
    # 1 and 1.0 are the same setting and must have the same hash.
    numbers = {
        name: float(getattr(settings, name))
        for name, default in TrainingSettings._field_defaults.items()
        if isinstance(default, float)
    }
    return settings._replace(**numbers)


def check_settings(settings: TrainingSettings) -> None:
    """Raise ConfigError if a value is not allowed."""
    for name, default in TrainingSettings._field_defaults.items():
        _check_type(name, getattr(settings, name), default)
    for name, allowed in _CHOICES.items():
        value = getattr(settings, name)
        if value not in allowed:
            raise ConfigError(
                f"training settings: {name} is {value!r}, expected one of {', '.join(allowed)}."
            )
    for name in _POSITIVE:
        value = getattr(settings, name)
        if not value > 0:
            raise ConfigError(f"training settings: {name} is {value!r}, expected more than 0.")
    if not 0.0 <= settings.dropout < 1.0:
        raise ConfigError(
            f"training settings: dropout is {settings.dropout!r}, expected 0 <= dropout < 1."
        )
    for name in ("input_noise_std", "rate_offset"):
        if not getattr(settings, name) >= 0:
            raise ConfigError(
                f"training settings: {name} is {getattr(settings, name)!r}, expected 0 or more."
            )
    if not 0.0 < settings.batch_norm_new_weight <= 1.0:
        raise ConfigError(
            "training settings: batch_norm_new_weight is "
            f"{settings.batch_norm_new_weight!r}, expected 0 < weight <= 1."
        )
    if settings.batch_norm and settings.batch_size == 1:
        raise ConfigError(
            "training settings: batch_size is 1 with batch_norm, expected 2 or more, since one "
            "sample has no variance; choose larger batches or leave batch_norm out."
        )


def _check_type(name: str, value: Any, default: Any) -> None:
    if isinstance(default, tuple):
        fits = isinstance(value, tuple) and all(type(each) is int and each > 0 for each in value)
        expected = "a list of positive whole numbers"
    elif default is None:
        fits = value is None or (type(value) is int and value > 0)
        expected = "a positive whole number or null"
    elif isinstance(default, float):
        fits, expected = type(value) in (int, float), "a number"
    else:
        fits = type(value) is type(default)
        expected = {bool: "true or false", int: "a whole number", str: "a text"}[type(default)]
    if not fits:
        raise ConfigError(f"training settings: {name} is {value!r}, expected {expected}.")


def settings_to_mapping(settings: TrainingSettings) -> dict[str, Any]:
    """Settings as plain values, ready for JSON."""
    values = settings._asdict()
    values["hidden_sizes"] = list(settings.hidden_sizes)
    return values


def settings_hash(settings: TrainingSettings, *keys: str | int) -> str:
    """SHA-256 of the settings and of ``keys``, whatever else the result depends on."""
    text = json.dumps([settings_to_mapping(settings), list(keys)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
