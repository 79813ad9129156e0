"""An address that names no page leads to the first page, which says so: Streamlit's own answer is a dialog over it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import streamlit as st

from ..session_state import session

TITLE = "There is no page at this address."


def place(known: set[str]) -> str | None:
    """Return the last part of this page's address where it is none of `known`; None where it names a page."""
    last = unquote(urlsplit(st.context.url or "").path.rpartition("/")[2]).strip()
    return last if last and last not in known else None


def page() -> None:
    """Leave a word for the first page, which is shown instead."""
    session.figure_state().message = (TITLE, "Here is the first one.")
    session.go("figure")
