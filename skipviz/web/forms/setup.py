"""The sidebar's few numbers of a stack of equal layers, read off an experiment and turned back into one.

A network that no family gives has the pattern `custom`: rebuilding it keeps the skips that still fit.
"""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen, NetworkError, Width
from ...network.family.trunk import branch_scale
from ...network.layer import MAX_INIT_FACTOR, Layer
from ...network.merge import MERGES
from ...network.network import MAX_LAYERS, Network
from ...network.pattern import skips_of
from ...tasks.experiment import Experiment
from ...tasks.objective import fitted_loss
from ...tasks.task import Task
from .form import SCALES

FAMILIES = {"mlp": "MLP", "conv": "Convolutional"}
PATTERNS = ("none", "residual", "nested", "dense", "custom")


class Setup(Frozen):
    """What the sidebar shows of a network."""

    family: str
    depth: int = Field(ge=1, le=MAX_LAYERS)
    width: Width
    activation: str
    norm: str
    order: str
    init: str
    init_factor: float = Field(1.0, gt=0, le=MAX_INIT_FACTOR)
    pattern: str
    every: int = Field(ge=1, le=MAX_LAYERS)
    merge: str
    scale: str
    """Of the ends of residual branches: a name of `branch_scale`, `none`, or `custom` for scales of their own."""


def is_stack(network: Network) -> bool:
    """Return whether the network is of linear layers only, or of convolutions only, which a stack's settings describe."""
    return not network.branches and {layer.op.kind for layer in network.layers} in ({"linear"}, {"conv"})


def setup_of(network: Network) -> Setup:
    """Return the settings nearest to `network`: its most common layer, and the pattern of its skips if it has one."""
    kinds = [layer.op.kind for layer in network.layers]
    common = Counter(
        (getattr(layer.op, "width", 1), layer.activation, layer.norm, layer.order, layer.init, layer.init_factor)
        for layer in network.layers
    ).most_common(1)[0][0]
    pattern, every, merge = pattern_of(network)
    return Setup(
        family="mlp" if all(kind == "linear" for kind in kinds) else "conv",
        depth=network.depth,
        width=common[0],
        activation=common[1],
        norm=common[2],
        order=common[3],
        init=common[4],
        init_factor=common[5],
        pattern=pattern,
        every=every,
        merge=merge,
        scale=scale_name(network),
    )


def scale_name(network: Network) -> str:
    """Return the name of the branch scale that every layer at which adds land has, and no other."""
    ends = {skip.target for skip in network.skips if MERGES[skip.merge].sums}
    found = {k: {"scale": layer.scale, "scale_learned": layer.scale_learned} for k, layer in enumerate(network.layers, 1)}
    scaled = {k for k, fields in found.items() if fields["scale"] is not None}
    if not scaled:
        return "none"
    named = (name for name in SCALES if name != "none" and scaled == ends)
    return next((name for name in named if all(found[k] == branch_scale(name, len(ends)) for k in ends)), "custom")


def pattern_of(network: Network) -> tuple[str, int, str]:
    """Return (pattern, spacing, merge) of the network's skips; `custom` when no pattern gives them."""
    if not network.skips:
        return "none", 2, "add"
    merges = {skip.merge for skip in network.skips}
    spans = Counter(skip.target - skip.source for skip in network.skips)
    merge = network.skips[0].merge
    if len(merges) == 1:
        pairs = {(skip.source, skip.target) for skip in network.skips}
        first = network.skips[0]
        guesses = [("nested", min(s.source for s in network.skips)), *(("dense", block) for block in range(2, 13))]
        residual = ("residual", spans.most_common(1)[0][0])
        guesses = [*guesses, residual] if first.joins else [residual, *guesses]
        for pattern, every in guesses:
            try:
                skips = skips_of(pattern, network.shapes.states, max(1, every), first.merge)
            except NetworkError:
                continue
            if {(skip.source, skip.target) for skip in skips} == pairs:
                return pattern, max(1, every), merge
    return "custom", spans.most_common(1)[0][0], merge


def rebuilt(experiment: Experiment, setup: Setup, task: Task | None = None) -> Experiment:
    """Return `experiment` with its first variant's network built anew from `setup`, for `task`.

    Raises `NetworkError`, also if `task` needs a published architecture.

    Skips that stay keep whether they are on and how strong they are.
    """
    task = task or experiment.task
    old = experiment.network
    stacks = [family for family in task.kind.families if family in FAMILIES]
    if not stacks:
        raise NetworkError("the task gives tokens, which a stack of layers cannot read: choose a Transformer")
    family = setup.family if setup.family in stacks else stacks[0]
    make = families.conv if family == "conv" else families.mlp
    custom = setup.pattern == "custom"
    network = make(
        depth=setup.depth,
        width=setup.width,
        skip_every=0 if custom or setup.pattern == "none" else setup.every,
        merge=setup.merge if setup.pattern != "none" and not custom else None,
        pattern="none" if custom else setup.pattern,
        activation=setup.activation,
        norm=setup.norm,
        order=setup.order,
        init=setup.init,
        input=task.input_for(images=family == "conv"),
        head=task.head(),
    )
    kept = {(skip.source, skip.target): skip for skip in old.skips}
    if custom:
        skips = tuple(skip for skip in old.skips if skip.target <= network.depth)
    else:
        known = old.skips and all(not skip.on for skip in old.skips)
        skips = tuple(
            skip.model_copy(update={"on": kept[key].on, "strength": kept[key].strength, "gain": kept[key].gain})
            if (key := (skip.source, skip.target)) in kept
            else skip.model_copy(update={"on": not known})
            for skip in network.skips
        )
    network = network.replaced(skips=skips)
    layers = _with_own_settings(_scaled(network, setup), old, setup.scale == "custom")
    network = edit.rested(network.replaced(layers=layers), {layer.id for layer in old.layers if not layer.on})
    name = next(iter(experiment.variants))
    variants = {**experiment.variants, name: network}
    return experiment.replaced(variants=variants, task=task, training=fitted_loss(task, experiment.training))


def _scaled(network: Network, setup: Setup) -> tuple[Layer, ...]:
    """Return the layers with the factor on their initial weights, those at which adds land with the branch scale."""
    layers = [layer.model_copy(update={"init_factor": setup.init_factor}) for layer in network.layers]
    if setup.scale in ("none", "custom"):
        return tuple(layers)
    ends = {skip.target for skip in network.skips if MERGES[skip.merge].sums}
    fields = branch_scale(setup.scale, len(ends))
    return tuple(layer.replaced(**fields) if k in ends else layer for k, layer in enumerate(layers, 1))


def _with_own_settings(layers: tuple[Layer, ...], old: Network, scales: bool) -> tuple[Layer, ...]:
    """Return `layers` with the gain, and with `scales` the branch scale, that layers of the same id had.

    A stack's dropout was set by hand and stays too; a family's goes with the family.
    """
    names = ("gain", *(("scale", "scale_learned") if scales else ()), *(("dropout", "drop_path") if is_stack(old) else ()))
    kept = {layer.id: {name: getattr(layer, name) for name in names} for layer in old.layers}
    return tuple(layer.model_copy(update=kept.get(layer.id, {})) for layer in layers)
