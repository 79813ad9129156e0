"""One run's checkpoints, as files of its folder that only ever appear whole; which of them stay."""

from __future__ import annotations

import os
from pathlib import Path

from .folder import CHECKPOINT, checkpoint_step, size_of


class CheckpointFiles:
    """The checkpoints in a folder, which may hold a run's frames too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep_only(self, step: int | None, live: bool) -> None:
        """Remove all but the one at `step`; of a live run newer ones stay, and what is being written."""
        for file in self._files():
            found = checkpoint_step(file.name)
            if found is None:
                stays = live
            else:
                stays = found == step or (live and (step is None or found > step))
            if not stays:
                file.unlink(missing_ok=True)

    def bytes(self) -> int:
        """Return the size of all."""
        return sum(map(size_of, self._files()))

    def remove(self) -> None:
        """Remove all."""
        self.keep_only(None, live=False)

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return [self._folder / name for name in os.listdir(self._folder) if name.startswith(CHECKPOINT)]
