"""Random streams that depend on their name and on nothing else.

A stream is named by keys such as ``("thuesen2022", "spcn_sgd", 3, "init")``. The same keys give the
same stream on every machine, whatever ran before and however many jobs run beside it.
"""

import hashlib

import numpy as np


def seed_sequence(*keys: str | int) -> np.random.SeedSequence:
    """SeedSequence of a named stream: its entropy is the SHA-256 of the keys.

    The keys are joined by an unprintable separator, so ``("a", "bc")`` and ``("ab", "c")`` differ.
    """
    name = "\x1f".join(f"{type(key).__name__}:{key}" for key in keys)
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"))


def numpy_generator(*keys: str | int) -> np.random.Generator:
    """PCG64 generator of a named stream."""
    return np.random.Generator(np.random.PCG64(seed_sequence(*keys)))


def torch_seed(*keys: str | int) -> int:
    """Seed below 2**63 of a named stream, for ``torch.Generator().manual_seed``."""
    return int(seed_sequence(*keys).generate_state(1, np.uint64)[0] >> np.uint64(1))
