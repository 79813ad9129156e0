"""What a first recorded step shows, in one line: skips by kind, the layer that starves, what is computed for nothing. No torch."""

from __future__ import annotations

from collections import Counter
from statistics import median

from ..learning.frame import VariantFrame
from ..network.merge import MERGES
from .flow import is_weighted
from .layout import Layout
from .trace import ROOT, Trace

LONG = 3
"""Times the usual number of layers that a skip passes, from which it is a long one."""
LONG_LAYERS = 4
STARVED = 1e-3
"""Of the last state's gradient, below which it is worth a word that a layer receives so little."""


def summary(layout: Layout, frame: VariantFrame, unused: list[str]) -> str:
    """Return the line: what was found in a module, beside its number of layers."""
    found = [_skips(layout), *filter(None, [_starved(layout, frame)])]
    found += [f"{path} is computed and never used" for path in unused[:2]]
    if len(unused) > 2:
        found.append(f"so are {len(unused) - 2} more")
    return "; ".join(found)


def repeats(trace: Trace) -> list[str]:
    """Return a sentence on modules with weights that one pass runs more than once, if there are any."""
    runs: dict[str, int] = {}
    for operation in trace.operations:
        call, again = operation.call if is_weighted(operation) else ROOT, ROOT
        while call != ROOT:
            again = call if trace.calls[call].number else again
            call = trace.calls[call].parent
        if again != ROOT:
            path, number = trace.calls[again].path, trace.calls[again].number
            runs[path] = max(runs.get(path, 0), number + 1)
    if not runs:
        return []
    path, times = next(iter(runs.items()))
    more = f", and {len(runs) - 1} more modules run more than once" if len(runs) > 1 else ""
    return [f"{path} runs {times} times in one pass{more}: each run is shown, weights are counted with the first"]


def unregistered(trace: Trace) -> dict[str, str]:
    """Return a sentence, by the path of the module that uses them, on parameters that are none of the watched one's."""
    return {
        path: f"{path or 'the module'} uses parameters of {kind} that are none of its own, as of modules in a Python list: "
        "parameters() gives them to no optimizer, and the picture leaves them out; nn.ModuleList would make them its own"
        for path, kind in trace.unregistered.items()
    }


def _skips(layout: Layout) -> str:
    network = layout.network
    skips = [skip for skip in network.skips if skip.merge != "reads"]
    if not skips:
        return f"{network.depth} layers and no skip"
    spans = [skip.target - skip.source for skip in skips]
    usual = median(spans)
    long = sum(span >= LONG_LAYERS and span > LONG * usual for span in spans)
    words = {"add": "residual", "concat": "concat", "multiply": "multiplying"}
    counted = Counter(words.get(skip.merge, MERGES[skip.merge].name) for skip in skips)
    parts = [f"{count} {word} skip{'s' * (count > 1)}" for word, count in counted.items()]
    several = f", {long} of them long" if long else ""
    return f"{' and '.join(parts)} over {network.depth} layers{several}"


def _starved(layout: Layout, frame: VariantFrame) -> str:
    """Return which layer gets least of the last state's gradient, where that is little."""
    sizes = [
        (size / frame.state_grad[-2], name)
        for name, size in zip(layout.states[1:-1], frame.state_grad[1:-1], strict=True)
        if size is not None and len(frame.state_grad) > 2 and frame.state_grad[-2]
    ]
    if not sizes:
        return ""
    share, name = min(sizes)
    if share >= STARVED:
        return ""
    return f"{layout.paths.get(name) or name} receives {f'{share:.0e}' if share else 'nothing'} of the last layer's gradient"
