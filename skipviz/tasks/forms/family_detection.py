"""Which family's settings a network has.

What made a network stands with it; of one that came without that, the values are searched for that give the same structure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...network.base import NetworkError
from ...network.network import Network
from ...network.skip import Skip
from ..comparison import Difference, network_differences
from ..experiment import Experiment
from ..task import Task
from . import FORMS
from .form_values import FormValues, built, fits, parts, stored_values, structure
from .kept import as_drawn, kept
from .search import Search
from .stack import is_stack

ALIKE = 0.5
"""Share of a network's parts that have to be a family's for it to be called that family's, changed by hand."""
MOST_FAMILIES = 2
"""Most alike at first sight, whose settings are searched."""
KNOWN = 200
"""Networks of which it is known what they were found to be, the newest ones."""
MOST_WORDS = 3
"""Differences that are named, the others are counted."""


TITLES = {name: form.title for name, form in FORMS.items()}


@dataclass(frozen=True)
class Recognised:
    """The settings that give a network, or else the nearest ones and what sets the network apart."""

    form: FormValues | None = None
    near: FormValues | None = None
    apart: str = ""

    @property
    def family(self) -> str | None:
        """The family's name, if a family gives the network."""
        return self.form.family if self.form else None

    def sentence(self) -> str:
        """Return why there is no form for the network."""
        if self.near is None:
            return "Made by hand: no family gives these layers and skips."
        return f"Changed by hand: {TITLES[self.near.family]} with {self.apart}."


def recognised(experiment: Experiment) -> Recognised:
    """Return what the experiment's network is: what made it, if it says so, else what it is found to be."""
    network, task = experiment.network, experiment.task
    stored = stored_values(network.origin, task)
    found = _compared(stored, task, network) if stored else Recognised()
    if found.form or found.near:
        return found
    key = structure(network), task
    found = _known.get(key) or _searched(experiment)
    _known[key] = found
    while len(_known) > KNOWN:
        _known.pop(next(iter(_known)), None)
    return found


_known: dict[tuple[int, Task], Recognised] = {}


def _compared(form: FormValues, task: Task, network: Network) -> Recognised:
    """Return what a network is that may be a form's, changed by hand, or nothing where they have little in common."""
    wanted, made = parts(network), None
    for one in (form, *as_drawn(form)):
        try:
            found = kept(built(one, task), network, one)
        except NetworkError:
            continue
        if parts(found) == wanted:
            return Recognised(one)
        made = made or found
    if made is None or not {skip.merge for skip in made.skips} <= {skip.merge for skip in network.skips}:
        return Recognised()
    return Recognised(near=form, apart=apart(made, network)) if _likeness(parts(made), wanted) > ALIKE else Recognised()


def _searched(experiment: Experiment) -> Recognised:
    """Return what the network is among the families that fit its task.

    Skips of no pattern are a stack's own setting, unless the network is nearer to a published architecture: with gates, to a
    highway's.
    """
    network, task, near = experiment.network, experiment.task, Recognised()
    search, gates = Search(network, task), any(skip.merge == "gate" for skip in network.skips)
    families = [name for name, form in FORMS.items() if fits(name, task) and (is_stack(network) or not form.free)]
    starts = [start for family in families if search.likeness(start := search.start(family))]

    def place(start: FormValues) -> tuple:
        free = FORMS[start.family].free
        return free and gates, -search.likeness(start), free

    for start in sorted(starts, key=place)[:MOST_FAMILIES]:
        near = _compared(search.nearest(start), task, network)
        if near.form or near.near:
            break
    return near


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
