"""The server's side of the processes that make files: asked by threads, ended when they hang, started anew when needed.

Imports no streamlit and no torch.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

from ..content.files import FileError
from ..content.render_worker import receive, send

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 90.0
"""That one file may take to make: the slowest legal one takes 5 s of a core, and a busy machine shares it among many."""


class Renderer:
    """One such process, there from the first request on. Its lock lets one thread ask at a time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def call(self, job: str, *arguments):
        """Return what `job` makes of `arguments`; raises `FileError`, also where it hung or died."""
        request = pickle.dumps((job, arguments), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            used = self.pid is not None
            answer, late = self._ask(request)
            if answer is None and used and not late:
                answer, late = self._ask(request)  # it had just ended, as it does when nobody asks for a while
        if answer is None:
            reason = f"this took over {self._seconds:g} s to make and was given up" if late else "this could not be made: try again"
            raise FileError(503, reason, 30)
        good, made = pickle.loads(answer)
        if not good:
            raise made
        return made

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, request: bytes) -> tuple[bytes | None, bool]:
        """Return the answer, or None, and whether that was for want of time."""
        if self.pid is None:
            self._start()
        process, late = self._process, threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        alarm = threading.Timer(self._seconds, give_up)
        alarm.daemon = True
        alarm.start()
        answer = None
        try:
            send(process.stdin.fileno(), request)
            answer = receive(process.stdout.fileno())
        except OSError:
            pass  # it is gone
        finally:
            alarm.cancel()
        if answer is None:
            self._end()
        return answer, late.is_set()

    def _start(self) -> None:
        self._end()
        paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "skipviz.web.content.render_worker"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
