"""A plan's training passes, made again by `replay` once they are seen to give the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2b

import torch
from torch import Tensor

from .passes import Batch, Pass
from .replay import UnrepeatableError, noted

PassOf = Callable[[Batch], Pass]
Kept = list[tuple[Tensor, Tensor]]
"""Buffers, each with what it held."""


class Rehearsal:
    """Gives passes of any batch of one size, all in the same memory: one holds until the next.

    `go` makes a recorded pass that went backward, the way it is to be made again; it may be called with `batch` twice. Raises
    `UnrepeatableError` where another pass is not known to give the same bits.
    """

    def __init__(self, go: PassOf, batch: Batch, buffers: Iterable[Tensor]) -> None:
        kept = [(buffer, buffer.clone()) for buffer in buffers]
        wanted = _digest(go(batch), kept)
        _give_back(kept)
        try:
            self._rehearse(go, batch)
            _give_back(kept)
            found = _digest(self.on(batch, True), kept)
        except (RuntimeError, torch.jit.Error) as error:
            raise UnrepeatableError(str(error)) from None
        finally:
            _give_back(kept)
        if found != wanted:
            raise UnrepeatableError("a pass made again gives other bits")

    def _rehearse(self, go: PassOf, batch: Batch) -> None:
        """Note the calls of a pass on the batch in another order."""
        self._batch = tuple(part.roll(1, 0) for part in batch)
        done, self._again = noted(lambda: go(self._batch), _parts)
        recording = done.recording
        recording.by_node = {name: state.detach() for name, state in recording.by_node.items()}
        self._recorded = replace(done, outputs=done.outputs.detach(), loss=done.loss.detach())
        self._bare = replace(self._recorded, recording=None)

    def on(self, batch: Batch, recorded: bool) -> Pass:
        """Return the pass of `batch`, which went backward."""
        for own, given in zip(self._batch, batch, strict=True):
            own.copy_(given)
        self._again()
        return self._recorded if recorded else self._bare


def _give_back(kept: Kept) -> None:
    for buffer, old in kept:
        buffer.data.copy_(old)


def _digest(done: Pass, kept: Kept) -> bytes:
    """Return a hash of all the bits that steps and frames are made of, and of the buffers' new ones."""
    digest = blake2b()
    for part in (*_parts(done), *(buffer for buffer, _ in kept)):
        digest.update(part.detach().reshape(-1).view(torch.uint8).numpy())
    return digest.digest()


def _parts(done: Pass) -> list[Tensor]:
    """Return all that steps and frames are made of."""
    recording, found = done.recording, done.found
    vectors = [*found.states, *found.trunks, *found.skips, *found.by_node.values(), *found.by_edge.values()]
    parts = [done.outputs, done.loss, done.gradient, *(one[0] if isinstance(one, tuple) else one for one in vectors)]
    parts += [*recording.by_node.values(), *recording.gates.values(), *recording.matrices.values()]
    return [part for part in parts if part is not None]
