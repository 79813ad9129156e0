"""Which family's settings a network has, found by its structure alone: a link, a file or undo need to say nothing of it.

Every form reads the values nearest to the network off it and builds them anew; where that gives the same structure, those
are its settings. Imports no streamlit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...network.base import NetworkError
from ...network.network import Network
from ...network.skip import Skip
from ...tasks.comparison import Difference, network_differences
from ...tasks.experiment import Experiment
from . import FORMS
from .recipe import Recipe, built, fits, parts, recipe_of
from .setup import FAMILIES, Setup, is_stack, rebuilt, setup_of

ALIKE = 0.5
"""Share of a network's parts that have to be a family's for it to be called that family's, changed by hand."""
MOST_WORDS = 3
"""Differences that are named, the others are counted."""


TITLES = {**FAMILIES, **{name: form.title for name, form in FORMS.items()}}


@dataclass(frozen=True)
class Recognised:
    """The settings that give a network, `recipe` or `stack`, or else the nearest ones and what sets the network apart."""

    recipe: Recipe | None = None
    stack: Setup | None = None
    near: Recipe | Setup | None = None
    apart: str = ""

    @property
    def family(self) -> str | None:
        """The family's name, if a family gives the network."""
        found = self.recipe or self.stack
        return found.family if found else None

    def sentence(self) -> str:
        """Return why there is no form for the network."""
        if self.near is None:
            return "Made by hand: no family gives these layers and skips."
        return f"Changed by hand: {TITLES[self.near.family]} with {self.apart}."


def recognised(experiment: Experiment) -> Recognised:
    """Return what the experiment's network is among the families that fit its task.

    Skips of no pattern are a stack's own setting, unless the network is nearer to a published architecture.
    """
    network, task = experiment.network, experiment.task
    wanted = parts(network)
    near, best = Recognised(), ALIKE
    for family, form in FORMS.items():
        values = form.read(network) if fits(family, task) else None
        if values is None:
            continue
        recipe = recipe_of(family, values)
        try:
            found = built(recipe, task)
        except NetworkError:
            continue
        if parts(found) == wanted:
            return Recognised(recipe)
        likeness = _likeness(parts(found), wanted)
        if likeness > best:
            near, best = Recognised(near=recipe, apart=apart(found, network)), likeness
    return _stack(experiment, wanted, near) if is_stack(network) else near


def _stack(experiment: Experiment, wanted: dict, near: Recognised) -> Recognised:
    """Return the stack that the network is, or what is nearer to it."""
    setup = setup_of(experiment.network)
    try:
        found = rebuilt(experiment, setup).network
    except NetworkError:
        return near
    if parts(found) == wanted and (setup.pattern != "custom" or near.near is None):
        return Recognised(stack=setup)
    if near.near is not None or _likeness(parts(found), wanted) <= ALIKE:
        return near
    return Recognised(near=setup, apart=apart(found, experiment.network))


def _likeness(left: dict, right: dict) -> float:
    """Return the share of two networks' parts that both have, wherever they stand."""
    counts = [
        Counter([*(layer.model_copy(update={"id": ""}) for layer in one["layers"]), *map(_passing, one["skips"])])
        for one in (left, right)
    ]
    return 2 * (counts[0] & counts[1]).total() / (counts[0].total() + counts[1].total())


def _passing(skip: Skip) -> tuple:
    return skip.merge, skip.target - skip.source, skip.adapter, bool(skip.via), skip.learned


def apart(family: Network, network: Network) -> str:
    """Return what the network has that the family's does not, in a few words."""
    plain = [one.replaced(**parts(one)) for one in (family, network)]
    found = [_said(one) for one in network_differences(*plain) if one.what != "parameters"]
    found = found or _unnamed(*plain)
    named, more = found[:MOST_WORDS], len(found) - MOST_WORDS
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _unnamed(family: Network, network: Network) -> list[str]:
    """Return which parts differ in what has no name here: a bias, a kernel, an adapter's start."""
    sides = zip(family.layers, network.layers, strict=False)
    found = [f"f({k}) set otherwise" for k, (left, right) in enumerate(sides, 1) if left != right]
    ends = zip(family.skips, network.skips, strict=False)
    found += [f"skip {right.source}→{right.target} set otherwise" for left, right in ends if left != right]
    found += ["other branches"] if (family.branches, family.edges) != (network.branches, network.edges) else []
    return found or ["a head of its own"]


def _said(one: Difference) -> str:
    if one.what in ("skips", "further skips") and "none" in (one.left, one.right):
        gone = one.right == "none"
        skips = one.left if gone else one.right
        words = f"skip {skips}" if "→" in skips else f"{skips} skips"
        return f"no {words}" if gone else f"{'one more ' if '→' in skips else ''}{words}{'' if '→' in skips else ' more'}"
    return f"{one.what} {one.right} instead of {one.left}"
