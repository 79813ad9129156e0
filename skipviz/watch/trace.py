"""What a captured forward pass leaves behind: its operations, and the calls of modules in which they ran. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..network.base import Shape

ROOT = -1
"""Where the sources of what no module's call encloses begin."""


@dataclass(slots=True)
class Call:
    """One call of a module."""

    path: str
    """Of the module, as `named_modules` has it; '' is the watched module itself."""
    kind: str
    """Its class's name."""
    parent: int
    number: int
    """How often the module had been called before."""
    label: str = ""
    """What it does, in a person's words, where it is one of torch's own."""
    short: str = ""
    operations: int = 0
    """How many operations its own forward has made, those of modules inside it apart."""


@dataclass(slots=True)
class Read:
    """One tensor that an operation takes."""

    source: int | str
    """The number of the operation that made it, or an input's name."""
    slot: int
    """Its place among the operation's tensors."""
    part: int = 0
    """Which of the source's tensors it is."""
    shape: Shape = ()
    """Of the tensor, without the batch."""
    aliased: bool = False


@dataclass(slots=True)
class Operation:
    """One call of one of torch's functions, of which something depends on the module's inputs and can have a gradient."""

    name: str
    """The function's, without underscores."""
    call: int
    """The innermost module call in which it ran."""
    key: str
    """What finds it again at another step: the module's path, how often that was called, and the how-manieth of its operations."""
    reads: list[Read] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    """Names of those that it takes, made from others or not, and that no operation before it took."""
    shared: list[str] = field(default_factory=list)
    """Names of those that an operation before it took, too."""
    shape: Shape = ()
    """Of what it gives, without the batch; of several tensors, of the first."""
    elements: int = 0
    """Of the same, the batch included."""
    in_place: bool = False
    outputs: int = 1
    detached: list[int | str] = field(default_factory=list)
    """What it reads by values alone: sources of tensors that were cut from the graph, through which no gradient comes back."""
    detail: tuple = ()
    """Facts of its arguments that its meaning hangs on, such as a concat's axis."""


@dataclass(slots=True)
class Trace:
    """One forward pass."""

    inputs: dict[str, Shape] = field(default_factory=dict)
    """Shapes of those that were read, without the batch."""
    tokens: set[str] = field(default_factory=set)
    """Those that are whole numbers."""
    batch: int = 0
    calls: list[Call] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    outputs: list[int | str] = field(default_factory=list)
    """Operations, or inputs, whose tensors the module returns; the first of them is what a loss is most likely of."""
    unregistered: dict[str, str] = field(default_factory=dict)
    """By path of a module that uses parameters which are none of the watched one's, the class that holds them."""
    failed: int | None = None
    """The operation at which the pass ended early."""

    def signature(self) -> int:
        """Return what is equal for passes that run the same operations on states of the same shapes."""
        return hash(
            (
                tuple((one.key, tuple((read.source, read.slot) for read in one.reads), one.shape) for one in self.operations),
                tuple(self.outputs),
            )
        )
