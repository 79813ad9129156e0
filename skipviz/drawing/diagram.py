"""The diagram of a network: which parts are folded, which layout it has. `draw` is the entry; no streamlit, no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ..network.groups import groups_of, is_stack
from ..network.network import Network
from . import fold, mixing
from .beside import lay_out_unfolded
from .column import lay_out
from .edge_labels import branch_on, labelled, size
from .geometry import STYLES
from .painter import Diagram, Painter
from .rows import DENSE, Plan, plan

HEIGHTS = {"lab": 688, "figure": 430}
"""px of a diagram that is given no height."""

GROWS, APART_GROWS = 1.3, 1.5
"""A diagram may grow to this multiple of its height before it folds; blocks that have not their like say more when open."""
SCREEN_GROWS = 1.04
"""The same where nothing scrolls: so much smaller a projector's page may draw it."""


def draw(
    network: Network,
    *,
    page: str = "lab",
    compact: bool = False,
    height: int | None = None,
    repeat: int = 1,
    unfolded: Iterable[int | str] = frozenset(),
    folded: bool = True,
    screen: bool = False,
) -> Diagram:
    """Return the diagram of `network`.

    `page` is "lab" or "figure"; `compact` is for phones. `height` in px is kept where the densest rows fit into it.
    `repeat` says that the network is one unit stacked that often: the figure page then draws the unit once if
    `folded`. Deep networks fold equal blocks into collapsed groups; two blocks are open at each layer index of `unfolded`,
    and so are the branches whose last nodes' ids are in it.
    In the lab, `folded=False` draws every layer. `screen` is for a view that does not scroll: what is too high for it folds.
    """
    height = height or HEIGHTS[page]
    style = STYLES[f"compact {page}" if compact else page]
    as_unit = page == "figure" and folded and is_stack(network, repeat)
    layers = frozenset(part for part in unfolded if isinstance(part, int))
    branches = () if page == "figure" else [part for part in unfolded if isinstance(part, str)]
    if as_unit:
        table = plan(network, fold.unit_boxes(network, repeat), repeat)
    elif page == "figure" or folded:
        table = _folded(network, style, height, layers, screen)
    else:
        table = plan(network, fold.boxes(network))
    if branches:
        table = plan(network, table.items, unfolded=branches)
    labels = [
        size(labelled(table, link, branch_on(table, link, page == "lab")), mixing.side_of(network, link.skips))[0]
        for link in table.links
    ]
    geometry = lay_out_unfolded(table, style, height, labels)
    return Painter(geometry, page, repeat if as_unit else 1).diagram()


def _folded(network: Network, style, height: int, unfolded: frozenset[int], screen: bool) -> Plan:
    """Return the row table with collapsed groups where the network is deep."""
    blocks = groups_of(network).blocks
    apart = bool(blocks) and all(block.unit is None for block in blocks)
    whole = plan(network, fold.boxes(network)) if apart or network.depth <= fold.FOLDED_DEPTH else None
    grows = SCREEN_GROWS if screen else APART_GROWS if apart else GROWS
    # A phone's rows are taller for the finger, and its page scrolls so much further.
    grows *= (style.dense.box + style.dense.gap) / (DENSE.box + DENSE.gap)
    if whole is not None and lay_out(whole, style, height).height <= height * grows:
        return whole
    inside = [index for index in unfolded if 0 <= index < network.depth]
    for ends in (1,) if inside or apart else (fold.OPENED, 1):
        table = plan(network, fold.folded(network, blocks, ends, inside))
        if lay_out(table, style, height).dimensions.box > style.dense.box + 1:
            break
    return table
