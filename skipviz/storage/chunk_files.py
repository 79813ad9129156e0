"""One run's chunks of frames as files of its folder, which may hold its checkpoints too."""

from __future__ import annotations

import re
from pathlib import Path

from ..tasks.blobs import FolderBlobs, Found
from .chunks import Chunk
from .folder import CHECKPOINT

_NAME = re.compile(r"(\d{6})-(\d{9})-(\d{9})\.(\d)\.parquet")


class ChunkFiles:
    """The chunks in a folder, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._blobs = folder, FolderBlobs(folder)
        self.remove = self._blobs.clear

    def found(self) -> list[Chunk]:
        return [Chunk(*map(int, match.groups())) for file in self._files() if (match := _NAME.fullmatch(file.name))]

    def open(self, chunk: Chunk) -> Path:
        return self._folder / _name(chunk)

    def write(self, chunk: Chunk, data: memoryview) -> None:
        with self._blobs.writing(_name(chunk)) as file:
            file.write(data)

    def drop(self, chunks: list[Chunk]) -> None:
        self._blobs.remove(map(_name, chunks))

    def keep(self, chunks: list[Chunk]) -> None:
        wanted = set(map(_name, chunks))
        self._blobs.remove([file.name for file in self._files() if file.name not in wanted])

    def bytes(self) -> int:
        return sum(file.size for file in self._files())

    def _files(self) -> list[Found]:
        """Return all files that are no checkpoint's."""
        return [file for file in self._blobs.found() if not file.name.startswith(CHECKPOINT)]


def _name(chunk: Chunk) -> str:
    return f"{chunk.edition:06d}-{chunk.first:09d}-{chunk.last:09d}.{chunk.level}.parquet"
