"""One backward pass that yields the gradients of every parameter, every state and every edge, and their norms.

The parts at a state sum, as vectors, to its gradient: what came back through the trunk and through each skip.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..network import Network
from ..network.branch import token_edges
from ..network.merge import MERGES
from ..network.share import shares
from .frame import VariantFrame
from .norms import ALONE, Sizes
from .objective import finite
from .parameters import FlatParameters, Span, rows
from .recording import Program, Recording
from .signals import Active, signals

Vector = Tensor | tuple[Tensor, float] | None
"""A gradient; or one that is a factor times another (a bare add hands on its target's); None: exactly zero."""


@dataclass(slots=True)
class Gradients:
    """Gradients of one loss; None: the loss does not depend on it, so it is exactly zero."""

    parameters: tuple[Tensor | None, ...]
    states: list[Vector]
    """∂L/∂h_k, k = 0..n."""
    trunks: list[Vector]
    """For each layer f_k, the part of ∂L/∂h_{k-1} that came back through its trunk input."""
    skips: list[Vector]
    """For each skip, the part of the gradient of its source that came back through it."""
    by_node: dict[str, Tensor | None]
    """∂L/∂h of each input and node on the recording, by id; tokens have none."""
    by_edge: dict[str, Vector]
    """By edge in force, the part of the gradient of its source that came back through it."""


def gradients(loss: Tensor, parameters: list[Tensor], recording: Recording) -> Gradients:
    """Return every gradient of `loss` from a single backward pass over a recorded forward pass."""
    names = [name for name, state in recording.by_node.items() if state.is_floating_point()]
    inputs = [*parameters, *(recording.by_node[name] for name in names), *recording.uses.values()]
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    first, last = len(parameters), len(parameters) + len(names)
    states = dict(zip(names, found[first:last], strict=True))
    edges: dict[str, Vector] = {edge: states.get(source) for edge, source in recording.sole.items()}
    for edge, (target, strength) in recording.bare.items():
        edges[edge] = None if states[target] is None else (states[target], strength)
    edges |= zip(recording.uses, found[last:], strict=True)
    trunk = recording.trunk
    along = (
        [states.get(name) for name in trunk.states],
        [edges.get(name) for name in trunk.ways],
        [edges.get(name) for name in trunk.skips],
    )
    return Gradients(found[:first], *along, states, edges)


def record(program: Program, x: Tensor) -> tuple[Tensor, Recording]:
    """Return the outputs for `x` and the recording of that forward pass."""
    recording = Recording()
    return program.run(differentiable(x), recording), recording


def differentiable(x: Tensor) -> Tensor:
    """Return `x` as the start of a graph; tokens have no gradient and stay as they are."""
    return x.detach().requires_grad_() if x.is_floating_point() else x


class Measurement:
    """Collects what a frame's fields are norms of, then measures all of it at once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.fields: dict[str, list[float | None]] = {}
        self._row_places: list[tuple[str, int]] = []
        self._matrices: list[Tensor] = []
        self._tensors: list[Tensor] = []
        self._numbers: dict[int, int] = {}
        self._places: list[tuple[str, int, int, float]] = []

    def add_rows(self, places: list[tuple[str, int]], matrices: list[Tensor]) -> None:
        """Measure the rows of `matrices` into `places`, each a field and an index."""
        self._row_places += places
        self._matrices += matrices

    def add(self, field: str, vectors: list[Vector]) -> None:
        """Measure `vectors` into `field`; None stands for 0. A tensor that stands at several places is measured once."""
        self.fields[field] = [0.0] * len(vectors)
        for index, vector in enumerate(vectors):
            if vector is None:
                continue
            tensor, factor = vector if isinstance(vector, tuple) else (vector, 1.0)
            number = self._numbers.setdefault(id(tensor), len(self._tensors))
            if number == len(self._tensors):
                self._tensors.append(tensor)
            self._places.append((field, index, number, factor))

    def take(self, sizes: Sizes) -> list[str]:
        """Fill every field; return the names of what was not finite, whose value is then None."""
        values = sizes.norms(self._matrices, self._tensors)
        first = len(self._row_places)
        found = [(field, index, value) for (field, index), value in zip(self._row_places, values, strict=False)]
        found += [
            (field, index, values[first + number] if factor == 1 else values[first + number] * abs(factor))
            for field, index, number, factor in self._places
        ]
        wrong = []
        for field, index, value in found:
            self.fields[field][index] = sizes.finite(value)
            if self.fields[field][index] is None:
                wrong.append(f"{field}:{part_name(self.network, field, index)}")
        return wrong


def part_name(network: Network, field: str, index: int) -> str:
    """Return the id of the part that a field's place belongs to: a layer's, a skip's, `h<k>` or `head`."""
    if field in ("state_grad", "state_rms"):
        return f"h{index}"
    if field.startswith("skip"):
        return network.skips[index].id
    if field.startswith(("branch", "edge")):
        return (network.branches if field.startswith("branch") else network.edges)[index].id
    return "head" if field == "head_grad" else network.layers[index].id


def measured(
    network: Network,
    flat: FlatParameters,
    found: Gradients,
    gradient: Tensor,
    recording: Recording,
    sizes: Sizes = ALONE,
    active: Active | None = None,
) -> VariantFrame:
    """Return the frame's gradient and signal fields; loss, metric and update are left empty.

    `gradient` is the flat gradient of all parameters; of several networks that lie one behind the other, `sizes` says which; of
    several micro-batches `active` holds which units were not dead in those before.
    """
    measurement = Measurement(network)
    for field, spans in _parameter_fields(flat):
        measurement.fields[field] = [None] * len(spans)
    measurement.add_rows(
        [(field, index) for field, spans in _parameter_fields(flat) for index, (start, end) in enumerate(spans) if end > start],
        rows(gradient, flat.runs),
    )
    measurement.add("state_grad", found.states)
    measurement.add("trunk_grad", found.trunks)
    measurement.add("skip_grad", found.skips)
    if network.branches:
        measurement.add("branch_state_grad", [found.by_node.get(node.id) for node in network.branches])
        measurement.add("edge_grad", [found.by_edge.get(edge.id) for edge in network.edges])
    measurement.add("state_rms", [state.detach() if state.is_floating_point() else None for state in recording.states])
    wrong = measurement.take(sizes)
    fields = measurement.fields
    if network.takes_tokens:
        fields["state_grad"][0] = fields["trunk_grad"][0] = fields["state_rms"][0] = None
    for k, state in enumerate(recording.states):
        if fields["state_rms"][k] is not None:
            fields["state_rms"][k] /= (state.numel() / sizes.seeds) ** 0.5
    fields |= mean_magnitudes(network, flat, found, gradient, sizes) | signals(recording.states, sizes, active)
    fields["gate_opening"], fields["mixing"] = gate_opening(recording), mixing(network, recording)
    fields |= learned_strengths(network, flat)
    for k, node in enumerate(network.branches):
        if node.id not in found.by_node:
            fields["branch_state_grad"][k] = None
    tokens = token_edges(network)
    for k, edge in enumerate(network.edges if tokens else ()):
        if edge.id in tokens:
            fields["edge_grad"][k] = None
    fields["total_grad"] = _total([fields[field] for field, _ in _parameter_fields(flat)], wrong, sizes)
    fields["head_grad"] = fields["head_grad"][0]
    states = zip(network.layers, fields["state_rms"][1:], strict=True)
    broken = next((layer.id for layer, size in states if size is None), None)
    update = [None] * network.depth
    return VariantFrame(loss=None, metric=None, update_ratio=update, nonfinite=wrong, first_broken=broken, **fields)


def mean_magnitudes(
    network: Network, flat: FlatParameters, found: Gradients, gradient: Tensor, sizes: Sizes = ALONE
) -> dict[str, list[float | None]]:
    """Return the mean magnitudes of weights' and of states' gradients; None where there are none, or not finite ones."""
    rows_of = flat.weight_rows(gradient)
    states = [k for k, vector in enumerate(found.states) if vector is not None]
    sums = sizes.magnitudes([matrix for _, matrix in rows_of], [found.states[k] for k in states])
    boxes = network.depth + len(network.branches)
    weights: list[float | None] = [None] * boxes
    state_means = [0.0] * len(found.states)
    counts = [0] * boxes
    places = [(layer, matrix.shape[1]) for layers, matrix in rows_of for layer in layers]
    for (layer, count), value in zip(places, sums, strict=False):
        weights[layer] = value if weights[layer] is None else weights[layer] + value
        counts[layer] += count
    for k, value in zip(states, sums[len(places) :], strict=True):
        state_means[k] = sizes.finite(value / (found.states[k].numel() / sizes.seeds))
    if network.takes_tokens:
        state_means[0] = None
    means = [None if total is None else sizes.finite(total / count) for total, count in zip(weights, counts, strict=True)]
    beside = {"branch_grad_mean": means[network.depth :]} if network.branches else {}
    return {"weight_grad_mean": means[: network.depth], "state_grad_mean": state_means, **beside}


def _total(parts: list[list[float | None]], wrong: list[str], sizes: Sizes) -> float | None:
    """Return the norm of the whole gradient from the norms of its parts; None, and named in `wrong`, where one is not finite."""
    if any(name.split(":")[0] in PARAMETER_FIELDS for name in wrong):
        wrong.append("total_grad")
        return None
    return sizes.total([value for part in parts for value in part if value is not None])


def learned_strengths(network: Network, flat: FlatParameters) -> dict[str, list[float | None]]:
    """Return each skip's and edge's learned strength, None for a fixed one, and a skip's share; no field without any."""
    if not flat.strengths:
        return {}
    found = dict(zip(flat.strengths, flat.values[[*flat.strengths.values()]].tolist(), strict=True))
    fields = {
        name: [finite(found.get(part.id, torch.nan)) for part in parts]
        for name, parts in (("strength", network.skips), ("edge_strength", network.edges))
        if any(part.learned for part in parts)
    }
    if any(skip.softmax for skip in network.skips):
        shared = shares(network.skips, found)
        fields["share"] = [finite(shared.get(skip.id, torch.nan)) for skip in network.skips]
    return fields


def gate_opening(recording: Recording) -> list[float | None] | None:
    """Return each gate's mean T, by skip; None if there is no gate, and in the place of one that is off or not finite."""
    if not recording.gates:
        return None
    gates = [gate.mean(dtype=torch.float32) if gate.dtype == torch.bfloat16 else gate.mean() for gate in recording.gates.values()]
    means = dict(zip(recording.gates, torch.stack(gates).tolist(), strict=True))
    return [means[name] if means.get(name, torch.nan) < torch.inf else None for name in recording.trunk.skips]


def mixing(network: Network, recording: Recording) -> list[float | None] | None:
    """Return the matrices by which streams mix, row by row, one behind the other; None if there is no skip of streams."""
    found: list[float | None] = []
    for skip in network.skips:
        if MERGES[skip.merge].mixes:
            matrix = recording.matrices.get(skip.id)
            found += [None] * skip.streams**2 if matrix is None else map(finite, matrix.flatten().tolist())
    return found or None


PARAMETER_FIELDS = ("weight_grad", "head_grad", "scale_grad", "skip_weight_grad", "branch_grad", "edge_weight_grad")


def _parameter_fields(flat: FlatParameters) -> tuple[tuple[str, list[Span]], ...]:
    """Return the fields that measure parameters, in the order of the flat vector."""
    spans = (flat.layers, [flat.head], flat.scales, flat.skips, flat.branches, flat.edges)
    return tuple(zip(PARAMETER_FIELDS, spans, strict=True))[: None if flat.branches else 4]
