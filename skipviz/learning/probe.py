"""One backward pass that yields the gradients of every parameter, every state and every edge, and their norms.

The parts at a state sum, as vectors, to its gradient: what came back through the trunk and through each skip.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..network import Network
from .build import NetworkModule
from .frame import VariantFrame
from .norms import norms
from .parameters import FlatParameters
from .plan import Tape

Vectors = list[Tensor | None]


@dataclass(slots=True)
class Gradients:
    """Gradients of one loss; None: the loss does not depend on it, so it is exactly zero."""

    parameters: tuple[Tensor | None, ...]
    states: Vectors
    """∂L/∂h_k, k = 0..n."""
    trunks: Vectors
    """For each layer f_k, the part of ∂L/∂h_{k-1} that came back through its trunk input."""
    skips: Vectors
    """For each skip, the part of the gradient of its source that came back through it."""


def gradients(loss: Tensor, parameters: list[Tensor], tape: Tape, skip_count: int) -> Gradients:
    """Return every gradient of `loss` from a single backward pass over a recorded forward pass."""
    inputs = [*parameters, *tape.states, *tape.trunks.values(), *tape.skips.values()]
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    first, last = len(parameters), len(parameters) + len(tape.states)
    states = list(found[first:last])
    trunks = states[:-1]
    for state, vector in zip(tape.trunks, found[last:], strict=False):
        trunks[state] = vector
    skips: Vectors = [None] * skip_count
    for index, vector in zip(tape.skips, found[last + len(tape.trunks) :], strict=True):
        skips[index] = vector
    return Gradients(found[:first], states, trunks, skips)


def record(model: NetworkModule, x: Tensor) -> tuple[Tensor, Tape]:
    """Return the outputs for `x` and the tape of that forward pass."""
    tape = Tape()
    return model(x.detach().requires_grad_(), tape), tape


class Measurement:
    """Collects vectors by the frame's field and place, then measures all of them at once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.places: list[tuple[str, int]] = []
        self.tensors: list[Tensor] = []
        self.fields: dict[str, list[float | None]] = {}

    def add(self, field: str, vectors, missing: float | None = 0.0) -> None:
        """Measure `vectors` into `field`; None stands for `missing`."""
        self.fields[field] = [missing] * len(vectors)
        for index, vector in enumerate(vectors):
            if vector is not None:
                self.places.append((field, index))
                self.tensors.append(vector)

    def take(self) -> list[str]:
        """Fill every field; return the names of what was not finite, whose value is then None."""
        wrong = []
        for (field, index), value in zip(self.places, norms(self.tensors), strict=True):
            if value < torch.inf:
                self.fields[field][index] = value
            else:
                self.fields[field][index] = None
                wrong.append(f"{field}:{part_name(self.network, field, index)}")
        return wrong


def part_name(network: Network, field: str, index: int) -> str:
    """Return the id of the part that a field's place belongs to: a layer's, a skip's, `h<k>` or `head`."""
    if field in ("state_grad", "state_rms"):
        return f"h{index}"
    if field.startswith("skip"):
        return network.skips[index].id
    return "head" if field == "head_grad" else network.layers[index].id


def measured(network: Network, flat: FlatParameters, found: Gradients, gradient: Tensor, tape: Tape) -> VariantFrame:
    """Return the frame's gradient and signal fields; loss, metric and update are left empty.

    `gradient` is the flat gradient of all parameters.
    """
    measurement = Measurement(network)

    def spans(parts):
        return [gradient[start:end] if end > start else None for start, end in parts]

    measurement.add("weight_grad", spans(flat.layers), None)
    measurement.add("state_grad", found.states)
    measurement.add("trunk_grad", found.trunks)
    measurement.add("skip_grad", found.skips)
    measurement.add("head_grad", spans([flat.head]), None)
    measurement.add("skip_weight_grad", spans(flat.skips), None)
    measurement.add("scale_grad", spans(flat.scales), None)
    measurement.add("state_rms", [state.detach() for state in tape.states])
    wrong = measurement.take()
    fields = measurement.fields
    for k, state in enumerate(tape.states):
        if fields["state_rms"][k] is not None:
            fields["state_rms"][k] /= state.numel() ** 0.5
    head_grad = fields.pop("head_grad")[0]
    return VariantFrame(loss=None, metric=None, head_grad=head_grad, update_ratio=[None] * network.depth, nonfinite=wrong, **fields)
