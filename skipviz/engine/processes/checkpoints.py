"""A worker's checkpoints: files that only ever appear whole, one a step, of which the newest recorded one counts.

The last one of a run that ended is kept with it: its weights are had from there, and it goes on from there.
A file's name says its step and is used once: a worker that was cut off, and writes on while its run goes on with another, never
writes what that one goes on from. The server notes a checkpoint's name together with the frames before it, and only then are older
files removed, so that going on never leaves a gap in what was recorded. Imports no torch.
"""

from __future__ import annotations

import contextlib
import time

from ...storage.folder import new_checkpoint
from ...tasks.blobs import blobs_at

LEAST_SHARE = 50
"""A run trains at least so many times as long as it writes checkpoints."""
LAST_SECONDS = 1.0
"""A stopped run makes a last checkpoint if that is expected to take no longer: who stops it does not wait."""


class Checkpoints:
    """Writes one run's state into its place, a folder or a URL; without one it does nothing."""

    def __init__(self, place: str | None, seconds: float) -> None:
        self._blobs = None if place is None else blobs_at(place)
        self._seconds = seconds
        self._took = 0.0
        self._tried: tuple[int, int] | None = None
        self.name: str | None = None
        """The name of the last one written, or read."""
        self.due = time.monotonic() + seconds if place else float("inf")
        """When the next one is to be written."""

    def read(self, name: str | None) -> bytes | None:
        """Return the bytes of that name, or None where they are not there."""
        if self._blobs is None or name is None:
            return None
        try:
            with self._blobs.open(name) as file:
                data = file.read()
        except OSError:
            return None
        self.name = name
        return data

    def lacks(self, trainer) -> bool:
        """Return whether the trainer has changed since the last try to write."""
        return self._blobs is not None and self._tried != (trainer.step, trainer.applied)

    def affordable(self) -> bool:
        """Return whether one more is expected to take no time that a person notices."""
        return self._took <= LAST_SECONDS

    def write(self, trainer) -> None:
        """Write the trainer's state; where the disk takes none, the one before stays and the run goes on."""
        if self._blobs is None or not self.lacks(trainer):
            return
        began = time.monotonic()
        self._tried = (trainer.step, trainer.applied)
        with contextlib.suppress(OSError):
            name = new_checkpoint(trainer.step)
            with self._blobs.writing(name) as file:
                file.write(trainer.state_bytes())
            self.name = name
        self._took = time.monotonic() - began
        self.due = time.monotonic() + max(self._seconds, LEAST_SHARE * self._took)
