"""An operation in place that changes what a skip carries: the block's input is no longer what it was when it is added."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the merges that read a state which an operation of the same module changed in place after the module had got it."""
    operations, flow = checked.trace.operations, checked.boxes.flow
    for number, merge in checked.merges("add", "concat"):
        for read in merge.reads:
            source = checked.through_views(read.source)
            if not isinstance(source, int) or not operations[source].in_place or not operations[source].reads:
                continue
            changing = operations[source]
            before = checked.through_views(changing.reads[0].source)
            inside = merge.call in checked.calls_around(source)
            given = isinstance(before, str) or merge.call not in checked.calls_around(before)
            others = [other for other in flow.readers.get(source, ()) if other != number]
            if inside and given and others:
                path = checked.path(merge)
                yield Finding(
                    "in_place",
                    path,
                    f"what {path or 'the model'} adds at its end is not its input: {checked.place(source)} changed that in place",
                )
                break
