"""Which of a frame's gradients mislead: zeros that are none, and sums that are rounding. Imports no torch.

A gradient that is exactly 0 in float32 may have one of three causes, told apart by the last gradient above it that is not:

    no path    nothing leads from there to the loss: a switch is off, a strength or gain is 0, a norm has a single value (no mark)
    underflow  a path does, and the gradient above was near the smallest number that float32 holds
    blocked    a path does, and the gradient above was healthy: every unit on the way is off or saturated, or a weight or a
               learned factor on it is exactly 0

Where the parts of a gradient cancel, what is left is the error of adding them: *rounding*. What lies below is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress

from ..network import Layer, Network
from ..network.branch import places_of, ready_at
from ..network.chain import wired
from ..network.norm import NORMS
from ..network.rest import StandIn, stand_ins
from ..network.shapes import NodeShape
from .frame import VariantFrame

UNDERFLOW, BLOCKED, ROUNDING = "underflow", "blocked", "rounding"
MARKS = (UNDERFLOW, BLOCKED, ROUNDING)
"""A frame's fields of these names hold the places that have them."""

NEAR_THE_FLOOR = 1e-30
"""float32 ends at 1.2e-38: from below this, one layer of small weights ends there; what falls to 0 from above was stopped."""
EPSILON = 2.0**-23
"""Distance of float32's numbers at 1."""
OF_PARAMETERS = {"skip_grad": "skip_weight_grad", "edge_grad": "edge_weight_grad"}
"""By a way's field, that of the parameters on the way."""
NOISY = 0.5
"""Share of rounding from which a gradient says nothing."""


@dataclass(slots=True, frozen=True)
class Way:
    """How the gradient comes back to a state: through layer, skip or edge, from the gradient of a later state."""

    field: str
    index: int
    reader: int
    passes: bool


class GradientMarks:
    """Tells the marks of a network's frames; made anew when a switch, strength or gain changes.

    States are numbered: h_0…h_n, the head's outputs, then those of branches' nodes.
    """

    def __init__(self, network: Network, batch_size: int) -> None:
        self.network, depth = network, network.depth
        wiring = wired(network)
        rests, shapes = stand_ins(wiring), wiring.shapes.nodes
        through = {node.id: node.id in wiring.merges or passes(node, shapes[node.id], batch_size, rests) for node in wiring.order}
        self._passes = [through[layer.id] for layer in network.layers]
        self._learns = [learns(layer) for layer in network.layers]
        self._beside = {node.id: k for k, node in enumerate(network.branches, start=depth + 2)}
        self._ways: list[list[Way]] = [[] for _ in range(depth + 2 + len(network.branches))]
        for k, open_ in enumerate(self._passes):
            self._ways[k].append(Way("trunk_grad", k, k + 1, open_))
        for index, skip in enumerate(network.skips):
            carries, source = skip.in_force and skip.gain > 0, self._beside.get(skip.via, skip.source)
            if not skip.joins:
                self._ways[source].append(Way("skip_grad", index, skip.target, carries))
            else:
                read = skip.target == depth or self._passes[skip.target]
                self._ways[source].append(Way("skip_grad", index, skip.target + 1, carries and read))
        self._branch_ways(through)
        self._order = [*self._backwards()]
        self._forks = [(k, [way for way in ways if way.passes]) for k, ways in enumerate(self._ways) if k != depth + 1]
        self._forks = [(k, ways) for k, ways in self._forks if len(ways) + (k == depth) > 1]
        ways = sorted((way for ways in self._ways for way in ways), key=_place)
        skips, edges = ([way.passes for way in ways if way.field == field] for field in ("skip_grad", "edge_grad"))
        self._open = {
            "state_grad": [True] * (depth + 1), "trunk_grad": self._passes, "skip_grad": skips,
            "weight_grad": self._learns, "scale_grad": self._learns, "skip_weight_grad": skips,
        }  # fmt: skip
        if network.branches:
            self._open |= {"branch_state_grad": [True] * len(network.branches), "edge_grad": edges}
            self._open |= {"branch_grad": [*map(learns, network.branches)], "edge_weight_grad": edges}

    def _branch_ways(self, through: dict[str, bool]) -> None:
        """Add the ways through branches' nodes, given of each whether gradient may come back through it."""
        states = places_of(self.network) | self._beside
        for index, edge in enumerate(self.network.edges):
            carries = edge.in_force and edge.gain > 0 and through[edge.target]
            self._ways[states[edge.source]].append(Way("edge_grad", index, states[edge.target], carries))

    def _backwards(self) -> Iterator[int]:
        """Return the states in an order in which each stands behind all that read it."""
        ready = ready_at(self.network)
        for k in range(self.network.depth, -1, -1):
            yield from (self._beside[node.id] for node in reversed(ready.get(k, ())))
            yield k

    def of(self, frame: VariantFrame) -> dict[str, dict[str, list[int]]]:
        """Return, by mark and field, the places of the frame's lists that have it; empty where nothing misleads."""
        if self._is_plain(frame):
            return {}
        found: dict[str, dict[str, list[int]]] = {}
        for mark, field, index in self._all(frame):
            found.setdefault(mark, {}).setdefault(field, []).append(index)
        return {mark: {field: sorted(places) for field, places in found[mark].items()} for mark in MARKS if mark in found}

    def _is_plain(self, frame: VariantFrame) -> bool:
        """Return whether nothing is to be marked, as in nearly every frame: no zero but where no path is, and nothing cancels."""
        if frame.head_grad == 0:
            return False
        for field, ways in self._open.items():
            values = getattr(frame, field)
            if 0.0 in compress(values, ways) or any(value for value, way in zip(values, ways, strict=True) if value and not way):
                return False
        gradients = self._gradients(frame)
        for k, ways in self._forks:
            parts = sum(getattr(frame, way.field)[way.index] or 0.0 for way in ways)
            if gradients[k] is not None and EPSILON * parts >= NOISY * gradients[k]:
                return False
        return True

    def _gradients(self, frame: VariantFrame) -> list[float | None]:
        return [*frame.state_grad, frame.head_grad, *(frame.branch_state_grad or ())]

    def _all(self, frame: VariantFrame) -> Iterator[tuple[str, str, int]]:
        depth = self.network.depth
        gradients = self._gradients(frame)
        marks: list[str | None] = [None] * len(gradients)
        noise = [0.0] * len(gradients)
        if frame.head_grad == 0:
            marks[depth + 1] = BLOCKED
            yield BLOCKED, "head_grad", 0
        for k in self._order:
            gradient, parts = gradients[k], []
            for way in self._ways[k]:
                value = getattr(frame, way.field)[way.index]
                mark = _mark_of(value, way.passes, gradients[way.reader], marks[way.reader], noise[way.reader])
                share = 1.0 if mark == ROUNDING else noise[way.reader]
                parts.append((value or 0.0, mark, share))
                if mark:
                    yield mark, way.field, way.index
            if k == depth:
                parts.append((gradient or 0.0, _mark_of(gradient, True, frame.head_grad, marks[depth + 1], 0.0), 0.0))
            marks[k], noise[k] = _summed(gradient, parts)
            if marks[k]:
                yield marks[k], *(("state_grad", k) if k <= depth else ("branch_state_grad", k - depth - 2))
        yield from self._of_parameters(frame, gradients, marks, noise)

    def _of_parameters(self, frame: VariantFrame, gradients, marks, noise) -> Iterator[tuple[str, str, int]]:
        for k in range(self.network.depth):
            for field in ("weight_grad", "scale_grad"):
                value = getattr(frame, field)[k]
                mark = _mark_of(value, self._learns[k], gradients[k + 1], marks[k + 1], noise[k + 1])
                if mark:
                    yield mark, field, k
        for place, node in enumerate(self.network.branches):
            state = self._beside[node.id]
            mark = _mark_of(frame.branch_grad[place], learns(node), gradients[state], marks[state], noise[state])
            if mark:
                yield mark, "branch_grad", place
        for ways in self._ways:
            for way in ways:
                field = OF_PARAMETERS.get(way.field)
                value = getattr(frame, field)[way.index] if field else None
                mark = _mark_of(value, way.passes, gradients[way.reader], marks[way.reader], noise[way.reader])
                if mark:
                    yield mark, field, way.index


def _place(way: Way) -> int:
    return way.index


def learns(layer: Layer) -> bool:
    """Return whether the loss may depend on a layer's parameters: it is on, and no fixed factor of 0 stands behind it."""
    return layer.on and layer.gain > 0 and (layer.scale != 0 or layer.scale_learned)


def passes(layer: Layer, shape: NodeShape, batch_size: int, rests: dict[str, StandIn]) -> bool:
    """Return whether any gradient may come back through a layer, whatever its weights, or through what stands in for it."""
    if not layer.on:
        return rests[layer.id] == "identity"
    if not learns(layer):
        return False
    normed = layer.normed_shape(shape.input, shape.output)
    return layer.norm == "none" or not NORMS[layer.norm].blocks(normed, batch_size)


def _mark_of(value: float | None, passes: bool, above: float | None, mark_above: str | None, noise: float) -> str | None:
    """Return the mark of one gradient, given that of what it is made from."""
    if value is None:
        return None
    if value > 0:
        return ROUNDING if noise >= NOISY or not passes else None
    if not passes or above is None:
        return None
    if above == 0:
        return mark_above
    return UNDERFLOW if above < NEAR_THE_FLOOR else BLOCKED


def _summed(gradient: float | None, parts: list[tuple[float, str | None, float]]) -> tuple[str | None, float]:
    """Return the mark and the share of rounding of a state's gradient, given its parts as (norm, mark, share of rounding)."""
    living = [(value, share) for value, _, share in parts if value > 0]
    if gradient is None:
        return None, 0.0
    if gradient == 0:
        if living:
            return ROUNDING, 1.0
        found = [mark for _, mark, _ in parts]
        return next((mark for mark in MARKS if mark in found), None), 0.0
    noise = sum(value * share for value, share in living)
    if len(living) > 1:
        noise += EPSILON * sum(value for value, _ in living)
    share = min(1.0, noise / gradient)
    return (ROUNDING if share >= NOISY else None), share
