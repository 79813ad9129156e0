"""A line above the lab that says why a network and a task do not fit, or which data is missing, and one button that mends it."""

from __future__ import annotations

from html import escape

import streamlit as st

from ...tasks.experiment import Experiment
from ..session_state.mend import Mend


def draw(mend: Mend | None, experiment: Experiment, has_data: bool, accept) -> None:
    """Draw the line if there is something to say; `accept(experiment)` takes the mended one."""
    if mend is not None and mend.at == experiment:
        text, words = mend.sentence, mend.words
    elif not has_data:
        wanted = experiment.task.own.wanted()
        text, words = f"{wanted[:1].upper()}{wanted[1:]}, under Task in the set-up.", ""
    else:
        return
    with st.container(key="mend", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f'<div class="sv-mend" role="status">{escape(text)}</div>', unsafe_allow_html=True)
        if words:
            st.button(words, key="mend_button", type="primary", on_click=lambda: accept(mend.experiment))
