"""Measurements at initialisation, asked by pages and answered by one prober process; results are kept. Imports no torch."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from ...tasks.experiment import Experiment
from ..capacity import limits
from .launcher import Child, Launcher

KEPT = 64
"""Measurements kept: a session's edits with their undo; one of a 60-layer network takes about 50 kB."""
_NO_EFFECT = (
    "optimizer", "learning_rate", "momentum", "weight_decay", "steps", "record_every", "device", "schedule", "warmup_steps",
    "clip_norm", "clip_value",
)  # fmt: skip
"""Fields of training that change nothing at initialisation."""


@dataclass
class _Question:
    number: int
    experiment: dict
    future: Future = field(default_factory=Future)
    waiters: int = 0


class Probing:
    """Answers the newest question first, one at a time. `ask` is called from any thread, the rest on the engine's loop."""

    def __init__(self, launcher: Launcher, loop: asyncio.AbstractEventLoop, seconds: float, memory_mb: int, uploads: str) -> None:
        self._launcher, self._loop, self._seconds, self._memory_mb = launcher, loop, seconds, memory_mb
        self._uploads = uploads
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, dict] = OrderedDict()
        self._asked: dict[str, _Question] = {}
        self._numbers = 0
        self._child: Child | None = None
        self._current: tuple[str, _Question] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._closed = False

    def ask(self, experiment: Experiment, timeout: float) -> dict | None:
        """Return `{"header": …, "frame": …}`, or None if there is none within `timeout` seconds or at all."""
        if limits.refusal(experiment, self._memory_mb):
            return None
        data = experiment.model_dump(mode="json", exclude_defaults=True)
        training = data.pop("training", {})
        reduced = {**data, "training": {name: value for name, value in training.items() if name not in _NO_EFFECT}}
        whole = {**data, **({"training": training} if training else {})}
        key = json.dumps(reduced, separators=(",", ":"))
        with self._lock:
            answer = self._kept.get(key)
            if answer is not None:
                self._kept.move_to_end(key)
                return _about(answer, whole)
            question = self._asked.get(key)
            if question is None:
                self._numbers += 1
                question = self._asked[key] = _Question(self._numbers, reduced)
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
        """Start the prober."""
        if not self._closed:
            self._child = self._launcher.launch("prober", self._hear, self._lost)
            self._child.send({"memory_mb": self._memory_mb, "uploads": self._uploads})
            self._next()

    def close(self) -> None:
        """Give every question up."""
        self._closed = True
        with self._lock:
            for question in self._asked.values():
                question.future.cancel()
            self._asked.clear()

    def _next(self) -> None:
        """Send the newest question that somebody still waits for; forget those that nobody does."""
        if self._current is not None or self._child is None:
            return
        with self._lock:
            self._asked = {key: question for key, question in self._asked.items() if question.waiters}
            if not self._asked:
                return
            self._current = max(self._asked.items(), key=lambda item: item[1].number)
        question = self._current[1]
        self._child.send({"probe": question.number, "experiment": question.experiment})
        self._alarm = self._loop.call_later(self._seconds, self._child.kill)

    def _hear(self, lines: list[tuple[bytes, bytes]]) -> None:
        for _, rest in lines:
            number, answer, _ = json.loads(rest)
            if self._current is not None and self._current[1].number == number:
                self._finish(answer)
                self._next()

    def _lost(self, status: int | None) -> None:
        """Give the current question up, which took too long or killed its process, and start another prober."""
        self._child = None
        self._finish(None)
        self._loop.call_later(0.05, self.start)

    def _finish(self, answer: dict | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._current is None:
            return
        (key, question), self._current = self._current, None
        with self._lock:
            self._asked.pop(key, None)
            if answer is not None:
                self._kept[key] = answer
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if not question.future.cancelled():
            question.future.set_result(answer)


def _about(answer: dict, experiment: dict) -> dict:
    return {"header": {**answer["header"], "experiment": experiment}, "frame": answer["frame"]}
