"""What a network's passes hold in memory, counted in elements a sample, as `skipviz.learning` computes them. Imports no torch.

A recorded step with a skips-off baseline holds two forward passes at once: its own, and that of the same network without its skips,
whose gradients are then all kept. What autograd saves of each operation, norm, activation, dropout and merge is written down here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...network.activation import ACTIVATIONS
from ...network.base import Shape, channels, elements, with_channels
from ...network.branch import places_of, ready_at
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.network import Network
from ...network.norm import NORMS
from ...network.operation import Operation
from ...network.shapes import NodeShape
from ...network.skip import Adapter

STACKED_ELEMENTS, COPIED_ELEMENTS = 8192, 2**17
"""Gradients up to this size are stacked to be measured, in copies of so many elements (`learning.norms`)."""
EVALUATED_AT_ONCE, EVALUATED_ELEMENTS = 512, 2**22
"""Samples, and elements of the largest state, of one pass without a graph (`learning.variant`)."""

OUTPUT_COPIES = 3
"""Tensors of the outputs' size that a loss holds."""


@dataclass(frozen=True)
class Stage:
    """One function of a layer: how many elements it gives, which of its ends autograd saves, and what else."""

    gives: int
    saves_input: bool = False
    saves_output: bool = False
    saves_more: int = 0
    view: bool = False
    """It gives its input's memory again."""


@dataclass(frozen=True)
class Footprint:
    """Elements a sample of one network's passes."""

    forward: int
    """What a recorded forward pass holds: the states, and what autograd saves beside them."""
    states: int
    """The states alone, which are kept until the step's gradients are measured."""
    gradients: int
    """Every gradient of a state, of the trunk and of a skip, all kept until they are measured."""


def footprint(network: Network, baseline: bool = False) -> Footprint:
    """Return what passes of `network` hold; with `baseline` of every skip off."""
    active = [index for index, skip in enumerate(network.skips) if not baseline and skip.in_force]
    joined = {skip.target for skip in network.skips if skip.joins}
    merged = {network.skips[index].target for index in active if not network.skips[index].joins}
    views: set[int] = set()
    states = saved = 0
    for k, (layer, shape) in enumerate(zip(network.layers, network.shapes.layers, strict=True), start=1):
        extra, view, output_saved = _layer(layer, shape)
        saved += extra + (elements(shape.input) if k - 1 in joined else 0)
        if view and k not in merged:
            views.add(k)
        else:
            states += elements(shape.output)
            saved += elements(shape.output) if k in merged and output_saved else 0
    for node, shape in zip(network.branches, network.shapes.branches, strict=True):
        extra, _, output_saved = (0, False, False) if node.is_merge else _layer(node, shape)
        joined_here = sum(map(elements, shape.inputs)) if node.is_merge else 0
        saved += extra + joined_here + (elements(shape.output) if output_saved else 0)
        states += elements(shape.output)
    saved += elements(network.shapes.head_input) if network.depth in joined else 0
    saved += sum(_skip(network, index) for index in active) + OUTPUT_COPIES * elements(network.shapes.output)
    return Footprint(states + saved, states, _gradients(network, active, joined, views))


def _layer(layer: Layer, shape: NodeShape) -> tuple[int, bool, bool]:
    """Return what a layer saves beside its input and output, whether its output is a view, and whether that is saved."""
    stages = _stages(layer, shape)
    extra, view, held = 0, True, True  # the input is a state, or a concat's copy, and held anyway
    size, saved_now = 0, False
    for stage in stages:
        extra += stage.saves_more
        if not held and (stage.saves_input or saved_now):
            extra += size
        if stage.view:
            continue
        size, held, view, saved_now = stage.gives, False, False, stage.saves_output
    return extra, view, saved_now


def _stages(layer: Layer, shape: NodeShape) -> list[Stage]:
    before, after = elements(shape.input), elements(shape.output)
    first = layer.order == "norm-act-op"
    wide = before if first else after
    around = []
    if layer.norm != "none":
        around.append(Stage(wide, saves_input=True, saves_more=NORMS[layer.norm].saves_more * wide))
    if layer.activation != "none":
        keeps_input = ACTIVATIONS[layer.activation].saves == "input"
        around.append(Stage(wide, saves_input=keeps_input, saves_output=not keeps_input))
    op = Stage(after, saves_input=layer.op.saves_input, saves_more=layer.op.saves_more(shape.input), view=layer.op.view)
    stages = [*around, op] if first else [op, *around]
    if layer.dropout:
        stages.append(Stage(after, saves_more=after))
    if layer.drop_path:
        stages.append(Stage(after))
    if layer.scale is not None and (layer.scale_learned or layer.scale != 1):
        stages.append(Stage(after, saves_input=layer.scale_learned))
    return stages


def _skip(network: Network, index: int) -> int:
    """Return what a skip in force saves beside the states."""
    skip, shape = network.skips[index], network.shapes.skips[index]
    source, target = network.carries(skip), network.shapes.states[skip.target]
    adapter, place, saved = shape.adapter, shape.adapter.placement, 0
    if place:
        saved += place.saves * elements(with_channels(target, channels(source)))
    if adapter.channels == "project":
        saved += elements(shape.carried) if adapter.norm == "batch" else 0
        saved += elements(adapter.projected(source, target)) if place and place.copies else 0
    saved += MERGES[skip.merge].saves_more(skip, target, shape.carried)
    adapted = _is_copied(adapter) or adapter.channels == "pad"
    learned = skip.learned and (adapted or MERGES[skip.merge].neutral == 1)  # its product keeps what is no state
    return saved + (MERGES[skip.merge].saves(skip.strength, adapted) + learned) * elements(target)


def _gradients(network: Network, active: list[int], joined: set[int], views: set[int]) -> int:
    """Return the elements of all gradients that are tensors of their own: not those that are slices of a concat's."""
    states = [elements(shape) for shape in network.shapes.states]
    reads = [elements(layer.input) for layer in network.shapes.layers] + [elements(network.shapes.head_input)]
    forks = {network.skips[index].source for index in active}
    total = 0
    for k, size in enumerate(states):
        if k == 0 and network.takes_tokens:
            continue
        if k in forks:
            total += size + (reads[k] if k in joined else size)
        elif k in joined:
            total += reads[k]
        else:
            total += 0 if k + 1 in views else size
    for index in active:
        skip, adapter = network.skips[index], network.shapes.skips[index].adapter
        kind, bare = MERGES[skip.merge], (adapter.spatial, adapter.channels) == ("none", "none")
        if not kind.hands_on or _is_copied(adapter) or (kind.sums and not bare):
            total += elements(network.carries(skip))
    return total + sum(elements(shape.output) + sum(map(elements, shape.inputs)) for shape in network.shapes.branches)


def _is_copied(adapter: Adapter) -> bool:
    """Return whether an adapter makes a tensor of its own whose gradient is another's than its source's."""
    return adapter.channels == "project" or (adapter.placement is not None and adapter.placement.copies)


def stacked(network: Network, batch: int) -> int:
    """Return the most elements that are stacked at once where small gradients are measured."""
    groups: Counter = Counter()
    for shape in network.shapes.states:
        if elements(shape) * batch <= STACKED_ELEMENTS:
            groups[shape] += 2 * elements(shape)
    for skip in network.skips:
        shape = network.shapes.states[skip.source]
        if elements(shape) * batch <= STACKED_ELEMENTS:
            groups[shape] += elements(shape)
    return min(max(groups.values(), default=0) * batch, COPIED_ELEMENTS)


BLOCK = 16
"""Channels that oneDNN lays side by side, filled up with zeros."""


def convolutions(network: Network) -> set[tuple[Operation, Shape, Shape]]:
    """Return the convolutions of images and volumes that differ, each with the shapes of its input and output."""
    shapes = network.shapes
    nodes = [*zip(network.layers, shapes.layers, strict=True), *zip(network.branches, shapes.branches, strict=True)]
    return {(node.op, shape.input, shape.output) for node, shape in nodes if node.op.kind == "conv"}


def arranged(network: Network) -> int:
    """Return the most elements a sample of a convolution's input and output as oneDNN arranges them."""
    sizes = [sum(-(-channels(end) // BLOCK) * BLOCK * elements(end[1:]) for end in ends) for _, *ends in convolutions(network)]
    return max(sizes, default=0)


def _read_by_branches(network: Network) -> dict[int, int]:
    """Return, by the number of a state that branches read, where the last of those states stands that they wait for."""
    if not network.branches:
        return {}
    names, ready = places_of(network), {node.id: k for k, nodes in ready_at(network).items() for node in nodes}
    found: dict[int, int] = {}
    for edge in network.edges:
        if edge.source in names:
            found[names[edge.source]] = max(found.get(names[edge.source], 0), ready[edge.target])
    return found


def evaluated(network: Network, count: int) -> int:
    """Return about how many elements a pass over `count` samples without a graph holds at once.

    They are a state, what is made of it, and the states that skips wait with.
    """
    states = [elements(shape) for shape in network.shapes.states]
    samples = max(1, min(count, EVALUATED_AT_ONCE, EVALUATED_ELEMENTS // max(states)))
    last = {k: k for k in range(len(states))}
    for skip in network.skips:
        last[skip.source] = max(last[skip.source], skip.target)
    ends: dict[int, int] = {}
    live = most = 0
    last |= {k: max(last[k], place) for k, place in _read_by_branches(network).items()}
    for k, size in enumerate(states):
        live += size
        ends[last[k]] = ends.get(last[k], 0) + size
        most = max(most, live + 2 * max(states[k : k + 2]))
        live -= ends.pop(k, 0)
    return most * samples
