"""Every colour of the two themes, and the ramps that stand for a gradient. Imports the standard library only.

Ramps run through OKLab (Ottosson 2020, "A perceptual color space for image processing"), so that equal steps of the
exponent look like equal steps of colour.
"""

from __future__ import annotations

from functools import cache
from math import log10

THEMES = ("light", "dark")

COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "bg": "#F7F7FA",
        "card": "#FFFFFF",
        "ink": "#16161D",
        "ink2": "#4E4E5A",
        "ink3": "#686874",
        "line": "#DEDEE8",
        "muted": "#F0F0F6",
        "box": "#F2F2FF",
        "box-border": "#B2B2B2",
        "box-selected": "#E5E4FA",
        "trunk": "#000000",
        "skip": "#A60000",
        "skip-off": "#9A6E6E",
        "accent": "#4340B0",
        "accent-tint": "#E7E6F8",
        "unlike": "#E4F2EE",
        "focus": "#4340B0",
        "warning": "#975000",
        "warning-tint": "#FFF0DB",
        "over": "#C67700",
        "accuracy": "#00756A",
        "class0": "#B36B00",
        "class1": "#007A78",
        "variant-A": "#4340B0",
        "variant-B": "#9A5800",
        "variant-C": "#00756A",
        "variant-D": "#5A5A66",
    },
    "dark": {
        "bg": "#111118",
        "card": "#191922",
        "ink": "#EDEDF4",
        "ink2": "#B9B9C8",
        "ink3": "#9797A8",
        "line": "#34343F",
        "muted": "#262631",
        "box": "#262640",
        "box-border": "#5C5C78",
        "box-selected": "#37366A",
        "trunk": "#E6E6F2",
        "skip": "#FF8578",
        "skip-off": "#A67A78",
        "accent": "#A5A3FF",
        "accent-tint": "#2C2B4C",
        "unlike": "#1E302F",
        "focus": "#B5B3FF",
        "warning": "#FFB74A",
        "warning-tint": "#3A2D18",
        "over": "#FFB74A",
        "accuracy": "#4FC9B7",
        "class0": "#F2AC4C",
        "class1": "#4CC4BE",
        "variant-A": "#A5A3FF",
        "variant-B": "#F2AC4C",
        "variant-C": "#4FC9B7",
        "variant-D": "#B9B9C8",
    },
}
"""Token → `#RRGGBB`, by theme; in CSS each is the variable `--sv-<token>`."""

VARIANTS = ("A", "B", "C", "D")
"""The letters of the networks of a comparison, by place; each has a colour of its own, `variant-A` …, none of them red."""

PIXEL_CLASSES: dict[str, tuple[str, ...]] = {
    "light": (
        "#CFCFDB", "#B36B00", "#007A78", "#00088F", "#293300", "#8C8FFF", "#F5E300", "#414FD2", "#E49E38", "#7AA8AB", "#005067",
        "#6C5019", "#7D75BE", "#2D2553", "#C4AFFD", "#E6E1A3", "#389469", "#5A70F5", "#00CE88", "#61579E", "#2B2DB0",
    ),
    "dark": (
        "#3C3C4A", "#F2AC4C", "#4CC4BE", "#376CEB", "#9F6B1E", "#CFFFFF", "#F9FF3D", "#636686", "#6618A2", "#37AAFF", "#544F10",
        "#4B9684", "#9CE9B1", "#ABDAFF", "#B98F00", "#3E8EC1", "#6758B4", "#FFCC28", "#A9A783", "#F6FDA5", "#454778",
    ),
}  # fmt: skip
"""Colours of classes of pixels, the first one (what lies behind) quiet. Each is as far as can be from all before it, also as
protanopes and deuteranopes see them; none is red."""

SERIES: dict[str, tuple[str, ...]] = {
    "light": ("#4340B0", "#9A5800", "#00756A", "#5A5A66", "#7E5BD0", "#1F7FB8", "#74740A", "#A8730B", "#005067", "#96549B"),
    "dark": ("#A5A3FF", "#F2AC4C", "#4FC9B7", "#B9B9C8", "#CDB4FF", "#7CC4F5", "#D6D65C", "#E8C27A", "#5FB3C8", "#D59BD5"),
}
"""Colours of what a plot has several of, by their order; none is red. Each is apart from the card by 3:1 at least."""

RAMP_STOPS: dict[str, dict[str, tuple[str, ...]]] = {
    "light": {
        "trunk": ("#E4E8F6", "#BCC6EA", "#8B9AD8", "#5A69BC", "#2F388C"),
        "bars": ("#EFF2FB", "#BCC6EA", "#8B9AD8", "#5A69BC", "#2F388C"),
        "skip": ("#F7E1DE", "#EFC2BC", "#E2948C", "#D2645B", "#C0372D"),
    },
    "dark": {
        "trunk": ("#24273D", "#39437A", "#5666AE", "#8090D6", "#B9C5FA"),
        "bars": ("#1F2233", "#39437A", "#5666AE", "#8090D6", "#B9C5FA"),
        "skip": ("#3A2429", "#66302F", "#923A36", "#BC463F", "#E2564C"),
    },
}
RAMP_LENGTH = 65
"""Sampled stops of a ramp: 1/8 of a decade each over the eight decades of the scale, closer than an eye can tell."""

LOWEST, DECADES = -7.0, 8.0
"""The scale of widths and colours runs from 10⁻⁷ to 10, fixed, so that a maximum elsewhere never changes a colour."""


def scaled(gradient: float | None) -> float | None:
    """Return t = clamp((log₁₀ g + 7) / 8, 0, 1); None for no value, 0 for an exact zero."""
    if gradient is None:
        return None
    if gradient <= 0:
        return 0.0
    return min(1.0, max(0.0, (log10(gradient) - LOWEST) / DECADES))


@cache
def ramp(name: str, theme: str = "light") -> tuple[str, ...]:
    """Return `RAMP_LENGTH` colours `#RRGGBB` of the ramp `trunk`, `bars` or `skip`, palest in light first."""
    stops = [_oklab(stop) for stop in RAMP_STOPS[theme][name]]
    colours = []
    for index in range(RAMP_LENGTH):
        place = index / (RAMP_LENGTH - 1) * (len(stops) - 1)
        low = min(int(place), len(stops) - 2)
        share = place - low
        colours.append(_hex(tuple(a + (b - a) * share for a, b in zip(stops[low], stops[low + 1], strict=True))))
    return tuple(colours)


def ramp_colour(name: str, t: float, theme: str = "light") -> str:
    """Return the ramp's colour at t in 0..1."""
    return ramp(name, theme)[round(min(1.0, max(0.0, t)) * (RAMP_LENGTH - 1))]


def css_variables(theme: str) -> str:
    """Return the declarations `--sv-…: #RRGGBB;` of a theme, to stand inside a rule."""
    named = {**COLOURS[theme], **{f"series-{place}": colour for place, colour in enumerate(SERIES[theme])}}
    return "".join(f"--sv-{token}:{value};" for token, value in named.items())


def to_data(theme: str) -> dict:
    """Return tokens and ramps of a theme as JSON data for the page's script."""
    return {"tokens": dict(COLOURS[theme]), "ramps": {name: list(ramp(name, theme)) for name in RAMP_STOPS[theme]}}


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    lights = sorted(_luminance(colour) + 0.05 for colour in (first, second))
    return lights[1] / lights[0]


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part) for part in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _oklab(colour: str) -> tuple[float, float, float]:
    r, g, b = (_linear(part) for part in _channels(colour))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _hex(lab: tuple[float, ...]) -> str:
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    parts = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(_gamma(part) * 255):02X}" for part in parts)
