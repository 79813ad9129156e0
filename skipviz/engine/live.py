"""What the engine knows of a run that has not ended, beside what its viewers see, and what is to become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import psutil

from ..settings import Settings
from ..storage import Run

SLOWER = 10
"""A step may take this many times the run's usual step before its worker counts as stuck, however long that is."""
BEGINNING_SECONDS = 60.0
"""What a worker has on top before its first word: a fresh process imports torch, with a GPU it takes that in use."""
LEAST_SHARE = 0.25
"""What a run counts of a core at least: it may be made faster at any moment."""
KEEPING_UP = 0.8
"""Part of the speed asked for at which a run still keeps it; a slower one lacks a core, and takes all that it gets."""
SHARE_SECONDS = 2.0
"""Time over which a run's use of its core is measured."""
STEADY_SECONDS = 4.0
"""Time after which the steps taken say how long the others will take: the first ones are slower by far on a busy machine."""

Verdict = Literal["overtime", "stuck", "unwatched", "tired"]


@dataclass(eq=False)
class Live:
    """One run under way or in line. Times are of one monotonic clock, in seconds."""

    run: Run
    memory_mb: float
    step_seconds: float = 0.001
    """What a step of it takes on a core, as reckoned before anything was measured."""
    shape: str = ""
    """What its steps' time hangs on, as `duration.shape_of` writes it."""
    demo: bool = False
    """Whether it is the server's own, which nobody controls and nothing holds back."""
    working: bool = False
    """Whether it has a worker."""
    computing: bool = False
    """Whether that trains, or has been told to."""
    rests: bool = False
    """Whether it is paused because nobody watched."""
    ending: bool = False
    """Whether it has been told to stop."""
    changed: float = 0.0
    """When it last began to compute, or ceased to."""
    computed: float = 0.0
    """Seconds that it computed before that, in an earlier life too."""
    first: tuple[int, float] = (0, 0.0)
    """The step at which it entered, and the seconds that it had computed by then."""
    heard: float = 0.0
    """When its worker last said anything, or was sent anything that makes it silent for a while."""
    asked: float | None = None
    """When a paused worker was last asked for something that it has not answered."""
    seen: float = 0.0
    """When somebody last watched."""
    pace: float | None = None
    """Steps a second, once measured."""
    steady: tuple[int, float] | None = None
    """The step and the seconds computed by which its worker had begun and was warm."""
    place: str | None = None
    """The node of a cluster that it has its worker on."""
    gpus: float = 0.0
    """Its share of a GPU there."""
    share: float = 1.0
    """What it takes of a core, once measured."""
    _paced: tuple[float, int] = (0.0, 0)
    _used: tuple[float, float] | None = None
    _process: psutil.Process | None = field(default=None, repr=False)

    def compute(self, computing: bool, now: float) -> None:
        """Note that it begins or ceases to compute."""
        if computing == self.computing:
            return
        if self.computing:
            self.computed += now - self.changed
        else:
            self.heard = max(self.heard, now)
            self.pace_from(now)
            self._used = None
        self.computing, self.changed = computing, now

    def pace_from(self, now: float) -> None:
        """Measure its pace from now on."""
        self._paced = (now, self.run.step)

    def seconds(self, now: float) -> float:
        """Return how long it has computed, before it was resumed too."""
        return self.computed + (now - self.changed if self.computing else 0.0)

    def step_seconds_in_all(self, now: float) -> float | None:
        """Return what a step took since it entered, its worker's start included, or None before the first."""
        steps, seconds = self.run.step - self.first[0], self.seconds(now) - self.first[1]
        return seconds / steps if steps > 0 and seconds > 0 else None

    def step_seconds_now(self) -> float | None:
        """Return what its steps take: on the whole, or lately where it is held to a speed; None where that is not known yet."""
        if self.keeps_speed():
            return 1 / self.pace if self.pace else None
        if self.steady is None:
            return None
        steps, seconds = self.run.step - self.steady[0], self.seconds(self.heard) - self.steady[1]
        return seconds / steps if steps > 0 and seconds >= STEADY_SECONDS else None

    def keeps_speed(self) -> bool:
        """Return whether it keeps the speed that it is held to, so that its pace does not say what a step takes."""
        return bool(self.run.speed and (not self.pace or self.pace >= KEEPING_UP * self.run.speed))

    def count(self, now: float) -> None:
        """Write into the run how long it has trained, which goes on to count when the run is resumed."""
        self.run.trained = self.seconds(now)

    def cores(self) -> float:
        """Return what it counts of the cores: one, but less where it keeps the speed that it is held to and rests between."""
        if self.demo or not self.computing:
            return 0.0
        return max(LEAST_SHARE, min(1.0, self.share)) if self.pace and self.keeps_speed() else 1.0

    def takes(self) -> tuple[float, float, float]:
        """Return what it takes of its node's cores, MB and GPUs."""
        return self.cores(), self.memory_mb, self.gpus

    def measure(self, pid: int | None, now: float) -> None:
        """Measure how long it has trained, its pace up to its worker's last word, and now and then what it takes of a core."""
        self.count(now)
        if self.computing and self.steady is None and self.run.step > self.first[0]:
            self.steady = self.run.step, self.seconds(self.heard)
        at, step = self._paced
        if not self.computing or now - at < SHARE_SECONDS:
            return
        if self.run.step > step and self.heard > at:
            self.pace = (self.run.step - step) / (self.heard - at)
            self._paced = (self.heard, self.run.step)
        used = self._processor_seconds(pid)
        if used is not None:
            if self._used is not None:
                self.share = (used - self._used[1]) / max(now - self._used[0], 0.1)
            self._used = (now, used)

    def _processor_seconds(self, pid: int | None) -> float | None:
        if pid is None:
            return None
        try:
            if self._process is None or self._process.pid != pid:
                self._process = psutil.Process(pid)
            times = self._process.cpu_times()
        except psutil.Error:
            return None
        return times.user + times.system

    def patience(self, settings: Settings) -> float:
        """Return how long its worker may be silent: a step's time, and the time that it waits between two."""
        between = 1 / self.run.speed if self.run.speed else 0.0
        usual = SLOWER / self.pace if self.pace else 0.0
        beginning = BEGINNING_SECONDS if self.run.header_json is None else 0.0
        return max(settings.step_seconds, usual) + between + beginning

    def verdict(self, settings: Settings, watched: bool, now: float) -> Verdict | None:
        """Return what is to become of it now, or None: it goes on."""
        if not self.working or self.ending:
            return None
        silent = now - self.heard if self.computing else now - self.asked if self.asked is not None else 0.0
        if silent > self.patience(settings):
            return "stuck"
        if self.demo:
            return None
        if self.computing and self.seconds(now) > settings.run_minutes * 60:
            return "overtime"
        alone = self.computing and not watched and not self.rests
        if alone and now - max(self.seen, self.changed) > settings.unwatched_minutes * 60:
            return "unwatched"
        if self.run.state == "paused" and now - max(self.heard, self.changed) > settings.paused_minutes * 60:
            return "tired"
        return None
