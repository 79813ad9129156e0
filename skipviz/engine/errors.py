"""What the engine refuses."""

from __future__ import annotations


class EngineError(ValueError):
    """What the engine refuses, in one sentence; `status` is the HTTP status that says the same."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def unknown() -> EngineError:
    """Return the refusal of a run that is not there."""
    return EngineError("there is no such run, or it is no longer kept", 404)
