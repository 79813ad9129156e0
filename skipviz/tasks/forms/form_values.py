"""A published architecture with the values of its form, and whether a network has its structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ...network.branch import INPUT
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.network import Network
from ...network.origin import Origin
from ...network.placement import PLACEMENTS
from ...network.skip import Adapter, Skip
from ..task import Task
from . import FORMS


@dataclass(frozen=True)
class FormValues:
    """A family with the values of its settings, in the form's order."""

    family: str
    values: tuple

    def settings(self) -> dict:
        """Return the values by name."""
        return dict(zip((setting.name for setting in FORMS[self.family].settings), self.values, strict=True))

    def changed(self, **values) -> FormValues:
        """Return the form with some values replaced, and those that no longer go with them by the nearest that do."""
        before = self.settings()
        now = {**before, **FORMS[self.family].along(values), **values}
        for setting in FORMS[self.family].settings:
            if setting.name not in values:
                now[setting.name] = setting.nearest(before, now)
        return values_of(self.family, now)

    def followed(self, before: Task, task: Task) -> FormValues:
        """Return the form as another task wants it."""
        return values_of(self.family, FORMS[self.family].follow(self.settings(), before, task))


def values_of(family: str, values: dict) -> FormValues:
    """Return the family with these values, one for each setting."""
    return FormValues(family, tuple(values[setting.name] for setting in FORMS[family].settings))


def usual_values(family: str, task: Task | None = None) -> FormValues:
    """Return the family with its usual settings, for `task` if it is not the family's own."""
    usual = values_of(family, FORMS[family].defaults())
    return usual.followed(Task(name=FORMS[family].tasks[0]), task) if task else usual


def fits(family: str, task: Task) -> bool:
    """Return whether a published architecture is built for the task's kind of data."""
    return FORMS[family].fits(task)


def built(form: FormValues, task: Task) -> Network:
    """Return the form's network for `task`, which says what made it; raises `NetworkError`."""
    usual, values = FORMS[form.family].defaults(), form.settings()
    origin = Origin(family=form.family, values={name: value for name, value in values.items() if value != usual[name]})
    return FORMS[form.family].make(task, **values).model_copy(update={"origin": origin})


def stored_values(origin: Origin | None, task: Task) -> FormValues | None:
    """Return what a network says that it was made with, as far as its form takes that for `task`."""
    if origin is None or origin.family not in FORMS or not fits(origin.family, task):
        return None
    form = FORMS[origin.family]
    values = {**form.defaults(), **origin.values}
    known = len(values) == len(form.settings) and all(setting.takes(values) for setting in form.settings)
    return values_of(origin.family, values) if known else None


def followed_words(before: FormValues, after: FormValues) -> str:
    """Return which settings of a family differ, as a sentence; nothing where all are the same."""
    old, new = before.settings(), after.settings()
    differing = [setting for setting in FORMS[after.family].settings if old[setting.name] != new[setting.name]]
    said = [f"{one.label} {one.shown(new[one.name])} instead of {one.shown(old[one.name])}" for one in differing]
    return f"{', '.join(said)}." if said else ""


@cache
def published(form: FormValues) -> tuple[str, int] | None:
    """Return the name and the parameters of the paper's own network nearest to the form, where a paper fixes one."""
    says = FORMS[form.family].published
    return says(**form.settings()) if says else None


def size_words(form: FormValues, network: Network) -> str:
    """Return how large the form's network is drawn, and beside it how large it was published."""
    size, count = "×".join(map(str, network.input)), network.parameter_count()
    paper = published(form)
    if paper is None:
        return f"Drawn for {size} inputs: {count:,} parameters."
    name, published_count = paper
    if count == published_count:
        return f"As published ({name}): {count:,} parameters."
    return f"Drawn here for {size} inputs: {count:,} parameters. At the paper's size ({name}): {published_count:,} parameters."


def parts(network: Network) -> dict:
    """Return the network's fields with all switched on, at full strength and gain, and parts named by their places.

    That is what a family gives: networks of one structure are equal then, whoever named their parts.
    """
    layers = tuple(layer.model_copy(update={"id": f"f{k}", "on": True, "gain": 1.0}) for k, layer in enumerate(network.layers, 1))
    resolved = zip(network.skips, network.shapes.skips, strict=True)
    skips = sorted((plain_skip(skip, shape.adapter) for skip, shape in resolved), key=lambda skip: (skip.target, skip.source))
    found = {"input": network.input, "layers": layers, "skips": tuple(skips), "head": network.head}
    found |= dict.fromkeys(("branches", "edges", "groups"), ())
    if network.branches or network.tied or any(layer.shares for layer in layers):
        found |= _named(network, layers, skips)
    return found


def _named(network: Network, layers: tuple[Layer, ...], skips: list[Skip]) -> dict:
    """Return what names other parts, and branches' nodes and edges, all named by their places."""
    names = {name: name for name in (INPUT, *network.further)} | {layer.id: f"f{k}" for k, layer in enumerate(network.layers, 1)}
    names |= {node.id: f"b{k}" for k, node in enumerate(network.branches, 1)}
    plain = {"on": True, "gain": 1.0}
    names[""] = ""
    nodes = tuple(
        node.model_copy(update={"id": names[node.id], "shares": names[node.shares], **plain}) for node in network.branches
    )
    edges = tuple(
        edge.model_copy(
            update={"id": f"e{k}", "source": names[edge.source], "target": names[edge.target], "strength": 1.0, **plain}
        )
        for k, edge in enumerate(network.edges, 1)
    )
    named = tuple(skip.model_copy(update={"via": names[skip.via]}) for skip in skips)
    layers = tuple(layer.model_copy(update={"shares": names[layer.shares]}) for layer in layers)
    return {"layers": layers, "skips": named, "branches": nodes, "edges": edges, "tied": names[network.tied]}


def plain_skip(skip: Skip, adapter: Adapter) -> Skip:
    """Return the skip with its adapter as it is in force, what it does not use left out."""
    unused = {} if adapter.channels == "project" else {"bias": True, "norm": "none", "init": "torch", "width": None, "kernel": 1}
    unused |= {} if adapter.spatial in PLACEMENTS and PLACEMENTS[adapter.spatial].offset else {"offset": None}
    strength = {} if skip.learned else {"strength": 1.0}
    name = {"id": f"s{skip.source}-{skip.target}", "on": True, "gain": 1.0, **strength}
    return skip.model_copy(update={**name, **_unused(skip.merge), "adapter": adapter.model_copy(update=unused)})


@cache
def _unused(merge: str) -> dict:
    """Return the defaults of a skip's fields that other merges have and this one has not."""
    fields = {name for kind in MERGES.values() for name in kind.fields} - {*MERGES[merge].fields}
    return {name: Skip.model_fields[name].get_default() for name in fields}


def structure(network: Network) -> int:
    """Return a number that networks share which differ in names, switches, strengths and gains only."""
    return hash(tuple(parts(network).values()))
