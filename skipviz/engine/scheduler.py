"""Which run computes, which waits and which rests: the engine tells it what happens and does what it decides.

Every method is called under the engine's lock; `admit`, `tick` and what they lead to on the engine's thread only.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ..settings import Settings
from ..storage import Run
from ..tasks.change import CHANGES
from ..tasks.event import Control
from .capacity import budget
from .capacity.admission import FairQueue, Place, Room, Waiting
from .capacity.duration import shape_of, step_seconds
from .capacity.elsewhere import Elsewhere, Turn
from .capacity.expectation import said
from .forecast import Forecast
from .live import Live
from .processes.launcher import Needs

PERIOD = 0.5
"""Seconds between two looks at the runs under way."""
LEAVING_SECONDS = 2.0
"""For which a server leaves what is free of a cluster to others: as long as it takes them to see it and to begin."""
WAITS_PERIOD = 2.0
"""Seconds between two estimates of the waits in line."""
ANSWERED = ("step", "skip", "layer", *(name for name, kind in CHANGES.items() if kind.by_form))
"""What a paused run's worker answers with a frame."""
MOST_TIMES = 200
"""Shapes of experiments of which it is remembered how long a step took."""


@dataclass(frozen=True)
class Callbacks:
    """What the engine does for it."""

    begin: Callable[[Run, Needs], None]
    """Start the run's worker, with what it needs of a cluster."""
    send: Callable[[Run, dict], None]
    """Tell the run's worker."""
    change: Callable[..., None]
    """Set the run's state and reason, and tell viewers."""
    tell: Callable[[Run], None]
    """Tell viewers of the run."""
    abandon: Callable[[Run, str], None]
    """End the run's worker and let the run fail with the reason."""
    hold: Callable[[Run, float], None]
    """Let the run hold so many cores of a cluster's node."""
    pid: Callable[[Run], int | None]
    """Return the process id of the run's worker."""


class Scheduler:
    """The runs that have not ended: the line, those under way, who watches."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        callbacks: Callbacks,
        clock: Callable[[], float] = time.monotonic,
        beside_mb: Callable[[], float] = lambda: 0.0,
        places: Callable[[], list[Place] | None] = lambda: None,
    ) -> None:
        """`beside_mb()` is what jobs beside the runs are expected to take of the memory that all have together; `places()` is what
        jobs and other servers leave of each node of a cluster, None where runs compute on this machine."""
        self._settings, self._callbacks, self._clock, self._beside_mb = settings, callbacks, clock, beside_mb
        self._places = places
        self.elsewhere = Elsewhere()
        """What other servers have in line and under way."""
        self._left_since: float | None = None
        self._left_in_vain: frozenset[Turn] = frozenset()
        """Since when something is left to them, and the turns of runs that did not take it."""
        self._line = FairQueue()
        self._live: dict[str, Live] = {}
        self._watchers: Counter[str] = Counter()
        self._forecast = Forecast()
        self._times: OrderedDict[str, float] = OrderedDict()
        """Seconds that a step took, by the shape of the experiment, the newest last."""
        self._longer = False
        """Whether a run came into line since waits were estimated."""
        self._looked = self._estimated = clock()

    def __len__(self) -> int:
        """How many runs are in line."""
        return len(self._line)

    @property
    def reckoned_mb(self) -> float:
        """The MB that the runs under way are expected to take at their peaks, the server's own left out; for any thread."""
        return sum(live.memory_mb for live in list(self._live.values()) if live.working)

    def refusal(self, owner: str) -> str | None:
        """Return one sentence that says why no further run of this browser may wait in line, or None."""
        settings, free = self._settings(), max(0, int(self.room().cores))
        if len(self._line) >= settings.max_queued + free:
            return f"{len(self._line)} runs wait in line already: try again in a while"
        mine = self._line.of(owner) + self.elsewhere.in_line(owner)
        taken = sum(live.run.owner == owner for live in self._under_way()) + self.elsewhere.under_way[owner]
        if owner and mine >= settings.browser_queued + min(free, max(0, settings.browser_running - taken)):
            return f"{mine} runs of this browser wait in line already, as many as may: stop one, or try again in a while"
        return None

    def enter(self, run: Run, memory_mb: float, demo: bool = False, first: bool = False, gpus: float = 0.0) -> None:
        """Put a run in line, where it has its place from now on; `demo`: the server's own, which begins at once.

        `first` before its browser's others; `gpus` is its share of one on a cluster.
        """
        now = self._clock()
        self._live[run.id] = Live(
            run,
            0.0 if demo else memory_mb,
            step_seconds(run.experiment),
            demo,
            heard=now,
            changed=now,
            seen=now,
            computed=run.trained,
            first=(run.step, run.trained),
            gpus=gpus,
        )
        needs = (0.0, 0.0) if demo else (memory_mb, 0.0 if run.paused else 1.0)
        self._line_up(run, Waiting(run.id, "" if demo else run.owner, *needs, gpus), first)

    def again(self, run: Run) -> bool:
        """Put a run back in line that has lost its worker, before its browser's others; return False for one that is to stop."""
        live = self._live[run.id]
        if live.ending:
            return False
        live.count(self._clock())
        self._line.remove(run.id)
        self.enter(run, live.memory_mb, live.demo, True, live.gpus)
        self._live[run.id].rests = live.rests
        return True

    def leave(self, run: Run) -> None:
        """Forget a run that has ended."""
        live = self._live.pop(run.id, None)
        self._line.remove(run.id)
        if live is not None:
            live.count(self._clock())
            used_up = run.trained >= self._settings().run_minutes * 60
            if not live.demo and used_up and run.state != "finished":
                run.checkpoint_file = None  # its time is used up, so it is not offered to go on
            self._forecast.ended(live, self._settings(), self._clock())

    def admit(self) -> None:
        """Start the runs whose turn it is, and tell those in line their place."""
        self._line.heard(self.elsewhere.latest)
        while (waiting := self._line.take(room := self.room(), lambda waiting: self._leaves(waiting, room))) is not None:
            live, now, place = self._live[waiting.id], self._clock(), room.place_for(waiting)
            if live.working:
                live.compute(True, now)
                self._callbacks.send(live.run, {"kind": "resume"})
                self._callbacks.change(live.run, "running")
            else:
                live.working, live.heard = True, now
                live.compute(not live.run.paused, now)
                live.place = None if place is None else place.name
                self._callbacks.begin(live.run, Needs(live.place, live.cores(), live.memory_mb, live.gpus))
        self._tell_places()

    def _leaves(self, waiting: Waiting, room: Room) -> bool:
        """Return whether what is free of a cluster is left to runs of other servers whose turn comes before this one's."""
        if room.places is None:
            return False
        before = self.elsewhere.before(self._line.place(waiting.id)[1])
        asked = frozenset(before) - self._left_in_vain
        if len(asked) <= max(room.cores, 0) - waiting.cores:
            self._left_since = None
            return False
        now = self._clock()
        self._left_since = now if self._left_since is None else self._left_since
        if now - self._left_since < LEAVING_SECONDS:
            return True
        self._left_since, self._left_in_vain = None, frozenset(before)
        return False

    def passes(self, run: Run, control: Control) -> bool:
        """Take a control of the run's owner and return whether its worker is to hear it now."""
        live = self._live.get(run.id)
        if live is None or control.kind in ("speed", "ghost"):
            return True
        live.rests = False
        if not live.working:
            self._line.change(run.id, cores=0.0 if run.paused else 1.0)
            return control.kind == "step"
        if control.kind == "resume":
            return live.computing or self._resumes(live)
        if self._line.remove(run.id) and control.kind != "stop":
            self._callbacks.change(run, "paused")
        live.ending = control.kind == "stop"
        return True

    def stops(self, run: Run) -> bool:
        """Return whether a run under way has been told to stop."""
        live = self._live.get(run.id)
        return live is not None and live.ending

    def heard(self, run: Run) -> None:
        """Note that the run's worker said something."""
        live = self._live.get(run.id)
        if live is not None:
            live.heard, live.asked = self._clock(), None

    def began(self, run: Run) -> None:
        """Note that the run's worker is about to take its first step: what it took until then is none of its pace."""
        live = self._live.get(run.id)
        if live is not None:
            live.pace_from(self._clock())

    def took(self, run: Run, seconds: float) -> None:
        """Note how long a step of the run takes, for its viewers and for the next one of its shape."""
        run.took = seconds
        live = self._live.get(run.id)
        if live is None:
            return
        live.shape = live.shape or shape_of(run.experiment)
        self._times[live.shape] = seconds
        self._times.move_to_end(live.shape)
        while len(self._times) > MOST_TIMES:
            self._times.popitem(last=False)

    def step_took(self, shape: str) -> float | None:
        """Return how long a step took of the last run of this shape, or None; for any thread."""
        return self._times.get(shape)

    def asked(self, run: Run, data: dict) -> None:
        """Note what the run's worker is sent: a paused one owes an answer, one whose speed changes may be silent."""
        live = self._live.get(run.id)
        if live is None:
            return
        if data["kind"] == "speed":
            live.heard = max(live.heard, self._clock())
        elif not live.computing and data["kind"] in ANSWERED and data.get("step") is None:
            live.asked = live.asked or self._clock()

    def changed(self, run: Run, state: str) -> str | None:
        """Take the state that the run's worker tells, and return the reason for it where there is one."""
        live = self._live.get(run.id)
        if live is None:
            return None
        live.compute(state == "running", self._clock())
        self._callbacks.hold(run, live.cores())
        if live.ending:
            return run.reason
        return budget.unwatched(self._settings().unwatched_minutes) if live.rests and state == "paused" else None

    def watch(self, run_id: str, viewers: int) -> bool:
        """Count viewers that come (or, negative, go) and return whether the run goes on that rested for want of them."""
        self._watchers[run_id] += viewers
        if self._watchers[run_id] <= 0:
            del self._watchers[run_id]
        return self.seen(run_id) and viewers >= 0

    def watchers(self, run_id: str) -> int:
        """Return how many viewers a run has here."""
        return self._watchers[run_id]

    def seen(self, run_id: str) -> bool:
        """Note that somebody looks at the run and return whether it rested for want of that; `wake` it then."""
        live = self._live.get(run_id)
        if live is None:
            return False
        live.seen = self._clock()
        return live.rests

    def rests(self, run_id: str) -> bool:
        """Return whether the run is paused because nobody watches."""
        live = self._live.get(run_id)
        return live is not None and live.rests

    def wake(self, run_id: str) -> None:
        """Let a run go on that rested because nobody watched."""
        live = self._live.get(run_id)
        if live is not None and live.rests:
            live.rests, live.run.paused = False, False
            if live.computing or self._resumes(live):
                self._callbacks.send(live.run, {"kind": "resume"})

    def tick(self) -> None:
        """Look at every run under way: end what is over its budget or stuck, let rest what nobody watches."""
        now, settings = self._clock(), self._settings()
        if now - self._looked > 4 * PERIOD:
            self._forgive(now - self._looked)
        self._looked = now
        for live in list(self._live.values()):
            if live.working:
                live.measure(self._callbacks.pid(live.run), now)
                self._judge(live, settings, now)
        self.admit()

    def _judge(self, live: Live, settings: Settings, now: float) -> None:
        run = live.run
        verdict = live.verdict(settings, self._watchers[run.id] > 0, now)
        if verdict == "stuck":
            self._callbacks.abandon(run, budget.stuck(live.patience(settings)))
        elif verdict == "unwatched":
            live.rests = run.paused = True
            self._callbacks.send(run, {"kind": "pause"})
        elif verdict in ("overtime", "tired"):
            live.ending = True
            overtime = verdict == "overtime"
            run.reason = budget.overtime(settings.run_minutes) if overtime else budget.tired(settings.paused_minutes)
            self._callbacks.send(run, {"kind": "stop"})

    def _forgive(self, seconds: float) -> None:
        """Do not hold it against the workers that this process itself stood still, as when the machine slept."""
        for live in self._live.values():
            live.heard += seconds
            live.asked = None if live.asked is None else live.asked + seconds

    def _resumes(self, live: Live) -> bool:
        """Let a paused run go on if a core is free, and return whether it does; else it goes in line for one."""
        back = Waiting(live.run.id, live.run.owner, 0.0, place=live.place)
        if live.demo or self.room().computes(back):
            live.compute(True, self._clock())
            return True
        if live.run.id not in self._line:
            self._line_up(live.run, back, first=True)
            self._callbacks.change(live.run, "queued")
            self._tell_places()
        return False

    def _line_up(self, run: Run, waiting: Waiting, first: bool = False) -> None:
        self._line.add(waiting, first)
        place, run.turn = self._line.place(run.id)
        run.ahead, self._longer = place + len(self.elsewhere.before(run.turn)), True

    def _under_way(self) -> list[Live]:
        return [live for live in self._live.values() if live.working and not live.demo]

    def room(self) -> Room:
        """Return what is free for runs."""
        settings = self._settings()
        under_way = self._under_way()
        cores, memory_mb, places = settings.max_running, settings.total_memory_mb - self._beside_mb(), self._places()
        if places is not None:
            cores, memory_mb = sum(place.cores for place in places), sum(place.memory_mb for place in places)
            for live in under_way:
                places = [place.without(*live.takes()) if place.name == live.place else place for place in places]
        taken = Counter(live.run.owner for live in under_way)
        for head in self._line.heads():
            taken[head.owner] += self.elsewhere.taken(head.owner, self._live[head.id].run.created)
        return Room(
            cores=cores - sum(live.cores() for live in under_way),
            memory_mb=memory_mb - sum(live.memory_mb for live in under_way),
            under_way=taken,
            browser_limit=settings.browser_running,
            places=None if places is None else tuple(places),
        )

    def _tell_places(self) -> None:
        """Tell every run in line how many are ahead and, now and then, how long it will probably wait."""
        if not len(self._line):
            return
        turns, now = list(self._line.turns()), self._clock()
        waits = None
        if self._longer or now - self._estimated >= WAITS_PERIOD:
            waits = self._forecast.waits([waiting for waiting, _ in turns], self._live, self.room(), self._settings(), now)
            self._longer, self._estimated = False, now
        for place, (waiting, turn) in enumerate(turns):
            run = self._live[waiting.id].run
            wait = run.wait if waits is None else said(waits.get(waiting.id))
            told = turn, place + len(self.elsewhere.before(turn)), wait
            if told != (run.turn, run.ahead, run.wait):
                run.turn, run.ahead, run.wait = told
                run.mark()
                self._callbacks.tell(run)
