"""The header: our mark and name, and the style of Streamlit's own frame around the pages."""

from __future__ import annotations

import base64
from functools import cache

import streamlit as st

from ...drawing.modules import ASSETS


@cache
def _html() -> str:
    style = (ASSETS / "chrome.css").read_text(encoding="utf-8")
    mark = base64.b64encode((ASSETS / "icon.svg").read_bytes()).decode()
    image = f'<img alt="" src="data:image/svg+xml;base64,{mark}">'
    return f'<style>{style}</style><div class="sv-brand">{image}<span>skipviz</span></div>'


def draw_header() -> None:
    """Put the mark into the header and style the frame."""
    st.html(_html())
