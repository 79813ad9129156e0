"""Makes a network fit a task that it does not fit: its input and head follow the task, its layers and skips stay."""

from __future__ import annotations

from ..network.base import NetworkError, Shape, is_image, written
from ..network.layer import Layer
from ..network.network import Head, Network
from ..network.rim import EXTRA, Rim
from ..network.skip import Adapter
from .task import Task


def fitted(network: Network, task: Task) -> Network:
    """Return `network` with the input that `task` gives and the head that it needs; raises `NetworkError` where that is not all."""
    if task.mismatch(network) is None:
        return network
    if network.takes_tokens != task.gives_tokens:
        raise NetworkError(f"{task.mismatch(network)}: choose another family")
    layers = network.layers
    if task.gives_tokens:
        layers = (_knowing(layers[0], task), *layers[1:])
    if task.causal:
        layers = tuple(layer.replaced(op=layer.op.replaced(causal=True)) if layer.op.looks_ahead else layer for layer in layers)
    shape = _input(network, task)
    parts = {"input": shape, "head": _head(network.head, task.head()), "layers": _padded_anew(network, layers, shape)}
    if network.further.keys() == task.further().keys() and network.further:
        parts |= {"further": task.further(), "branches": tuple(_knowing(node, task) for node in network.branches)}
    try:
        made = network.replaced(**parts)
    except NetworkError:
        own = tuple(skip.replaced(adapter=Adapter()) if skip.source == 0 else skip for skip in network.skips)
        made = network.replaced(**parts, skips=own)
    problem = task.mismatch(made)
    if problem:
        raise NetworkError(problem)
    return made


def _knowing(layer: Layer, task: Task) -> Layer:
    """Return an embedding with a vector for each of the task's tokens, any other layer as it is."""
    return layer.replaced(op=layer.op.replaced(vocabulary=task.token_count())) if layer.op.kind == "embedding" else layer


def _padded_anew(network: Network, layers: tuple[Layer, ...], shape: Shape) -> tuple[Layer, ...]:
    """Return the layers for an image of `shape`: where any up-scaling pads, all pad to the states that skips bring there."""
    if not any(isinstance(layer.op, Rim) and any(layer.op.extra(3)) for layer in layers):
        return layers
    sizes, made = [shape[1:]], []
    for k, (layer, known) in enumerate(zip(layers, network.shapes.layers, strict=True), start=1):
        if isinstance(layer.op, Rim):
            bare = layer.op.replaced(**dict.fromkeys(EXTRA, 0))
            given = bare.output_shape((known.input[0], *sizes[-1]))[1:]
            wanted = next((sizes[skip.source] for skip in network.skips if skip.target == k), given)
            missing = [max(0, a - b) for a, b in zip(wanted, given, strict=True)]
            layer = layer.replaced(op=bare.replaced(**dict(zip(EXTRA[-len(missing) :], missing, strict=True))))
        made.append(layer)
        sizes.append(layer.op.output_shape((known.input[0], *sizes[-1]))[1:])
    return tuple(made)


def fix_words(task: Task, networks: int = 1) -> str:
    """Return in an imperative what `fitted` does, for a button."""
    inputs, outputs = written(task.sample_shape()), written(task.output_shape())
    whom = "the network" if networks == 1 else f"the {networks} networks"
    return f"Give {whom} {inputs} {_plural('input', inputs)} and {outputs} {_plural('output', outputs)}"


def _plural(noun: str, count: str) -> str:
    return noun if count == "1" else f"{noun}s"


def _input(network: Network, task: Task) -> Shape:
    """Return the task's sample as this kind of network reads it: a picture, a sequence of rows, or features."""
    shape = task.sample_shape()
    if task.gives_tokens or len(network.input) == 1:
        return task.input_for(images=False)
    if len(shape) == 1:
        raise NetworkError(
            f"{task.kind.title} gives {written(shape)} inputs and no pictures, which the network reads: choose an MLP"
        )
    return shape if is_image(network.input) else shape[-len(network.input) :]


def _head(head: Head, wanted: Head) -> Head:
    return head.replaced(outputs=wanted.outputs) if head.kind == wanted.kind else wanted
