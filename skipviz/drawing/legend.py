"""The legend under a diagram: two wedges that say which width and colour means which gradient."""

from __future__ import annotations

from .colours import COLOURS, DECADES, LOWEST, ramp_colour

TICKS = ((-7, "≤10⁻⁷"), (-5, "10⁻⁵"), (-3, "10⁻³"), (-1, "0.1"), (1, "10"))
SLICES = 48


def wedges(theme: str, width: int = 180, widest: float = 8.0) -> str:
    """Return an SVG of the skip's and the trunk's wedge over their ticks; `widest` px is a band at a gradient of 10."""
    tokens = COLOURS[theme]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 40" width="{width}" height="40" role="img" '
        'aria-label="Width and colour of a line: its gradient, from 10 to the power of minus 7 to 10, on a logarithmic scale">'
    ]
    left, right = 4, width - 8
    for name, y in (("skip", 6), ("trunk", 18)):
        for index in range(SLICES):
            t = (index + 0.5) / SLICES
            x = left + (right - left) * index / SLICES
            high = 1.25 + (widest - 1.25) * t
            step = (right - left) / SLICES + 0.3
            parts.append(
                f'<rect x="{x:.2f}" y="{y - high / 2:.2f}" width="{step:.2f}" height="{high:.2f}" '
                f'fill="{ramp_colour(name, t, theme)}"/>'
            )
        parts.append(f'<path d="M{left} {y}H{right}" stroke="{tokens[name]}" stroke-width="1.25"/>')
    shown = TICKS if width >= 260 else TICKS[::2]
    for exponent, text in shown:
        x = left + (right - left) * (exponent - LOWEST) / DECADES
        anchor = "start" if exponent == LOWEST else "end" if exponent == LOWEST + DECADES else "middle"
        parts.append(f'<text x="{x:.1f}" y="36" font-size="11" text-anchor="{anchor}" fill="{tokens["ink2"]}">{text}</text>')
    return "".join((*parts, "</svg>"))
