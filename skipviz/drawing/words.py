"""What the diagram says: edge labels on a line, and a sentence for each mark that can be focused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..network.activation import ACTIVATIONS
from ..network.base import axes
from ..network.branch import feeding, places_of
from ..network.edge import Edge
from ..network.layer import Layer
from ..network.network import Network
from ..network.node import Node
from ..network.norm import NORMS
from ..network.operation import Identity
from ..network.share import shares
from ..network.skip import Skip

GROUP = re.compile("[A-Za-z]+")
"""What a branch's nodes are called by, before their numbers."""
MOST_LETTERS = 16
"""Of a branch on an edge label."""
FOLDS = " ⇕"
"""Ends the words of a branch toggle."""


def edge_labels(network: Network, skips: Sequence[int], name: str | None = None) -> list[str]:
    """Return the words on a red line: strength, adapter and gradient gain where they are not the usual ones.

    Before them stands `name`, by default that of the branch which the line comes from.
    """
    parts = [network.skips[index] for index in skips]
    shared = shares(network.skips, {}) if parts[0].softmax else {}
    name = named(network, skips) if name is None else name
    adapters = {network.shapes.skips[index].label() for index in skips}
    found = ([name] if name else []) + _unusual(parts, adapters, shared.get(parts[0].id) if len(parts) == 1 else None)
    on = sum(part.in_force for part in parts)
    return [f"{on} of {len(parts)} on", *found] if 0 < on < len(parts) else found


def branch_edge_labels(network: Network, index: int) -> list[str]:
    """Return the words on an edge of a branch; there is no room for its adapter."""
    return _unusual([network.edges[index]], set(), None)


def _unusual(parts: Sequence[Skip | Edge], adapters: set[str], share: float | None) -> list[str]:
    found, strengths = [], {part.strength for part in parts}
    if share is not None:
        found.append(f"{100 * share:.0f} %")
    elif strengths != {1.0} or any(part.learned for part in parts):
        digits = ".2f" if any(part.learned for part in parts) else ".3g"
        found.append(f"×{strengths.pop():{digits}}".replace("-", "−") if len(strengths) == 1 else "× mixed")
    if len(adapters) == 1:
        found += [word for word in adapters.pop().split(" · ") if word]
    gains = {part.gain for part in parts}
    if gains != {1.0}:
        found.append(f"▽ ×{gains.pop():.3g}" if len(gains) == 1 else "▽ mixed")
    return found


def named(network: Network, skips: Sequence[int]) -> str:
    """Return what the branch does that skips come from; '' where they come from none, or from several."""
    vias = {network.skips[index].via for index in skips}
    return branch(network, vias.pop()) if len(vias) == 1 and "" not in vias else ""


def branch(network: Network, via: str) -> str:
    """Return what a branch is called or does, in few letters: `SE ÷16`, `3×3·64 BN`, or how many boxes it has.

    What reads a further input is called after that: `source→encoder`.
    """
    nodes = feeding(network, via)
    name = _branch(network, nodes)
    if network.further:
        names = {node.id for node in nodes}
        read = {edge.source for edge in network.edges if edge.target in names}
        name = "→".join([*(one for one in network.further if one in read), name])
    return name


def _branch(network: Network, nodes: Sequence[Node]) -> str:
    ids = () if network.watched else (node.id for node in nodes)  # of somebody's own module they are paths
    groups = {GROUP.match(name)[0] for name in ids if "." in name and GROUP.match(name)}
    if len(groups) == 1 and groups != {"u"}:
        name = name.upper() if len(name := groups.pop()) < 3 else name
        widths = [node.op.width for node in nodes if node.op.kind == "linear"]
        return f"{name} ÷{widths[1] / widths[0]:g}" if name == "SE" and len(widths) == 2 else name
    said = "→".join(filter(None, (short(node, axes(network.input)) for node in nodes)))
    if len(nodes) == 1 and nodes[0].norm != "none" and said == nodes[0].op.short(axes(network.input)):
        said += f" {letters(nodes[0].norm)}"
    return said if said and len(said) <= MOST_LETTERS else f"{len(nodes)} box" + "es" * (len(nodes) > 1)


def foldable(name: str) -> str:
    """Return the name of a branch as its toggle says it."""
    return name + FOLDS


def letters(norm: str) -> str:
    """Return a norm in few letters: `BN`."""
    words = NORMS[norm].words.split()
    return words[0] if words[0].isupper() else "".join(word[0].upper() for word in words)


def short(layer: Layer, axes: int = 2) -> str:
    """Return what a box does in few letters, of states of so many axes."""
    norm = [letters(layer.norm)] if layer.norm != "none" else []
    activation = [ACTIVATIONS[layer.activation].words] if layer.activation != "none" else []
    return layer.op.short(axes) or " ".join((norm + activation)[:2]) or ("scale" if layer.scale_learned else "")


def differ(network: Network) -> bool:
    """Return whether a network's boxes are of several operations, or of others than plain linear layers."""
    return {layer.op.kind for layer in network.layers} != {"linear"}


def network(described: Network) -> str:
    """Return the sentence that names the whole diagram."""
    on = sum(skip.in_force for skip in described.skips)
    layers = f"{described.depth} layer" + ("s" if described.depth > 1 else "")
    skips = f"{on} of {len(described.skips)} skips on" if described.skips else "no skips"
    return f"Network of {layers}, {skips}; the input is at the bottom."


def layer(described: Network, layers: Sequence[int]) -> str:
    """Return the sentence of a box."""
    first = described.layers[layers[0]]
    parts = [first.op.label()]
    if first.norm != "none":
        parts.append(NORMS[first.norm].words)
    if first.activation != "none":
        parts.append(ACTIVATIONS[first.activation].words)
    if weightless(described, layers):
        parts.append("only a learned scale" if first.scale_learned else "no weights")
    if first.dropout:
        parts.append(f"dropout {first.dropout:g}")
    if first.drop_path:
        parts.append(f"drop-path {first.drop_path:g}")
    if first.zero_gamma:
        parts.append("γ from 0")
    if not first.on:
        parts.append("switched off")
    if first.gain != 1:
        parts.append(f"gradient gain {first.gain:.3g}")
    times = f" in each of {len(layers)} repeats" if len(layers) > 1 else ""
    return f"Layer f({layers[0] + 1}){times}: {', '.join(parts)}"


def weightless(described: Network, layers: Sequence[int]) -> str:
    """Return what boxes without weights do ("max pool"), '' for any that has some; a learned scale is none."""
    shapes = [(described.layers[index], described.shapes.layers[index]) for index in layers]
    if any(shape.parameters > layer.scale_count(shape.input) for layer, shape in shapes):
        return ""
    first = described.layers[layers[0]]
    alone = isinstance(first.op, Identity) and first.activation != "none"
    return ACTIVATIONS[first.activation].words if alone else first.op.label()


def valve(described: Network, layers: Sequence[int]) -> str:
    """Return the sentence of a gain valve."""
    gain = described.layers[layers[0]].gain
    action = "let the gradient through" if gain == 0 else "kill the gradient here"
    return f"Gradient gain of f({layers[0] + 1}): {gain:.3g}. Press Enter to {action}."


def skip(described: Network, skips: Sequence[int]) -> str:
    """Return the sentence of a red line."""
    first = described.skips[skips[0]]
    on = sum(described.skips[index].in_force for index in skips)
    if len(skips) > 1:
        return f"{len(skips)} skips, {on} on, {first.merge}; the first from h({first.source}) to h({first.target})"
    strength = _strength(first)
    if first.via:
        strength += f", through {branch(described, first.via)}"
    return f"Skip from h({first.source}) to h({first.target}), {first.merge}{strength}, {'on' if on else 'off'}"


def _strength(part: Skip | Edge) -> str:
    if part.strength == 1 and not part.learned:
        return ""
    return f", strength {part.strength:.3g}".replace("-", "−") + ", learned" * part.learned


def edge(part: Edge, name: dict[str, str]) -> str:
    """Return the sentence of an edge of a branch."""
    return f"Edge {ends(part, name)}{_strength(part)}, {'on' if part.in_force else 'off'}"


def ends(part: Edge, name: dict[str, str]) -> str:
    """Return where an edge of a branch leads from and to: `h(3) → mean`."""
    return f"{name[part.source]} → {name[part.target]}"


def names(described: Network) -> dict[str, str]:
    """Return what is said of whatever edges of branches lead from and to, by the name that they have for it."""
    states = {name: f"h({k})" for name, k in places_of(described).items()}
    count = axes(described.input)
    boxes = {node.id: doing(node, count) for node in described.branches}
    return states | {name: name for name in described.further} | boxes


def doing(node: Node, axes: int) -> str:
    """Return what a box beside the trunk does in few letters: its merge's name, or its operation."""
    return node.op.kind if node.is_merge else short(node, axes) or node.op.label()


def box(node: Node) -> str:
    """Return the sentence of a box beside the trunk."""
    return f"Beside the trunk: {node.words()}"


def collapsed_group(described: Network, first: int, last: int, blocks: int, name: str = "") -> str:
    """Return the sentence of a collapsed group; `first` and `last` count layers from 1, `name` is that of its groups."""
    count = last - first + 1
    size = f"{count // blocks} layers" if count >= 2 * blocks else "one layer"
    shares = sorted({layer.dropout for layer in described.layers[first - 1 : last]} - {0})
    dropped = f", dropout {' or '.join(f'{share:g}' for share in shares)}" if shares else ""
    held = f"{name}: {count} layers" + (f" in {blocks} blocks" if blocks < count else "") if name else f"{blocks} blocks of {size}"
    return f"{held}{dropped}, f({first}) to f({last}), folded. Press Enter to open {'it' if name else 'two of them'}."
