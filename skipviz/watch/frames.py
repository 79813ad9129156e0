"""A captured pass and the gradients that came back, as a run's frame. Gradients of weights are the person's own `.grad`."""

from __future__ import annotations

from math import hypot

import torch
from torch import Tensor, nn

from ..learning.frame import VariantFrame
from ..learning.norms import magnitudes, norms
from ..learning.objective import finite
from ..learning.signals import signals
from ..network.network import Network
from .gradients import GradientRecord
from .layout import Layout, state_shape


class Values:
    """Sizes of the states that a pass gave, taken when it ends, so that its tensors can go."""

    def __init__(self, layout: Layout, values: dict[int | str, Tensor]) -> None:
        self.layout, self.rms, self.counts = layout, {}, {}
        self.signals: dict[str, list[float | None]] = {}
        tensors = {}
        for name in layout.states:
            tensor = values.get(layout.state_of(name))
            if tensor is not None:
                tensors[name], self.counts[name] = _as_state(tensor.detach()), tensor.numel()
        for name, value in zip(tensors, norms([], list(tensors.values())), strict=True):
            self.rms[name] = finite(value / max(1, tensors[name].numel()) ** 0.5)
        measured = signals([tensors[name] for name in tensors])
        places = {name: place for place, name in enumerate(tensors)}
        for field, numbers in measured.items():
            self.signals[field] = [numbers[places[name]] if name in places else None for name in layout.states]


def _as_state(tensor: Tensor) -> Tensor:
    """Return a tensor in the shape that its state has in the network, the batch before it."""
    return tensor.reshape(1, 1) if not tensor.dim() else tensor.reshape(tensor.shape[0], *state_shape(tensor.shape[1:]))


def element_counts(network: Network, states: list[int], model: nn.Module) -> dict:
    """Return over how many elements each norm of a frame is taken; `states`: of h_0…h_n, the batch included."""
    return {
        "state_count": states,
        "weight_count": [getattr(layer.op, "weights", 0) for layer in network.layers],
        **({"branch_count": [getattr(node.op, "weights", 0) for node in network.branches]} if network.branches else {}),
        "skip_count": [states[skip.source] for skip in network.skips],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def vectors_of(layout: Layout, record: GradientRecord, edge: str) -> list[Tensor]:
    """Return what came back along an edge through each read of its source; raises `KeyError` for one that was not heard."""
    found = []
    for read in layout.reads[edge]:
        if read in record.reads:
            found.append(record.reads[read])
        elif read in record.changed and record.changed[read] in record.states:
            found.append(record.states[record.changed[read]])
    return found


def frame_of(
    layout: Layout, record: GradientRecord, values: Values, model: nn.Module, loss: float | None, scale: float
) -> VariantFrame:
    """Return what was measured of one recorded step; a gradient that never came is 0, one that cannot be told is None."""
    network, parameters = layout.network, dict(model.named_parameters())
    tensors: list[Tensor] = []
    places: list[tuple[str, int]] = []

    def add(field: str, index: int, found: list[Tensor]) -> None:
        for tensor in found:
            tensors.append(tensor)
            places.append((field, index))

    def none_yet(*names: str) -> float | None:
        return None if layout.untold.intersection(names) else 0.0

    def along(edge: str) -> float | None:
        return none_yet(layout.sources[edge], layout.targets[edge])

    own = [layout.parameters.get(layer.id, []) for layer in network.layers]
    fields: dict[str, list[float | None]] = {
        "weight_grad": [_trained(parameters, names) for names in own],
        "state_grad": [none_yet(name) for name in layout.states],
        "trunk_grad": [along(edge) for edge in layout.ways],
        "skip_grad": [along(skip.id) for skip in network.skips],
        "branch_grad": [_trained(parameters, layout.parameters.get(node.id, [])) for node in network.branches],
        "branch_state_grad": [none_yet(node.id) for node in network.branches],
        "edge_grad": [along(edge.id) for edge in network.edges],
    }
    for index, names in enumerate(own):
        add("weight_grad", index, _gradients(parameters, names))
    for index, node in enumerate(network.branches):
        add("branch_grad", index, _gradients(parameters, layout.parameters.get(node.id, [])))
        add("branch_state_grad", index, _state(layout, record, node.id))
    for index, name in enumerate(layout.states):
        add("state_grad", index, _state(layout, record, name))
    for field, edges in (
        ("trunk_grad", layout.ways),
        ("skip_grad", [skip.id for skip in network.skips]),
        ("edge_grad", [edge.id for edge in network.edges]),
    ):
        for index, edge in enumerate(edges):
            found = vectors_of(layout, record, edge)
            alike = len({tuple(one.shape) for one in found}) <= 1
            add(field, index, [_total(found)] if found and alike else found)
    wrong: list[str] = []
    for (field, index), value in zip(places, norms([], tensors), strict=True):
        value = finite(value / scale)
        if value is None:
            wrong.append(f"{field}:{_part(layout, field, index)}")
        before = fields[field][index]
        fields[field][index] = None if value is None or before is None else hypot(before, value)
    total = _all_gradients(parameters, scale)
    rms = [values.rms.get(name) for name in layout.states]
    _without_tokens(layout, fields)
    means = _means(layout, parameters, record, own, scale)
    ran = [name in values.rms for name in layout.states[1:]]
    broken = next((one.id for one, size, there in zip(network.layers, rms[1:], ran, strict=True) if there and size is None), None)
    beside = {} if network.branches else {"branch_grad": None, "branch_state_grad": None, "edge_grad": None}
    return VariantFrame(
        loss=finite(loss) if loss is not None else None,
        metric=None,
        head_grad=None,
        skip_weight_grad=[None] * len(network.skips),
        scale_grad=[None] * network.depth,
        update_ratio=[None] * network.depth,
        state_rms=rms,
        total_grad=total,
        nonfinite=wrong,
        first_broken=broken,
        **{**fields, **means, **beside, **values.signals},
    )


def _trained(parameters: dict[str, nn.Parameter], names: list[str]) -> float | None:
    """Return 0 for parameters that may have a gradient, None where there are none or all are frozen."""
    return 0.0 if any(name in parameters and parameters[name].requires_grad for name in names) else None


def _gradients(parameters: dict[str, nn.Parameter], names: list[str]) -> list[Tensor]:
    return [_dense(parameters[name].grad) for name in names if name in parameters and parameters[name].grad is not None]


def _dense(gradient: Tensor) -> Tensor:
    """Return a gradient's numbers: of a sparse one, as an embedding's, the rows that are not 0."""
    return gradient.detach().coalesce().values() if gradient.is_sparse else gradient.detach()


def _state(layout: Layout, record: GradientRecord, name: str) -> list[Tensor]:
    """Return the parts of a state's gradient: of an input it is that of the input, of a box that of what it gave."""
    place = (layout.state_of(name), 0)
    return [record.states[place]] if place in record.states else []


def _total(vectors: list[Tensor]) -> Tensor:
    """Return the sum of vectors, in double precision where there are several."""
    return vectors[0] if len(vectors) == 1 else torch.stack([vector.to(_widest(vector)) for vector in vectors]).sum(0)


def _widest(vector: Tensor) -> torch.dtype:
    return torch.float32 if vector.device.type == "mps" else torch.float64


def _all_gradients(parameters: dict[str, nn.Parameter], scale: float) -> float | None:
    found = [_dense(one.grad) for one in parameters.values() if one.grad is not None]
    return finite(hypot(*norms([], found)) / scale) if found else 0.0


def _means(
    layout: Layout, parameters: dict[str, nn.Parameter], record: GradientRecord, own: list[list[str]], scale: float
) -> dict[str, list[float | None]]:
    """Return the mean magnitudes of weights' gradients, biases and other vectors apart, and of states' gradients."""
    matrices = [[name for name in names if name in parameters and parameters[name].dim() > 1] for names in own]
    matrices = [[name for name in names if parameters[name].grad is not None] for names in matrices]
    states = [_state(layout, record, name) for name in layout.states]
    groups = [*(_gradients(parameters, names) for names in matrices), *states]
    counts = [sum(parameters[name].numel() for name in names) for names in matrices]
    counts += [sum(one.numel() for one in group) for group in states]
    sums = iter(magnitudes([], [tensor for group in groups for tensor in group]))
    means = [
        finite(sum(next(sums) for _ in group) / max(1, count) / scale) if group else None
        for group, count in zip(groups, counts, strict=True)
    ]
    return {"weight_grad_mean": means[: len(matrices)], "state_grad_mean": means[len(matrices) :]}


def _without_tokens(layout: Layout, fields: dict[str, list[float | None]]) -> None:
    """Tokens are whole numbers: they have no gradient, nor has what brings them."""
    network = layout.network
    if network.takes_tokens:
        fields["state_grad"][0] = fields["trunk_grad"][0] = None
    reading = {node.id for node in network.branches if node.op.kind == "watched" and node.op.tokens}
    for index, edge in enumerate(network.edges):
        if edge.target in reading:
            fields["edge_grad"][index] = None


def _part(layout: Layout, field: str, index: int) -> str:
    network = layout.network
    if field.startswith("state"):
        return f"h{index}"
    parts = {"skip_grad": network.skips, "branch_grad": network.branches, "branch_state_grad": network.branches}
    return {**parts, "edge_grad": network.edges}.get(field, network.layers)[index].id
