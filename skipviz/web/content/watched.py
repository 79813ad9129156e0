"""Somebody's experiment as a watching page gets it: the same for all who watch, so drawn and encoded once.

No streamlit here: a class that follows into the next run asks our route, and not two hundred scripts.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import OrderedDict

from ...tasks.experiment import Experiment
from ..document.document import Document
from ..document.lab import Lab
from ..session_state.editor import Editor
from .page_data import editor_data

KEPT = 16
"""Drawings kept: few classrooms change at the same moment."""
PENDING_SECONDS = 0.4
"""How long a drawing without its measured gradient is kept, which a page asks for again."""

_drawings: OrderedDict[tuple, tuple[Experiment, asyncio.Task]] = OrderedDict()


async def watched(document: Document, engine, *, compact: bool) -> bytes:
    """Return the lab's data for one who reads `document` and may not change it, as JSON in gzip's form."""
    loop = asyncio.get_running_loop()
    key = (id(loop), id(document.experiment), document.run, document.edits, compact)
    if key not in _drawings:
        task = asyncio.create_task(asyncio.to_thread(_drawn, document, engine, compact))
        task.add_done_callback(lambda done: _forget_soon(loop, key, done))
        _drawings[key] = document.experiment, task
        while len(_drawings) > KEPT:
            _drawings.popitem(last=False)
    body, _ = await asyncio.shield(_drawings[key][1])
    return body


def _drawn(document: Document, engine, compact: bool) -> tuple[bytes, bool]:
    """Return the data, and whether they are all there."""
    editor, asker = Editor(Lab(document.experiment, run=document.run)), f"watched {id(document.experiment)}"
    data = editor_data(editor, engine, "", page="lab", compact=compact, asker=asker)
    data |= {"mine": False, "edits": document.edits}
    return gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 3), not data["pending"]


def _forget_soon(loop, key: tuple, task: asyncio.Task) -> None:
    if task.cancelled() or task.exception() is not None:
        _drawings.pop(key, None)
    elif not task.result()[1]:
        loop.call_later(PENDING_SECONDS, _drawings.pop, key, None)
