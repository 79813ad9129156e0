"""Measurements at initialisation, asked by pages and answered by initialisation workers; answers are kept. Imports no torch."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from ...tasks.experiment import Experiment
from ..capacity import limits
from .launcher import LOST, Child, Launcher, Status

KEPT = 64
"""Measurements kept: a session's edits with their undo; one of a 60-layer network takes about 50 kB."""
SLICE = 1.0
"""Seconds after which a question lets those of other pages pass: most networks are measured in a tenth of that."""
LINGER = 5.0
"""Seconds for which a question stays that nobody waits for at the moment: a page that is still there asks again sooner."""
PROBLEM_SECONDS = 60.0
"""For which it is remembered that a network could not be measured; another try may find the machine less busy."""
MOST_PAGES = 1000
"""Pages of which it is remembered when they had their turn."""
_NO_EFFECT = (
    "optimizer", "learning_rate", "momentum", "weight_decay", "steps", "record_every", "device", "schedule", "warmup_steps",
    "clip_norm", "clip_value",
)  # fmt: skip
"""Fields of training that change nothing at initialisation."""
_DIED = "The gradient at initialisation could not be measured: the process that measures it ended."


@dataclass
class _Question:
    number: int
    key: str
    experiment: dict
    asked: float = 0.0
    pages: set[str] = field(default_factory=set)
    """Whose newest question this is."""
    future: Future = field(default_factory=Future)
    waiters: int = 0
    slow: bool = False


@dataclass
class _Worker:
    child: Child | None = None
    current: _Question | None = None
    began: float = 0.0
    alarm: asyncio.TimerHandle | None = None


class InitialisationClient:
    """Answers pages in turn, each page's newest question only. `ask` is called from any thread, the rest on the engine's loop.

    What takes longer than `SLICE` goes on in a second process, where such questions wait for each other and hold up no others.
    """

    def __init__(self, launcher: Launcher, loop: asyncio.AbstractEventLoop, seconds: float, memory_mb: int, uploads: str) -> None:
        self._launcher, self._loop, self._seconds, self._memory_mb = launcher, loop, seconds, memory_mb
        self._uploads = uploads
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, dict] = OrderedDict()
        self._problems: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._asked: dict[str, _Question] = {}
        self._served: OrderedDict[str, float] = OrderedDict()
        """When a page last had its turn."""
        self._numbers = itertools.count(1)
        self._quick: _Worker | None = None
        self._slow: _Worker | None = None
        self._closed = False

    def ask(self, experiment: Experiment, timeout: float, page: str | None = None) -> dict | None:
        """Return `{"header": …, "frame": …}`, `{"problem": sentence}` where there will be none, or None: not yet.

        Waits for `timeout` seconds at most. A newer question of the same `page` (None: of nobody else) takes the place of this.
        """
        refused = limits.refusal(experiment, self._memory_mb)
        if refused:
            return {"problem": f"{refused[:1].upper()}{refused[1:]}."}
        reduced, whole = _reduced(experiment)
        key = json.dumps(reduced, separators=(",", ":"))
        with self._lock:
            answer = self._known(key)
            if answer is not None:
                return _about(answer, whole)
            question = self._put(key, reduced, page)
            question.waiters += 1
        self._loop.call_soon_threadsafe(self._next)
        try:
            answer = question.future.result(timeout)
        except (FutureTimeoutError, CancelledError):
            answer = None
        finally:
            with self._lock:
                question.waiters -= 1
        return _about(answer, whole) if answer else None

    def start(self) -> None:
        """Start the initialisation worker."""
        if not self._closed and self._quick is None:
            self._quick = self._launched()
            self._next()

    def close(self) -> None:
        """Give every question up."""
        self._closed = True
        with self._lock:
            for question in self._asked.values():
                question.future.cancel()
            self._asked.clear()

    def _known(self, key: str) -> dict | None:
        answer = self._kept.get(key)
        if answer is not None:
            self._kept.move_to_end(key)
            return answer
        when, problem = self._problems.get(key, (0.0, ""))
        return {"problem": problem} if problem and time.monotonic() - when < PROBLEM_SECONDS else None

    def _put(self, key: str, experiment: dict, page: str | None) -> _Question:
        """Return the question as `page`'s newest one; the one that it asked before is its no more."""
        question = self._asked.get(key)
        if question is None:
            question = self._asked[key] = _Question(next(self._numbers), key, experiment)
        page = page or f"question {question.number}"
        for other in self._asked.values():
            other.pages.discard(page)
        question.pages.add(page)
        question.asked = time.monotonic()
        return question

    def _next(self) -> None:
        """Give each initialisation worker that is free its next question; forget what nobody asks any more."""
        if self._closed:
            return
        with self._lock:
            self._forget_unasked()
            running = {id(worker.current) for worker in (self._quick, self._slow) if worker and worker.current}
            waiting = [question for question in self._asked.values() if id(question) not in running]
        if self._slow is not None and self._slow.current is not None and not self._slow.current.pages:
            self._drop(self._slow)
        for lane in (False, True):
            mine = [question for question in waiting if question.slow == lane]
            if not mine:
                continue
            if lane and self._slow is None:
                self._slow = self._launched()
            worker = self._slow if lane else self._quick
            if worker is not None and worker.current is None:
                self._send(worker, min(mine, key=lambda question: (self._turn(question), question.number)))

    def _forget_unasked(self) -> None:
        now = time.monotonic()
        for key, question in list(self._asked.items()):
            if not question.pages or not (question.waiters or now - question.asked < LINGER):
                question.pages.clear()
                question.future.cancel()
                del self._asked[key]

    def _turn(self, question: _Question) -> float:
        """Return when the page of this question that waits longest last had its turn."""
        return min((self._served.get(page, 0.0) for page in question.pages), default=0.0)

    def _send(self, worker: _Worker, question: _Question) -> None:
        now = time.monotonic()
        for page in question.pages:
            self._served[page] = now
            self._served.move_to_end(page)
        while len(self._served) > MOST_PAGES:
            self._served.popitem(last=False)
        worker.current, worker.began = question, now
        worker.child.send({"probe": question.number, "experiment": question.experiment})
        self._watch(worker)

    def _watch(self, worker: _Worker) -> None:
        """Look again when the initialisation worker's question should be answered."""
        left = worker.began + self._seconds - time.monotonic()
        worker.alarm = self._loop.call_later(min(left, SLICE) if worker is self._quick else left, self._overrun, worker)

    def _overrun(self, worker: _Worker) -> None:
        question = worker.current
        if question is None:
            return
        if time.monotonic() - worker.began >= self._seconds - 0.01:
            self._finish(worker, None, f"This network's gradient takes over {self._seconds:g} s to measure: Start shows it.")
            self._drop(worker)
        elif self._slow is None or self._slow.current is None:
            # It goes on where it is; the other one, or a new one, answers the rest.
            question.slow = True
            self._quick, self._slow = self._slow, worker
            self._watch(worker)
            self.start()
            self._next()
        elif len([other for other in self._asked.values() if not other.slow]) > 1:
            question.slow, worker.current = True, None
            self._drop(worker)
        else:
            self._watch(worker)

    def _launched(self) -> _Worker:
        worker = _Worker()
        worker.child = self._launcher.launch("initialisation", self._hearing(worker), lambda status: self._lost(worker, status))
        worker.child.send({"memory_mb": self._memory_mb, "uploads": self._uploads})
        return worker

    def _hearing(self, worker: _Worker) -> Callable:
        def hear(lines: list[tuple[bytes, bytes]]) -> None:
            for _, rest in lines:
                number, answer, reason = json.loads(rest)
                if worker.current is not None and worker.current.number == number:
                    self._finish(worker, answer, f"The gradient at initialisation could not be measured: {reason}.")
            self._next()

        return hear

    def _drop(self, worker: _Worker) -> None:
        """End an initialisation worker; another one takes its place."""
        self._leave(worker)
        worker.child.kill()

    def _leave(self, worker: _Worker) -> None:
        if worker is self._slow:
            self._slow = None
        if worker is self._quick:
            self._quick = None

    def _lost(self, worker: _Worker, status: Status) -> None:
        """Start another initialisation worker; the question that one did not survive is given up, unless its machine is gone."""
        if status == LOST:
            worker.current = None
        if worker.current is not None:
            self._finish(worker, None, _DIED)
        self._leave(worker)
        if not self._closed:
            seconds = 0.5 if status == LOST else 0.05
            self._loop.call_later(seconds, self.start)
            self._loop.call_later(seconds, self._next)

    def _finish(self, worker: _Worker, answer: dict | None, problem: str) -> None:
        if worker.alarm is not None:
            worker.alarm.cancel()
        question, worker.current = worker.current, None
        abandoned = not question.pages
        with self._lock:
            if self._asked.get(question.key) is question:
                del self._asked[question.key]
            if answer is not None:
                self._kept[question.key] = answer
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            elif not abandoned:
                self._problems[question.key] = time.monotonic(), problem
                while len(self._problems) > KEPT:
                    self._problems.popitem(last=False)
        if not question.future.cancelled():
            question.future.set_result(answer or {"problem": problem})


def _reduced(experiment: Experiment) -> tuple[dict, dict]:
    """Return what decides the measurement, and the whole experiment, as JSON data."""
    data = experiment.trained()
    training = data.pop("training", {})
    reduced = {**data, "training": {name: value for name, value in training.items() if name not in _NO_EFFECT}}
    return reduced, {**data, **({"training": training} if training else {})}


def _about(answer: dict, experiment: dict) -> dict:
    if "problem" in answer:
        return answer
    return {"header": {**answer["header"], "experiment": experiment}, "frame": answer["frame"]}
