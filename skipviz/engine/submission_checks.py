"""What may come in: judges an experiment and who submits it before anything is begun. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Literal

from ..settings import Settings
from ..storage import Run
from ..tasks.event import FASTEST, SLOWEST
from ..tasks.experiment import MOST_STEPS, Experiment
from ..tasks.uploads import Uploads
from ..watch.opened import spec
from .capacity import budget, limits, room
from .capacity.admission import Place
from .capacity.starts import Starts
from .errors import EngineError
from .processes import devices
from .scheduler import Scheduler


class SubmissionChecks:
    """Refuses what is too big or comes too often, each time with an `EngineError`."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        uploads: Uploads,
        scheduler: Scheduler,
        opened: Experiment | None = None,
        places: Callable[[], list[Place] | None] = lambda: None,
    ) -> None:
        """`opened` is the person's own module that this server was opened on; `places()` are the nodes of a cluster, or None."""
        self._settings, self._uploads, self._scheduler, self._opened = settings, uploads, scheduler, opened
        self._starts, self._places = Starts(), places
        self._open = False

    def open(self, is_open: bool) -> None:
        """Let runs come in from now on, or no longer."""
        self._open = is_open

    def check_open(self) -> None:
        """Refuse everything while the server is stopping."""
        if not self._open:
            raise EngineError("the server is stopping", 503)

    def check_trainable(self, experiment: Experiment, address: str | None = None) -> None:
        """Refuse somebody's own module, but for the one that this server was opened on, asked for on this machine itself."""
        if not experiment.task.watched:
            return
        refused = spec.refusal(experiment, self._opened)
        if refused is None and not _is_here(address):
            refused = "a person's own module is trained for who sits at this machine only"
        if refused:
            raise EngineError(refused, 422)

    def device(self, experiment: Experiment, before: str | None = None) -> Literal["cpu", "cuda"] | None:
        """Return the device that the experiment computes on here, or None where it asks for one that is not there.

        What was computed on a device `before` goes on there, for the same bits.
        """
        places = self._places()
        there = None if places is None else any(place.gpus for place in places)
        return devices.resolve(experiment, self._settings().cuda, before, there)

    def check_size(self, experiment: Experiment, device: str) -> None:
        """Refuse an experiment over this server's bounds, without the memory for it, or whose data is not here."""
        refusal = budget.refusal(experiment, self._settings()) or limits.refusal(experiment, self._settings().largest_run_mb())
        if refusal:
            raise EngineError(refusal, 413)
        places = self._places()
        here = places and max(place.memory_mb for place in places)
        short = None if places == [] else room.refusal(self.needed_mb(experiment, device), here)
        if short:
            raise EngineError(short, 503)
        if not self.has_data(experiment):
            raise EngineError(experiment.task.own.wanted(), 409)

    def check_speed(self, speed: float | None) -> None:
        """Refuse what is no speed: a page's command may hold anything, and every run's time is reckoned with it."""
        if speed is not None and not (type(speed) in (int, float) and SLOWEST <= speed <= FASTEST):
            raise EngineError(f"a speed is a number of steps a second, between {SLOWEST:g} and {FASTEST:,}", 422)

    def more_steps(self, run: Run) -> int:
        """Return how many steps in all a finished run takes that goes on for as many as it was begun with, if so many may be."""
        most = min(self._settings().run_steps, MOST_STEPS)
        if run.steps >= most:
            raise EngineError(f"this run has taken {run.steps:,} steps, as many as one may on this server", 409)
        return min(run.steps + run.experiment.training.steps, most)

    def check_time(self, run: Run) -> None:
        """Refuse to let a run go on that has used its time up."""
        minutes = self._settings().run_minutes
        if run.trained >= minutes * 60:
            raise EngineError(budget.used_up(minutes), 409)

    def check_turn(self, owner: str, address: str | None) -> None:
        """Refuse a browser with too many runs in line, and one whose starts, or whose address', come too often; counts one."""
        busy = self._scheduler.refusal(owner)
        if busy:
            raise EngineError(busy, 503)
        self.check_often(owner, address)

    def check_often(self, owner: str, address: str | None) -> None:
        """Refuse a browser whose starts, of runs and jobs, or whose address', come too often; counts one."""
        settings = self._settings()
        often = self._starts.refusal(address, owner, settings.starts_per_minute, settings.browser_starts_per_minute)
        if often:
            raise EngineError(often, 429)

    def needed_mb(self, experiment: Experiment, device: str) -> float:
        """Return the MB that a run of the experiment is reckoned with."""
        forked = self._settings().forks() and device == "cpu"
        return limits.memory_mb(experiment) + (0 if forked else budget.FRESH_MB)

    def has_data(self, experiment: Experiment) -> bool:
        """Return whether the experiment's data is here: one's own may be on another server, or no longer kept."""
        own = experiment.task.own
        return own is None or self._uploads.has(own.digest)


def _is_here(address: str | None) -> bool:
    """Return whether a visitor's address is this machine's own; None: it is no visitor who asks."""
    try:
        return address is None or ip_address(address.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False
