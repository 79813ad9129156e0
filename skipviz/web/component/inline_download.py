"""Where a host passes Streamlit's own paths only: a file goes to the page as its data, once, and is forgotten when it is there."""

from __future__ import annotations

import base64
import threading
from urllib.parse import urljoin

import streamlit as st

from ...engine import EngineError, get_engine
from ..content.file_names import run_stem, stem
from ..content.files import FileError
from ..http.downloads import made_of_experiment, made_of_run
from ..session_state.editor import Editor

MOST_BYTES = 8 * 2**20
"""Of a file; as text in a message it is a third more."""


UNTAKEN_SECONDS = 60.0
"""After which a file is forgotten that no page has taken: its tab was closed, or lost the server."""


class Downloads:
    """Holds one file until it is taken, or for `seconds`."""

    def __init__(self, seconds: float = UNTAKEN_SECONDS) -> None:
        self._seconds, self._file = seconds, None

    def put(self, file: dict) -> None:
        """Hold `file` in place of what is held."""
        self._file = file
        timer = threading.Timer(self._seconds, self._forget, (file,))
        timer.daemon = True
        timer.start()

    def _forget(self, file: dict) -> None:
        if self._file is file:
            self._file = None

    def file(self) -> dict | None:
        """Return what is held."""
        return self._file

    def clear(self) -> None:
        """Forget what is held."""
        self._file = None


def perform(editor: Editor | None, command: dict) -> bool:
    """Do what the page asks of files, and return whether it was that; without an editor only runs have files."""
    if command["op"] == "file":
        _downloads().put({"n": command["n"], **_file(editor, command)})
    elif command["op"] == "file_taken":
        _downloads().clear()
    else:
        return False
    return True


def file() -> dict | None:
    """Return the file that the page has asked for and not taken yet: its name and content, or why there is none."""
    return _downloads().file()


def stem_of(editor: Editor) -> str:
    """Return how files made in the page are called: as those that the routes give of the run, or of the experiment."""
    run = get_engine().run(editor.run) if editor.run else None
    return run_stem(run) if run else stem(editor.experiment)


def _downloads() -> Downloads:
    if "inline_download" not in st.session_state:
        st.session_state.inline_download = Downloads()
    return st.session_state.inline_download


def _file(editor: Editor | None, command: dict) -> dict:
    suffix, run_id, variant = str(command["suffix"]), str(command["run"]), str(command.get("variant") or "")
    try:
        if run_id:
            run = get_engine().kept(run_id) or get_engine().look_up(run_id)
            made = made_of_run(run, suffix, urljoin(st.context.url or "", "lab"), variant=variant)
        elif editor is None:
            return {"problem": "There is no such file."}
        else:
            made = made_of_experiment(editor.experiment, suffix)
        name, body = made.result()
    except (FileError, EngineError) as error:
        return {"problem": _sentence(str(error))}
    if len(body) > MOST_BYTES:
        size = f"{len(body) / 2**20:.1f} MB"
        return {"problem": f"This file has {size}, and at most {MOST_BYTES // 2**20} go through the page."}
    return {"name": name, "content": base64.b64encode(body).decode("ascii")}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
