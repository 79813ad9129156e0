"""The browser's part as two strings, handed to the component inline: one ES module and one style sheet.

The files in `assets/js` are plain ES modules with single-line imports; all their top-level names differ, so putting
them one after another without their imports and exports gives one module that means the same.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ..drawing.colours import css_variables

ASSETS = Path(__file__).resolve().parents[2] / "assets"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";?\n', re.M)
_COMMENT = re.compile(r"^[ ]*/\*\*.*?\*/\n|^[ ]*//[^\n]*\n", re.M | re.S)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|class|let)", re.M)
_TOP_LEVEL = re.compile(r"^(?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.M)


class BundleError(ValueError):
    """Modules that cannot be joined: two of them use one name at the top level."""


@cache
def script() -> str:
    """Return the module `main.js` with all it imports, depth first; raises `BundleError`."""
    parts: list[str] = []
    owners: dict[str, str] = {}
    _append("main.js", parts, owners, set())
    return "\n".join(parts)


def _append(name: str, parts: list[str], owners: dict[str, str], seen: set[str]) -> None:
    seen.add(name)
    source = (ASSETS / "js" / name).read_text(encoding="utf-8")
    for needed in _IMPORT.findall(source):
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
        f".sv-page, .sv-brand {{ {css_variables('light')} }}",
        f".sv-page[data-theme='dark'] {{ {css_variables('dark')} }}",
        *((ASSETS / name).read_text(encoding="utf-8") for name in ("page.css", "diagram.css")),
    ]
    return "\n".join(sheets)
