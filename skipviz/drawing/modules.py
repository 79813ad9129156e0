"""The browser's part as one ES module, its style sheet, and what it draws with: figures, ramps, legends.

The files in `assets/js` are plain ES modules with single-line imports; all their top-level names differ, so putting
them one after another without their imports and exports gives one module that means the same.
"""

from __future__ import annotations

import json
import posixpath
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..network.activation import ACTIVATIONS
from ..network.init import INITS
from ..network.merge import CHOSEN
from ..network.norm import NORMS
from ..tasks.change import CHANGES
from ..tasks.metric import METRICS
from . import colours, legend, page_figures
from .glossary import glossary
from .operation_fields import operation_fields, skip_fields

ASSETS = Path(__file__).resolve().parents[2] / "assets"
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


def without_comments(name: str) -> str:
    """Return a script that imports none."""
    return _COMMENT.sub("", (ASSETS / "js" / name).read_text(encoding="utf-8"))


@cache
def style() -> str:
    """Return the style sheet: colour variables of both themes, then the page's and the diagram's classes."""
    sheets = [
        f".sv-page, .sv-brand {{ {colours.css_variables('light')} }}",
        f".sv-page[data-theme='dark'] {{ {colours.css_variables('dark')} }}",
        *((ASSETS / name).read_text(encoding="utf-8") for name in SHEETS),
    ]
    return "\n".join(sheets)


_KINDS = {"activation": ACTIVATIONS, "norm": NORMS, "init": INITS, "merge": CHOSEN, "event": CHANGES, "metric": METRICS}
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


def drawn_data(page: str) -> dict:
    """Return the colours, figures and legend that a page draws with."""
    return {
        "ramps": {theme: colours.to_data(theme)["ramps"] for theme in colours.THEMES},
        "figures": page_figures.figures(page),
        "legend": {theme: legend.wedges(theme, 300 if page == "figure" else 190) for theme in colours.THEMES},
    }


def plotly_file() -> Path:
    """Return plotly's own script; found without importing plotly, which takes memory."""
    return Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"
