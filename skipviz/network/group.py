"""A group: a named set of a network's nodes, such as a block, a scale or a module. It says nothing of what is computed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from .base import Frozen, NetworkError

if TYPE_CHECKING:
    from .network import Network

MAX_GROUPS = 2500
MAX_NESTED = 8
"""Groups of which each holds the next: a module's path is seldom longer."""

_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


class Group(Frozen):
    """A named set of layers and branches' nodes. Of two groups one holds the other, or they have no node in common.

    A name may be a path: `encoder/scale2/block1` lies in `encoder/scale2` and in `encoder`, where the network has those.
    """

    name: str
    nodes: tuple[Annotated[str, Field(max_length=32)], ...] = Field(description="ids")

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise NetworkError("a group's name has 1 to 64 letters, digits, dots, dashes and underscores, with slashes between")
        return name


def check_groups(network: Network) -> None:
    """Raise `NetworkError` where groups name what is not there, or overlap and neither holds the other."""
    groups = network.groups
    if len({group.name for group in groups}) != len(groups):
        raise NetworkError("two groups have the same name")
    known = {part.id for part in (*network.layers, *network.branches)}
    for group in groups:
        if len(set(group.nodes)) != len(group.nodes) or not group.nodes:
            raise NetworkError(f"group {group.name} has {'a node twice' if group.nodes else 'no nodes'}")
        missing = next((name for name in group.nodes if name not in known), None)
        if missing is not None:
            raise NetworkError(f"group {group.name}: there is no layer or branch's box {missing!r}")
    holders, places = holders_of(groups), {group.name: place for place, group in enumerate(groups)}
    for place, group in enumerate(groups):
        around, at = set(), holders[place]
        while at is not None:
            around.add(at)
            at = holders[at]
        if len(around) >= MAX_NESTED:
            raise NetworkError(f"group {group.name} lies in {len(around)} others, and groups nest at most {MAX_NESTED} deep")
        path = group.name.split("/")
        for length in range(1, len(path)):
            outer = "/".join(path[:length])
            if outer in places and places[outer] not in around:
                raise NetworkError(f"group {group.name} is {outer}'s by its name, and that does not hold all its nodes")


def holders_of(groups: Sequence[Group]) -> list[int | None]:
    """Return by group the place of the smallest that holds it; raises `NetworkError` where two overlap and neither does.

    Of two with the same nodes the first holds the other.
    """
    holders: list[int | None] = [None] * len(groups)
    innermost: dict[str, int] = {}
    rank = {None: -1}
    for number, place in enumerate(sorted(range(len(groups)), key=lambda place: -len(groups[place].nodes))):
        found = {innermost.get(name) for name in groups[place].nodes}
        if len(found) > 1:
            other = groups[max(found, key=rank.__getitem__)]
            raise NetworkError(f"groups {other.name} and {groups[place].name} overlap, and neither holds the other")
        holders[place], rank[place] = found.pop(), number
        innermost.update(dict.fromkeys(groups[place].nodes, place))
    return holders


def without(groups: Iterable[Group], gone: Collection[str]) -> tuple[Group, ...]:
    """Return the groups without the nodes that are `gone`, and without groups that have none left."""
    kept = ((group, tuple(name for name in group.nodes if name not in gone)) for group in groups)
    return tuple(group.model_copy(update={"nodes": left}) for group, left in kept if left)


def joined(groups: Iterable[Group], new: str, below: str, above: str) -> tuple[Group, ...]:
    """Return the groups with a node `new` in each that holds both its neighbours."""
    return tuple(
        group.model_copy(update={"nodes": _with(group.nodes, new, below)}) if {below, above} <= {*group.nodes} else group
        for group in groups
    )


def _with(nodes: tuple[str, ...], new: str, below: str) -> tuple[str, ...]:
    place = nodes.index(below) + 1
    return (*nodes[:place], new, *nodes[place:])
