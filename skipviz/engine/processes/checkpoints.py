"""A worker's checkpoints: files that only ever appear whole, one a step, of which the newest recorded one counts.

The last one of a run that ended is kept with it: its weights are had from there, and it goes on from there.
A file's name says its step. The server notes a checkpoint together with the frames before it, and only then are older
files removed, so that going on never leaves a gap in what was recorded. Imports no torch.
"""

from __future__ import annotations

import contextlib
import time

from ...storage.folder import checkpoint_name
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
        self.step: int | None = None
        """The step of the last one written."""
        self.due = time.monotonic() + seconds if place else float("inf")
        """When the next one is to be written."""

    def read(self, step: int | None) -> bytes | None:
        """Return the bytes written at `step`, or None where they are not there."""
        if self._blobs is None or step is None:
            return None
        try:
            with self._blobs.open(checkpoint_name(step)) as file:
                data = file.read()
        except OSError:
            return None
        self.step = step
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
            with self._blobs.writing(checkpoint_name(trainer.step)) as file:
                file.write(trainer.state_bytes())
            self.step = trainer.step
        self._took = time.monotonic() - began
        self.due = time.monotonic() + max(self._seconds, LEAST_SHARE * self._took)
