"""A run: one execution of an experiment, what it has shown so far, and the messages that show it to a viewer.

One thread writes; any thread reads without a lock. A run's *sequence* counts its frames and its changes of state, so a
viewer that holds everything up to a sequence is brought up to date from there. Imports no torch and no streamlit.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..tasks.experiment import Experiment
from ..tasks.switch_history import SwitchHistory
from .folder import checkpoint_step

GUEST = "guest"
"""Owner of the run of a script that watches its own module: no browser's identity is as short, so nobody's."""
STATES = ("queued", "running", "paused", "finished", "stopped", "diverged", "failed", "interrupted")
ENDED = frozenset(STATES[3:])
"""States that a run leaves only when a person, or a server that is back, lets it go on."""
GAP = 100_000
"""Sequences left out where a run's count begins anew: more than a viewer can have seen of what a killed server lost."""
MOST_MARKS = 5000
"""Changes of state that are counted one by one: each is written down with every later change of the run."""


def resumable(state: str, checkpoint: int | None) -> bool:
    """Return whether a run in this state, with a checkpoint at this step, may go on."""
    return state == "interrupted" or (state in ("failed", "stopped") and checkpoint is not None)


def steps_after(steps: int, events: list[dict]) -> int:
    """Return how many steps a run takes in all that was begun with `steps`, after events in the order in which they act."""
    return next((event["steps"] for event in reversed(events) if event["kind"] == "steps"), steps)


@dataclass(eq=False)
class Run:
    """One run. `experiment` has every event applied but those that let it go on for more steps, which `steps` has; the header's
    experiment is the one it began with."""

    id: str
    owner: str
    experiment: Experiment
    speed: float | None = None
    """Steps a second; None: as fast as it goes."""
    baseline: bool = False
    paused: bool = False
    """Whether it is to wait, once it has a worker."""
    state: str = "queued"
    reason: str | None = None
    """One sentence on why it is in its state, where that is not plain."""
    step: int = 0
    """Steps taken, which is also the next step to take."""
    took: float | None = None
    """Seconds that a step takes lately, once one was taken here."""
    trained: float = 0.0
    """Seconds that it has trained in all, before and after it was resumed."""
    turn: tuple[int, float] | None = None
    """When it has its turn in its server's line, while it is queued (`engine.capacity.elsewhere`)."""
    ahead: int | None = None
    """Runs before this one in the lines of all servers, while it is queued."""
    wait: int | None = None
    """Seconds that it will probably wait in line, where that can be said."""
    title: str = ""
    began: Experiment | None = None
    """The experiment before any event; None: there was none, and `experiment` is it."""
    header_json: bytes | None = None
    events: list[dict] = field(default_factory=list)
    """Events in the order in which they acted, each with its step."""
    waiting: list[dict] = field(default_factory=list)
    """Events that were posted and have not acted yet."""
    event_bytes: int = 0
    """Size of all events as JSON."""
    led: dict[str, int] = field(default_factory=dict)
    """By lab that several servers have, the version of its document of which this run has heard every change."""
    diverged: dict[str, dict] = field(default_factory=dict)
    moved: list[int] = field(default_factory=list)
    """Steps from which it went on elsewhere, since the machine that it ran on was gone."""
    checkpoint_file: str | None = None
    """The name of the file from which it can go on; None: only from the first step."""
    restart: bool = False
    """Whether it is to go on by itself when the server is back."""
    unsaved: str | None = None
    """Part of a sentence on why it is not being saved, or another server's run does not move here; None: it is, and does."""
    ended_at: float | None = None
    created: float = field(default_factory=time.time)
    touched: float = field(default_factory=time.monotonic)
    bytes: int = 0
    """Size of the frames kept."""
    urgent: bool = False
    """Whether a frame that shows what a person did waits to be sent; who sends it clears this."""
    base: int = 0
    """The sequence at which its count began; a viewer that stands before it begins anew."""
    labelled: int = 0
    """How often its networks were given other labels."""
    edition: int = 0
    """How often frames that were there already were dropped or taken back."""
    _payloads: list[bytes] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _passing: bool = False
    _keep: set[int] = field(default_factory=lambda: {0})
    _history: SwitchHistory = field(default_factory=SwitchHistory)

    @property
    def checkpoint(self) -> int | None:
        """The step from which it can go on; None: only from the first."""
        return checkpoint_step(self.checkpoint_file) if self.checkpoint_file else None

    @property
    def frames(self) -> list[bytes]:
        """The frames kept, encoded as JSON, in order. One whose step equals its predecessor's replaces it."""
        return [payload for payload in self._payloads[: len(self._payloads) - self._passing] if payload]

    @property
    def header(self) -> dict[str, Any] | None:
        """The run's header, or None while it has not begun."""
        return None if self.header_json is None else json.loads(self.header_json)

    @property
    def beside(self) -> tuple[int, str | None]:
        """What a viewer is told that no sequence counts: the step, and why it is not being saved or does not move here."""
        return self.step, self.unsaved

    @property
    def steps(self) -> int:
        """How many steps it takes in all; a script's own, which nobody else knows: as many as it took once it has ended, and
        until then twice, four times, … what it is said to take."""
        if self.owner == GUEST:
            known = self.experiment.training.steps
            return max(1, self.step) if self.ended else known << max(0, (max(self.step, 1) - 1) // known).bit_length()
        return steps_after(self.experiment.training.steps, [*self.events, *self.waiting])

    @property
    def edits(self) -> int:
        """The version of its `experiment` and of what has acted: it rises where an event is posted, and where it acts."""
        return 2 * len(self.events) + len(self.waiting) + self.labelled

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def sequence(self) -> int:
        """How many frames and changes of state there have been."""
        return self.base + len(self._payloads) + len(self._marks)

    @property
    def resumable(self) -> bool:
        return self.owner != GUEST and resumable(self.state, self.checkpoint)

    def add_frame(self, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        """Append an encoded frame; `keep` spares it from thinning, a `passing` one is let go when the next comes."""
        if self._passing:
            self.bytes -= len(self._payloads[-1])
            self._payloads[-1] = b""
        self._passing = passing
        if keep:
            self._keep.add(len(self._payloads))
            self.urgent = True
        self._payloads.append(payload)
        self.bytes += len(payload)

    def label(self, labels: dict[str, str]) -> None:
        """Give its networks other labels, which changes nothing that it does; viewers hear of it."""
        self.began, self.experiment = (self.began or self.experiment).labelled(labels), self.experiment.labelled(labels)
        self.labelled += 1
        self.mark()

    def mark(self) -> None:
        """Count a change that is no frame, so that viewers hear of it; after very many the count begins anew."""
        if len(self._marks) >= MOST_MARKS:
            self.base, self._marks = self.sequence + 1, []
        self._marks.append(self.sequence + 1)

    def thin(self) -> None:
        """Drop every other frame but the latest tenth, the first and those of events; sequences stay."""
        self.edition += 1
        alive = [index for index, payload in enumerate(self._payloads) if payload]
        for index in alive[1 : len(alive) * 9 // 10 : 2]:
            if index not in self._keep:
                self.bytes -= len(self._payloads[index])
                self._payloads[index] = b""

    def rewind(self, step: int, events: int) -> None:
        """Take back what was recorded from `step` on; all but the first `events` events wait to act again.

        Every viewer begins anew, so what is recorded again is seen once.
        """
        reached = self.step
        frames = [(payload, index in self._keep) for index, payload in enumerate(self._payloads) if payload]
        if self._passing:
            frames.pop()
        kept = [(payload, keep) for payload, keep in frames if step_of(payload) < step]
        base = self.sequence + GAP
        self._passing = False
        self._payloads = [payload for payload, _ in kept]
        self._keep = {0, *(index for index, (_, keep) in enumerate(kept) if keep)}
        self._marks = []
        self.bytes = sum(map(len, self._payloads))
        self.base, self.edition, self.step = base, self.edition + 1, step
        self.diverged = {name: where for name, where in self.diverged.items() if where["step"] < step}
        everything = [*self.events, *({**event, "step": event.get("step", reached)} for event in self.waiting)]
        self.events, self.waiting = everything[:events], everything[events:]
        self.moved = [place for place in self.moved if place <= step]
        self._history = SwitchHistory()

    def switches(self, step: int = 0) -> list[dict]:
        """Return how its skips and layers were switched from `step` on, as `SwitchHistory.since` has it."""
        return self._history.since(self.began or self.experiment, self.events, step)

    def since(self, place: int) -> tuple[int, list[tuple[int, bool, bytes]]]:
        """Return how many places there are and (place, keep, payload) of the frames from `place` on, without a passing one."""
        count = len(self._payloads) - self._passing
        found = enumerate(self._payloads[place:count], start=place)
        return count, [(index, index in self._keep, payload) for index, payload in found if payload]

    def count_facts(self) -> dict:
        """Return what a run's sequences follow from, with its frames' places."""
        return {"base": self.base, "frames": len(self._payloads), "marks": list(self._marks)}

    def restore(self, facts: dict, frames: list[tuple[int, bool, bytes]]) -> None:
        """Take back what `count_facts` and `since` gave."""
        self.base, self._marks, self._passing = facts["base"], list(facts["marks"]), False
        self._payloads = [b""] * max(facts["frames"], frames[-1][0] + 1 if frames else 0)
        self._keep = {0}
        for place, keep, payload in frames:
            self._payloads[place] = payload
            if keep:
                self._keep.add(place)
        self.bytes = sum(map(len, self._payloads))

    def catch_up(self, facts: dict, frames: list[tuple[int, bool, bytes]], set_state: Callable[[], None]) -> None:
        """Count what `count_facts` of the same run elsewhere gave, with the `frames` that are new, in the order in which it came.

        So every sequence stands for the same here and there. `set_state` is called before the last change of state is counted.
        """
        new = {place: (keep, payload) for place, keep, payload in frames}
        marks, reached = set(facts["marks"]), self.base + facts["frames"] + len(facts["marks"])
        for sequence in range(self.sequence + 1, reached + 1):
            if sequence in marks:
                if sequence == facts["marks"][-1]:
                    set_state()
                self._marks.append(sequence)
            else:
                keep, payload = new.get(len(self._payloads), (False, b""))
                self.add_frame(payload, keep)
        set_state()

    def frames_between(self, after: int, sequence: int) -> list[bytes]:
        """Return the frames that a viewer lacks who knows all up to `after` and is to know all up to `sequence`."""
        return [payload for payload in self._payloads[self._count(after) : self._count(sequence)] if payload]

    def lag(self, after: int) -> int:
        """Return the bytes of the frames that a viewer lacks who knows all up to `after`."""
        if self.sequence - after < 64:
            return 0
        return sum(map(len, self._payloads[self._count(after) :]))

    def update(self, after: int) -> tuple[int, bytes]:
        """Return the sequence reached and the JSON message that takes a viewer there from `after`.

        Whoever has no frame yet gets the header, which may have come after the snapshot. What was switched goes along from the
        step of the first of the frames on, in place of all that the viewer knows from there on.
        """
        sequence, status = self._status()
        unknown = self.header_json is not None and self._count(after) == 0
        facts = b',"header":' + self.header_json if unknown else b""
        frames = self.frames_between(after, sequence)
        switches = self.switches(step_of(frames[0])) if frames and self.events else []
        if switches:
            facts += b',"switches":' + _encode(switches)
        if self.owner == GUEST:
            facts += b',"steps":%d' % self.steps
        return sequence, self._message(sequence, status, facts, frames)

    def snapshot(self, **extra) -> tuple[int, bytes]:
        """Return the sequence reached and the JSON message that holds the whole run; `extra` fields go along."""
        sequence, status = self._status()
        facts = {
            "events": self.events,
            "switches": self.switches(),
            "steps": self.steps,
            "speed": self.speed,
            "ghost": self.baseline,
            "created": round(self.created, 3),
        }
        facts |= extra
        head = b',"snapshot":true,"header":' + (self.header_json or b"null") + b","
        return sequence, self._message(sequence, status, head + _encode(facts)[1:-1], self.frames_between(0, sequence))

    def _status(self) -> tuple[int, dict[str, Any]]:
        """Return the sequence reached and what the run was just then: a message that tells its end has to hold its last frame."""
        while True:
            ahead, wait, state = self.ahead, self.wait, self.state
            sequence, reason = self.sequence, self.reason
            if state == self.state:
                break
        status = {"state": state, "reason": reason, "step": self.step}
        if state == "queued":
            # Whoever comes into line has its place before the state says so, and whoever leaves has it until after.
            status["ahead"] = self.ahead if ahead is None else ahead
            if wait is not None:
                status["wait"] = wait
        return sequence, status

    def _count(self, sequence: int) -> int:
        """Return how many frames there were at `sequence`."""
        return max(0, sequence - self.base - bisect_right(self._marks, sequence))

    def _message(self, sequence: int, status: dict[str, Any], facts: bytes, frames: list[bytes]) -> bytes:
        state = {"run": self.id, "seq": sequence, **status, "edits": self.edits}
        if self.diverged:
            state["diverged"] = self.diverged
        if self.moved:
            state["moved"] = self.moved
        if self.took is not None and state["state"] in ("running", "paused"):
            state["took"] = self.took
        if self.resumable:
            state["resumes"] = self.checkpoint or 0
        if state["state"] in ENDED and self.checkpoint is not None:
            state["weights"] = self.checkpoint
        if self.unsaved:
            state["unsaved"] = self.unsaved
        return _encode(state)[:-1] + facts + b',"frames":[' + b",".join(frames) + b"]}"


def step_of(payload: bytes) -> int:
    """Return the step of an encoded frame, which begins with it."""
    return int(payload[len(b'{"step":') : payload.index(b",")])


def _encode(data) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
