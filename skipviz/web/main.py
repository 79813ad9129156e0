"""The page's frame: header, navigation and the page chosen. Streamlit runs this file for every session."""

from __future__ import annotations

import streamlit as st

from skipviz.web.component.component import commands
from skipviz.web.screens import (
    compare_page,
    evidence_page,
    figure_page,
    gallery_page,
    guide_page,
    lab_page,
    lost_page,
    runs_page,
    sweep_page,
)
from skipviz.web.screens.chrome import draw_header
from skipviz.web.session_state.session import on_phone

# Streamlit closes the sidebar by itself where the window is narrow; a phone held across has as little room.
sidebar = "collapsed" if on_phone() else "auto"
st.set_page_config(page_title="skipviz", page_icon="assets/icon.svg", layout="wide", initial_sidebar_state=sidebar)
draw_header()
pages = {
    "figure": st.Page(figure_page.page, title="Figure 4.9", url_path="figure", default=True),
    "lab": st.Page(lab_page.page, title="Lab", url_path="lab"),
    "gallery": st.Page(gallery_page.page, title="Gallery", url_path="gallery"),
    "sweep": st.Page(sweep_page.page, title="Sweep", url_path="sweep"),
    "evidence": st.Page(evidence_page.page, title="Evidence", url_path="evidence"),
    "runs": st.Page(runs_page.page, title="My runs", url_path="runs"),
    "guide": st.Page(guide_page.page, title="Guide", url_path="guide"),
    "compare": st.Page(compare_page.page, title="Side by side", url_path="compare", visibility="hidden"),
}
lost = lost_page.place(set(pages))
if lost:
    pages["lost"] = st.Page(lost_page.page, title="No page", url_path=lost, visibility="hidden")
chosen = st.navigation(list(pages.values()), position="top")
# What was asked for on a page just before it was left.
for screen in (figure_page, lab_page, runs_page, compare_page, sweep_page, evidence_page):
    if chosen is not pages[screen.KEY] and commands(screen.KEY, 0):
        screen.obey()
asked = st.session_state.pop("go", None)
if isinstance(asked, str) and asked in pages:
    st.switch_page(pages[asked])
chosen.run()
