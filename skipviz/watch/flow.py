"""How a captured pass flows: what dominates what, and how many layers lie on the longest and on the shortest way. No torch."""

from __future__ import annotations

from .trace import Operation, Trace
from .words import ELEMENTWISE

START = -1
"""Before every input."""


class Flow:
    """The graph of a pass's operations, of those that an output depends on.

    Dominators of an acyclic graph follow in one pass over its topological order, which the order of execution is.
    """

    def __init__(self, trace: Trace) -> None:
        operations = trace.operations
        self.trace = trace
        self.alive = _alive(trace)
        self.readers: dict[int | str, list[int]] = {}
        """By operation or input, the operations that read it, each once."""
        self._above: dict[int | str, int | str] = dict.fromkeys(trace.inputs, START)
        self._depth: dict[int | str, int] = {START: 0, **dict.fromkeys(trace.inputs, 1)}
        self.most: dict[int | str, int] = {START: 0, **dict.fromkeys(trace.inputs, 0)}
        """Layers on the longest way from an input, itself included."""
        self.least: dict[int | str, int] = dict(self.most)
        self.lookups: set[int | str] = set(trace.tokens)
        """What is looked up for tokens, and sums of such: no layer has read it."""
        for number in sorted(self.alive):
            operation = operations[number]
            sources = sources_of(operation)
            for source in sources:
                self.readers.setdefault(source, []).append(number)
            self._above[number] = above = self.joint(sources)
            self._depth[number] = self._depth[above] + 1
            weight = int(is_layer(operation))
            if self.lookups.issuperset(sources) and (operation.name == "embedding" or not weight):
                self.lookups.add(number)
            self.most[number] = max(self.most[source] for source in sources) + weight
            self.least[number] = min(self.least[source] for source in sources) + weight

    def joint(self, sources: list[int | str]) -> int | str:
        """Return the nearest operation or input that all ways to all of `sources` pass; `START` where there is none."""
        found = sources[0]
        for other in sources[1:]:
            while found != other:
                if self._depth[found] < self._depth[other]:
                    other = self._above[other]
                else:
                    found = self._above[found]
        return found


def sources_of(operation: Operation) -> list[int | str]:
    """Return what an operation reads, each once."""
    return list(dict.fromkeys(read.source for read in operation.reads))


def is_weighted(operation: Operation) -> bool:
    """Return whether an operation takes parameters."""
    return bool(operation.parameters or operation.shared)


def is_layer(operation: Operation) -> bool:
    """Return whether an operation takes parameters and is more than a scale or a shift of each element."""
    return is_weighted(operation) and operation.name not in ELEMENTWISE


def _alive(trace: Trace) -> set[int]:
    found, left = set(), [one for one in trace.outputs if isinstance(one, int)]
    while left:
        number = left.pop()
        if number not in found:
            found.add(number)
            left += [source for source in sources_of(trace.operations[number]) if isinstance(source, int)]
    return found
