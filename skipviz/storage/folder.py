"""The folder that one server at a time keeps its runs in, and where in it each run lies."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path

CHECKPOINT = "checkpoint-"
"""How the name of every file of a checkpoint begins, and no other's."""
_CHECKPOINT = re.compile(rf"{CHECKPOINT}(\d{{9}})(-[0-9a-f]+)?\.npz")
LONGEST_SOCKET = 100
"""Bytes of a socket's path; systems take 104 or 108."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(text: str) -> bool:
    """Return whether `text` can be a run's id, and so a folder's name."""
    return _ID.fullmatch(text) is not None


def place_of(place: str, run_id: str) -> str:
    """Return where one run is kept in a folder or under a URL; raises `ValueError` for what is no id."""
    if not is_id(run_id):
        raise ValueError("this is no run's id")
    return f"{place}/runs/{run_id}"


def new_checkpoint(step: int) -> str:
    """Return a name for a checkpoint in its run's folder, which no other has, not even one of the same step."""
    return f"{CHECKPOINT}{step:09d}-{secrets.token_hex(4)}.npz"


def checkpoint_step(name: str) -> int | None:
    """Return the step of a checkpoint's file, or None for another file."""
    match = _CHECKPOINT.fullmatch(name)
    return int(match[1]) if match else None


def socket_of(folder: Path, make: bool = False) -> Path:
    """Return the socket by which scripts reach the server that keeps its runs in `folder`; `make` what it lies in.

    It lies in the folder, or where the path is too long for a socket, in one of this user's own for temporary files.
    """
    path = folder.resolve() / "watch.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
    own = Path(tempfile.gettempdir()) / f"skipviz-{os.getuid()}"
    if make:
        own.mkdir(mode=0o700, exist_ok=True)
    if own.exists() and own.stat().st_uid != os.getuid():
        raise PermissionError(f"{own} is another user's")
    return own / f"{name}.sock"


class FolderLock:
    """Held by whoever writes the folder, or does what another `name` stands for, one at a time.

    The system lets go of it when its holder dies.
    """

    def __init__(self, folder: Path, name: str = "lock") -> None:
        self._path = folder / name
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Return whether the folder is this process's now; raises `OSError` where the file cannot be made."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
