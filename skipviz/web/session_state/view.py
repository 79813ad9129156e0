"""How this session looks at the pages: what a lesson hides, a projector's large type; it goes along from page to page."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ...sharing.code import matrix
from ...sharing.lesson import hidden_groups
from ...sharing.link import as_sent
from ...sharing.tour import MAX_CHARACTERS, TourError, checked, decode, encode

LEAST_HEIGHT, MOST_HEIGHT = 240, 2000
"""px of the diagram on a projector."""
MOST_TOUR = 2 * MAX_CHARACTERS
"""Characters that are read of a tour in an address."""


@dataclass
class View:
    """`height` is what a projector's screen leaves for the diagram, in px of the drawing; `code` is the QR code asked for.
    `tour` is a lesson's own tour (its text and steps, or why it does not open), `tour_made` what became of one being written."""

    hide: tuple[str, ...] = ()
    projector: bool = False
    height: int | None = None
    code: dict | None = None
    tour: dict | None = None
    tour_made: dict | None = None


def view() -> View:
    """Return this session's view, as the address asked for it."""
    if "view" not in st.session_state:
        query = st.query_params
        projector = query.get("projector", "") not in ("", "0")
        opened = _opened(as_sent(query.get("tour", "")[:MOST_TOUR]))
        st.session_state.view = View(hidden_groups(query.get("hide", "")), projector, tour=opened)
    return st.session_state.view


def hides(group: str) -> bool:
    """Return whether this session's pages leave `group` out."""
    return group in view().hide


def room() -> int | None:
    """Return the height in px that a projector's screen leaves for the diagram, or None for a page's own."""
    return view().height if view().projector else None


def perform(command: dict) -> bool:
    """Do what every page can be asked for, and return whether it was that."""
    now = view()
    if command["op"] == "view":
        now.hide = hidden_groups(command.get("hide", now.hide))
        now.projector = bool(command.get("projector", now.projector))
        height = command.get("height")
        fits = isinstance(height, int | float) and LEAST_HEIGHT <= height <= MOST_HEIGHT
        now.height = int(height) if fits else None
        return True
    if command["op"] == "tour":
        now.tour_made = {"key": command.get("key"), **_made(command["steps"])}
        return True
    if command["op"] == "code":
        address = str(command["address"])
        now.code = {"address": address, "rows": matrix(address)}
        return True
    return False


def _made(steps) -> dict:
    """Return the text of a tour that is being written, and its steps as the browser gets them; or what is wrong with it."""
    try:
        return {"text": encode(steps), "steps": [step.to_data() for step in checked(steps)]}
    except TourError as error:
        return {"problem": str(error)}


def _opened(text: str) -> dict | None:
    """Return a lesson's own tour as the browser gets it, or why it does not open; nothing for no text."""
    if not text:
        return None
    try:
        return {"text": text, "steps": [step.to_data() for step in decode(text)]}
    except TourError as error:
        return {"problem": str(error)}


def page_fields() -> dict:
    """Return it as the browser's part gets it."""
    now = view()
    shown = {"tour": now.tour, "tour_made": now.tour_made}
    return {**shown, "hide": now.hide, "projector": now.projector, "code": now.code, "inline": bool(st.session_state.get("inline"))}


def write_address(wanted: dict[str, str]) -> None:
    """Keep the address true: `wanted` is the page's own part of it."""
    now = view()
    if now.hide:
        wanted = {**wanted, "hide": ",".join(now.hide)}
    if now.tour and "text" in now.tour:
        wanted = {**wanted, "tour": now.tour["text"]}
    if now.projector:
        wanted = {**wanted, "projector": "1"}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)
