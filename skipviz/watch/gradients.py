"""The gradients that a person's own backward pass sends through a captured forward pass, until the step is measured.

Vectors, since the readers of one box are one edge: of the states and reads that are shown, and of no other.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

Place = tuple[int | str, int]
"""A state: its operation or input, and which of its outputs. Or a read: its operation, and its slot."""


class GradientRecord:
    """What came back to the states and along the reads of one forward pass."""

    def __init__(self) -> None:
        self.states: dict[Place, Tensor] = {}
        """By state, ∂L/∂h."""
        self.reads: dict[Place, Tensor] = {}
        """By read, what came back along it."""
        self.changed: dict[Place, Place] = {}
        """Reads by operations that change what they read in place, with the state that was there before."""
        self.passes = 0
        """The most gradients that one place has had: more than 1 where several backward passes went through."""
        self._heard: dict[tuple[str, Place], int] = {}
        self._wanted: dict[str, set[Place]] | None = None

    def of_state(self, source: int | str, tensor: Tensor, part: int = 0) -> None:
        """Hear the gradient of a state."""
        tensor.register_hook(partial(self._hear, "states", (source, part)))

    def of_read(self, operation: int, slot: int, alias: Tensor) -> None:
        """Hear what comes back through one reader's alias."""
        alias.register_hook(partial(self._hear, "reads", (operation, slot)))

    def of_changed(self, operation: int, slot: int, source: int | str) -> None:
        """Note a read that changes the state itself, which has no alias: its part is what the other readers leave."""
        self.changed[operation, slot] = (source, 0)

    def want(self, states: set[Place], reads: set[Place]) -> None:
        """Keep the gradients of these alone: said between the pass and its way back."""
        self._wanted = {"states": states, "reads": reads}

    def _hear(self, kind: str, place: Place, gradient: Tensor | None) -> None:
        if gradient is None:  # nothing comes back through a switch that is off
            return
        if self._wanted is not None and place not in self._wanted[kind]:
            return
        count = self._heard.get((kind, place), 0) + 1
        self._heard[kind, place] = count
        self.passes = max(self.passes, count)
        kept = getattr(self, kind)
        kept[place] = gradient.detach() if count == 1 else kept[place] + gradient.detach()


class Unheard(GradientRecord):
    """Hears nothing: of a pass that runs with switches and is not recorded."""

    def of_state(self, source: int | str, tensor: Tensor, part: int = 0) -> None:
        return

    def of_read(self, operation: int, slot: int, alias: Tensor) -> None:
        return
