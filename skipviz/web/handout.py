"""Where a host passes Streamlit's own paths only: a file goes to the page as its data, once, and is forgotten when it is there."""

from __future__ import annotations

import base64
from urllib.parse import urljoin

import streamlit as st

from ..engine import EngineError, get_engine
from .downloads import MAKERS, DownloadError, experiment_file, run_file
from .workbench import Workbench

MOST_BYTES = 8 * 2**20
"""Of a file; as text in a message it is a third more."""


def perform(bench: Workbench, command: dict) -> bool:
    """Do what the page asks of files, and return whether it was that."""
    if command["op"] == "file":
        st.session_state.handout = {"n": command["n"], **_file(bench, str(command["suffix"]), str(command["run"]))}
    elif command["op"] == "file_taken":
        st.session_state.handout = None
    else:
        return False
    return True


def told() -> dict | None:
    """Return the file that the page has asked for and not taken yet: its name and content, or why there is none."""
    return st.session_state.get("handout")


def _file(bench: Workbench, suffix: str, run_id: str) -> dict:
    try:
        if run_id:
            run = get_engine().kept(run_id) or get_engine().look_up(run_id)
            made = MAKERS.submit(run_file, run, suffix, urljoin(st.context.url or "", "lab"))
        else:
            made = MAKERS.submit(experiment_file, bench.experiment, suffix)
        name, body = made.result()
    except (DownloadError, EngineError) as error:
        return {"problem": _sentence(str(error))}
    if len(body) > MOST_BYTES:
        size = f"{len(body) / 2**20:.1f} MB"
        return {"problem": f"This file has {size}, and at most {MOST_BYTES // 2**20} go through the page."}
    return {"name": name, "content": base64.b64encode(body).decode("ascii")}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
