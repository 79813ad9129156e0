"""A line above the lab that says why a network and a task do not fit, or which data is missing, and one button that mends it."""

from __future__ import annotations

from html import escape

import streamlit as st

from ...tasks.experiment import Experiment
from ..session_state.suggested_fix import SuggestedFix


def draw(suggested_fix: SuggestedFix | None, experiment: Experiment, has_data: bool, accept) -> None:
    """Draw the line if there is something to say; `accept(experiment)` takes the mended one."""
    if suggested_fix is not None and suggested_fix.at == experiment:
        text, words = suggested_fix.sentence, suggested_fix.words
    elif not has_data:
        wanted = experiment.task.own.wanted()
        text, words = f"{wanted[:1].upper()}{wanted[1:]}, under Task in the set-up.", ""
    else:
        return
    with st.container(key="suggested_fix", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f'<div class="sv-suggested-fix" role="status">{escape(text)}</div>', unsafe_allow_html=True)
        if words:
            st.button(words, key="suggested_fix_button", type="primary", on_click=lambda: accept(suggested_fix.experiment))
