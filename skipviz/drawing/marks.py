"""The marks of the diagram as SVG: boxes, joints, valves, collapsed groups, badges, red lines. Colours are CSS classes only."""

from __future__ import annotations

from dataclasses import dataclass

from ..network.merge import MERGES
from .geometry import Point
from .svg import Markup, circle, group, number, path, polyline, rectangle, tag, text

LABEL_LARGEST, LABEL_SMALLEST = 18.0, 12.0
"""px of the italic f, in the tallest and the lowest box."""

LABEL_DROP, LABEL_RISE = 0.37, 0.36
"""Baseline of the f below the box's middle, and its number's above that, in font sizes: both stay clear of the border."""

SUPERSCRIPT_LEAST = 9.5
"""px below which the layer's number cannot be read."""

HATCH_STEP = 6.5
"""px between the hatching lines of a box whose gradient is killed."""

LETTERED = 60
"""px of a box from which the letter before its dropout has room beside the label."""

RATE_CHARACTER = 4.1
"""px that a character of a dropout takes on average, at 10 px."""

WHAT_LARGEST, WHAT_SMALLEST, WHAT_CHARACTER = 12.0, 10.0, 0.56
"""px of the words in a box, at most and at least beside its number; a character's width in font sizes."""

CORNER_CHARACTER = 4.4
"""px that a character of the number in a box's corner takes on average."""

HALO_GAP = 5.0
"""px between the trunk's wire and the halo of a line that leaves it."""

BADGE_HEIGHT = 18
BADGE_CHARACTER = 6.6
"""px that a character of a badge takes on average, at 12 px semibold."""


LANE_PITCH, LANES_WIDEST = 3.5, 20.0
"""px from one stream of the trunk to the next, and of all of them, at most."""

CLOSE_PITCH = 10
"""px between two lanes below which a skip's click area is narrower too."""
DOT = 3.6
"""px of a dot on a switchboard, where there is room."""


@dataclass(frozen=True)
class Piece:
    """The part of a skip's line on a switchboard that is its alone, and its dot's radius in px."""

    points: list[Point]
    dot: float


def dot_radius(pitch: float) -> float:
    """Return the radius of dots whose lanes lie `pitch` px apart."""
    return round(min(DOT, 0.38 * pitch), 2)


def focusable(**attributes) -> dict:
    """Return the attributes of a mark that can be reached by keyboard."""
    return {"tabindex": "-1", "role": "button", **attributes}


def label_size(box_height: float) -> float:
    """Return the font size of a box's label, px."""
    return min(LABEL_LARGEST, max(LABEL_SMALLEST, LABEL_SMALLEST + (box_height - 15.5) * 0.42))


def letters_width(k: int, box_height: float) -> float:
    """Return about how wide a box's label is, px."""
    size = label_size(box_height)
    return 0.55 * size + max(SUPERSCRIPT_LEAST, 0.7 * size) * (0.75 + 0.5 * len(str(k)))


def layer_label(x: float, y: float, k: int, box_height: float) -> Markup:
    """Return `f` with the bracketed superscript k, in the middle of (x, y)."""
    size = label_size(box_height)
    small = max(SUPERSCRIPT_LEAST, 0.7 * size)
    return text(
        "label",
        x,
        y + LABEL_DROP * size,
        tag("tspan", {"class": "f", "font-size": size}, "f"),
        tag("tspan", {"class": "k", "font-size": small, "dx": 0.06 * size, "dy": -LABEL_RISE * size}, f"({k})"),
    )


def said(what: str, x: float, y: float, width: float, k: int | None, taken: float) -> Markup:
    """Return what a box does, with the layer's number small in its corner where there is room; `taken` of it is at its right.

    One beside the trunk has no number (`k` is None): its words stand in its middle.
    """
    corner = 0 if k is None else CORNER_CHARACTER * (3 + len(str(k)))
    room = width - 7 - taken
    size = min(WHAT_LARGEST, (room - corner) / (WHAT_CHARACTER * len(what)))
    numbered = size >= WHAT_SMALLEST
    size = size if numbered else min(WHAT_LARGEST, room / (WHAT_CHARACTER * len(what)))
    letter = tag("tspan", {"class": "f"}, "f")
    if k is None:
        return group(
            "says alone", text("what middle", x + (width - taken) / 2, y + 0.36 * size, tag("tspan", {"font-size": size}, what))
        )
    return group(
        "says",
        text("corner", x + 4, y + 3.3, letter, tag("tspan", {"class": "k"}, f"({k})")) if numbered else Markup(),
        text("what", x + width - 4 - taken, y + 0.36 * size, tag("tspan", {"font-size": size}, what)),
    )


def box(
    x: float, top: float, width: float, height: float, k: int | None, css: str, dropout: float = 0.0, what: str = "", **attributes
) -> Markup:
    """Return a layer's box; `css` holds its states (killed, off); the label makes room for its `dropout`.

    Where it is given `what` the layer does, it says that, and shows its label f^(k) only where the page wants labels.
    """
    middle, label_width, right = x + width / 2, 2.4 * label_size(height), x + width - 3
    plain, words = label_width, rate(dropout, width)
    if dropout:
        middle = min(middle, right - RATE_CHARACTER * len(words) - 2 - letters_width(k, height) / 2)
        plain = right + 2 - middle + label_width / 2
    return group(
        " ".join(filter(None, ("box", css, "worded" if what else ""))),
        rectangle("outline", x - 3, top - 3, width + 6, height + 6, rx=3),
        rectangle("face", x, top, width, height),
        path("hatch", hatch(x, top, width, height)),
        path(
            "cross",
            f"M{number(x)} {number(top)}l{number(width)} {number(height)}m0 {number(-height)}l{number(-width)} {number(height)}",
        ),
        rectangle("plain", middle - label_width / 2, top + 1.6, plain, height - 3.2),
        Markup() if k is None else layer_label(middle, top + height / 2, k, height),
        said(what, x, top + height / 2, width, k, RATE_CHARACTER * len(words) + 3 if dropout else 0) if what else Markup(),
        text("rate", right, top + height / 2 + 3.2, words) if dropout else Markup(),
        **focusable(**attributes),
    )


def rate(dropout: float, width: float) -> str:
    """Return a layer's dropout as short as its box needs it: `p .1`, or `.1` where there is no room for the letter."""
    share = f"{dropout:.2g}".lstrip("0")
    return share if width < LETTERED else f"p {share}"


def hatch(x: float, top: float, width: float, height: float) -> str:
    """Return path data of 45° lines over a rectangle."""
    parts = []
    offset = HATCH_STEP / 2
    while offset < width + height:
        start = (max(0.0, offset - height), min(offset, height))
        end = (min(offset, width), max(0.0, offset - width))
        parts.append(f"M{number(x + start[0])} {number(top + start[1])}L{number(x + end[0])} {number(top + end[1])}")
        offset += HATCH_STEP
    return "".join(parts)


def joint(x: float, top: float, size: float, kind: str, **attributes) -> Markup:
    """Return the small square of a merge with its sign, its middle at x."""
    middle, arm, merge = top + size / 2, max(2.5, size * 0.25), MERGES[kind]
    if merge.sign:
        mark = text("gate", x, middle + 0.33 * size * 0.72, merge.sign, **{"font-size": max(9.0, size * 0.72)})
    else:
        mark = path("plus", "".join(_stroke(x, middle, arm, *stroke) for stroke in merge.strokes))
    return group(f"joint {kind}", rectangle("face", x - size / 2, top, size, size), mark, **attributes)


def _stroke(x: float, y: float, arm: float, left: float, top: float, right: float, bottom: float) -> str:
    """Return path data of a line around (x, y), its ends counted in arms."""
    start = f"M{number(x + arm * left)} {number(y + arm * top)}"
    if top == bottom:
        return start + f"h{number(arm * (right - left))}"
    if left == right:
        return start + f"v{number(arm * (bottom - top))}"
    return start + f"l{number(arm * (right - left))} {number(arm * (bottom - top))}"


def valve(x: float, y: float, gain: float | None, **attributes) -> Markup:
    """Return the gain valve of a layer: open ▽, half shut with its factor, or shut ▼. None: several gains differ.

    An open valve already holds the "×0" that shows once the page shuts it.
    """
    state = "part" if gain is None else "open" if gain == 1 else "shut" if gain == 0 else "part"
    words = "mixed" if gain is None else "×0" if gain == 1 else f"×{gain:.3g}"
    return group(
        f"valve {state}",
        rectangle("hit", x - 12, y - 9, 24, 18, rx=4),
        path("face", f"M{number(x - 5.2)} {number(y - 4)}h10.4l-5.2 7.6z"),
        path("bar", f"M{number(x - 5.2)} {number(y + 5)}h10.4"),
        text("factor", x + 9, y + 4, words),
        **focusable(**attributes),
    )


def badge(x: float, y: float, words: str, css: str = "", **attributes) -> Markup:
    """Return a word in a rounded box, in the middle of (x, y)."""
    width = badge_width(words)
    return group(
        f"badge {css}".strip(),
        rectangle("face", x - width / 2, y - BADGE_HEIGHT / 2, width, BADGE_HEIGHT, rx=4),
        text("word", x, y + 4.2, words),
        **attributes,
    )


def badge_width(words: str) -> float:
    """Return the width of a badge in px."""
    return max(26.0, 10 + BADGE_CHARACTER * len(words))


def trunk_edge(identifier: str, x: float, top: float, bottom: float, streams: int = 1) -> Markup:
    """Return a piece of trunk with its band; several streams are lines side by side."""
    d = polyline((x, bottom), (x, top))
    wire, css = (d, "") if streams == 1 else (_lanes(x, top, bottom, streams), " lanes")
    return group(f"edge trunk{css}", path("band", d), path("wire", wire), data_edge=identifier)


def trunk_line(identifier: str, points: list[Point]) -> Markup:
    """Return a piece of trunk along `points` with its band."""
    d = polyline(*points)
    return group("edge trunk", path("band", d), path("wire", d), data_edge=identifier)


def trunk_wire(x: float, top: float, bottom: float, streams: int = 1) -> Markup:
    """Return a piece of trunk that carries no number."""
    return group("edge trunk bare" + " lanes" * (streams > 1), path("wire", _lanes(x, top, bottom, streams)))


def _lanes(x: float, top: float, bottom: float, streams: int) -> str:
    """Return path data of parallel streams, from below upwards."""
    step = min(LANE_PITCH, LANES_WIDEST / max(1, streams - 1))
    places = (x + (lane - (streams - 1) / 2) * step for lane in range(streams))
    return "".join(polyline((place, bottom), (place, top)) for place in places)


def pale_lines(lines: list[list[Point]]) -> Markup:
    """Return the lines of a switchboard that are seen where no skip on them is on."""
    return path("pale", "".join(polyline(*line) for line in lines))


def skip_edge(
    identifier: str,
    points: list[Point],
    ring: Point,
    css: str,
    plug: Markup | None,
    piece: Piece | None = None,
    **attributes,
) -> Markup:
    """Return a red line: halo (focus, selection), band, wire, plug, hit area and its ring.

    `piece` is the part of it that shows its gradient and takes a click, where it shares the rest with others.
    """
    d, round_it = polyline(*points), _clear_of_trunk(points)
    own = polyline(*piece.points) if piece else d
    return group(
        f"edge skip {css}".strip(),
        path("halo", round_it),
        path("halo-in", round_it),
        path("band", own),
        path("wire", d),
        plug or Markup(),
        path("hit", own),
        circle("ring", *ring, piece.dot if piece else 4),
        **focusable(data_edge=identifier, **attributes),
    )


def _clear_of_trunk(points: list[Point]) -> str:
    """Return path data of a line's halo, which begins beside the trunk so as not to cover it."""
    (x, y), (next_x, _) = points[0], points[1]
    clear = min(HALO_GAP, abs(next_x - x) / 2)
    return polyline((x + (clear if next_x > x else -clear), y), *points[1:]) if next_x != x else polyline(*points)


def state_handle(x: float, y: float, k: int) -> Markup:
    """Return the circle from which a new skip is dragged; the style sheet says how large a pointer needs it."""
    return circle("state", x, y, 6, data_state=k)


def dots(x: float, y: float) -> Markup:
    """Return the figure's "…" that stands for the rest of the network."""
    return group("dots", *(circle("dot", x + offset, y, 1.1) for offset in (-4.6, 0, 4.6)))
