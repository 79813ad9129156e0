"""The page's frame: header, navigation and the page chosen. Streamlit runs this file for every session."""

from __future__ import annotations

import streamlit as st

from skipviz.web import figure_page, lab_page
from skipviz.web.chrome import draw_header

st.set_page_config(page_title="skipviz", page_icon="assets/icon.svg", layout="wide", initial_sidebar_state="auto")
draw_header()
st.navigation(
    [
        st.Page(figure_page.page, title="Figure 4.9", url_path="figure", default=True),
        st.Page(lab_page.page, title="Lab", url_path="lab"),
    ],
    position="top",
).run()
