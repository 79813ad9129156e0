"""Large objects by name: in a folder, or in whatever fsspec finds behind a URL (`s3://…`, `gs://…`, `memory://…`).

Every object appears whole or not at all. Everything here may wait, and raises `OSError` where that cannot be done now.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

_MODIFIED = ("mtime", "LastModified", "last_modified", "created")
"""Names by which listings of file systems, S3, Azure and the memory say when an object was written."""
PART = ".part"
"""How the name of a file ends that is being written."""


class Found(NamedTuple):
    """One object of a place."""

    name: str
    size: int
    modified: float
    """When it was last written, or said to be in use; in seconds since 1970."""


class Blobs(Protocol):
    """Objects in one place; a name has no folder in it."""

    def open(self, name: str) -> BinaryIO:
        """Return an object to be read; raises `FileNotFoundError` where there is none."""

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Lend what takes an object's bytes; once that is left without an error it is there, in place of one that was."""

    def has(self, name: str) -> bool:
        """Return whether an object is there."""

    def found(self) -> list[Found]:
        """Return every object; there may be none."""

    def use(self, name: str) -> None:
        """Note that an object is in use, where the place keeps such notes."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there is no problem."""

    def clear(self) -> None:
        """Remove every object, and the place itself where it is a thing."""


class FolderBlobs:
    """The files in a folder, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("rb")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=name, suffix=PART, dir=self._folder)
        try:
            with open(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(handle)
            os.replace(part, self._folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
        _sync(self._folder)

    def has(self, name: str) -> bool:
        return (self._folder / name).is_file()

    def found(self) -> list[Found]:
        if not self._folder.is_dir():
            return []
        found = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                if entry.is_file():
                    status = entry.stat()
                    found.append(Found(entry.name, status.st_size, status.st_mtime))
        return found

    def use(self, name: str) -> None:
        with suppress(OSError):
            os.utime(self._folder / name)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class RemoteBlobs:
    """The objects under a URL. One's age counts from its being written: such places take no note of its use."""

    def __init__(self, url: str) -> None:
        with _as_os_errors():
            from fsspec.core import url_to_fs

            # What was listed once says nothing of what other machines wrote since, and would hide it.
            self._system, self._root = url_to_fs(url, use_listings_cache=False)

    def open(self, name: str) -> BinaryIO:
        with _as_os_errors():
            return io.BytesIO(self._system.cat_file(f"{self._root}/{name}"))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        with tempfile.NamedTemporaryFile() as file:
            yield file
            file.flush()
            with _as_os_errors():
                self._system.makedirs(self._root, exist_ok=True)
                self._system.put_file(file.name, f"{self._root}/{name}")

    def has(self, name: str) -> bool:
        with _as_os_errors():
            return self._system.isfile(f"{self._root}/{name}")

    def found(self) -> list[Found]:
        with _as_os_errors():
            try:
                found = [one for one in self._system.ls(self._root, detail=True) if one["type"] == "file"]
            except FileNotFoundError:
                return []
            return [Found(one["name"].rpartition("/")[2], one["size"], self._modified(one)) for one in found]

    def use(self, name: str) -> None:
        return

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(FileNotFoundError), _as_os_errors():
                self._system.rm_file(f"{self._root}/{name}")

    def clear(self) -> None:
        self.remove([one.name for one in self.found()])

    def _modified(self, listed: dict) -> float:
        """Return when an object was written: as the listing says it, else it is asked for."""
        when = next((listed[name] for name in _MODIFIED if name in listed), None) or self._system.modified(listed["name"])
        return when if isinstance(when, int | float) else when.timestamp()


class Blob(NamedTuple):
    """One object, which need not be there."""

    place: str
    name: str

    def read_bytes(self) -> bytes:
        """Return what it holds; raises `OSError`."""
        with blobs_at(self.place).open(self.name) as file:
            return file.read()

    def exists(self) -> bool:
        """Return whether it is there; False where that cannot be said."""
        try:
            return blobs_at(self.place).has(self.name)
        except OSError:
            return False


def blobs_at(place: str) -> Blobs:
    """Return the objects in a folder or under a URL."""
    if "://" in place and not place.startswith("file://"):
        return RemoteBlobs(place)
    return FolderBlobs(Path(place.removeprefix("file://")))


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Let whatever a file system's own library raises be an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}"[:200]) from error


def _sync(folder: Path) -> None:
    """Make a new name in a folder last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
