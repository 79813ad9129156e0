"""A worker's checkpoints: files that only ever appear whole, one a step, of which the newest recorded one counts.

The last one of a run that ended is kept with it: its weights are had from there, and it goes on from there.
A file's name says its step. The server notes a checkpoint together with the frames before it, and only then are older
files removed, so that going on never leaves a gap in what was recorded. Imports no torch.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ...storage.folder import checkpoint_name

LEAST_SHARE = 50
"""A run trains at least so many times as long as it writes checkpoints."""
LAST_SECONDS = 1.0
"""A stopped run makes a last checkpoint if that is expected to take no longer: who stops it does not wait."""


class Checkpoints:
    """Writes one run's state into its folder; without a folder it does nothing."""

    def __init__(self, folder: str | None, seconds: float) -> None:
        self._folder = None if folder is None else Path(folder)
        self._seconds = seconds
        self._took = 0.0
        self._tried: tuple[int, int] | None = None
        self.step: int | None = None
        """The step of the last one written."""
        self.due = time.monotonic() + seconds if folder else float("inf")
        """When the next one is to be written."""

    def read(self, step: int | None) -> bytes | None:
        """Return the bytes written at `step`, or None where they are not there."""
        if self._folder is None or step is None:
            return None
        try:
            data = (self._folder / checkpoint_name(step)).read_bytes()
        except OSError:
            return None
        self.step = step
        return data

    def lacks(self, trainer) -> bool:
        """Return whether the trainer has changed since the last try to write."""
        return self._folder is not None and self._tried != (trainer.step, trainer.applied)

    def affordable(self) -> bool:
        """Return whether one more is expected to take no time that a person notices."""
        return self._took <= LAST_SECONDS

    def write(self, trainer) -> None:
        """Write the trainer's state; where the disk takes none, the one before stays and the run goes on."""
        if self._folder is None or not self.lacks(trainer):
            return
        began = time.monotonic()
        self._tried = (trainer.step, trainer.applied)
        target = self._folder / checkpoint_name(trainer.step)
        part = target.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(trainer.state_bytes())
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            self.step = trainer.step
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        self._took = time.monotonic() - began
        self.due = time.monotonic() + max(self._seconds, LEAST_SHARE * self._took)
