"""A model's parameters in one piece of memory, so that updates and norms cost a call for all and not one for each."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, chain, pairwise

import torch
from torch import Tensor, nn

from .build import NetworkModule

Span = tuple[int, int]
"""First and one past the last element of a part in the flat vector."""


class FlatParameters:
    """Moves a model's parameters into one vector, of which they become views.

    The order is: each layer (without its branch scale), head, branch scales, the parameters of each skip, then of each node
    and each edge of branches. `pieces` are what an optimizer updates at first: layers, head and scales together, and each
    skip, node and edge that has parameters by itself;
    `undecayed`, the parameters of activations (He et al. 2015) and learned strengths, are pieces of their own among them,
    which weight decay leaves alone; a strength begins its skip's parameters and has its rate in `rates`.
    """

    def __init__(self, model: NetworkModule) -> None:
        modules = model.in_order()
        scales = [[] if getattr(layer, "scale", None) is None else [layer.scale] for layer in modules]
        layers = [[p for p in _of(layer) if not (s and p is s[0])] for layer, s in zip(modules, scales, strict=True)]
        beside = [_scale_first(part) for part in (*model.skips, *model.beside())]
        head = [p for name, p in model.head.named_parameters() if not (model.network.tied and name == "weight")]
        groups = [*layers, head, *scales, *beside]
        self.parameters: list[nn.Parameter] = list(chain.from_iterable(groups))
        self.values = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        self.move(self.values)
        ends = list(accumulate(sum(p.numel() for p in group) for group in groups))
        self.spans: list[Span] = list(zip([0, *ends], ends, strict=False))
        depth = len(layers)
        self.layers, self.head = self.spans[:depth], self.spans[depth]
        self.scales, rest = self.spans[depth + 1 : 2 * depth + 1], self.spans[2 * depth + 1 :]
        skips, branches = len(model.network.skips), len(model.network.branches)
        self.skips, self.branches, self.edges = rest[:skips], rest[skips : skips + branches], rest[skips + branches :]
        self.layer_runs, self.runs = runs(self.layers), runs(self.spans)
        self.undecayed = _undecayed(modules, self.layers)
        self.undecayed += _undecayed(model.beside(), [*self.branches, *self.edges])
        carriers = zip((*model.network.skips, *model.network.edges), (*self.skips, *self.edges), strict=True)
        learned = [(part, start) for part, (start, _) in carriers if part.learned]
        self.strengths = {part.id: start for part, start in learned}
        """Where the learned strength of a skip or an edge lies, by its id."""
        self.rates = {start: part.rate for part, start in learned}
        self.undecayed += [(start, start + 1) for _, start in learned]
        cuts = {0, self.scales[-1][1], *chain.from_iterable(self.undecayed), *chain.from_iterable(rest)}
        self.pieces: list[Span] = list(pairwise(sorted(cuts)))
        boxes = beside[skips : skips + branches]
        self.weights = _weights(layers, self.layers) + _weights(boxes, self.branches, depth)
        """Of layers, and of the nodes of branches, which are counted on behind them."""

    def move(self, values: Tensor) -> None:
        """Have the parameters be views of `values`, which hold the same numbers."""
        self.values, position = values, 0
        for p in self.parameters:
            p.data = values[position : position + p.numel()].view(p.shape)
            position += p.numel()

    def weight_rows(self, vector: Tensor) -> list[tuple[list[int], Tensor]]:
        """Return the weights of layers alike as matrices of one row a layer, each with its layers, without a copy.

        Nodes of branches count as layers behind those of the trunk.
        Weights are tensors of two axes or more: biases and the parameters of norms are left out.
        """
        return [
            (layers, vector.as_strided((len(layers), end - start), (stride, 1), vector.storage_offset() + start))
            for layers, stride, start, end in self.weights
        ]

    def weight_parts(self, matrix: Tensor) -> list[Tensor]:
        """Return the same of several flat vectors, the rows of a matrix: `(vectors, layers, elements)` each."""
        rows, width = matrix.shape
        return [
            matrix.as_strided((rows, len(layers), end - start), (width, stride, 1), matrix.storage_offset() + start)
            for layers, stride, start, end in self.weights
        ]

    def flatten(self, gradients: tuple[Tensor | None, ...]) -> Tensor:
        """Return the gradients, given in the order of `parameters`, as one vector; None counts as zeros."""
        if any(gradient is None for gradient in gradients):
            gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, gradients, strict=True)]
        return torch._C._nn.flatten_dense_tensors(gradients)


def _scale_first(part: nn.Module) -> list[nn.Parameter]:
    """Return a part's parameters, that of its activation last."""
    scale = getattr(part, "scale", None)
    return [*([] if scale is None else [scale]), *(p for p in _of(part) if p is not scale)]


def _of(part: nn.Module) -> list[nn.Parameter]:
    """Return what `part.parameters()` gives, without the search for names: a deep network has a thousand parts."""
    own = [p for p in part._parameters.values() if p is not None]
    return own + [p for module in part._modules.values() for p in _of(module)]


def _undecayed(parts: Iterable[nn.Module], spans: list[Span]) -> list[Span]:
    """Return where the parameters of activations lie, each at the end of its layer's; neighbours are one span."""
    found: list[Span] = []
    for part, (_, end) in zip(parts, spans, strict=True):
        activation = getattr(part, "activation", None)
        size = 0 if activation is None else activation.weight.numel()
        if size and found and found[-1][1] == end - size:
            found[-1] = (found[-1][0], end)
        elif size:
            found.append((end - size, end))
    return found


def _weights(layers: list[list[nn.Parameter]], spans: list[Span], first: int = 0) -> list[tuple[list[int], int, int, int]]:
    """Return, of neighbouring layers alike, (layers, elements from one to the next, start, end of the first one's weight)."""
    found: list[tuple[list[int], int, int, int]] = []
    last = None
    for index, (parameters, (start, end)) in enumerate(zip(layers, spans, strict=True), start=first):
        ends = list(accumulate((p.numel() for p in parameters), initial=0))
        places = [span for p, span in zip(parameters, pairwise(ends), strict=True) if p.dim() > 1]
        if (places, end - start) == last:
            for members, *_ in found[len(found) - len(places) :]:
                members.append(index)
        else:
            found += [([index], end - start, start + begin, start + past) for begin, past in places]
        last = (places, end - start)
    return found


def runs(spans: list[Span]) -> list[tuple[int, int, int]]:
    """Return neighbouring spans of one size as (start, count, size), in order, without empty ones."""
    found: list[tuple[int, int, int]] = []
    for start, end in spans:
        size = end - start
        if size and found and found[-1][2] == size:
            first, count, _ = found[-1]
            found[-1] = (first, count + 1, size)
        elif size:
            found.append((start, 1, size))
    return found


def rows(vector: Tensor, found: list[tuple[int, int, int]]) -> list[Tensor]:
    """Return the spans of a flat vector as matrices, one a run and one row a span, without a copy."""
    return [vector[start : start + count * size].view(count, size) for start, count, size in found]
