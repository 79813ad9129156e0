"""A layer, an adapter and a head as the expressions that make them in a written script. Imports the data model only."""

from __future__ import annotations

import math

from ...network.activation import ACTIVATIONS
from ...network.base import Shape, channel_axis, channels, elements, is_image, spatial
from ...network.layer import Layer
from ...network.network import Head, LayerShape, SkipShape
from ...network.norm import NORMS
from ...network.skip import Skip, stride_between


class LayerWriter:
    """Writes modules; `needs` collects the helpers they use. `own_norms`: batches of one, which torch's modules refuse."""

    def __init__(self, needs: set[str], own_norms: bool) -> None:
        self.needs, self.own_norms = needs, own_norms

    def layer(self, layer: Layer, shape: LayerShape, name: str, frozen: list[str] | None, drops_path: bool) -> tuple[str, str]:
        """Return the module's expression and where in it its batch norm stands (`[0]`, or nothing).

        `drops_path`: at some time an add lands behind it, where a drop-path acts.
        `frozen` are slices of input channels that come from concats that are off; None: none ever is.
        """
        operation = self._operation(layer, shape, name)
        normed = layer.normed_shape(shape.input, shape.output)
        first = layer.order == "norm-act-op"
        norm = self._norm(layer.norm, normed, frozen if first else None)
        if layer.zero_gamma:
            self.needs.add("zero_gamma")
            norm = [f"zero_gamma({norm[0]})"]
        activation = [ACTIVATIONS[layer.activation].module] if layer.activation != "none" else []
        stages = [*norm, *activation, *operation] if first else [*operation, *norm, *activation]
        if layer.dropout:
            self.needs.add("Dropout")
            stages.append(f"Dropout({layer.dropout!r}, {name})")
        if layer.scale_learned or layer.scale not in (None, 1):
            self.needs.add("Scale")
            stages.append(f"Scale({layer.scale!r}{self._learned_scale(layer, shape.output)})")
        if layer.drop_path and drops_path:
            self.needs |= {"Dropout", "DropPath"}
            stages.append(f"DropPath({layer.drop_path!r}, {name})")
        if not stages:
            self.needs.add("Identity")
            stages = ["Identity()"]
        return joined(stages), "" if len(stages) == 1 else "[0]"

    def _learned_scale(self, layer: Layer, shape: Shape) -> str:
        if not layer.scale_learned:
            return ""
        if layer.scale_per == "layer":
            return ", learned=True"
        return f", learned=True, shape={(shape[0], 1, 1) if is_image(shape) else (channels(shape),)}"

    def projection(self, skip: Skip, shape: SkipShape, source: Shape, name: str) -> str:
        """Return the 1×1 map of a projecting adapter, with its norm."""
        adapter = shape.adapter
        mapped = self._drawn(self._pointwise(source, channels(shape.carried), adapter.bias), "skip", name, adapter.init)
        return joined([mapped, *self._norm(adapter.norm, shape.carried, None)])

    def gate(self, skip: Skip, source: Shape, target: Shape, name: str) -> str:
        """Return the module of T = σ(W h + b)."""
        self.needs.add("drawn bias")
        mapped = self._drawn(self._pointwise(source, channels(target), True), "gate", name, "torch", f"bias={skip.gate_bias!r}")
        return joined([mapped, "nn.Sigmoid()"])

    def head(self, head: Head, shape: Shape) -> tuple[str | None, str]:
        """Return the head's module and what it reads, `{}` being the last state; no module where that is the output."""
        if head.kind == "state":
            return None, "{}"
        if head.kind == "pixels":
            return self._drawn(self._pointwise(shape, head.outputs, head.bias), "head", None, head.init), "{}"
        bias = "" if head.bias else ", bias=False"
        flat = head.kind == "classes" and head.flatten
        features = elements(shape) if flat else channels(shape)
        read = "{}"
        if head.kind == "classes" and len(shape) > 1:
            read = "{}.flatten(1)" if flat else "{}.mean((2, 3))" if is_image(shape) else "{}.mean(1)"
        return self._drawn(f"nn.Linear({features}, {head.outputs}{bias})", "head", None, head.init), read

    def _operation(self, layer: Layer, shape: LayerShape, name: str) -> list[str]:
        op, reads = layer.op, shape.input
        if op.kind == "identity":
            return []
        if op.kind == "pool":
            self_kind = "MaxPool2d" if op.reduce == "max" else "AvgPool2d"
            more = (f", padding={op.padding}" if op.padding else "") + (", ceil_mode=True" if op.ceil else "")
            return [f"nn.{self_kind}({op.kernel}, {op.stride}{more})"]
        if op.kind == "crop":
            self.needs.add("Crop")
            return [f"Crop({', '.join(written(part) for part in op.window(reads))})"]
        if op.kind == "position":
            return [self._position(layer, reads, name)]
        if op.kind == "attention":
            return [self._attention(layer, reads, name)]
        if op.kind == "embedding":
            scheme = "standard" if layer.init == "torch" else layer.init
            made = self._drawn(f"nn.Embedding({op.vocabulary}, {op.width})", "layer", name, scheme, *self._factor(layer))
            if not op.scaled:
                return [made]
            self.needs.add("Scale")
            return [made, f"Scale({math.sqrt(op.width)!r})"]
        before, made = self._weighted(op, reads)
        if layer.init == "bilinear":
            self.needs.add("bilinear")
            return [*before, f"bilinear({made})"] if layer.init_factor == 1 else [*before, self._scaled(f"bilinear({made})", layer)]
        if op.kind == "up" and op.mode == "transposed" and layer.init != "torch":
            self.needs.add("drawn up")
        return [*before, self._drawn(made, "layer", name, layer.init, *self._factor(layer))]

    def _weighted(self, op, reads: Shape) -> tuple[list[str], str]:
        """Return what comes before a linear map or a convolution, and its torch module."""
        bias = "" if op.bias else ", bias=False"
        if op.kind == "linear":
            flat = ["nn.Flatten()"] if len(reads) == 3 else []
            return flat, f"nn.Linear({reads[1] if len(reads) == 2 else elements(reads)}, {op.width}{bias})"
        padding = f", padding={op.pixels_padded()}" if op.pixels_padded() else ""
        if op.kind == "conv":
            stride, dilation, groups = (
                f", {name}={getattr(op, name)}" * (getattr(op, name) > 1) for name in ("stride", "dilation", "groups")
            )
            return [], f"nn.Conv2d({reads[0]}, {op.width}, {op.kernel}{stride}{padding}{dilation}{groups}{bias})"
        if op.mode == "transposed":
            return [], f"nn.ConvTranspose2d({reads[0]}, {op.width}, {op.kernel}, stride={op.factor}{padding}{bias})"
        mode = ', mode="bilinear", align_corners=False' if op.mode == "bilinear" else ""
        resized = f"nn.Upsample(scale_factor={op.factor}{mode})"
        return [resized], f"nn.Conv2d({reads[0]}, {op.width}, {op.kernel}{padding}{bias})"

    def _position(self, layer: Layer, reads: Shape, name: str) -> str:
        size = f"{reads[0]}, {reads[1]}"
        if layer.op.mode == "sinusoidal":
            self.needs.add("Position")
            return f"Position({size})"
        self.needs.add("LearnedPosition")
        spread = ", spread=0.0" if layer.init == "zero" else ""
        factor = f", factor={layer.init_factor!r}" if layer.init_factor != 1 else ""
        return f'LearnedPosition({size}, "layer", {name}{spread}{factor})'

    def _attention(self, layer: Layer, reads: Shape, name: str) -> str:
        self.needs |= {"Attention", f"scheme {layer.init}"}
        op = layer.op
        more = (", causal=True" if op.causal else "") + ("" if op.bias else ", bias=False")
        more += "" if layer.init == "torch" else f', scheme="{layer.init}"'
        more += f", factor={layer.init_factor!r}" if layer.init_factor != 1 else ""
        return f'Attention({reads[0]}, {reads[1]}, {op.heads}, "layer", {name}{more})'

    def _factor(self, layer: Layer) -> list[str]:
        if layer.init_factor == 1:
            return []
        self.needs.add("drawn factor")
        return [f"factor={layer.init_factor!r}"]

    def _scaled(self, made: str, layer: Layer) -> str:
        self.needs.add("scaled_weights")
        return f"scaled_weights({made}, {layer.init_factor!r})"

    def _drawn(self, module: str, kind: str, name: str | None, scheme: str, *more: str) -> str:
        self.needs |= {"drawn", f"scheme {scheme}"}
        names = [f'"{kind}"'] + ([name] if name is not None else [])
        options = ([] if scheme == "torch" else [f'scheme="{scheme}"']) + list(more)
        return f"drawn({', '.join([module, *names, *options])})"

    def _pointwise(self, source: Shape, width: int, bias: bool) -> str:
        more = "" if bias else ", bias=False"
        if is_image(source):
            return f"nn.Conv2d({source[0]}, {width}, 1{more})"
        return f"nn.Linear({channels(source)}, {width}{more})"

    def _norm(self, kind: str, shape: Shape, frozen: list[str] | None) -> list[str]:
        if kind == "none":
            return []
        norm = NORMS[kind]
        made = norm.written(shape, self.own_norms or frozen is not None)
        name = made.partition("(")[0]
        if name in norm.helpers:
            self.needs.add(name)
        return [f"{made[:-1]}, [{', '.join(frozen)}])" if frozen else made]


def joined(stages: list[str]) -> str:
    """Return one module that applies `stages` in order."""
    return stages[0] if len(stages) == 1 else f"nn.Sequential({', '.join(stages)})"


def spatially_adapted(shape: SkipShape, source: Shape, target: Shape, state: str) -> str:
    """Return the expression of the spatial part of an adapter on `state`."""
    kind, here, there = shape.adapter.spatial, spatial(source), spatial(target)
    if kind == "none" or (here == there and kind != "stride"):
        return state
    if kind == "stride":
        step = stride_between(here, there)
        return state if step == 1 else f"{state}[..., ::{step}, ::{step}]"
    if kind == "resize":
        smooth = all(a <= b for a, b in zip(here, there, strict=True))
        mode = '"bilinear", align_corners=False' if smooth else '"nearest"'
        return f"F.interpolate({state}, size={there}, mode={mode})"
    window = ", ".join(f"{part.start}:{part.stop}" for part in shape.adapter.window(here, there))
    return f"{state}[..., {window}]" if is_image(source) else f"{state}[..., {window}, :]"


def padding(shape: SkipShape, source: Shape) -> tuple[int, ...] | None:
    """Return what `F.pad` takes where an adapter pads channels with zeros, else None."""
    missing = channels(shape.carried) - channels(source)
    if shape.adapter.channels != "pad" or not missing:
        return None
    return (0,) * (2 * (len(source) - 1 - channel_axis(source))) + (0, missing)


def written(part: slice) -> str:
    """Return a slice as it is written."""
    return f"slice({part.start}, {part.stop})"
