"""What stands on the first page before Streamlit has begun: the figure as its shared run began, drawn here.

It comes with Streamlit's own document, out of reach of the page's styles and of a keyboard, and goes when the page's script
draws. Imports no streamlit.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from xml.etree import ElementTree

from ...drawing import diagram
from ...drawing.colours import THEMES, css_variables
from ...drawing.modules import ASSETS, without_comments
from ...drawing.standalone import SVG, paint
from ..session_state.shared_demo import REPEATS, opening
from .figure_text import INTRO, PANELS, TITLE
from .page_data import FIGURE_HEIGHT

ELEMENT = "skipviz-beginning"
SCRIPT = without_comments("beginning.js")
"""Shows it, in the theme and the width at hand."""
_HOST = """
#skipviz-beginning {
  position: fixed; inset: 0; z-index: 1; overflow: hidden; pointer-events: none; animation: sv-beginning 0s 20s forwards;
}
@keyframes sv-beginning { to { visibility: hidden; } }
"""
"""After 20 s whatever Streamlit has to say instead is seen."""
_STYLE = """
* { box-sizing: border-box; }
:host { font: 400 14px/1.6 "Source Sans", sans-serif; }
.sv-root { position: absolute; inset: 0; padding: 64px 20px 0; background: var(--sv-bg); overflow: hidden; }
.sv-root::before {
  content: ""; position: absolute; inset: 0 0 auto; height: 56px; background: var(--sv-card);
  border-bottom: 1px solid var(--sv-line);
}
.sv-root[data-size="phone"] { padding: 64px 0 0; }
.sv-intro { min-height: 114px; align-items: flex-start; }
.sv-root[data-size="phone"] .sv-intro { min-height: 244px; align-content: start; }
.sv-root:not([data-size="wide"]) .sv-panel-run { min-height: 48px; }
"""
FRAME = 24
"""px under the rows, for the axis of the bars that will stand there."""


def markup(frames: dict[str, dict]) -> str:
    """Return the element that holds it; `frames` are the panels' own (fields of a `VariantFrame`) that are known."""
    return _markup(json.dumps(frames, sort_keys=True))


@cache
def _markup(frames: str) -> str:
    known = json.loads(frames)
    panels = "".join(_panel(name, known.get(name)) for name in PANELS)
    intro = f'<div class="sv-intro"><div><h1>{escape(TITLE)}</h1><p>{escape(INTRO)}</p></div></div>'
    page = f'<div class="sv-figure sv-page">{intro}<div class="sv-panels">{panels}</div></div>'
    inside = f'<style>{_sheet()}</style><div class="sv-root">{page}</div>'
    return (
        f'<style>{_HOST}</style><div id="{ELEMENT}" aria-hidden="true"><template>{inside}</template></div><script>{SCRIPT}</script>'
    )


@cache
def _sheet() -> str:
    themes = [f".sv-root[data-theme={theme}] {{ {css_variables(theme)} }}" for theme in THEMES]
    return "\n".join([*themes, *((ASSETS / f"{name}.css").read_text(encoding="utf-8") for name in ("page", "diagram")), _STYLE])


def _panel(name: str, frame: dict | None) -> str:
    network = next(iter(opening(name).variants.values()))
    drawn = diagram.draw(network, page="figure", height=FIGURE_HEIGHT, repeat=REPEATS[name])
    pictures = "".join(f'<div data-of="{theme}">{_painted(drawn, frame, theme)}</div>' for theme in THEMES)
    title, text = (escape(words) for words in PANELS[name])
    return (
        f'<section class="sv-card sv-panel"><div class="sv-panel-title"><h2>{title}</h2></div><p>{text}</p>'
        '<div class="sv-panel-run"></div><div class="sv-heads"></div>'
        f'<div class="sv-scroll"><div class="sv-rows" style="height:{drawn.height + FRAME}px">'
        f'<div class="sv-diagram-host">{pictures}</div></div></div></section>'
    )


def _painted(drawn: diagram.Diagram, frame: dict | None, theme: str) -> str:
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(drawn.svg)
    if frame:
        paint(root, drawn, frame, theme)
    return ElementTree.tostring(root, encoding="unicode")
