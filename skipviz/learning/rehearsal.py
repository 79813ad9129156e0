"""A plan's training passes, made again by `replay` once they are seen to give the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import thread_time
from typing import Protocol
from zlib import crc32

import torch
from torch import Tensor

from .passes import Batch
from .probe import Gradients
from .recording import Recording
from .replay import UnrepeatableError, noted
from .setup import give_freed_memory_back

REHEARSED, LIGHT_ELEMENTS = 50, 2**15
"""Passes under the same switches after which they are rehearsed, which costs as much as some ten of them; and the elements of a
batch's largest state up to which that is worth its while: beyond, kernels take the time (measured: 1.2 to 3.5 times as fast up to
here; 1.0 to 1.3 times beyond, where more memory is held for it)."""


class Done(Protocol):
    """A pass that went backward, a dataclass; `recording` is None where nobody measures it."""

    outputs: Tensor
    loss: Tensor
    gradient: Tensor
    found: Gradients | None
    recording: Recording | None


PassOf = Callable[[Batch], Done]
PIECE_SECONDS, PIECE_CALLS = 0.004, 128
"""Of the processor, after which what is left of a rehearsal is put off to the next pass, so that a run never stands still; and the
calls that are written down in about half of that."""
Kept = list[tuple[Tensor, Tensor]]
"""Buffers, each with what it held."""


class Rehearsal:
    """Gives passes of any batch of one size, all in the same memory: one holds until the next.

    `go` makes a pass that went backward, the way it is to be made again: recorded, for passes of both kinds, or not, for such ones
    alone, which hold less. It is ready after its `pieces`.
    """

    def __init__(self, go: PassOf, batch: Batch, buffers: Iterable[Tensor]) -> None:
        self._go, self._batch, self._buffers = go, tuple(part.roll(1, 0) for part in batch), list(buffers)

    def pieces(self) -> Iterator[None]:
        """Get ready piece by piece, between which parameters may move.

        Raises `UnrepeatableError` where another pass is not known to give the same bits.
        """
        try:
            with _given_back(self._buffers):
                self._recorded, graph = noted(lambda: _detached(self._go(self._batch)), _parts)
            self._bare = replace(self._recorded, recording=None)
            yield
            yield from graph.pieces(PIECE_CALLS)
            self._again = graph.call
            with _given_back(self._buffers):
                self._again()
            yield
            batch = tuple(part.roll(-1, 0) for part in self._batch)
            with _given_back(self._buffers) as kept:
                wanted = _digest(self._go(batch), kept)
            with _given_back(self._buffers) as kept:
                found = _digest(self.on(batch, True), kept)
        except (RuntimeError, MemoryError, torch.jit.Error) as error:
            raise UnrepeatableError(str(error)) from None
        if found != wanted:
            raise UnrepeatableError("a pass made again gives other bits")
        del self._go

    def on(self, batch: Batch, recorded: bool) -> Done:
        """Return the pass of `batch`, which went backward."""
        for own, given in zip(self._batch, batch, strict=True):
            own.copy_(given)
        self._again()
        return self._recorded if recorded else self._bare


class Rehearsals:
    """Has the passes of one plan rehearsed once there were some."""

    def __init__(self, elements: int, device: torch.device) -> None:
        self._light = device.type == "cpu" and elements <= LIGHT_ELEMENTS
        self.forget()

    def forget(self) -> None:
        """Begin afresh, with another plan."""
        self._passes = 0
        self.rehearsal: Rehearsal | None = None
        self._coming: tuple[Rehearsal, Iterator[None]] | None = None

    def next(self, go: PassOf, batch: Batch, buffers: Iterable[Tensor]) -> Rehearsal | None:
        """Return what makes the next pass; None for the first ones, and where passes cannot be made again."""
        if self._passes == REHEARSED:
            rehearsal = Rehearsal(go, batch, buffers)
            self._coming = rehearsal, rehearsal.pieces()
        if self._coming is not None:
            self._go_on(*self._coming)
        self._passes += self._light
        return self.rehearsal

    def _go_on(self, rehearsal: Rehearsal, pieces: Iterator[None]) -> None:
        """Get on with a rehearsal for a while."""
        end = thread_time() + PIECE_SECONDS
        try:
            for _ in pieces:
                if thread_time() >= end:
                    return
            self.rehearsal = rehearsal
        except UnrepeatableError:
            pass
        self._coming = None
        give_freed_memory_back()  # what autograd held


@contextmanager
def _given_back(buffers: list[Tensor]) -> Iterator[Kept]:
    """Give the buffers back what they hold now."""
    kept = [(buffer, buffer.clone()) for buffer in buffers]
    try:
        yield kept
    finally:
        for buffer, old in kept:
            buffer.data.copy_(old)


def _detached(done: Done) -> Done:
    """Return a pass without the graph that it went backward through."""
    recording, found = done.recording, done.found
    if recording:
        recording.by_node = {name: state.detach() for name, state in recording.by_node.items()}
        recording.uses = {}
        found.parameters = ()  # held once, in the flat gradient
    return replace(done, outputs=done.outputs.detach(), loss=done.loss.detach())


def _digest(done: Done, kept: Kept) -> list[int]:
    """Return a checksum of the bits of each part that steps and frames are made of, and of the buffers' new ones."""
    parts = (*_parts(done), *(buffer for buffer, _ in kept))
    return [crc32(part.detach().reshape(-1).view(torch.uint8).numpy()) for part in parts]


def _parts(done: Done) -> list[Tensor]:
    """Return all that steps and frames are made of."""
    recording, found = done.recording, done.found
    parts = [done.outputs, done.loss, done.gradient]
    if recording:
        vectors = [*found.states, *found.trunks, *found.skips, *found.by_node.values(), *found.by_edge.values()]
        parts += [one[0] if isinstance(one, tuple) else one for one in vectors]
        parts += [*recording.by_node.values(), *recording.gates.values(), *recording.matrices.values()]
    return [part for part in parts if part is not None]
