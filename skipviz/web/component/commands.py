"""What a page's browser part has asked for, done one after the other; what is refused becomes the page's message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine import EngineError
from ...network.base import NetworkError
from ...tasks.experiment import ExperimentError
from . import component

TITLES = {"open_file": "This file does not open."}
"""What stands before a refusal, by operation, where it is not "Not done."."""
LONGEST = 500
"""Characters of a refusal; our own are shorter."""


def perform_all(key: str, state: Any, perform: Callable[[dict], object]) -> None:
    """Do all that the page `key` sent since the last time with `perform(command)`, which refuses with a sentence or, for what
    is no command, with an arithmetic, lookup, type or value error. The session state keeps count and takes the message."""
    for command in component.commands(key, state.done):
        state.done = command["n"]
        try:
            perform(command)
        except (NetworkError, EngineError, ExperimentError) as error:
            state.message = (TITLES.get(command["op"], "Not done."), capital(str(error)))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            state.message = (TITLES.get(command["op"], "Not done."), "The page sent what is no command.")


def capital(text: str) -> str:
    """Return a refusal's text as a sentence begins, without its end where it repeats at length what was sent."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return text[:1].upper() + text[1:]
