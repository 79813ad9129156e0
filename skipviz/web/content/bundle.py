"""The browser's part as one ES module, with its style sheet and what every page shares: figures, ramps, legends.

The component gets a loader of a few lines that imports the module from our route, where browsers keep it; only where
the route cannot be reached does the module itself travel with the page.

The files in `assets/js` are plain ES modules with single-line imports; all their top-level names differ, so putting
them one after another without their imports and exports gives one module that means the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...drawing import colours, legend, page_figures
from ...network.activation import ACTIVATIONS
from ...network.init import INITS
from ...network.merge import MERGES
from ...network.norm import NORMS
from ...sharing.lesson import GROUPS
from ...sharing.tour import to_targets
from ...tasks import presets
from ...tasks.change import CHANGES
from ...tasks.forms import FORMS
from ...tasks.metric import METRICS
from . import tour
from .glossary import glossary
from .operation_fields import operation_fields, skip_fields

ASSETS = Path(__file__).resolve().parents[3] / "assets"
PAGES = ("lab", "figure", "gallery", "runs", "compare", "guide", "sweep", "evidence")
_SHEETS = (
    *("page", "diagram", "runs", "compare", "columns", "sweep", "evidence"),
    *("sharing", "projector", "exports", "explain", "tour"),
)
SHEETS = tuple(f"{name}.css" for name in _SHEETS)
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[a-z_./]+\.js)";?\n', re.M)
_COMMENT = re.compile(r"^[ ]*/\*\*.*?\*/\n|^[ ]*//[^\n]*\n", re.M | re.S)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|class|let)", re.M)
_TOP_LEVEL = re.compile(r"^(?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.M)


class BundleError(ValueError):
    """Modules that cannot be joined: two of them use one name at the top level."""


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
    return _COMMENT.sub("", (ASSETS / "js" / "loader.js").read_text(encoding="utf-8")).replace("VERSION", version())


@cache
def feed() -> str:
    """Return the script that hands a fragment's data on to the page's module."""
    return _COMMENT.sub("", (ASSETS / "js" / "feed.js").read_text(encoding="utf-8"))


@cache
def script(entry: str = "main.js") -> str:
    """Return a module after kinds, glossary and all it imports, depth first, by default the page's own; raises `BundleError`."""
    parts = [f"const KINDS = {json.dumps(kinds())};", f"const EXPLANATIONS = {json.dumps(glossary())};"]
    owners: dict[str, str] = {}
    _append(entry, parts, owners, set())
    return "\n".join(parts)


def needs(name: str, source: str) -> list[str]:
    """Return which modules, by their place in `assets/js`, the module `name` imports."""
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in _IMPORT.findall(source)]


def _append(name: str, parts: list[str], owners: dict[str, str], seen: set[str]) -> None:
    seen.add(name)
    source = (ASSETS / "js" / name).read_text(encoding="utf-8")
    for needed in needs(name, source):
        if needed not in seen:
            _append(needed, parts, owners, seen)
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    for found in _TOP_LEVEL.findall(body):
        if found in owners:
            raise BundleError(f"{name} and {owners[found]} both have {found} at the top level")
        owners[found] = name
    parts.append(_COMMENT.sub("", body))


@cache
def style() -> str:
    """Return the style sheet: colour variables of both themes, then the page's and the diagram's classes."""
    sheets = [
        f".sv-page, .sv-brand {{ {colours.css_variables('light')} }}",
        f".sv-page[data-theme='dark'] {{ {colours.css_variables('dark')} }}",
        *((ASSETS / name).read_text(encoding="utf-8") for name in SHEETS),
    ]
    return "\n".join(sheets)


_KINDS = {"activation": ACTIVATIONS, "norm": NORMS, "init": INITS, "merge": MERGES, "event": CHANGES, "metric": METRICS}
_MORE = {"merge": "equation", "event": "sign", "metric": "share"}


def kinds() -> dict:
    """Return what can be chosen as the browser needs it: a kind's name and its words, of a merge its equation too, of
    an event the sign of its mark, of a metric whether it is a share; of an operation
    and of a skip its fields."""
    found = {
        kind: [[name, one.words, *([getattr(one, _MORE[kind])] if kind in _MORE else [])] for name, one in found.items()]
        for kind, found in _KINDS.items()
    }
    return {**found, "operation": operation_fields(), "skip": skip_fields()}


@cache
def shared_data(page: str) -> dict:
    """Return what is the same for everybody: groups of controls, figures, ramps, and where plotly.js is."""
    if page in ("gallery", "guide"):
        return {"groups": GROUPS}
    if page == "runs":
        return {"groups": GROUPS, "ramps": {theme: {"bars": colours.ramp("bars", theme)} for theme in colours.THEMES}}
    return {
        "groups": GROUPS,
        "ramps": {theme: colours.to_data(theme)["ramps"] for theme in colours.THEMES},
        "plotly": plotly_source(),
        "figures": page_figures.figures(page),
        "legend": {theme: legend.wedges(theme, 300 if page == "figure" else 190) for theme in colours.THEMES},
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


def plotly_file() -> Path:
    """Return plotly's own script; found without importing plotly, which takes memory."""
    return Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"


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
