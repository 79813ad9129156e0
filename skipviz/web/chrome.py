"""The header: our mark and name, and the style of Streamlit's own frame around the pages."""

from __future__ import annotations

from functools import cache

import streamlit as st

from .bundle import ASSETS


@cache
def _html() -> str:
    style = (ASSETS / "chrome.css").read_text(encoding="utf-8")
    mark = (ASSETS / "mark.svg").read_text(encoding="utf-8")
    return f'<style>{style}</style><div class="sv-brand">{mark}<span>skipviz</span></div>'


def draw_header() -> None:
    """Put the mark into the header and style the frame."""
    st.html(_html())
