"""What a forward pass leaves in each state, in few calls: its largest magnitude, and how much of it is exactly 0.

A unit is a feature or a channel; it is dead where it is 0 for every sample of the batch and at every position.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import torch
from torch import Tensor

from ..network.base import channel_axis
from .frame import Numbers
from .norms import ALONE, COPIED_ELEMENTS, Sizes

Active = dict[int, numpy.ndarray]
"""By a state's index, how often each unit was not 0, of one seed, in the micro-batches up to now."""


@torch.no_grad()
def signals(states: Sequence[Tensor], sizes: Sizes = ALONE, active: Active | None = None) -> dict[str, Numbers]:
    """Return `state_max`, `state_zeros` and `state_dead` of states, `(seeds · batch, …)`; None for tokens and what is not finite.

    A unit that was in `active` before is not dead; the counts of these states are added to it.
    """
    fields: dict[str, Numbers] = {name: [None] * len(states) for name in ("state_max", "state_zeros", "state_dead")}
    groups = alike(states, COPIED_ELEMENTS)
    if not groups:
        return fields
    order = [index for chosen in groups for index in chosen]
    copies = sizes.of_copies([[states[index] for index in chosen] for chosen in groups], lambda copy: _measured(copy, sizes.seeds))
    measured = sizes.numbers(3 * len(order), lambda: _table(states, order, copies(), sizes.seeds, active))
    for place, index in enumerate(order):
        if measured[place] is not None:
            for name, value in zip(fields, measured[place :: len(order)], strict=True):
                fields[name][index] = value
    return fields


def alike(states: Sequence[Tensor], most: int) -> list[list[int]]:
    """Return the indices of states of one shape and type, as many together as have `most` elements; not those of tokens."""
    groups: dict[tuple[torch.Size, torch.dtype], list[int]] = {}
    for index, state in enumerate(states):
        if state.is_floating_point():
            groups.setdefault((state.shape, state.dtype), []).append(index)
    chunks = []
    for (shape, _), members in groups.items():
        size = max(1, most // max(1, shape.numel()))
        chunks += [members[first : first + size] for first in range(0, len(members), size)]
    return chunks


def _table(
    states: Sequence[Tensor], order: list[int], parts: list[tuple[Tensor, Tensor]], seeds: int, active: Active | None
) -> numpy.ndarray:
    """Return the three fields, `(3 · states, seeds)`, of the states in this order, of which `parts` are what was measured."""
    numbers = torch.cat([part.flatten() for half in zip(*parts, strict=True) for part in half]).numpy(force=True)
    largest, counts = numpy.split(numbers, [len(order) * seeds])
    units = numpy.repeat([count.shape[2] for _, count in parts], [count.shape[0] * seeds for _, count in parts])
    starts = numpy.cumsum(units) - units
    elements = numpy.repeat([states[index].numel() / seeds for index in order], seeds)
    zeros = 1 - numpy.add.reduceat(counts, starts, dtype=numpy.float64) / elements
    if active is not None:
        for index, start, size in zip(order, starts, units, strict=True):
            counts[start : start + size] += active.get(index, 0)
            active[index] = counts[start : start + size]
    dead = numpy.add.reduceat(counts == 0, starts, dtype=numpy.float64) / units
    return numpy.concatenate([largest, zeros, dead]).reshape(-1, seeds)


def _measured(copy: Tensor, seeds: int) -> tuple[Tensor, Tensor]:
    """Return of a copy of states the largest magnitude, `(states, seeds)`, and how often each unit is not 0, `(…, units)`."""
    count, batch, *shape = copy.shape
    magnitudes = copy.reshape(count, seeds, batch // seeds, *shape).abs_()
    largest = magnitudes.flatten(2).amax(2)
    unit = 3 + channel_axis(tuple(shape))
    others = [axis for axis in range(2, magnitudes.dim()) if axis != unit]
    return largest, magnitudes.sgn_().sum(others, dtype=torch.float32)
