"""The data of the browser's part: the network, its drawing, its gradient at initialisation, its run."""

from __future__ import annotations

from typing import get_args

from ...drawing import aligned, diagram, udiagram, words
from ...engine.capacity.duration import shape_of, step_seconds
from ...engine.capacity.limits import memory_mb
from ...evidence.theory import predicted
from ...network.base import NetworkError, Shape, axes, channels, is_image, kernel_words, spatial, written
from ...network.branch import Beside
from ...network.edge import Edge
from ...network.init import INITS
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.network import Network
from ...network.norm import NORMS
from ...network.placement import PLACEMENTS
from ...network.positions import Between
from ...network.shapes import NodeShape, SkipShape
from ...network.share import shares
from ...network.skip import Adapter, Skip
from ...network.way import Way, ways_of_edges
from ...sharing import link
from ...storage import Run
from ...tasks.apart import apart
from ...tasks.cautions import cautions
from ...tasks.experiment import Experiment
from ...tasks.training_words import recipe_words, schedule_words
from ...tasks.variants import usual_words
from ..session_state.editor import Editor
from .differences import history
from .operation_fields import operation_fields, skip_fields
from .remembered import remembered

LAB_HEIGHT = 660
MOST_BOXES = 12
"""Of one branch that a page lists: a hint has no room for more, and a page's data stays bounded."""
FIGURE_HEIGHT = 440
PROBE_SECONDS = 1.5
"""Longest wait for the gradient at initialisation; a page that has to do without asks again."""
COLD_SECONDS = 0.05
"""Likewise while the server has just begun and nothing can be measured yet: the page is drawn first."""


def note(network: Network) -> str:
    """Return init and norm in words: both decide whether a plain network's gradient vanishes."""
    inits = {layer.init for layer in network.weighted} or {"torch"}
    factors = {layer.init_factor for layer in network.weighted}
    norms = {layer.norm for layer in network.layers} - {"none"} or {"none"}
    init = f"{INITS[inits.pop()].words} init" if len(inits) == 1 else "mixed inits"
    if factors - {1.0}:
        init += f" ×{factors.pop():g}" if len(factors) == 1 else " × mixed factors"
    said = {"none": "no norm", **{name: norm.words for name, norm in NORMS.items()}}
    return f"{init}, {said[norms.pop()] if len(norms) == 1 else 'mixed norms'}"


def network_data(network: Network) -> dict:
    """Return the parts a person can point at, with shapes and parameter counts."""
    shapes, fields = network.shapes, operation_fields()
    layers = [
        {"k": k, **_layer_data(layer, shape, fields)}
        for k, (layer, shape) in enumerate(zip(network.layers, shapes.layers, strict=True), start=1)
    ]
    branches = [
        {"name": words.doing(node, axes(network.input)), "says": node.words(), **_layer_data(node, shape, fields)}
        for node, shape in zip(network.branches, shapes.branches, strict=True)
    ]
    into = {way.skip.id: way for found in ways_of_edges(network).values() for way in found}
    name, merging = words.names(network), {node.id for node in network.branches if node.is_merge}
    beside = Beside(network)
    shared = shares(network.skips, {})
    skips = [_skip_data(network, index, beside, shared) for index in range(len(network.skips))]
    # What adds scores of several scales is no residual network, though its skips are sums.
    scaled_up = any(layer.op.coarsens < 1 for layer in network.layers)
    residual = all(MERGES[skip.merge].sums for skip in network.skips) and not scaled_up
    return {
        "depth": network.depth,
        "weighted": len(network.weighted),
        "note": note(network),
        "parameters": network.parameter_count(),
        "layers": layers,
        "branches": branches,
        "skips": skips,
        "edges": [_edge_data(edge, into[edge.id], words.ends(edge, name), edge.target in merging) for edge in network.edges],
        "skips_total": len(skips),
        "skips_on": sum(skip.in_force for skip in network.skips),
        "words": ["Plain", "Residual"] if residual else ["Skips off", "On"],
    }


def _layer_data(layer: Layer, shape: NodeShape, fields: dict) -> dict:
    """Return a box as a page gets it, on the trunk or beside it."""
    return {
        "id": layer.id,
        "label": layer.op.label(),
        "kind": layer.op.kind,
        "op": _unusual(layer.op, fields[layer.op.kind]) if layer.op.kind in fields else {},
        "activation": layer.activation,
        "norm": layer.norm,
        "order": layer.order,
        "init": layer.init,
        "init_factor": layer.init_factor,
        "dropout": layer.dropout,
        "drop_path": layer.drop_path,
        "zero_gamma": layer.zero_gamma,
        "on": layer.on,
        "gain": layer.gain,
        "shape": written(shape.output),
        "parameters": shape.parameters,
    }


def _unusual(op, fields: dict) -> dict:
    """Return the fields of an operation that are not at their defaults."""
    return {name: value for name, field in fields.items() if (value := getattr(op, name)) != field["default"]}


def _skip_data(network: Network, index: int, beside: Beside, shared: dict[str, float]) -> dict:
    skip, shape = network.skips[index], network.shapes.skips[index]
    source = beside.read[skip.via] if skip.via else network.shapes.states[skip.source]
    target = network.shapes.states[skip.target]
    return {
        **_way_data(skip, skip, shape, source, target),
        "source": skip.source,
        "target": skip.target,
        "merge": skip.merge,
        "softmax": skip.softmax,
        "share": shared.get(skip.id),
        "matrix": list(matrix(skip)) if (matrix := MERGES[skip.merge].matrix) else None,
        "fields": {name: getattr(skip, name) for name in MERGES[skip.merge].fields if name in skip_fields()},
        "via": skip.via,
        "branch": words.branch(network, skip.via) if skip.via else "",
        # Of a long branch the boxes nearest to its end, in the order in which they are computed.
        "boxes": [beside.places[node.id] for node in beside.feeding(skip.via, MOST_BOXES)] if skip.via else [],
    }


def _edge_data(edge: Edge, way: Way, name: str, merges: bool) -> dict:
    """Return an edge of a branch as a page gets it: as a skip, as far as an edge has its fields."""
    data = {**_way_data(edge, way.skip, way.shape, way.carries, way.target), "name": name}
    return data | {"to": edge.target, "merges": merges} | ({} if merges and edge.port else {"adapters": [], "spatials": []})


def _way_data(part: Skip | Edge, skip: Skip, shape: SkipShape, source: Shape, target: Shape) -> dict:
    """Return a skip as a page gets it, or an edge, which carries as a skip does."""
    return {
        "id": part.id,
        "on": part.on,
        "strength": part.strength,
        "learned": part.learned,
        "rate": part.rate,
        "gain": part.gain,
        "adapter": shape.adapter.channels + (f" {shape.adapter.kernel}" if shape.adapter.kernel > 1 else ""),
        "adapter_label": shape.label(),
        "adapters": _channel_parts(skip, source, target),
        "spatial": shape.adapter.spatial,
        "spatials": _spatial_parts(skip, source, target),
        "parameters": shape.parameters,
    }


def _channel_parts(skip: Skip, source: Shape, target: Shape) -> list[list[str]]:
    """Return the channel parts of adapters that join two states, a projection by each of its kernels, and their words."""
    equal = channels(source) == channels(target)
    identity = [["none", "identity"]] if equal or skip.joins else []
    pad = [["pad", "pad"]] if channels(source) < channels(target) and not skip.joins else []
    kernels = get_args(Adapter.model_fields["kernel"].annotation)[1:] if len(source) > 1 else ()
    square = is_image(source)
    wide = [[f"project {kernel}", kernel_words(kernel, source) if square else f"{kernel} positions"] for kernel in kernels]
    return [*identity, *pad, ["project", kernel_words(1, source) if square else "linear"], *wide]


def _spatial_parts(skip: Skip, source: Shape, target: Shape) -> list[list[str]]:
    """Return the spatial parts of adapters by which a state gets to the positions of another; none where they are the same."""
    if MERGES[skip.merge].own_positions or len(source) != len(target) or spatial(source) == spatial(target):
        return []
    between = Between.of(source, target)
    return [[name, kind.words] for name, kind in PLACEMENTS.items() if kind.problem(between) is None]


def editor_data(
    editor: Editor,
    engine,
    owner: str,
    *,
    page: str,
    compact: bool,
    repeat: int = 1,
    height: int | None = None,
    asker: str | None = None,
) -> dict:
    """Return all that one panel or the lab shows of `editor`; the probe waits a bounded time.

    `height` is what a projector's screen leaves for the lab's diagram, px; `asker` names whoever's turn the measurement at
    initialisation is, the editor by default.
    """
    experiment, network = editor.experiment, editor.network
    run = engine.run(editor.run) if editor.run else None
    seconds = PROBE_SECONDS if engine.warm else COLD_SECONDS
    # An editor keeps its place in memory as long as its page is there, and asks again only as long.
    probe = None if editor.run else engine.probe(experiment, timeout=seconds, page=asker or f"editor {id(editor)}")
    unmeasured = probe.get("problem") if probe else None
    probe = None if unmeasured else probe
    screen = height is not None
    height = round((height or LAB_HEIGHT) * editor.zoom) if page == "lab" else FIGURE_HEIGHT
    several = page == "lab" and len(experiment.variants) > 1
    seen = {"page": page, "height": height, "unfolded": editor.unfolded, "folded": editor.folded, "screen": screen}
    if several:
        drawings = dict(zip(experiment.variants, aligned.draw([*experiment.variants.values()], **seen), strict=True))
        drawing, u = drawings[editor.variant], None
    else:
        layers = None if editor.layout is None else editor.layout == "layers"
        drawing = diagram.draw(network, compact=compact, repeat=repeat, layers=layers, **seen)
        u = _u_data(editor, compact, height) if page == "lab" else None
    opened = u["diagram"]["unfolded"] if u and u["on"] else drawing.unfolded
    return {
        "variant": editor.variant,
        "beside": usual_words(network),
        "columns": _columns(experiment, drawings) if several else [],
        "history": history(run, experiment.variants) if several else [],
        "network": network_data(network),
        "diagram": drawing.to_data(),
        "u": u,
        "layers": {"on": drawing.shape == "layers"} if page == "lab" and not several and diagram.has_layers(network) else None,
        "probe": probe,
        "cautions": cautions(experiment) if page == "lab" else [],
        "theory": _theory(network) if page == "lab" else None,
        "estimate": _estimate(experiment, probe, engine),
        "pending": probe is None and unmeasured is None and editor.run is None and engine.has_data(experiment),
        "unmeasured": unmeasured,
        "run": editor.run,
        "mine": run is None or run.owner == owner,
        "steps": experiment.training.steps,
        "learning_rate": experiment.training.learning_rate,
        "schedule": schedule_words(experiment.training),
        "recipe": recipe_words(experiment.training),
        "task": experiment.task.kind.title.lower(),
        "metric": experiment.task.kind.metric,
        "link": link_of(experiment),
        "began": _began(run, experiment),
        "zoom": editor.zoom,
        "unfolded": sorted(opened if editor.unfolded is None else editor.unfolded, key=str),
        "undo": len(editor.document.undo),
        "redo": len(editor.document.redo),
        "select": editor.select,
    }


def _columns(experiment: Experiment, drawings: dict[str, diagram.Diagram]) -> list[dict]:
    """Return the networks of a comparison in order, and how each differs from the others."""
    found = apart(experiment.variants)
    return [
        {
            "variant": name,
            "network": network_data(network),
            "diagram": drawings[name].to_data(),
            **found[name],
            "theory": _theory(network),
        }
        for name, network in experiment.variants.items()
    ]


def _u_data(editor: Editor, compact: bool, height: int) -> dict | None:
    """Return whether the network's U is shown (`on`) and then its drawing, or None where there is no U."""
    if not udiagram.has_u(editor.network):
        return None
    on = editor.layout == "u"
    draw = {"compact": compact, "height": height, "unfolded": editor.unfolded}
    return {"on": on, "diagram": udiagram.draw_u(editor.network, **draw).to_data() if on else None}


def _estimate(experiment: Experiment, probe: dict | None, engine) -> dict:
    """Return about how long a step takes, in seconds, whether it was measured in a run, and how much memory one takes, in MB."""
    took = engine.step_took(_shape(experiment))
    if took is not None:
        return {"seconds": round(took, 6), "measured": True, "memory_mb": _memory_mb(experiment)}
    seconds = step_seconds(experiment, probe["frame"].get("seconds") if probe else None)
    return {"seconds": round(seconds, 5), "memory_mb": _memory_mb(experiment)}


@remembered
def _theory(network: Network) -> dict:
    """Return what theory predicts of each state's gradient, as a multiple of the last one's, or the reason why nothing."""
    found = predicted(network)
    return {"gradients": [finite and round(finite, 12) for finite in found.gradients], "reason": found.reason}


@remembered
def _shape(experiment: Experiment) -> str:
    return shape_of(experiment)


@remembered
def _memory_mb(experiment: Experiment) -> int:
    return round(memory_mb(experiment))


def _began(run: Run | None, experiment: Experiment) -> str:
    """Return what the run began with as a link's text; nothing where that is what is shown, or where no link holds it."""
    began = run.began if run is not None else None
    return "" if began is None or began == experiment else link_of(began)


@remembered
def link_of(experiment: Experiment) -> str:
    """Return the experiment as a link's text, or nothing for one that no link holds."""
    try:
        return link.encode(experiment)
    except (link.LinkError, NetworkError):
        return ""
