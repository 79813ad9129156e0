"""One run's chunks of frames as files of its folder, which may hold its checkpoints too."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from .chunks import Chunk
from .folder import CHECKPOINT, size_of

_NAME = re.compile(r"(\d{6})-(\d{9})-(\d{9})\.(\d)\.parquet")


class ChunkFiles:
    """The chunks in a folder, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self) -> list[Chunk]:
        return [Chunk(*map(int, match.groups())) for name in self._names() if (match := _NAME.fullmatch(name))]

    def open(self, chunk: Chunk) -> Path:
        return self._path(chunk)

    def write(self, chunk: Chunk, data: memoryview) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(chunk)
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)

    def drop(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._path(chunk).unlink(missing_ok=True)

    def keep(self, chunks: list[Chunk]) -> None:
        wanted = {self._path(chunk).name for chunk in chunks}
        for name in self._names():
            if name not in wanted:
                (self._folder / name).unlink(missing_ok=True)

    def bytes(self) -> int:
        return sum(size_of(self._folder / name) for name in self._names())

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _names(self) -> list[str]:
        """Return the names of all files that are no checkpoint's."""
        if not self._folder.is_dir():
            return []
        return [name for name in os.listdir(self._folder) if not name.startswith(CHECKPOINT)]

    def _path(self, chunk: Chunk) -> Path:
        return self._folder / f"{chunk.edition:06d}-{chunk.first:09d}-{chunk.last:09d}.{chunk.level}.parquet"


def _sync_folder(path: Path) -> None:
    """Make a new name in a folder last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
