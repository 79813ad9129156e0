"""What a recorded forward pass leaves behind, and what can make one: a program, the native plan or any other."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ..network.trunk import Trunk

States = dict[str, Tensor]
"""By the id of an input or a node."""


class Program(Protocol):
    """What executes a network. Whoever measures knows no more of it."""

    def run(self, x: Tensor | tuple[Tensor, ...], recording: Recording | None = None) -> Tensor:
        """Return the outputs for `x` (batch first); leave in `recording` every state, and an alias for each of several readers."""


class Recording:
    """What a recorded forward pass leaves behind: the states, and an alias of a state for each use at a fork.

    An alias is made at the very moment of use and nothing else differs, so autograd sums the same numbers in the same
    order as on a step that is not recorded.
    """

    __slots__ = ("bare", "by_node", "gates", "matrices", "sole", "trunk", "uses")

    def __init__(self) -> None:
        self.by_node: States = {}
        """The state of every input and node, but of one that only a merge behind it reads, as its first."""
        self.uses: States = {}
        """By edge: what it reads of a source that others read, too. An edge that is not in force is missing."""
        self.gates: States = {}
        """By edge: its gate's T."""
        self.matrices: States = {}
        """By edge: how it mixes streams, `(n, n)`."""
        self.bare: dict[str, tuple[str, float]] = {}
        """By edge, target and strength where a sum takes the source as it is: what comes back through it is the target's
        gradient times its strength, so it needs no alias."""
        self.sole: dict[str, str] = {}
        """By edge, its source where nothing else reads that: the whole gradient of it comes back through the edge."""
        self.trunk: Trunk | None = None

    @property
    def states(self) -> list[Tensor]:
        """h_0…h_n: the states along the trunk."""
        return [self.by_node[name] for name in self.trunk.states]
