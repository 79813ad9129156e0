"""A layer, an adapter and a head as the expressions that make them in a written script. Imports the data model only."""

from __future__ import annotations

from ...network.activation import ACTIVATIONS
from ...network.base import Shape, axes, channel_axis, channels, elements, is_image, places
from ...network.kind import Operation, fans_of
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.network import Head
from ...network.norm import NORMS
from ...network.shapes import NodeShape, SkipShape
from ...network.skip import Skip
from .live import literal


class LayerWriter:
    """Writes modules; `needs` collects the helpers they use. `own_norms`: batches of one, which torch's modules refuse."""

    def __init__(self, needs: set[str], own_norms: bool) -> None:
        self.needs, self.own_norms = needs, own_norms

    def layer(self, layer: Layer, shape: NodeShape, name: str, frozen: list[str] | None, drops_path: bool) -> tuple[str, str]:
        """Return the module's expression and where in it its batch norm stands (`[0]`, or nothing).

        `drops_path`: at some time an add lands behind it, where a drop-path acts.
        `frozen` are slices of input channels that come from concats that are off; None: none ever is.
        """
        operation = layer.op.written(shape.input, LayerWeights(self.needs, layer, shape.input, name))
        normed = layer.normed_shape(shape.input, shape.output)
        first = layer.order == "norm-act-op"
        norm = self._norm(layer.norm, normed, frozen if first else None)
        if layer.zero_gamma:
            norm = [f"zero_gamma({norm[0]})"]
        activation = [ACTIVATIONS[layer.activation].module] if layer.activation != "none" else []
        stages = [*norm, *activation, *operation] if first else [*operation, *norm, *activation]
        if layer.dropout:
            stages.append(f"Dropout({layer.dropout!r}, {name})")
        if layer.scale_learned or layer.scale not in (None, 1):
            stages.append(f"Scale({layer.scale!r}{self._learned_scale(layer, shape.output)})")
        if layer.drop_path and drops_path:
            stages.append(f"DropPath({layer.drop_path!r}, {name})")
        stages = stages or ["Identity()"]
        return joined(stages), "" if len(stages) == 1 else "[0]"

    def _learned_scale(self, layer: Layer, shape: Shape) -> str:
        if not layer.scale_learned:
            return ""
        if layer.scale_per == "layer":
            return ", learned=True"
        return f", learned=True, shape={(shape[0], *(1,) * axes(shape)) if is_image(shape) else (channels(shape),)}"

    def projection(self, skip: Skip, shape: SkipShape, source: Shape, name: str) -> str:
        """Return the map of a projecting adapter, with its norm."""
        adapter, weights = shape.adapter, MapWeights(self.needs, f'"skip", {name}', shape.adapter.init)
        mapped = adapter.projection(source, shape.carried).written(source, weights)
        return joined([*mapped, *self._norm(adapter.norm, shape.carried, None)])

    def gate(self, skip: Skip, source: Shape, target: Shape, name: str) -> str:
        """Return the module of T = σ(W h + b)."""
        module = _pointwise(source, channels(target), True)
        mapped = drawn(self.needs, module, f'"gate", {name}', "torch", bias=skip.gate_bias)
        return joined([mapped, "nn.Sigmoid()"])

    def learned(self, skip: Skip, target: Shape, name: str) -> str:
        """Return the module that a skip learns of its target and of what it carries."""
        kind = MERGES[skip.merge]
        made = constructed(kind.module, kind.arguments(skip, target))
        return made if kind.fills is None else initialised(self.needs, made, kind.fills, f'"attend", {name}')

    def head(self, head: Head, shape: Shape) -> tuple[str | None, str]:
        """Return the head's module and what it reads, `{}` being the last state; no module where that is the output."""
        if head.kind == "state":
            return None, "{}"
        if head.kind == "pixels":
            return drawn(self.needs, _pointwise(shape, head.outputs, head.bias), '"head"', head.init), "{}"
        bias = "" if head.bias else ", bias=False"
        flat = head.kind == "classes" and head.flatten
        features = elements(shape) if flat else channels(shape)
        read = "{}"
        if head.kind == "classes" and len(shape) > 1:
            read = "{}.flatten(1)" if flat else f"{{}}.mean({places(shape)})" if is_image(shape) else "{}.mean(1)"
        return drawn(self.needs, f"nn.Linear({features}, {head.outputs}{bias})", '"head"', head.init), read

    def _norm(self, kind: str, shape: Shape, frozen: list[str] | None) -> list[str]:
        if kind == "none":
            return []
        made = NORMS[kind].written(shape, self.own_norms or frozen is not None)
        return [f"{made[:-1]}, [{', '.join(frozen)}])" if frozen else made]


class LayerWeights:
    """First weights of the operation of a layer whose name a script has as the expression `name`."""

    def __init__(self, needs: set[str], layer: Layer, reads: Shape, name: str) -> None:
        self.scheme, self._names = layer.init, f'"layer", {name}'
        self._needs, self._op, self._reads, self._factor = needs, layer.op, reads, layer.init_factor

    def drawn(self, module: str, scheme: str | None = None) -> str:
        options = {}
        fans = self._op.fans(self._reads)
        if self.scheme != "torch" and fans != fans_of(self._op.parameters(self._reads)["weight"]):
            options["fans"] = fans
        if self._factor != 1:
            options["factor"] = self._factor
        return drawn(self._needs, module, self._names, scheme or self.scheme, **options)

    def scaled(self, module: str) -> str:
        return module if self._factor == 1 else f"scaled_weights({module}, {self._factor!r})"

    def initialised(self, op: Operation) -> str:
        made = constructed(type(op).__name__, op.arguments(self._reads))
        if op.fills is None or not op.parameters(self._reads):
            return made
        return initialised(self._needs, made, op.fills, self._names, self.scheme, self._factor)


class MapWeights:
    """First weights of the projection of an adapter, drawn by `scheme` from the generator of `names`."""

    def __init__(self, needs: set[str], names: str, scheme: str) -> None:
        self._needs, self._names, self.scheme = needs, names, scheme

    def drawn(self, module: str, scheme: str | None = None) -> str:
        return drawn(self._needs, module, self._names, scheme or self.scheme)


def constructed(name: str, arguments: dict) -> str:
    """Return the expression that calls a class with what it is made with."""
    return f"{name}({', '.join(f'{argument}={literal(value)}' for argument, value in arguments.items())})"


def initialised(
    needs: set[str], module: str, fills: tuple[str, ...], names: str, scheme: str = "torch", factor: float = 1.0
) -> str:
    """Return a module of ours with its first weights, drawn by itself from the generator of `names`; it `fills` by schemes."""
    needs |= {"fill", *(f"scheme {name}" for name in fills), *([f"scheme {scheme}"] * (scheme != "torch"))} if fills else set()
    options = ("" if scheme == "torch" else f', scheme="{scheme}"') + (f", factor={factor!r}" if factor != 1 else "")
    return f"initialised({module}, {names}{options})"


def drawn(needs: set[str], module: str, names: str, scheme: str, **options) -> str:
    """Return the module with its first weights, drawn from the generator of `names`."""
    needs |= {"drawn", f"scheme {scheme}", *(f"drawn {name}" for name in options)}
    scheme = "" if scheme == "torch" else f', scheme="{scheme}"'
    return f"drawn({module}, {names}{scheme}{''.join(f', {name}={value!r}' for name, value in options.items())})"


def _pointwise(source: Shape, width: int, bias: bool) -> str:
    more = "" if bias else ", bias=False"
    if is_image(source):
        return f"nn.Conv{axes(source)}d({source[0]}, {width}, 1{more})"
    return f"nn.Linear({channels(source)}, {width}{more})"


def joined(stages: list[str]) -> str:
    """Return one module that applies `stages` in order."""
    return stages[0] if len(stages) == 1 else f"nn.Sequential({', '.join(stages)})"


def padding(shape: SkipShape, source: Shape) -> tuple[int, ...] | None:
    """Return what `F.pad` takes where an adapter pads channels with zeros, else None."""
    missing = channels(shape.carried) - channels(source)
    if shape.adapter.channels != "pad" or not missing:
        return None
    return (0,) * (2 * (len(source) - 1 - channel_axis(source))) + (0, missing)
