"""plausible: the reference reproduction of biologically plausible learning.

Of a ``torch.nn.Sequential``: gradients by `backprop`, `zil`, `fazil` and `inference_learning`; as a
network that must `settle`, by `eqprop`; its conversion `to_spiking` (trained with ReLU or
`SoftRate`), to be exchanged by `save_nir`; its networks of whole numbers, `rounding` and
`sigma_delta`, and how to `optimise_scales`; its `operations`. Besides, two classifiers,
`DeepSpikingClassifier` and `PDNN`, and spikes of values: `quantize`, `poisson_spikes`. Arrays are
numpy or torch, results in the same form; what does not fit is a `ModelError`, and any error meant
for the user a `PlausibleError`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_PLACES = {
    "backprop": "models.gradients",
    "DeepSpikingClassifier": "models.deep_spiking",
    "eqprop": "models.equilibrium",
    "fazil": "models.gradients",
    "inference_learning": "models.gradients",
    "load_nir": "models.nir_exchange",
    "ModelError": "errors",
    "operations": "models.operations",
    "PDNN": "models.pdnn",
    "optimise_scales": "models.discretised",
    "PlausibleError": "errors",
    "poisson_spikes": "models.encoding",
    "quantize": "models.encoding",
    "rounding": "models.discretised",
    "save_nir": "models.nir_exchange",
    "settle": "models.equilibrium",
    "sigma_delta": "models.discretised",
    "SoftRate": "models.soft_rate",
    "SpikingModel": "models.spiking",
    "to_spiking": "models.spiking",
    "zil": "models.gradients",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    # Loaded when they are asked for: a picture needs no torch.
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
