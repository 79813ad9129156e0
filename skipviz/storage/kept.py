"""What is kept of one run beside its row of the table: its frames and its checkpoints."""

from __future__ import annotations

from .checkpoint_files import CheckpointFiles
from .chunks import Frames


class Kept:
    """One run's frames and checkpoints."""

    def __init__(self, frames: Frames, checkpoints: CheckpointFiles) -> None:
        self.frames, self._checkpoints = frames, checkpoints

    def keep_only(self, row: dict, live: bool) -> None:
        """Remove what the run's row speaks of no longer; of a live run newer checkpoints stay."""
        self.frames.keep_only(row["edition"])
        self._checkpoints.keep_only(row["checkpoint_file"], live)

    def bytes(self) -> int:
        """Return the size of all."""
        return self.frames.bytes() + self._checkpoints.bytes()

    def remove(self) -> None:
        """Remove all; afterwards nothing of it is there, nor a folder."""
        self.frames.remove()
        self._checkpoints.remove()
