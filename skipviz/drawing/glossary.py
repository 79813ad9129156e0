"""What every term of the pages means, as the browser gets it. Imports the standard library only."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "assets" / "glossary.json"


@cache
def glossary() -> dict[str, dict[str, str]]:
    """Return every term's title, what it says, a formula, how to read it, and the book's section where it has one."""
    return json.loads(FILE.read_text(encoding="utf-8"))
