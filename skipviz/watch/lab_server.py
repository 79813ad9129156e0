"""The lab of this machine, which shows live what a script watches: found by its socket, or started. Imports no torch."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from ..settings import Settings
from ..storage.folder import FolderLock, socket_of

ROOT = Path(__file__).resolve().parents[2]
FIRST_PORT, PORTS = 8512, 20
"""Where a server that a script starts is looked for a free port, so that its address is mostly the same."""
STARTING_SECONDS = 120.0
"""Within which a server that was started takes scripts in; on a busy machine its libraries alone take half a minute."""
MOST_STARTS = 3
"""Of a server that ends before it takes scripts in: one of another folder, begun at the same moment, may have taken its port."""
IDLE_MINUTES = "30"
"""After which a server that a script has started ends, where the setting does not say."""


class NoLabError(Exception):
    """There is no lab to be reached; one sentence."""


class Connection:
    """A script's connection to the lab's server: lines out, one answer back."""

    def __init__(self, path: Path, started: bool = False) -> None:
        """`started`: whether the server was started for this script."""
        self.started, self._socket = started, socket.socket(socket.AF_UNIX)
        try:
            if path.stat().st_uid != os.getuid():
                raise PermissionError("the socket is another user's")
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def greet(self, greeting: bytes) -> dict:
        """Say what is watched and return `{"run": …, "address": …, "step": …}`, the last step that it has of the run.

        Raises `NoLabError` where it is refused, `OSError`.
        """
        self.write(greeting + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            came = self._socket.recv(1 << 16)
            if not came:
                raise ConnectionResetError("the lab let go of the connection")
            answer += came
        said = json.loads(answer)
        if "refused" in said:
            raise NoLabError(said["refused"])
        return said

    def write(self, lines: bytes) -> None:
        """Send whole lines; waits while the server is behind. Raises `OSError`."""
        self._socket.sendall(lines)

    def finish(self, seconds: float) -> None:
        """Wait until the server has taken all that was written, and let go."""
        with contextlib.suppress(OSError):
            self._socket.settimeout(seconds)
            self._socket.recv(1)
        self._socket.close()


def connect(settings: Settings, start: bool = True) -> Connection:
    """Return a connection to the server that keeps its runs in the settings' folder; where there is none, `start` it.

    Of several scripts that begin at once one starts it, and the others wait. Raises `NoLabError`.
    """
    folder, end = settings.data_dir.resolve(), time.monotonic() + STARTING_SECONDS
    if not hasattr(socket, "AF_UNIX"):
        raise NoLabError("this system has no sockets for it")
    with contextlib.suppress(OSError):
        return Connection(socket_of(folder))
    if not start:
        raise NoLabError("no server runs for this folder")
    if not (ROOT / "app.py").exists():
        raise NoLabError("no server runs for this folder, and the lab's own files are not installed here: start it by hand")
    starting, server, starts = FolderLock(folder, "watch.starting"), None, 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                return Connection(socket_of(folder), started=server is not None)
            if starts < MOST_STARTS and (server.poll() is not None if server else starting.acquire()):
                server, starts = _start(folder, 0 if starts else FIRST_PORT), starts + 1
            elif server is not None and server.poll() is not None:
                raise NoLabError(f"the lab's server did not start; {folder / 'watch.log'} says why")
            time.sleep(0.1)
    except OSError as error:
        raise NoLabError(f"the lab's server cannot be started ({error})") from None
    finally:
        starting.release()
    raise NoLabError("the lab's server takes too long to start")


def _start(folder: Path, port: int) -> subprocess.Popen:
    """Start a server that serves this machine alone, outlives the script and ends by itself when nobody uses it."""
    options = ["--server.port", str(free_port(port)), "--server.address", "127.0.0.1", "--server.headless", "true"]
    set_here = {"SKIPVIZ_DATA_DIR": str(folder), "SKIPVIZ_PUBLIC": "0"}
    environment = {"SKIPVIZ_IDLE_MINUTES": IDLE_MINUTES, **os.environ, **set_here}
    with (folder / "watch.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *options],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def free_port(first: int = FIRST_PORT) -> int:
    """Return a port that is free on this machine, mostly `first`, any for 0; raises `OSError`."""
    for port in (*range(first, first + PORTS if first else 0), 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise OSError("no port is free")
