"""plausible: the reference reproduction of biologically plausible learning.

Learning rules for a ``torch.nn.Sequential``; each adds gradients where any optimizer finds them:
`backprop`, `zil`, `fazil`, `inference_learning`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_PLACES = {
    "backprop": "learning.gradients",
    "fazil": "learning.gradients",
    "inference_learning": "learning.gradients",
    "zil": "learning.gradients",
    "ModelError": "errors",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    # Loaded when they are asked for: a picture needs no torch.
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
