"""Random generators that depend on a seed and names only, never on what was drawn before."""

from __future__ import annotations

from hashlib import blake2b

import torch


def stable_hash(seed: int, *names: str | int) -> int:
    """Return 63 bits that are the same in every process for the same seed and names."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU generator of its own for what `names` says: a layer's weights, an epoch's order."""
    return torch.Generator().manual_seed(stable_hash(seed, *names))
