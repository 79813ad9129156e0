"""A small escaping builder of SVG text. Imports the standard library only."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_PLAIN = re.compile(r"[^&<>\"\n\r\t]*").fullmatch
"""Matches text that stands in an attribute as it is: nearly all of it, and `quoteattr` is slow."""


class Markup(str):
    """Text that is SVG already and is not escaped again."""

    __slots__ = ()


def number(value: float) -> str:
    """Return a coordinate in px with at most two decimals and no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tag(name: str, attributes: dict | None = None, *children: str) -> Markup:
    """Return one element. Attributes that are None are left out, plain text children are escaped.

    An underscore in an attribute's name stands for a dash (`aria_label`).
    """
    parts = [f"<{name}"]
    for key, value in (attributes or {}).items():
        if value is None:
            continue
        text = number(value) if isinstance(value, float) else str(value)
        parts.append(f" {key.replace('_', '-')}={_quoted(text)}")
    if not children:
        return Markup("".join(parts) + "/>")
    inside = "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    return Markup(f"{''.join(parts)}>{inside}</{name}>")


def _quoted(text: str) -> str:
    return f'"{text}"' if _PLAIN(text) else quoteattr(text)


def group(css: str | None, *children: str, **attributes) -> Markup:
    """Return a `<g>` of class `css`."""
    return tag("g", {"class": css, **attributes}, *children)


def rectangle(css: str, x: float, y: float, width: float, height: float, **attributes) -> Markup:
    """Return a `<rect>` with its upper left corner at (x, y), in px."""
    place = {"class": css, "x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return tag("rect", {**place, **attributes})


def circle(css: str, x: float, y: float, radius: float, **attributes) -> Markup:
    """Return a `<circle>`, in px."""
    return tag("circle", {"class": css, "cx": float(x), "cy": float(y), "r": float(radius), **attributes})


def path(css: str, d: str, **attributes) -> Markup:
    """Return a `<path>`."""
    return tag("path", {"class": css, "d": d, **attributes})


def text(css: str, x: float, y: float, *children: str, **attributes) -> Markup:
    """Return a `<text>` whose baseline is at y."""
    return tag("text", {"class": css, "x": float(x), "y": float(y), **attributes}, *children)


def polyline(*points: tuple[float, float]) -> str:
    """Return path data through right-angled points, in px."""
    (x, y), rest = points[0], points[1:]
    parts = [f"M{number(x)} {number(y)}"]
    for next_x, next_y in rest:
        if next_x == x and next_y != y:
            parts.append(f"V{number(next_y)}")
        elif next_y == y and next_x != x:
            parts.append(f"H{number(next_x)}")
        elif next_x != x:
            parts.append(f"L{number(next_x)} {number(next_y)}")
        x, y = next_x, next_y
    return "".join(parts)
