"""Folds a pass's operations into the boxes that people wrote: modules, merges, and what stands alone. Imports no torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .flow import START, Flow, is_layer, is_weighted, sources_of
from .merges import merges_of
from .trace import ROOT, Operation, Read, Trace
from .words import MIXES, NORMS, POINTWISE, POOLS, VIEWS, is_attention_class, is_norm_class

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
"""Modules that only hold others."""
BY_HAND = 24
"""Operations without parameters that a module may compute by itself, views and activations apart, and still be shown one by one:
a scan over positions is one box, whatever it adds."""
FOLDED_LAYERS = 2
"""Layers one behind the other that a module may have and still be one box: an MLP; more of them are boxes of their own."""


@dataclass(slots=True)
class Box:
    """One box: the operations of a module's call, or one operation, with the norm and activation around it."""

    operations: list[int]
    merge: str = ""
    """The kind of merge that it is."""
    call: int = ROOT
    """The module call whose operations they are, or in which they ran."""
    module: bool = False
    """Whether it is that call's whole."""
    main: int = 0
    """The operation after which it is named."""
    parts: list[str] = field(default_factory=list)
    """What stands around that, in a person's words and in order."""
    sources: list[Source] = field(default_factory=list)
    state: int = 0
    """The operation whose tensor is its state."""


@dataclass(slots=True)
class Source:
    """What a box reads of another."""

    box: int | str
    """Its number, or an input's name."""
    reads: list[tuple[int, int]]
    """Operations of this box and their slots."""


class Boxes:
    """The boxes of a pass, each behind all that it reads."""

    def __init__(self, trace: Trace, unfold: frozenset[str] = frozenset()) -> None:
        self.trace, self.flow = trace, Flow(trace)
        self.merges = merges_of(self.flow)
        self._unfold = unfold
        self._inside = _operations_by_call(trace, self.flow.alive)
        self._by_hand = self._counted_by_hand()
        self._open = self._opened()
        self._returned = frozenset(trace.outputs)
        self._of: dict[int, int] = {}
        """By operation, its box before they are numbered."""
        self._found: dict[int, Box] = {}
        self._assign()
        self._absorb_views()
        self._fold_mixes()
        self._fuse()
        self.boxes = self._numbered()

    def _opened(self) -> set[int]:
        """Return the module calls whose operations and modules are shown one by one."""
        calls, found = self.trace.calls, {0}
        for number in self.merges:
            call = self.trace.operations[number].call
            if self._by_hand[call] > BY_HAND and calls[call].path not in self._unfold:
                continue
            while call != ROOT and call not in found:
                found.add(call)
                call = calls[call].parent
        for number, call in enumerate(calls):
            if call.parent in found and number in self._inside and number not in found and self._unfolds(number):
                found.add(number)
        return found

    def _counted_by_hand(self) -> Counter:
        """Return by module call how many operations it computes by itself that are more than views and activations."""
        operations = self.trace.operations
        plain = (one for one in self.flow.alive if one not in self.merges and not is_weighted(operations[one]))
        return Counter(
            operations[one].call for one in plain if operations[one].name not in VIEWS and operations[one].name not in POINTWISE
        )

    def _unfolds(self, number: int) -> bool:
        call, inside = self.trace.calls[number], self._inside[number]
        has_modules = any(self.trace.operations[one].call != number for one in inside)
        if self._is_asked(call.path):
            return True
        if call.kind in CONTAINERS:
            return has_modules
        if not has_modules or self._by_hand[number] > BY_HAND:
            return False
        if self._given(inside) > 1:
            return True
        layers = [one for one in inside if is_layer(self.trace.operations[one]) and not self._is_norm(one)]
        if len(layers) <= FOLDED_LAYERS:
            return False
        return _longest(self.trace, inside, set(layers)) == len(layers)

    def _is_asked(self, path: str) -> bool:
        """Return whether a person wants to see inside a module, or inside one that it holds."""
        return any(one == path or (path and one.startswith(f"{path}.")) for one in self._unfold)

    def _given(self, inside: list[int]) -> int:
        """Return how many of these operations others read, or the module returns."""
        within = set(inside)
        returned = {one for one in self.trace.outputs if one in within}
        return len(returned | {one for one in inside if any(reader not in within for reader in self.flow.readers.get(one, ()))})

    def _is_norm(self, number: int) -> bool:
        operation = self.trace.operations[number]
        return operation.name in NORMS or is_norm_class(self.trace.calls[operation.call].kind)

    def _assign(self) -> None:
        calls, box_of_call = self.trace.calls, {}
        for number in sorted(self.flow.alive):
            call = self.trace.operations[number].call
            closed = None
            while call != ROOT:
                if call not in self._open:
                    closed = call
                call = calls[call].parent
            if closed is None:
                own = Box([number], self.merges.get(number, ""), self.trace.operations[number].call, main=number)
                self._found[number], self._of[number] = own, number
                continue
            first = box_of_call.setdefault(closed, number)
            self._of[number] = first
            if first == number:
                self._found[number] = Box([], call=closed, module=True, main=number)
            box = self._found[first]
            box.operations.append(number)
            if self._weight(number) > self._weight(box.main):
                box.main = number

    def _absorb_views(self) -> None:
        """Let a box that only lays numbers out be part of the one whose numbers they are."""
        for number in [*self._found]:
            box = self._found[number]
            operations = [self.trace.operations[one] for one in box.operations]
            if box.merge or any(one.name not in VIEWS or is_weighted(one) for one in operations):
                continue
            sources = self._sources(box)
            if len(sources) == 1 and isinstance(sources[0], int):
                self._join(sources[0], number, keep=True)

    def _weight(self, number: int) -> int:
        """Return how likely a module is named after an operation: a layer before a norm, a norm before what has no parameters."""
        return 2 if self._is_layer(number) and is_weighted(self.trace.operations[number]) else self._is_norm(number)

    def _fold_mixes(self) -> None:
        """Make one box of a product of several states, as of queries with keys, and of the layers side by side that make them."""
        for number in sorted(self._found):
            box = self._found.get(number)
            if box is None or box.merge or len(self._sources(box)) < 2 or self.trace.calls[box.call].path in self._unfold:
                continue
            region = self._region(number)
            inside = sorted(one for part in region for one in self._found[part].operations)
            layers = {one for one in inside if is_layer(self.trace.operations[one]) and not self._is_norm(one)}
            if not region or _longest(self.trace, inside, layers) > 1:
                continue
            for part in region - {number}:
                box.operations += self._found.pop(part).operations
            box.operations.sort()
            self._found[box.operations[0]] = self._found.pop(number)
            self._of.update(dict.fromkeys(box.operations, box.operations[0]))

    def _region(self, number: int) -> set[int]:
        """Return a box and those between it and the nearest state that all it reads comes of; none where others read them."""
        fork = self.flow.joint(self._read(self._found[number]))
        if fork == START:
            return set()
        within, left = set(), [number]
        ending = self._of.get(fork, fork)
        while left:
            part = left.pop()
            box = self._found[part]
            if box.merge or not self._encloses(self._found[number].call, box.call):
                return set()
            within.add(part)
            left += [one for one in self._sources(box) if one != ending and one not in within]
        inner = within - {number}
        alone = all(self._readers(self._found[one]) <= within and not self._is_returned(self._found[one]) for one in inner)
        return within if alone else set()

    def _encloses(self, outer: int, call: int) -> bool:
        while call not in (outer, ROOT):
            call = self.trace.calls[call].parent
        return call == outer

    def _fuse(self) -> None:
        """Join a layer with the norm and activation around it, where nothing else reads what lies between."""
        for number in sorted(self._found):
            box = self._found.get(number)
            sources = self._sources(box) if box is not None and not box.merge else []
            if len(sources) == 1 and isinstance(sources[0], int):
                self._fuse_with(sources[0], number)

    def _fuse_with(self, source: int, number: int) -> None:
        before, box = self._found[source], self._found[number]
        if before.merge or self._readers(before) != {number} or self._is_returned(before):
            return
        attention = self._attention_around(before, box)
        if attention is not None:
            parts = before.parts + (self._words_of(box) if self._is_around(box) else [])
            self._join(source, number, keep=True)
            before.call, before.module, before.parts = attention, True, parts
        elif self._is_around(box) and (not self._has_norm(box) or self._layers(before)):
            self._join(source, number, keep=True)
        elif self._is_around(before) and len(self._sources(before)) == 1 and self._takes_in(box, before):
            self._join(source, number, keep=False)

    def _takes_in(self, box: Box, before: Box) -> bool:
        """Return whether what stands around a layer is part of the box behind it: a norm before a pool is, an activation is not."""
        return bool(self._layers(box)) or (self._has_norm(before) and not self._is_around(box))

    def _attention_around(self, before: Box, box: Box) -> int | None:
        """Return the call of an attention module in which both ran, where one of them is its heart."""
        call, found = before.call, None
        if not any(self.trace.operations[one].name in MIXES for one in (*before.operations, *box.operations)):
            return None
        while call > 0:
            within = is_attention_class(self.trace.calls[call].kind) and self._encloses(call, box.call)
            if within and not self._is_asked(self.trace.calls[call].path):
                found = call
            call = self.trace.calls[call].parent
        return found

    def _is_around(self, box: Box) -> bool:
        """Return whether a box is a norm, an activation, or arithmetic with numbers."""
        return not any(self._is_layer(one) or self._is_pool(one) for one in box.operations)

    def _is_pool(self, number: int) -> bool:
        return self.trace.operations[number].name in POOLS and not self._is_norm(number)

    def _is_layer(self, number: int) -> bool:
        operation = self.trace.operations[number]
        return not self._is_norm(number) and (is_layer(operation) or operation.name in MIXES)

    def _has_norm(self, box: Box) -> bool:
        return any(self._is_norm(one) for one in box.operations)

    def _layers(self, box: Box) -> int:
        return sum(self._is_layer(one) for one in box.operations)

    def _is_returned(self, box: Box) -> bool:
        return not self._returned.isdisjoint(box.operations)

    def _join(self, first: int, second: int, keep: bool) -> None:
        """Make one box of two that follow each other; `keep`: it is named as the first is."""
        one, other = self._found[first], self._found.pop(second)
        for number in other.operations:
            self._of[number] = first
        if keep:
            one.parts += self._words_of(other)
        else:
            one.parts = [*self._words_of(one), *other.parts]
            one.call, one.module, one.main = other.call, other.module, other.main
        one.operations = sorted([*one.operations, *other.operations])
        self._found[first] = one

    def _words_of(self, box: Box) -> list[str]:
        """Return what a box does, where that is worth a word."""
        if box.module and (call := self.trace.calls[box.call]).short:
            return [call.label, *box.parts]
        found = []
        for number in box.operations:
            operation = self.trace.operations[number]
            call = self.trace.calls[operation.call]
            word = POINTWISE.get(operation.name) or NORMS.get(operation.name) or (call.kind if is_norm_class(call.kind) else "")
            found += [word] if word and word not in found else []
        return [*found, *box.parts]

    def _read(self, box: Box) -> list[int | str]:
        """Return the operations and inputs that a box reads."""
        within = set(box.operations)
        found = (source for number in box.operations for source in sources_of(self.trace.operations[number]))
        return list(dict.fromkeys(source for source in found if source not in within))

    def _sources(self, box: Box) -> list[int | str]:
        """Return the boxes, as they are numbered now, and the inputs that a box reads."""
        return list(dict.fromkeys(self._of.get(source, source) for source in self._read(box)))

    def _readers(self, box: Box) -> set[int]:
        within = set(box.operations)
        return {self._of[reader] for one in box.operations for reader in self.flow.readers.get(one, ()) if reader not in within}

    def _numbered(self) -> list[Box]:
        """Return the boxes in the order in which their states are there, each with what it reads."""
        for box in self._found.values():
            box.state = self._state(box)
        order = sorted(self._found, key=lambda number: self._found[number].state)
        places = {number: place for place, number in enumerate(order)}
        for number in order:
            box = self._found[number]
            within, found = set(box.operations), {}
            for one in box.operations:
                for read in self.trace.operations[one].reads:
                    if read.source in within:
                        continue
                    source = places[self._of[read.source]] if isinstance(read.source, int) else read.source
                    key = (source, read.slot) if box.merge and one == box.main else (source, -1)
                    reads = found.setdefault(key, Source(source, [])).reads
                    reads += [place for place in [self._lifted(one, read, within)] if place not in reads]
            box.sources = list(found.values())
        return [self._found[number] for number in order]

    def _state(self, box: Box) -> int:
        """Return the operation of a box whose tensor is its state: the last that all go through which is read of it."""
        if box.merge:
            return box.main
        within = set(box.operations)
        read = [one for one in box.operations if one in self._returned or not within.issuperset(self.flow.readers[one])]
        found = self.flow.joint(read) if read else START
        while found in within and self.trace.operations[found].outputs > 1 and self.trace.operations[found].name in VIEWS:
            found = self.trace.operations[found].reads[0].source  # a state in parts is whole before they are cut
        return found if found in within else box.operations[-1]

    def _lifted(self, number: int, read: Read, within: set[int]) -> tuple[int, int]:
        """Return where a read of a box's state is measured: before the views that this reader alone has of it."""
        while isinstance(read.source, int) and read.source != self._found[self._of[read.source]].state:
            operation = self.trace.operations[read.source]
            if operation.name not in VIEWS or len(operation.reads) != 1 or not self._ends_in(read.source, within):
                break
            number, read = read.source, operation.reads[0]
        return number, read.slot

    def _ends_in(self, number: int, within: set[int]) -> bool:
        """Return whether all that is made of an operation in its own box is read by these operations alone."""
        box, left, met = self._of[number], [number], set()
        while left:
            at = left.pop()
            if at in met or at in within:
                continue
            if at in self._returned or self._of[at] != box:
                return False
            met.add(at)
            left += self.flow.readers.get(at, ())
        return True


def _operations_by_call(trace: Trace, alive: set[int]) -> dict[int, list[int]]:
    """Return, by module call, the operations that ran in it or in modules inside."""
    found: dict[int, list[int]] = {}
    for number in sorted(alive):
        call = trace.operations[number].call
        while call != ROOT:
            found.setdefault(call, []).append(number)
            call = trace.calls[call].parent
    return found


def _longest(trace: Trace, inside: list[int], layers: set[int]) -> int:
    """Return how many of `layers` lie on the longest way through the operations `inside`."""
    most: Counter = Counter()
    for number in inside:
        most[number] = max((most[source] for source in sources_of(trace.operations[number])), default=0) + (number in layers)
    return max(most.values())


def own_parameters(trace: Trace, box: Box) -> list[str]:
    """Return the names of the parameters that a box is the first to use."""
    return list(dict.fromkeys(name for number in box.operations for name in trace.operations[number].parameters))


def main_operation(trace: Trace, box: Box) -> Operation:
    """Return the operation after which a box is named."""
    return trace.operations[box.main]
