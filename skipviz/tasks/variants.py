"""The networks of a comparison: added beside another, named, placed, taken away."""

from __future__ import annotations

from ..network import edit
from ..network.base import NetworkError
from ..network.network import Network
from . import presets
from .experiment import LABELS, LONGEST_LABEL, Experiment, is_label
from .forms import FORMS
from .forms.architecture import with_family
from .forms.family_detection import recognised

MOST = 4
"""Networks that are compared."""
SPAN = 2
"""Layers that a residual skip leads past where a network has none."""


def compared(experiment: Experiment, variant: str, how: str, name: str = "") -> Experiment:
    """Return the experiment with one more network beside `variant`.

    `how` is `off` (the same network, its skips off), `residual` (its skips on, or new ones), `usual` (the one of them that it is
    not), `copy`, `preset` or `family`, of which `name` says which one. Raises `NetworkError` with a sentence.
    """
    if len(experiment.variants) >= MOST:
        raise NetworkError(f"{MOST} networks are compared at most: remove one first")
    base = experiment.variants[variant]
    network, called = {
        "off": lambda: (without_skips(base), "without-skips"),
        "residual": lambda: (residual(base), "residual"),
        "copy": lambda: (base, f"{variant[:27]}-copy"),
        "preset": lambda: (preset_network(experiment, name), name),
        "family": lambda: (_family_network(experiment, variant, name), name),
    }[usual(base) if how == "usual" else how]()
    called = _free(experiment, called)
    names = [*experiment.variants]
    names.insert(names.index(variant) + 1, called)
    copied = {called: f"{experiment.label(variant)[:27]}-copy"} if how == "copy" and variant in experiment.labels else {}
    labels = {**experiment.labels, **{name: _free(experiment, label) for name, label in copied.items()}}
    variants = {one: network if one == called else experiment.variants[one] for one in names}
    return experiment.replaced(variants=variants, labels=labels)


def usual(network: Network) -> str:
    """Return what a network is compared with first: `off` where skips of it are on, else `residual`."""
    return "off" if any(skip.in_force for skip in network.skips) else "residual"


def usual_words(network: Network) -> str:
    """Return on a button what the usual comparison is."""
    return {"off": "Compare without skips", "residual": "Compare with skips on"}[usual(network)]


def removed(experiment: Experiment, variant: str) -> Experiment:
    """Return the experiment without one of its networks; raises `NetworkError` where it is the last."""
    if len(experiment.variants) == 1:
        raise NetworkError("one network has to stay")
    kept = {name: network for name, network in experiment.variants.items() if name != variant}
    if len(kept) == len(experiment.variants):
        raise KeyError(variant)
    return experiment.replaced(variants=kept)


def renamed(experiment: Experiment, variant: str, name: str) -> Experiment:
    """Return the experiment with one of its networks called `name`, which is fitted to what labels may be; its key stays."""
    plain = "".join(character if character.isprintable() and character not in ',"\\' else " " for character in name)
    label = " ".join(plain.split())[:LONGEST_LABEL].rstrip()
    if not is_label(label):
        raise NetworkError(LABELS)
    return experiment.replaced(labels={**experiment.labels, variant: label})


def moved(experiment: Experiment, variant: str, place: int) -> Experiment:
    """Return the experiment with one of its networks at another place, 0 being the first."""
    names = [name for name in experiment.variants if name != variant]
    names.insert(max(0, min(place, len(names))), variant)
    return experiment.replaced(variants={name: experiment.variants[name] for name in names})


def without_skips(network: Network) -> Network:
    """Return the network with all its skips off; raises `NetworkError` where they are, or where it has none."""
    if not any(skip.in_force for skip in network.skips):
        raise NetworkError("this network has no skip that is on: compare it with skips on")
    return edit.awake(edit.bare(network))


def residual(network: Network) -> Network:
    """Return the network with all its skips on, or, where it has none, with new ones past two layers each.

    Raises `NetworkError` where all are on, or where no two states have one shape.
    """
    if network.skips:
        if all(skip.in_force for skip in network.skips):
            raise NetworkError("all skips of this network are on: compare it without skips")
        off = [skip.id for skip in network.skips if not skip.in_force]
        zero = [skip.id for skip in network.skips if skip.id in off and skip.strength == 0]
        return edit.set_skips(edit.set_skips(network, zero, strength=1.0) if zero else network, off, on=True)
    states, source, made = network.shapes.states, 0, network
    while source + SPAN <= network.depth:
        if states[source] == states[source + SPAN]:
            made = edit.add_skip(made, source, source + SPAN)
            source += SPAN
        else:
            source += 1
    if made is network:
        raise NetworkError("no two states of this network have one shape, two layers apart: draw skips in the diagram")
    return made


def preset_network(experiment: Experiment, name: str) -> Network:
    """Return a preset's first network, with an input and a head that fit the experiment's task; raises `NetworkError`."""
    try:
        return presets.get(name).on(experiment.task).network
    except NetworkError as error:
        title, task = presets.preset(name).title, experiment.task.kind.title.lower()
        raise NetworkError(f"{title}, does not learn {task}: {error}") from None


def _family_network(experiment: Experiment, variant: str, family: str) -> Network:
    if family not in FORMS:
        raise KeyError(family)
    if not FORMS[family].fits(experiment.task):
        raise NetworkError(f"{FORMS[family].title} does not fit {experiment.task.kind.title.lower()}")
    alone = experiment.alone(variant)
    return with_family(alone, recognised(alone), family, experiment.task).network


def _free(experiment: Experiment, name: str) -> str:
    names = (name[:LONGEST_LABEL], *(f"{name[:29]}-{number}" for number in range(2, 2 * MOST + 2)))
    return next(one for one in names if one not in experiment.variants and one not in experiment.labels.values())
