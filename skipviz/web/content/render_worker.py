"""The process that makes what would hold the server's own up: `python -m skipviz.web.content.render_worker`.

It answers one request after the other on its standard input, `(job, arguments)` pickled behind their length, with
`(True, what the job returns)` or `(False, the refusal)`. It ends when the server does, or after a while without a request.
It imports no streamlit and no torch.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import sys
import time
from collections.abc import Callable

from ...engine.capacity import limits
from . import files

IDLE_SECONDS = 120.0
"""After which it ends: it holds about 80 MB, and is there again within a second."""
MEMORY_MB = 1024
"""That it may allocate: a replay of a run of 32 MB takes a quarter of it."""
LENGTH = struct.Struct(">Q")

JOBS: dict[str, Callable] = {
    "run": files.run_file,
    "link": files.link_file,
    "experiment": files.experiment_file,
    "weights": files.weights,
    "sleep": time.sleep,
}
"""What may be asked; `sleep` stands for what never comes back, for tests."""


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the server, whose input it reads
    answers = os.dup(1)
    os.dup2(2, 1)
    limits.bound_memory(MEMORY_MB)
    if hasattr(os, "nice"):
        os.nice(5)
    while select.select([0], [], [], IDLE_SECONDS)[0]:
        request = receive(0)
        if request is None:
            return
        job, arguments = pickle.loads(request)
        try:
            answer = pickle.dumps((True, JOBS[job](*arguments)), pickle.HIGHEST_PROTOCOL)
        except files.FileError as refusal:
            answer = pickle.dumps((False, refusal))
        except MemoryError:
            answer = pickle.dumps((False, files.FileError(503, "this machine has no room to make that at present", 30)))
        send(answers, answer)


def receive(source: int) -> bytes | None:
    """Return the next message; None at the end."""
    head = _exactly(source, LENGTH.size)
    return None if head is None else _exactly(source, LENGTH.unpack(head)[0])


def _exactly(source: int, count: int) -> bytes | None:
    parts, missing = [], count
    while missing:
        part = os.read(source, min(missing, 1 << 20))
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def send(sink: int, message: bytes) -> None:
    left = memoryview(LENGTH.pack(len(message)) + message)
    while left:
        left = left[os.write(sink, left) :]


if __name__ == "__main__":
    try:
        main()
    except OSError:
        sys.exit(0)  # the server is gone
