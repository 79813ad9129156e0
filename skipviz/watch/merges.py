"""Which operations of a pass are merges of a network, where a skip or a branch lands. Imports no torch.

A sum, concat or product counts where what it joins parted before a layer and one of its ways leads through that layer: a rotary
embedding, a GELU written out, a bias or a sum of tokens' embeddings is none. Of products, one way brings its factor past the
layers. What one module computes in a loop of its own, without a layer between two sums, is a recurrence inside a box and no
chain of skips. Two inputs have parted from the start.
"""

from __future__ import annotations

from .flow import START, Flow, is_weighted
from .trace import Operation
from .words import ADDS, CONCATS, PRODUCTS, VIEWS

JOINS = {**dict.fromkeys(ADDS, "add"), **dict.fromkeys(CONCATS, "concat"), **dict.fromkeys(PRODUCTS, "multiply")}


def merges_of(flow: Flow) -> dict[int, str]:
    """Return the merges among the operations, by number, each with its kind."""
    operations, found = flow.trace.operations, {}
    last: dict[int, int] = {}
    """By module call, its latest merge."""
    weighted = sorted(number for number in flow.alive if is_weighted(operations[number]))
    place = 0
    latest_weighted = -1
    for number in sorted(flow.alive):
        while place < len(weighted) and weighted[place] < number:
            latest_weighted = weighted[place]
            place += 1
        operation = operations[number]
        kind = JOINS.get(operation.name)
        if kind is None or not _joins(flow, operation, kind):
            continue
        before = last.get(operation.call)
        summed = kind == "add" and _adds_to_sum(flow, operation, found)
        if kind != "concat" and before is not None and latest_weighted < before and not summed:
            continue
        found[number] = kind
        last[operation.call] = number
    return found


def _joins(flow: Flow, operation: Operation, kind: str) -> bool:
    sources = [read.source for read in operation.reads]
    if len(sources) < 2 or flow.lookups.issuperset(sources):
        return False
    fork = flow.joint(list(dict.fromkeys(sources)))
    if fork == START and kind != "multiply":
        return True
    passes = [flow.most[source] > flow.most[fork] for source in sources]
    if kind == "multiply":
        return any(passes) and any(flow.least[source] == flow.least[fork] for source in sources)
    return any(passes)


def _adds_to_sum(flow: Flow, operation: Operation, merges: dict[int, str]) -> bool:
    """Return whether an operation adds to what a sum gave, with nothing but views between."""
    for read in operation.reads:
        source = read.source
        while isinstance(source, int) and flow.trace.operations[source].name in VIEWS:
            source = flow.trace.operations[source].reads[0].source
        if merges.get(source) == "add":
            return True
    return False
