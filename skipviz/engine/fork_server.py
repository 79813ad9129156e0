"""The helper process that forks warm workers: `python -m skipviz.engine.fork_server FD`, started by the engine.

It imports torch and takes optimizer steps on one thread before it forks, so that a worker makes its first step within
milliseconds and shares nearly all of its memory. It never has a second thread: a fork keeps only the one that forks.

It speaks over the Unix socket FD. From the server: JSON lines `{"fork": ticket, "role": …}` (a file of `processes`: `worker`,
`job_worker` or `initialisation`), each with the child's end of a socket passed along (SCM_RIGHTS), and `{"kill": ticket}`. To
the server: `ready true`, `born [ticket, pid]` and `exit [ticket, status]`, where status is negative for a signal. It ends when
the server does.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator

from .gaps import fill_gaps
from .processes.channel import Channel
from .processes.requests import Requests


class ForkServer:
    """Forks on request and reports how its children end."""

    def __init__(self, server: socket.socket) -> None:
        self._requests = Requests(server)
        self.tell = self._requests.tell
        self._children: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)

    def tend(self, seconds: float | None) -> None:
        """Serve what comes within `seconds` (None: for ever); ends the process when the server is gone."""
        while True:
            ready, _, _ = select.select([self._requests.server, self._woken], [], [], seconds)
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._reap()
            if self._requests.server in ready:
                self._receive()
            if not ready and seconds is not None:
                return

    def _receive(self) -> None:
        for request in self._requests.receive():
            if "fork" in request:
                self._fork(request["fork"], request["role"], self._requests.sockets.popleft())
            else:
                self._kill(request["kill"])

    def _fork(self, ticket: int, role: str, end: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            os.close(end)
            self._children[process] = ticket
            self.tell("born", [ticket, process])
            return
        try:
            self._become(role, end)
        finally:
            os._exit(1)

    def _become(self, role: str, end: int) -> None:
        """Serve in that role; the child's part of a fork, which never returns."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._requests.server.close()
        for fd in (self._woken, self._wakes, *self._requests.sockets):
            os.close(fd)
        from .processes import initialisation, job_worker, worker

        if role != "initialisation":
            _yield_to_the_server()
        {"worker": worker, "job_worker": job_worker, "initialisation": initialisation}[role].serve(Channel(end, end))
        os._exit(0)

    def _kill(self, ticket: int) -> None:
        for process, owner in self._children.items():
            if owner == ticket:
                os.kill(process, signal.SIGKILL)

    def _reap(self) -> None:
        while self._children:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            ticket = self._children.pop(process, None)
            if ticket is not None:
                self.tell("exit", [ticket, os.waitstatus_to_exitcode(status)])


def _yield_to_the_server() -> None:
    """Let the server answer first when cores are few, and let the system end a worker first when memory is short."""
    os.nice(5)
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("800")
    except OSError:
        return


def warm_ups() -> Iterator[Callable[[], None]]:
    """Yield pieces of warming up, the most urgent first: two steps of a small network for each kind of data, and a rehearsal."""
    from ..learning.rehearsal import REHEARSED
    from ..learning.setup import prepare
    from ..tasks.presets import figure, get, vanishing

    prepare()
    yield lambda: _take_steps(vanishing(on=True, depth=4, width=8))
    yield lambda: _take_steps(figure("right"))
    yield lambda: _take_steps(figure("center"))
    yield lambda: _take_steps(get("digits-conv"))
    yield lambda: _take_steps(vanishing(on=True, depth=4, width=8), REHEARSED + 2)


def settle() -> None:
    """Have children copy as few pages of this process as can be."""
    gc.collect()
    fill_gaps()
    gc.freeze()  # a collection in a child copies none of them


def _take_steps(experiment, steps: int = 2) -> None:
    from ..learning.trainer import Trainer

    trainer = Trainer(experiment)
    trainer.measure(baseline=True, picture=True)
    for _ in range(steps):
        trainer.advance(record=True, baseline=True, picture=True)


def main() -> None:
    """Warm up, then fork on request until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    fork_server = ForkServer(socket.socket(fileno=int(sys.argv[1])))
    from .processes import initialisation, job_worker, worker  # noqa: F401  (imported here once, for every child)

    for number, warm_up in enumerate(warm_ups()):
        warm_up()
        settle()
        if number == 0:
            fork_server.tell("ready", True)
        fork_server.tend(0)
    fork_server.tend(None)


if __name__ == "__main__":
    main()
