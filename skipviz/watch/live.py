"""Sends what a script watches to the lab of this machine, beside the training, which never waits for it. Imports no torch."""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING

from ..settings import get_settings
from ..storage import Run
from ..storage.run import step_of
from .lab_server import STARTING_SECONDS, Connection, NoLabError, connect

if TYPE_CHECKING:
    from torch import Tensor

PERIOD = 0.1
"""Seconds between two looks at what is new."""
CONFIRMING_SECONDS = 10.0
"""That a script's end waits at most for the server to say that all has arrived."""
WAITING_SECONDS = STARTING_SECONDS + CONFIRMING_SECONDS
"""That it waits at most in all: a server that was started in place of one that is gone may not be there yet."""
LOOKING_SECONDS = 1.0
"""Between two looks for a server in place of one that is gone."""
MOST_RESTARTS = 3
"""Servers that a script starts after one of its own is gone."""


class Live:
    """A thread that hands a run's frames on as they come. It holds no queue: what is not sent yet is still in the run itself."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._found = ""
        self._thread: threading.Thread | None = None
        self._came = threading.Event()
        self._end: tuple[str, str | None] | None = None
        self._process = os.getpid()
        self.problem: str | None = None
        """Why nothing is shown live, once that is known; one sentence."""
        self.run_id: str | None = None
        """What the lab calls the run, once it is there."""
        self.address: str | None = None
        """Where a browser shows it, where the server knows that."""
        self.loss: Tensor | float | None = None
        """Of the step taken last."""
        self._sent, self._told, self._known = 0, -1, -1
        """How many frames were looked at, which step was said, and which the server has had from the one before it."""
        self._restarts = 0
        self._ending = threading.Event()

    def begin(self, run: Run, found: str) -> None:
        """Show a run from now on, its frames come by `Run.add_frame`; `found` is said beside its address."""
        self._run, self._found = run, found
        self._thread = threading.Thread(target=self._serve, name="skipviz-live", daemon=True)
        _LIVES.add(self)
        self._thread.start()

    def hear(self) -> None:
        """Hear that there is a further frame; costs nothing and never waits."""
        self._came.set()

    def end(self, state: str, reason: str | None = None, wait: float = WAITING_SECONDS) -> None:
        """Let the run end in the lab, all frames sent before, for which `wait` seconds are given; once is enough."""
        if self._thread is None or self._process != os.getpid():  # a fork of the script is not the script
            return
        first, self._end = self._end is None, self._end or (state, reason)
        self._ending.set()
        self._came.set()
        self._thread.join(wait)
        if wait and self._thread.is_alive() and self.problem is None:
            self._give_up(f"no lab took this run within {wait:.0f} s: it was in this script's memory alone")
        if first:
            say(self._last_words())

    def _serve(self) -> None:
        """Connect, send, end: this is a thread's work."""
        try:
            connection, own = connect(get_settings()), False
            while not self._served(connection):
                own = own or connection.started or self.run_id is None
                connection = self._found_again(own)
        except (NoLabError, OSError, ValueError) as error:
            self._give_up(f"not shown live: {error}")

    def _served(self, connection: Connection) -> bool:
        """Tell a server of the run, all that it does not have first; return whether the run ended before the server did."""
        try:
            answer = connection.greet(self._greeting())
        except OSError:  # it was about to go
            if self._end is not None or self._restarts >= MOST_RESTARTS:
                raise
            self._ending.wait(LOOKING_SECONDS)
            return False
        self.run_id, self.address = answer["run"], answer["address"] or None
        self._sent, self._known, self._told = 0, answer["step"], -1
        say(f"{self._found}; live at {self.address or 'the lab of this machine'}")
        try:
            self._send(connection)
        except OSError:
            say("the lab's server is gone: what is recorded waits in this script until one is there")
            return False
        return True

    def _found_again(self, own: bool) -> Connection:
        """Wait for a server; where the one that is gone was this script's `own` to start, start another. Raises `NoLabError`."""
        while True:
            try:
                return connect(get_settings(), start=own and self._restarts < MOST_RESTARTS)
            except NoLabError:
                if own or self._end is not None:
                    raise
            finally:
                self._restarts += own
            self._ending.wait(LOOKING_SECONDS)

    def _send(self, connection: Connection) -> None:
        while True:
            self._came.wait(PERIOD)
            self._came.clear()
            end = self._end  # before the frames, so that none comes after it
            connection.write(self._news())
            if end is not None:
                connection.write(_line("end", list(end)))
                connection.finish(CONFIRMING_SECONDS)
                return

    def _greeting(self) -> bytes:
        header = json.loads(self._run.header_json)
        about = {name: header[name] for name in ("variants", "batch_size", "threads", "device", "torch")}
        greeting = {"title": self._run.title, "experiment": header["experiment"], "header": about, "run": self.run_id}
        return json.dumps(greeting).encode()

    def _news(self) -> bytes:
        """Return the lines of all that was not sent yet."""
        run = self._run
        count, frames = run.since(self._sent)
        self._sent = count
        lines = [
            b"frame %d %d %b\n" % (step_of(payload), keep and place > 0, payload)
            for place, keep, payload in frames
            if step_of(payload) > self._known
        ]
        if run.step != self._told:
            self._told = run.step
            lines.append(_line("at", self._told))
        return b"".join(lines)

    def _last_words(self) -> str:
        """Return how far the script came, and what of that was recorded."""
        run, loss = self._run, self.loss
        loss = loss.item() if hasattr(loss, "item") else loss
        last = step_of(run.frames[-1])
        told = "the last of them too" if last == run.step - 1 else f"the last of them step {last:,}"
        return f"{run.step:,} steps{'' if loss is None else f', loss {loss:.4g}'}; {len(run.frames):,} recorded, {told}"

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        say(problem)


def _line(word: str, data) -> bytes:
    return f"{word} {json.dumps(data, separators=(',', ':'), allow_nan=False)}\n".encode()


def say(text: str) -> None:
    """Tell who runs the script, in a line."""
    print(f"skipviz: {text}", file=sys.stderr, flush=True)


def _ending() -> tuple[str, str | None]:
    """Return how the script ends: as it should, or by what it raised, where it is no conversation in which that was long ago."""
    error = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)
    if error is None:
        return "finished", None
    if isinstance(error, KeyboardInterrupt):
        return "stopped", None
    return "failed", f"its script ended with {type(error).__name__}: {error}"[:200]


_LIVES: weakref.WeakSet[Live] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for live in list(_LIVES):
        live.end(*_ending())
