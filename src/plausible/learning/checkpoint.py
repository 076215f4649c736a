"""Unfinished work on disk, so that a killed job continues where it stopped: one form. Numpy only.

A checkpoint is an .npz archive of arrays by name, and of ``words``, a JSON text with everything
else. The random generators of the work belong to it, so that what follows has the same bits.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.files import atomic_path

_LOG = logging.getLogger(__name__)
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)


class TorchGenerator(Protocol):
    """A ``torch.Generator``, which this module does not import."""

    def get_state(self) -> Any:
        """Bytes as a tensor."""

    def set_state(self, new_state: Any) -> Any:
        """Go on from there."""


class Checkpoint(NamedTuple):
    """What was saved."""

    words: dict[str, Any]
    arrays: dict[str, NDArray]


Generators = Mapping[str, "np.random.Generator | TorchGenerator"]


def save_checkpoint(
    path: str | Path,
    identity: str,
    words: Mapping[str, Any],
    arrays: Mapping[str, ArrayLike] | None = None,
    generators: Generators | None = None,
) -> None:
    """Write the state of some work, completely or not at all.

    ``identity`` names the settings and data that it belongs to; ``words`` is whatever JSON holds,
    NaN included.
    """
    states = {
        name: each.bit_generator.state if isinstance(each, np.random.Generator)
        else each.get_state().tolist()
        for name, each in (generators or {}).items()
    }  # fmt: skip
    text = json.dumps({"identity": identity, "words": words, "generators": states})
    content = {"_text": np.array(text), **{k: np.asarray(v) for k, v in (arrays or {}).items()}}
    checksum = np.array(_checksum(content))
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, allow_pickle=False, _checksum=checksum, **content)


def load_checkpoint(
    path: str | Path, identity: str, generators: Generators | None = None
) -> Checkpoint | None:
    """What `save_checkpoint` wrote; None if there is nothing, or nothing that can be used.

    ``generators`` are set to where they stood. A file that is damaged or belongs to other work is
    reported as a warning; the work then starts anew, and overwrites it.
    """
    if not Path(path).exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        if str(arrays.pop("_checksum")) != _checksum(arrays):
            raise ValueError("its content has another checksum than it says")
        saved = json.loads(str(arrays.pop("_text")))
        if saved["identity"] != identity:
            _LOG.warning(
                "%s: checkpoint of other settings, data or seed ignored, the work starts anew", path
            )
            return None
        words, states = saved["words"], saved["generators"]
    except _UNREADABLE as error:
        _LOG.warning("%s: unreadable checkpoint ignored, the work starts anew (%s)", path, error)
        return None
    for name, generator in (generators or {}).items():
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = states[name]
        else:
            place = generator.get_state()
            generator.set_state(place.new_tensor(states[name]))
    return Checkpoint(words, arrays)


def _checksum(arrays: Mapping[str, NDArray]) -> str:
    """SHA-256 of arrays with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def identity_of(settings: Any, *arrays: ArrayLike) -> str:
    """SHA-256 of settings (by their representation) and of the arrays that the work is done on."""
    digest = hashlib.sha256(repr(settings).encode())
    for each in map(np.ascontiguousarray, arrays):
        digest.update(f"{each.dtype} {each.shape}".encode())
        digest.update(each)
    return digest.hexdigest()
