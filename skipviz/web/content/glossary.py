"""What every term of the pages means, as the browser gets it and as a table of the guide. Imports no streamlit."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from .kinds import table

FILE = Path(__file__).resolve().parents[3] / "assets" / "glossary.json"


@cache
def glossary() -> dict[str, dict[str, str]]:
    """Return every term's title, what it says, a formula, how to read it, and the book's section where it has one."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def glossary_table() -> str:
    """Return all terms as a table in Markdown, by title."""
    terms = sorted(glossary().values(), key=lambda term: term["title"].casefold())
    rows = [(f"**{term['title']}**", f"{term['says']} {term['read']}", f"`{term['formula']}`", term["section"]) for term in terms]
    return table(("term", "what", "formula", "section"), rows)
