"""The page's module: the browser's script and style sheet, and what every page shares: figures, ramps, legends.

The component gets a loader of a few lines that imports the module from our route, where browsers keep it; only where
the route cannot be reached does the module itself travel with the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache

from ...drawing import colours
from ...drawing.modules import drawn_data, plotly_file, script, style, without_comments
from ...sharing.lesson import GROUPS
from ...sharing.tour import to_targets
from ...tasks import presets
from ...tasks.forms import FORMS
from . import tour

PAGES = ("lab", "figure", "gallery", "runs", "compare", "guide", "sweep", "evidence")


@cache
def module() -> str:
    """Return the whole module: style sheet and shared data as constants, then the script."""
    constants = {"PAGE_STYLE": style(), "PAGE_SHARED": {page: shared_data(page) for page in PAGES}}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items()) + script()


@cache
def version() -> str:
    """Return a short hash of the module, which its address carries."""
    return hashlib.sha256(module().encode()).hexdigest()[:16]


@cache
def loader() -> str:
    """Return the component's script: it imports the module from our route, or asks Python for it inline."""
    return without_comments("loader.js").replace("VERSION", version())


@cache
def feed() -> str:
    """Return the script that hands a fragment's data on to the page's module."""
    return without_comments("feed.js")


@cache
def shared_data(page: str) -> dict:
    """Return what is the same for everybody: groups of controls, figures, ramps, and where plotly.js is."""
    if page in ("gallery", "guide"):
        return {"groups": GROUPS}
    if page == "runs":
        return {"groups": GROUPS, "ramps": {theme: {"bars": colours.ramp("bars", theme)} for theme in colours.THEMES}}
    return {
        "groups": GROUPS,
        "plotly": plotly_source(),
        **drawn_data(page),
        **(_compared() if page == "lab" else {}),
        **(_toured() if page in ("lab", "figure") else {}),
    }


def _toured() -> dict:
    """Return our own tour, and what any tour can point at."""
    return {"tour": {"targets": to_targets(), "steps": [step.to_data() for step in tour.STEPS]}}


def _compared() -> dict:
    """Return what can be put beside a network: presets and families, by name and title."""
    return {
        "presets": [[name, presets.preset(name).title] for name in presets.names()],
        "families": [[name, form.title] for name, form in FORMS.items()],
    }


@cache
def plotly_source() -> dict:
    """Return our route, the public CDN's address of the same version, and the integrity hash of the file."""
    content = plotly_file().read_bytes()
    found = re.search(rb"plotly\.js v([0-9.]+)", content[:2000])
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return {
        "url": "skipviz/plotly.js",
        "cdn": f"https://cdn.plot.ly/plotly-{found[1].decode()}.min.js",
        "integrity": f"sha384-{digest}",
    }
