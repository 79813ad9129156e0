"""A network computed once more, from its description and the equations of Layer and Skip, with autograd alone.

It shares with the product its parameters, the waves of positions, the seeds of dropout and torch's own functions, and
neither plan nor recording.
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from skipviz import Layer, Network, Skip
from skipviz.learning.operation.position import sinusoids
from skipviz.learning.seeding import stable_hash
from skipviz.network.base import channel_axis, channels, spatial
from skipviz.network.norm.group import group_count

STEP = 4
"""Whose masks a dropout has."""
ACTIVATIONS = {
    "none": lambda x: x,
    "relu": F.relu,
    "leaky_relu": lambda x: torch.where(x > 0, x, 0.01 * x),
    "gelu": lambda x: F.gelu(x, approximate="none"),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": lambda x: x / (1 + torch.exp(-x)),
    "relu6": lambda x: torch.where((x > 0) & (x < 6), x, x.detach().clamp(0, 6)),
}


class Taps(dict):
    """Zeros added wherever a state is used, by ("state" | "trunk", k) or ("skip", index): their gradients are the edges'."""

    def on(self, h: Tensor, kind: str, place: int) -> Tensor:
        if not h.is_floating_point():
            return h
        self[kind, place] = tap = torch.zeros_like(h, requires_grad=True)
        return h + tap


def outputs(model, x: Tensor, taps: Taps) -> Tensor:
    """Return what `model` has to give for `x` in training mode; `taps` are filled."""
    network: Network = model.network
    states = [taps.on(x.reshape(len(x), *network.input), "state", 0)]
    for k in range(network.depth + 1):
        read = taps.on(states[k], "trunk", k)
        for index, skip in landing(network, k, "concat"):
            read = torch.cat(
                [read, skip.on * strength(model, index, skip) * carried(model, index, skip, taps, states)[1]], _axis(states[k])
            )
        if k == network.depth:
            return head(network.head, model.head, read)
        f = layer_output(network, k + 1, model.layers[k], read)
        for index, skip in acting_first(network, k + 1):
            if skip.on:
                a, s = carried(model, index, skip, taps, states)[1], strength(model, index, skip)
                f = f * (1 + s * (a - 1)) if skip.merge == "multiply" else f + s * (attended(model, index, f, a) - f)
        for index, skip in landing(network, k + 1, "gate"):
            if skip.on:
                source, a = carried(model, index, skip, taps, states)
                t = with_gain(torch.sigmoid(pointwise(model.skips[index].gate, placed(network, index, source))), skip.gain)
                f = f + strength(model, index, skip) * (1 - t) * (a - f)
        own, shares = softmax(model, landing(network, k + 1, "add"))
        f = own * f
        for index, skip in landing(network, k + 1, "add"):
            if skip.on:
                s = shares[skip.id] if skip.softmax else strength(model, index, skip)
                f = f + s * carried(model, index, skip, taps, states)[1]
        states.append(taps.on(f, "state", k + 1))
    raise AssertionError("the head returns")


def strength(model, index: int, skip: Skip) -> Tensor | float:
    return model.skips[index].strength if skip.learned else skip.strength


def softmax(model, there: list[tuple[int, Skip]]) -> tuple[Tensor | float, dict[str, Tensor]]:
    """Return a state's own share, and those of the skips that have one, by id."""
    parts = {skip.id: strength(model, index, skip).exp() for index, skip in there if skip.softmax and skip.on}
    whole = 1 + sum(parts.values())
    return 1 / whole, {name: part / whole for name, part in parts.items()}


def landing(network: Network, k: int, merge: str) -> list[tuple[int, Skip]]:
    return [(index, skip) for index, skip in enumerate(network.skips) if (skip.target, skip.merge) == (k, merge)]


def acting_first(network: Network, k: int) -> list[tuple[int, Skip]]:
    """Return the products and the attentions that land at h_k, all of that kind together whose first comes first."""
    there = [one for name in ("multiply", "attend", "mix", "streams") for one in landing(network, k, name)]
    kinds = [skip.merge for _, skip in sorted(there, key=lambda one: one[0])]
    return sorted(there, key=lambda one: kinds.index(one[1].merge))


def attended(model, index: int, f: Tensor, memory: Tensor) -> Tensor:
    """Return torch's own attention from `f` over `memory`, or the streams of one with `f` written to them."""
    if model.network.skips[index].merge == "streams":
        return streamed(model.network.skips[index], model.skips[index].mixing, f, memory)
    module = model.skips[index].attention
    if model.network.skips[index].merge == "mix":
        return mixed(module, f, memory)
    weights = module.weight, module.bias, None, None, False, 0.0, module.out_weight, module.out_bias
    q, kv = f.transpose(0, 1), memory.transpose(0, 1)
    return F.multi_head_attention_forward(q, kv, kv, f.shape[2], module.heads, *weights, need_weights=False)[0].transpose(0, 1)


def mixed(module, f: Tensor, h: Tensor) -> Tensor:
    """Return the positions of `f`, mixed head by head with the weights that `h` gives."""
    queries, keys = (F.linear(h, *part) for part in zip(module.weight.chunk(2), module.bias.chunk(2), strict=True))
    parts = []
    for q, k, v in zip(*(part.chunk(module.heads, 2) for part in (queries, keys, f)), strict=True):
        parts.append(torch.softmax(q @ k.mT / math.sqrt(q.shape[2]), 2) @ v)
    return torch.cat(parts, 2)


def streams_of(x: Tensor, n: int) -> Tensor:
    """Return the streams of a state, `(batch · positions, n, width)`."""
    return (x.movedim(1, -1) if x.dim() > 3 else x).reshape(-1, n, x.shape[_axis(x)] // n)


def as_state(streams: Tensor, like: Tensor, axis: int) -> Tensor:
    """Return `(batch · positions, channels)` as a state with the positions of `like`."""
    sizes = [size for place, size in enumerate(like.shape) if place != axis]
    return streams.reshape(*sizes, -1).movedim(-1, axis)


def unlearned(x: Tensor, centred: bool) -> Tensor:
    """Return the last axis with mean 0 and variance 1, or with a mean square of 1."""
    if centred:
        x = x - x.mean(-1, keepdim=True)
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return x / (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt()


def streamed(skip: Skip, p, f: Tensor, h: Tensor) -> Tensor:
    """Return A_rᵀ H + B ⊙ f of hyper-connections (equations 8 to 13), or H_res H + H_post ⊙ f of mHC (7 to 9)."""
    n, axis = skip.streams, _axis(h)
    streams, writes = streams_of(h, n), streams_of(f, n)
    rows = len(streams)
    mix, write = p.mix.expand(rows, n, n), p.write.expand(rows, n)
    if skip.dynamic and skip.mixing == "free":
        read = unlearned(streams, True)
        mix = mix + p.mix_scale * torch.tanh(torch.einsum("rid,dj->rij", read, p.mix_map))
        write = write + p.write_scale * torch.tanh(torch.einsum("rid,d->ri", read, p.write_map))
    elif skip.dynamic:
        read = unlearned(streams.flatten(1), False)
        mix = mix + p.mix_scale * torch.einsum("rc,cm->rm", read, p.mix_map).reshape(rows, n, n)
        write = write + p.write_scale * torch.einsum("rc,ci->ri", read, p.write_map)
    if skip.mixing == "free":
        mixed = torch.einsum("rij,rid->rjd", mix, streams)
    else:
        matrix, write = torch.exp(mix), 2 / (1 + torch.exp(-write))
        for _ in range(20):
            matrix = matrix / torch.einsum("rij->rj", matrix)[:, None, :]
            matrix = matrix / torch.einsum("rij->ri", matrix)[:, :, None]
        mixed = torch.einsum("rij,rjd->rid", matrix, streams)
    return as_state(mixed + write[:, :, None] * writes, h, axis)


def _reduced(op, p, x: Tensor) -> Tensor:
    """H ᵀ A_m of hyper-connections, H_pre H of mHC, or the sum over streams."""
    n = op.streams
    streams = streams_of(x, n)
    if op.mixing == "sum":
        return as_state(sum(streams.unbind(1)), x, _axis(x))
    weight = p.weight.expand(len(streams), n)
    if op.dynamic and op.mixing == "free":
        weight = weight + p.scale * torch.tanh(torch.einsum("rid,d->ri", unlearned(streams, True), p.map))
    elif op.dynamic:
        weight = weight + p.scale * torch.einsum("rc,ci->ri", unlearned(streams.flatten(1), False), p.map)
    weight = 1 / (1 + torch.exp(-weight)) if op.mixing == "sinkhorn" else weight
    return as_state(torch.einsum("ri,rid->rd", weight, streams), x, _axis(x))


def _axis(h: Tensor) -> int:
    return 1 + channel_axis(h.shape[1:])


def with_gain(y: Tensor, gain: float) -> Tensor:
    """Return `y` with a gradient that counts `gain` times."""
    return y if gain == 1 else y.detach() + gain * (y - y.detach())


def carried(model, index: int, skip: Skip, taps: Taps, states: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return what a skip reads of its source, and A of it."""
    network, module = model.network, model.skips[index]
    source = taps.on(states[skip.source], "skip", index)
    shape = network.shapes.skips[index]
    strided = (shape.adapter.spatial, shape.adapter.channels) == ("stride", "project") and shape.adapter.kernel > 1
    a = source if strided else placed(network, index, source)
    if shape.adapter.channels == "project":
        a = mapped(module.project, a, shape.adapter.kernel, spatial(shape.carried))
        if shape.adapter.norm == "batch":
            a = normed("batch", module.norm, a)
    missing = channels(shape.carried) - channels(a.shape[1:])
    if missing:
        zeros = list(a.shape)
        zeros[_axis(a)] = missing
        a = torch.cat([a, a.new_zeros(zeros)], _axis(a))
    return source, with_gain(a, skip.gain)


def placed(network: Network, index: int, h: Tensor) -> Tensor:
    """Return the spatial part of an adapter applied to `h`."""
    adapter, sides = network.shapes.skips[index].adapter, spatial(network.shapes.skips[index].carried)
    if sides == spatial(h.shape[1:]):
        return h
    if adapter.spatial == "stride":
        step = -(-h.shape[2] // sides[0])
        return h[:, :, ::step, ::step] if h.dim() == 4 else h[:, :, ::step, ::step, ::step]
    if adapter.spatial == "crop":
        return window(h, sides, adapter.offset)
    if adapter.spatial == "pad":
        return framed(h, sides, adapter.offset)
    if adapter.spatial in ("average-pool", "max-pool"):
        return pooled(h, sides, (lambda w: w.mean(2)) if adapter.spatial == "average-pool" else (lambda w: w.max(2).values))
    larger = all(b >= a for a, b in zip(h.shape[2:], sides, strict=True))
    return resized(h, sides, adapter.spatial == "bilinear" or (adapter.spatial == "resize" and larger))


def window(h: Tensor, sides: tuple[int, ...], first: int | None) -> Tensor:
    """Return what is kept of each axis, from `first` on or its middle."""
    for axis, side in enumerate(sides, start=2):
        h = h.narrow(axis, (h.shape[axis] - side) // 2 if first is None else first, side)
    return h


def framed(h: Tensor, sides: tuple[int, ...], first: int | None) -> Tensor:
    """Return `h` in the middle of zeros, or from `first` on along each axis."""
    for axis, side in enumerate(sides, start=2):
        before = (side - h.shape[axis]) // 2 if first is None else first
        ends = [h.new_zeros(*h.shape[:axis], many, *h.shape[axis + 1 :]) for many in (before, side - h.shape[axis] - before)]
        h = torch.cat([ends[0], h, ends[1]], axis)
    return h


def resized(h: Tensor, sides: tuple[int, ...], smooth: bool) -> Tensor:
    """Return `h` interpolated, or the nearest of its positions."""
    mode = "nearest" if not smooth else "bilinear" if h.dim() == 4 else "trilinear"
    return F.interpolate(h, sides, mode=mode, **({"align_corners": False} if smooth else {}))


def pooled(h: Tensor, sides: tuple[int, ...], reduce) -> Tensor:
    """Return `reduce` of each window: of the stride between both sizes, cut off at the edge, or of equal parts."""
    have, step = h.shape[2:], -(-h.shape[2] // sides[0])
    if all(-(-a // step) == b for a, b in zip(have, sides, strict=True)):
        ends = [[(k * step, min(a, (k + 1) * step)) for k in range(b)] for a, b in zip(have, sides, strict=True)]
    else:
        ends = [[(k * a // b, -(-(k + 1) * a // b)) for k in range(b)] for a, b in zip(have, sides, strict=True)]
    windows = [reduce(h[(..., *(slice(*end) for end in place))].flatten(2)) for place in product(*ends)]
    return torch.stack(windows, 2).unflatten(2, sides)


def mapped(module, h: Tensor, kernel: int, places: tuple[int, ...]) -> Tensor:
    """Return the projection of an adapter; one of a larger kernel takes the stride to `places` itself."""
    if kernel == 1:
        return pointwise(module, h)
    if h.dim() > 3:
        return convolution(h)(h, module.weight, module.bias, -(-h.shape[2] // places[0]), kernel // 2)
    return F.conv1d(h.mT, module.weight, module.bias, padding=kernel // 2).mT


def convolution(h: Tensor):
    return F.conv2d if h.dim() == 4 else F.conv3d


def pointwise(module, h: Tensor) -> Tensor:
    if h.dim() > 3:
        return convolution(h)(h, module.weight, module.bias)
    return F.linear(h, module.weight, module.bias)


def layer_output(network: Network, k: int, module, x: Tensor) -> Tensor:
    """Return f_k under its switch, dropout, scale, drop-path and gain."""
    layer, shape = network.layers[k - 1], network.shapes.layers[k - 1]
    if not layer.on:
        passing = [skip for skip in network.skips if skip.in_force and skip.merge in ("add", "gate")]
        in_branch = any(skip.source < k <= skip.target for skip in passing)
        if shape.input == shape.output and not in_branch:
            return x
        return torch.zeros(len(x), *shape.output, dtype=torch.float64)
    activation = ACTIVATIONS.get(layer.activation) or (lambda x: torch.where(x > 0, x, module.activation.weight * x))
    if layer.order == "norm-act-op":
        y = operated(layer, module.operation, activation(normed(layer.norm, module.norm, x)))
    else:
        y = activation(normed(layer.norm, module.norm, operated(layer, module.operation, x)))
    if layer.dropout:
        torch.manual_seed(stable_hash(0, "dropout", layer.id, STEP))
        y = F.dropout(y.contiguous(), layer.dropout)
    if layer.scale is not None:
        scale = module.scale if layer.scale_learned else layer.scale
        if layer.scale_per == "channel":
            scale = scale.reshape(-1, *[1] * (y.dim() - 2)) if y.dim() > 3 else scale.reshape(-1)
        y = y * scale
    lands = any(skip.target == k and skip.merge == "add" and skip.in_force for skip in network.skips)
    if layer.drop_path and lands:
        torch.manual_seed(stable_hash(0, "drop path", layer.id, STEP))
        y = y * F.dropout(y.new_ones(len(y), *[1] * (y.dim() - 1)), layer.drop_path)
    return with_gain(y, layer.gain)


def normed(kind: str, module, x: Tensor) -> Tensor:
    """Return a norm of `x` over the batch, over each sample, or over groups of its channels."""
    if kind == "none":
        return x
    if kind == "rms":
        axis = 1 if x.dim() > 3 else -1
        mean = x.square().mean(axis, keepdim=True)
        return scaled(x / torch.sqrt(mean + torch.finfo(x.dtype).eps), module, axis)
    if kind == "channel":
        axis = 1 if x.dim() > 3 else -1
        centred = x - x.mean(axis, keepdim=True)
        return scaled(centred / torch.sqrt(centred.square().mean(axis, keepdim=True) + 1e-6), module, axis)
    if kind == "instance":
        axis, places = (1, tuple(range(2, x.dim()))) if x.dim() > 3 else (2, 1)
        centred = x - x.mean(places, keepdim=True)
        return scaled(centred / torch.sqrt(centred.square().mean(places, keepdim=True) + 1e-5), module, axis)
    if kind == "layer" and x.dim() < 4:
        return F.layer_norm(x, x.shape[-1:], module.weight, module.bias)
    first = x.movedim(-1, 1) if x.dim() == 3 else x
    if kind == "batch":
        y = torch.batch_norm(first, module.weight, module.bias, None, None, True, 0.1, 1e-5, False)
    else:
        y = F.group_norm(first, 1 if kind == "layer" else group_count(first.shape[1]), module.weight, module.bias)
    return y.movedim(1, -1) if x.dim() == 3 else y


def scaled(x: Tensor, module, axis: int) -> Tensor:
    """Return `x` times a norm's weight, and its bias added where it has one, channels being along `axis`."""
    shape = [-1 if k == axis % x.dim() else 1 for k in range(x.dim())]
    y = x * module.weight.view(shape)
    return y + module.bias.view(shape) if hasattr(module, "bias") else y


def operated(layer: Layer, module, x: Tensor) -> Tensor:
    """Return the operation of a layer on `x`."""
    return OPERATIONS[layer.op.kind](layer.op, module, x)


def _linear(op, module, x: Tensor) -> Tensor:
    x = x.flatten(1) if x.dim() > 3 else x
    return F.linear(x, module.weight, module.bias)


def _convolution(op, module, x: Tensor) -> Tensor:
    padding = op.dilation * (op.kernel - 1) // 2 if op.padding is None else op.padding
    pieces = zip(x.chunk(op.groups, 1), module.weight.chunk(op.groups), strict=True)
    y = torch.cat([convolution(h)(h, w, stride=op.stride, padding=padding, dilation=op.dilation) for h, w in pieces], 1)
    return y if module.bias is None else y + module.bias.view(-1, *[1] * (y.dim() - 2))


def _rimmed(op, y: Tensor) -> Tensor:
    """Zeros around an image, the first half of them, rounded down, at the start of each axis."""
    extra = (op.extra_planes, op.extra_rows, op.extra_columns)[5 - y.dim() :]
    return framed(y, tuple(side + more for side, more in zip(y.shape[2:], extra, strict=True)), None)


def _scaled_up(op, module, x: Tensor) -> Tensor:
    if op.mode == "transposed":
        transposed = F.conv_transpose2d if x.dim() == 4 else F.conv_transpose3d
        return transposed(x, module.weight, module.bias, stride=op.factor, padding=(op.kernel - op.factor) // 2)
    larger = tuple(side * op.factor for side in x.shape[2:])
    return convolution(x)(resized(x, larger, op.mode == "bilinear"), module.weight, module.bias, padding=(op.kernel - 1) // 2)


def _pooled(op, module, x: Tensor) -> Tensor:
    pools = {4: (F.max_pool2d, F.avg_pool2d), 5: (F.max_pool3d, F.avg_pool3d)}
    pool = pools[x.dim()][op.reduce == "mean"]
    return pool(x, op.kernel, op.stride, op.padding, ceil_mode=op.ceil)


def _cropped(op, module, x: Tensor) -> Tensor:
    return window(x, op.size, op.offset)


def _embedded(op, module, x: Tensor) -> Tensor:
    return module.weight[x] * (math.sqrt(op.width) if op.scaled else 1)


def _positioned(op, module, x: Tensor) -> Tensor:
    if op.mode == "learned":
        return x + module.weight
    return x + sinusoids(*x.shape[1:]).to(x)


def _attended(op, module, x: Tensor) -> Tensor:
    width = x.shape[2]
    size = width // op.heads
    parts = F.linear(x, module.weight, module.bias)
    given = []
    for first in range(0, width, size):
        queries, keys, values = (parts[..., start + first : start + first + size] for start in (0, width, 2 * width))
        scores = queries @ keys.mT / math.sqrt(size)
        if op.causal:
            scores = scores + torch.full_like(scores[0], -math.inf).triu(1)
        given.append(torch.softmax(scores, -1) @ values)
    return F.linear(torch.cat(given, -1), module.out_weight, module.out_bias)


def _convolved_along(op, module, x: Tensor) -> Tensor:
    """Each position's sum over the kernel, of the positions that it reads: those outside are zeros."""
    length, reach = x.shape[1], op.dilation * (op.kernel - 1)
    behind = 0 if op.causal else reach // 2
    padded = torch.cat([x.new_zeros(len(x), reach - behind, x.shape[2]), x, x.new_zeros(len(x), behind, x.shape[2])], 1)
    taps = [padded[:, k * op.dilation : k * op.dilation + length] @ module.weight[:, :, k].T for k in range(op.kernel)]
    return sum(taps) if module.bias is None else sum(taps) + module.bias


def _laid_out(op, module, x: Tensor) -> Tensor:
    pixels = torch.stack([x[(..., *place)] for place in product(*map(range, x.shape[2:]))], 1)
    return torch.cat([module.weight + torch.zeros_like(pixels[:, :1]), pixels], 1) if op.class_token else pixels


OPERATIONS = {
    "linear": _linear,
    "conv": _convolution,
    "up": lambda op, module, x: _rimmed(op, _scaled_up(op, module, x)),
    "pool": _pooled,
    "resize": lambda op, module, x: _rimmed(op, resized(x, tuple(side * op.factor for side in x.shape[2:]), op.mode == "bilinear")),
    "mean": lambda op, module, x: x.flatten(2).mean(2) if x.dim() > 3 else x.mean(1),
    "first": lambda op, module, x: x[:, 0],
    "patches": _laid_out,
    "crop": _cropped,
    "identity": lambda op, module, x: x,
    "embedding": _embedded,
    "position": _positioned,
    "attention": _attended,
    "conv1d": _convolved_along,
    "expand": lambda op, module, x: torch.cat([x] * op.streams, _axis(x)),
    "reduce": _reduced,
}


def head(description, module, x: Tensor) -> Tensor:
    """Return what a head gives for the last state and its concats."""
    if description.kind == "state":
        return x
    if description.kind == "pixels":
        return pointwise(module, x)
    if description.kind == "classes" and x.dim() > 2:
        x = x.flatten(1) if description.flatten else x.flatten(2).mean(2) if x.dim() > 3 else x.mean(1)
    return F.linear(x, module.weight, module.bias)
