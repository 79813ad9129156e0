"""The guide: how skipviz is used, hosted and measured, searched by words."""

from __future__ import annotations

import streamlit as st

from ..component import component, feed
from ..component.commands import perform_all
from ..content import guide
from ..session_state import session, view

KEY = "guide"
LONGEST = 200
"""Characters of what is searched for."""


def page() -> None:
    """Draw the guide's page."""
    state = session.guide_state()
    perform_all(KEY, state, perform)
    view.write_address({})
    message, state.message = state.message, None
    component.mount({"page": "guide", "done": state.done, "message": message}, KEY)
    with st.container(key="guide_text"):
        _draw()
    if component.wants_feed(KEY):
        feed.draw()


def perform(command: dict) -> None:
    """Do one command of the page; raises `LookupError` or `ValueError` for what is none."""
    if view.perform(command):
        return
    if command["op"] != "go":
        raise ValueError(command["op"])
    session.go(str(command["page"]))


def _draw() -> None:
    st.header("Guide", anchor=False)
    wanted = st.text_input("Search the guide", max_chars=LONGEST, placeholder="Words, as: memory public").strip()
    everything, found = guide.sections(), guide.search(wanted)
    if wanted:
        none = "No section has all these words. Try fewer, or others."
        st.caption(f"{len(found)} of {len(everything)} sections have all these words." if found else none)
    else:
        st.markdown(" · ".join(f"[{section.title}](#{section.anchor})" for section in everything if section.leads))
    page = None
    for section in found:
        if section.page != page:
            page = section.page
            st.header(page, anchor=guide.anchor_of(page), divider="gray")
        if not section.leads:
            st.subheader(section.title, anchor=section.anchor)
        if section.body:
            st.markdown(section.body)
        for file, words in section.pictures:
            st.image(str(file), caption=words)
