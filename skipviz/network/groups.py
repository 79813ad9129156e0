"""The groups that a network is drawn by: those written, else those that its layers and the pattern of its skips show.

A column folds its blocks, a U stands on its scales, a switchboard draws its dense skips on shared lines.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from .group import holders_of
from .network import Network
from .scales import Scales, scales

MAX_PERIOD = 16
"""Layers of the longest block looked for: DenseNet's and U-Net's repeating units are shorter."""

NEARLY = 0.9
"""A period wins over a longer one that explains a few layers more."""

LEAST_SKIPS = 6
"""Dense skips below which a line for each is as calm."""

LEAST_SHARED = 1.5
"""Dense skips for each source, and for each reader, below which hardly a line would be shared."""

LEAST_LAYERS = 8
"""Layers of a block that is worth a row of its own when it is folded."""

MOST_BLOCKS = 8
"""Dense blocks beyond which equal ones are folded together, as in any other network."""

LEAST_ALIKE = 4
"""Equal blocks that are folded together: one stays open at either end."""


class Block(NamedTuple):
    """A group whose layers stand behind one another on the trunk, `first` to `last` counted from 0."""

    first: int
    last: int
    parts: int
    """The blocks or layers in it that are counted."""
    unit: Hashable = None
    """What it has in common with the blocks beside it that it is folded with; None: it is folded alone."""
    name: str = ""
    """"": it was found, not written."""
    inner: tuple[Block, ...] = ()

    @property
    def large(self) -> bool:
        """Whether it is worth a row of its own."""
        return self.last - self.first + 1 >= LEAST_LAYERS

    @property
    def folds(self) -> bool:
        """Whether it, or any in it, is ever folded."""
        return self.large or self.unit is not None or any(block.folds for block in self.inner)


class Groups:
    """What `groups_of` returns; each kind is looked for when it is asked for."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks of the trunk, lowest first: those written, which may hold others, where folding any of them saves rows."""
        written = _written(self._network)
        if any(block.folds for block in written):
            return written
        return _dense_blocks(self._network) or _repeated(self._network)

    @cached_property
    def scales(self) -> Scales | None:
        """The scales of a network that goes down in scale and up again."""
        return scales(self._network)

    @cached_property
    def dense(self) -> tuple[tuple[int, ...], ...]:
        """Skips (indices) by how they hang together where so many share their ends that shared lines are calmer."""
        skips = self._network.skips
        if len({skip.source for skip in skips}) == len(skips):  # as in deep residual stacks: no two share a line
            return ()
        return tuple(_dense([(skip.source, (skip.target, skip.joins)) for skip in skips]))


def groups_of(network: Network) -> Groups:
    """Return the groups of a network."""
    return Groups(network)


def is_stack(network: Network, repeat: int) -> bool:
    """Return whether layers and skips of `network` are one unit `repeat` times over."""
    if repeat < 2 or network.depth % repeat:
        return False
    depth = network.depth // repeat
    specs = [_spec(layer) for layer in network.layers]
    if any(specs[index] != specs[index % depth] for index in range(network.depth)):
        return False
    units: list[set] = [set() for _ in range(repeat)]
    for skip in network.skips:
        number = skip.source // depth
        if skip.target > (number + 1) * depth:
            return False
        units[number].add((skip.source - number * depth, skip.target - number * depth, skip.merge))
    return all(unit == units[0] for unit in units)


def _written(network: Network) -> tuple[Block, ...]:
    """Return the groups that are written whose layers stand behind one another; those in another are that one's."""
    if not network.groups:
        return ()
    holders, places = holders_of(network.groups), {layer.id: k for k, layer in enumerate(network.layers)}
    signatures = _signatures(network)

    def blocks(holder: int | None) -> tuple[Block, ...]:
        found = [one for number, other in enumerate(holders) if other == holder for one in block(number)]
        return tuple(_alike(sorted(found, key=lambda one: one.first), signatures))

    def block(number: int) -> Sequence[Block]:
        group, inner = network.groups[number], blocks(number)
        layers = sorted(places[name] for name in group.nodes if name in places)
        if not layers or layers[-1] - layers[0] >= len(layers):
            return inner
        return [Block(layers[0], layers[-1], len(inner) or len(layers), name=group.name, inner=inner)]

    return blocks(None)


def _alike(blocks: Sequence[Block], signatures: list[tuple]) -> Iterator[Block]:
    """Yield the blocks, those with a unit that have several equal ones beside them."""
    run: list[Block] = []
    for block in [*blocks, None]:
        equal = run and block and block.first == run[-1].last + 1
        if not equal or signatures[block.first : block.last + 1] != signatures[run[-1].first : run[-1].last + 1]:
            yield from (one._replace(unit=run[0].first + 1) if len(run) >= LEAST_ALIKE else one for one in run)
            run = []
        run.append(block)


def _dense_blocks(network: Network) -> tuple[Block, ...]:
    """Return each dense block with the layer that reads all of it; mostly none."""
    found = []
    pairs = [(skip.source, skip.target) if skip.joins else None for skip in network.skips]
    for group in _dense(pairs):
        members = [pairs[index] for index in group]
        last = min(max(target for _, target in members), network.depth - 1)
        found.append(Block(min(source for source, _ in members), last, len({target for _, target in members if target <= last})))
    found.sort(key=lambda block: block.first)
    apart = all(one.last < other.first for one, other in pairwise(found))
    large = all(block.large for block in found)
    return tuple(found) if apart and large and 2 <= len(found) <= MOST_BLOCKS else ()


def _dense(ends: Sequence[tuple[Hashable, Hashable] | None]) -> Iterator[tuple[int, ...]]:
    """Return those (indices) that hang together by a shared start or end, where they are dense; None is in no group."""
    above: dict[tuple, tuple] = {}

    def root(name: tuple) -> tuple:
        while above.setdefault(name, name) != name:
            above[name] = name = above[above[name]]
        return name

    pairs = [(index, ("from", pair[0]), ("to", pair[1])) for index, pair in enumerate(ends) if pair is not None]
    for _, start, end in pairs:
        above[root(end)] = root(start)
    groups: dict[tuple, list[int]] = {}
    for index, start, _ in pairs:
        groups.setdefault(root(start), []).append(index)
    return (tuple(group) for group in groups.values() if is_dense([ends[index] for index in group]))


def is_dense(ends: Sequence[tuple[Hashable, Hashable]]) -> bool:
    """Return whether so many run between so few sources and readers that they are calmer on shared lines."""
    lines = max(len({start for start, _ in ends}), len({end for _, end in ends}))
    return len(ends) >= max(LEAST_SKIPS, LEAST_SHARED * lines)


def _repeated(network: Network) -> tuple[Block, ...]:
    """Return the blocks of a network's repeating part; a network without one is blocks of one layer.

    The period is the shortest at which nearly as many layers equal the layer that far above them as at any other;
    a skip that someone added does not break it.
    """
    signatures = _signatures(network)
    candidates = []
    for period in range(1, min(MAX_PERIOD, network.depth // 3) + 1):
        same = [index for index in range(network.depth - period) if signatures[index] == signatures[index + period]]
        if same:
            candidates.append((len(same) / (network.depth - period), period, same))
    start, length, period = 0, network.depth, 1
    if candidates:
        most = max(share for share, _, _ in candidates)
        _, period, same = next(found for found in candidates if found[0] >= NEARLY * most)
        start, length = _phased(network, same[0], same[-1] + period + 1 - same[0], period)
    return tuple(Block(k, k + period - 1, period, unit=1) for k in range(start, start + length - period + 1, period))


def _spec(layer) -> tuple:
    return (layer.op.alike, layer.activation, layer.norm, layer.order, layer.init, layer.dropout, layer.drop_path, layer.scale)


def _signatures(network: Network) -> list[tuple]:
    """Return what each layer looks like from where it stands; switches, strengths and gains do not count."""
    landing: list[list] = [[] for _ in range(network.depth + 1)]
    for skip in network.skips:
        landing[skip.target].append((skip.target - skip.source, skip.merge))
    return [(_spec(layer), tuple(sorted(landing[index + 1]))) for index, layer in enumerate(network.layers)]


def _phased(network: Network, start: int, length: int, period: int) -> tuple[int, int]:
    """Return where the run starts that is cut into blocks where the fewest skips pass over the cuts, and its length."""
    cuts = [0] * (network.depth + 2)
    for skip in network.skips:
        cuts[skip.source + 1] += 1
        cuts[skip.target] -= 1
    for state in range(1, len(cuts)):
        cuts[state] += cuts[state - 1]

    def crossing(phase: int) -> tuple:
        count = (length - phase) // period
        return (sum(cuts[start + phase + number * period] for number in range(count + 1)) / max(1, count), phase)

    phase = min(range(period), key=crossing)
    return start + phase, length - phase
