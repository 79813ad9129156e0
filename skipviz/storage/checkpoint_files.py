"""One run's checkpoints, a file each among those of its place; which of them stay."""

from __future__ import annotations

from ..tasks.blobs import Found, blobs_at
from .folder import CHECKPOINT, checkpoint_step


class CheckpointFiles:
    """The checkpoints in a folder, which may hold a run's frames too, or under a URL."""

    def __init__(self, place: str) -> None:
        self._blobs = blobs_at(place)
        self.remove = self._blobs.clear

    def keep_only(self, name: str | None, live: bool) -> None:
        """Remove all but the one of that name; of a live run newer ones stay, and what is being written."""
        step, files = checkpoint_step(name) if name else None, {file.name for file in self._files()}
        newer = {file for file in files if live and _may_follow(checkpoint_step(file), step)}
        self._blobs.remove(files - newer - {name})

    def bytes(self) -> int:
        """Return the size of all."""
        return sum(file.size for file in self._files())

    def _files(self) -> list[Found]:
        return [file for file in self._blobs.found() if file.name.startswith(CHECKPOINT)]


def _may_follow(found: int | None, step: int | None) -> bool:
    """Return whether a file may be the next checkpoint after that at `step`; None: it is being written, or there is none."""
    return found is None or step is None or found >= step
