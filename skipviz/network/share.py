"""Shares of a state that is a sum of learned shares: the softmax of the strengths that land there, and of 0 for its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp

from .skip import Skip


def shares(skips: Sequence[Skip], strengths: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each skip that has one and is on, by id; `strengths` are those that are not as at the start."""
    landing: dict[int, list[Skip]] = {}
    for skip in skips:
        if skip.softmax and skip.in_force:
            landing.setdefault(skip.target, []).append(skip)
    found: dict[str, float] = {}
    for there in landing.values():
        logits = [strengths.get(skip.id, skip.strength) for skip in there]
        top = max(0.0, *logits)
        parts = [exp(logit - top) for logit in logits]
        whole = exp(-top) + sum(parts)
        found |= {skip.id: part / whole for skip, part in zip(there, parts, strict=True)}
    return found
