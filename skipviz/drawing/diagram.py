"""The diagram of a network: which parts are folded, which layout it has. `draw` is the entry; no streamlit, no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ..network.branch import Beside
from ..network.groups import groups_of, is_stack
from ..network.network import Network
from . import fold, mixing
from .beside import lay_out_unfolded
from .column import lay_out
from .dominance import dominates
from .edge_labels import branch_on, labelled, size
from .geometry import STYLES, Geometry, Style
from .layered import lay_out_layered
from .painter import Diagram, Painter
from .rows import DENSE, Plan, branch_ends, plan

HEIGHTS = {"lab": 688, "figure": 430}
"""px of a diagram that is given no height."""

GROWS, APART_GROWS = 1.3, 1.5
"""A diagram may grow to this multiple of its height before it folds; blocks that have not their like say more when open."""
SCREEN_GROWS = 1.04
"""The same where nothing scrolls: so much smaller a projector's page may draw it."""


ROOM = {False: 420, True: 250}
"""px of the widest diagram that a page, or a phone, draws with its branches open unasked: the bars beside it keep their room."""


MOST_BOXES, MOST_LINES = 120, 240
"""Of a network that can be drawn by ranks, none of them folded: it takes half a second at most, and an eye still follows."""
MOST_BUS = 21
"""px of lines along branches up to which an eye follows them; with more of them, branches are drawn open only if asked for."""


def draw(
    network: Network,
    *,
    page: str = "lab",
    compact: bool = False,
    height: int | None = None,
    repeat: int = 1,
    unfolded: Iterable[int | str] | None = None,
    folded: bool = True,
    screen: bool = False,
    layers: bool | None = None,
) -> Diagram:
    """Return the diagram of `network`.

    `page` is "lab" or "figure"; `compact` is for phones. `height` in px is kept where the densest rows fit into it.
    `repeat` says that the network is one unit stacked that often: the figure page then draws the unit once if
    `folded`. Deep networks fold equal blocks into collapsed groups; two blocks are open at each layer index of `unfolded`,
    and so are the branches whose last nodes' ids are in it; None: those of several boxes, where there is room for all.
    In the lab, `folded=False` draws every layer. `screen` is for a view that does not scroll: what is too high for it folds.
    `layers` says whether a network with branches is drawn by ranks; None: where its trunk does not dominate and there is room.
    """
    height = height or HEIGHTS[page]
    style = STYLES[f"compact {page}" if compact else page]
    opened = frozenset(part for part in unfolded or () if isinstance(part, int))
    if page == "figure":
        as_unit = folded and is_stack(network, repeat)
        if as_unit:
            table = plan(network, fold.unit_boxes(network, repeat), repeat)
        else:
            table = row_table(network, style, height, opened, True, screen)
        return Painter(column(table, style, height, page), page, repeat if as_unit else 1, ()).diagram()
    vias = branch_ends(network)
    if has_layers(network) and (layers or (layers is None and not dominates(network))):
        geometry = _by_ranks(network, style, height)
        fits = geometry.width <= ROOM[compact] and geometry.height <= height * (SCREEN_GROWS if screen else APART_GROWS)
        if layers or fits:
            return Painter(geometry, page, 1, vias).diagram()
    table = row_table(network, style, height, opened, folded, screen)
    if unfolded is not None:
        table = plan(network, table.items, unfolded=[part for part in unfolded if isinstance(part, str)])
        return Painter(column(table, style, height, page), page, 1, vias).diagram()
    geometry = column(table, style, height, page)
    if several := _of_several_boxes(table):
        wide = column(plan(network, table.items, unfolded=several), style, height, page)
        if wide.width <= ROOM[compact] and wide.height <= geometry.height and wide.bus <= MOST_BUS:
            geometry = wide
    return Painter(geometry, page, 1, vias).diagram()


def _labels(table: Plan, page: str) -> list[tuple[float, float]]:
    """Return the width and height of what stands on each link."""
    openable = branch_ends(table.network) if page == "lab" else ()
    return [
        size(labelled(table, link, branch_on(table, link, openable)), mixing.side_of(table.network, link.skips))
        for link in table.links
    ]


def column(table: Plan, style: Style, height: float, page: str) -> Geometry:
    """Return the pixels of a column, with the branches beside it that the table unfolds."""
    return lay_out_unfolded(table, style, height, [width for width, _ in _labels(table, page)])


def has_layers(network: Network) -> bool:
    """Return whether `network` has branches, and few enough boxes and lines to be drawn by ranks."""
    boxes, lines = network.depth + len(network.branches), len(network.skips) + len(network.edges)
    return boxes <= MOST_BOXES and lines <= MOST_LINES and bool(branch_ends(network))


def _by_ranks(network: Network, style: Style, height: float) -> Geometry:
    """Return the pixels of the layered layout with all branches."""
    table = plan(network, fold.boxes(network), unfolded=branch_ends(network))
    return lay_out_layered(table, style, height, _labels(table, "lab"))


def _of_several_boxes(table: Plan) -> set[str]:
    """Return the last nodes of the branches on a table that have more than one box; one box is calmer as words on its line."""
    beside = Beside(table.network) if table.network.branches else None
    vias = {table.network.skips[link.skips[0]].via for link in table.links if not link.crosses_fold} - {""}
    return {via for via in vias if len(beside.feeding(via, 2)) > 1}


def row_table(network: Network, style: Style, height: float, unfolded: frozenset[int], folded: bool, screen: bool) -> Plan:
    """Return the row table, with collapsed groups where the network is deep and it is to be `folded`."""
    if not folded:
        return plan(network, fold.boxes(network))
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
