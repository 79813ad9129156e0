"""One run's checkpoints, a file each among those of its place; which of them stay."""

from __future__ import annotations

from ..tasks.blobs import Found, blobs_at
from .folder import CHECKPOINT, checkpoint_step


class CheckpointFiles:
    """The checkpoints in a folder, which may hold a run's frames too, or under a URL."""

    def __init__(self, place: str) -> None:
        self._blobs = blobs_at(place)
        self.remove = self._blobs.clear

    def keep_only(self, step: int | None, live: bool) -> None:
        """Remove all but the one at `step`; of a live run newer ones stay, and what is being written."""
        gone = []
        for file in self._files():
            found = checkpoint_step(file.name)
            if found is None:
                stays = live
            else:
                stays = found == step or (live and (step is None or found > step))
            if not stays:
                gone.append(file.name)
        self._blobs.remove(gone)

    def bytes(self) -> int:
        """Return the size of all."""
        return sum(file.size for file in self._files())

    def _files(self) -> list[Found]:
        return [file for file in self._blobs.found() if file.name.startswith(CHECKPOINT)]
