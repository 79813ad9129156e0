"""The glossary as a table of the guide. Imports no streamlit."""

from __future__ import annotations

from ...drawing.glossary import glossary
from .kinds import table


def glossary_table() -> str:
    """Return all terms as a table in Markdown, by title."""
    terms = sorted(glossary().values(), key=lambda term: term["title"].casefold())
    rows = [(f"**{term['title']}**", f"{term['says']} {term['read']}", f"`{term['formula']}`", term["section"]) for term in terms]
    return table(("term", "what", "formula", "section"), rows)
