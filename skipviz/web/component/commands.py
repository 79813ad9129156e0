"""What a page's browser part has asked for, done one after the other; what is refused becomes the page's message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..document.commands import REFUSED, refusal
from . import component

TITLES = {"open_file": "This file does not open."}
"""What stands before a refusal, by operation, where it is not "Not done."."""


def perform_all(key: str, state: Any, perform: Callable[[dict], object]) -> None:
    """Do all that the page `key` sent since the last time with `perform(command)`, which refuses with a sentence or, for what
    is no command, with an arithmetic, lookup, type or value error. The session state keeps count and takes the message."""
    for command in component.commands(key, state.done):
        state.done = command["n"]
        try:
            perform(command)
        except REFUSED as error:
            state.message = (TITLES.get(command["op"], "Not done."), refusal(error))
