"""A run: one execution of an experiment, what it has shown so far, and the messages that show it to a viewer.

One thread writes; any thread reads without a lock. A run's *sequence* counts its frames and its changes of state, so a
viewer that holds everything up to a sequence is brought up to date from there. Imports no torch and no streamlit.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from ..tasks.experiment import Experiment

STATES = ("queued", "running", "paused", "finished", "stopped", "diverged", "failed", "interrupted")
ENDED = frozenset(STATES[3:])
"""States that a run never leaves."""


@dataclass(eq=False)
class Run:
    """One run. `experiment` has every event applied; the header's experiment is the one it began with."""

    id: str
    owner: str
    experiment: Experiment
    speed: float | None = None
    """Steps a second; None: as fast as it goes."""
    ghost: bool = False
    paused: bool = False
    """Whether it is to wait, once it has a worker."""
    state: str = "queued"
    reason: str | None = None
    """One sentence on why it is in its state, where that is not plain."""
    step: int = 0
    """Steps taken, which is also the next step to take."""
    ahead: int | None = None
    """Runs before this one in line, while it is queued."""
    wait: int | None = None
    """Seconds that it will probably wait in line, where that can be said."""
    header_json: bytes | None = None
    events: list[dict] = field(default_factory=list)
    """Events in the order in which they acted, each with its step."""
    diverged: dict[str, dict] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    touched: float = field(default_factory=time.monotonic)
    bytes: int = 0
    """Size of the frames kept."""
    urgent: bool = False
    """Whether a frame that shows what a person did waits to be told; who tells it clears this."""
    _payloads: list[bytes] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _passing: bool = False
    _keep: set[int] = field(default_factory=lambda: {0})

    @property
    def frames(self) -> list[bytes]:
        """The frames kept, encoded as JSON, in order. One whose step equals its predecessor's replaces it."""
        return [payload for payload in self._payloads[: len(self._payloads) - self._passing] if payload]

    @property
    def header(self) -> dict[str, Any] | None:
        """The run's header, or None while it has not begun."""
        return None if self.header_json is None else json.loads(self.header_json)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def sequence(self) -> int:
        """How many frames and changes of state there have been."""
        return len(self._payloads) + len(self._marks)

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

    def mark(self) -> None:
        """Count a change that is no frame, so that viewers hear of it."""
        self._marks.append(self.sequence + 1)

    def thin(self) -> None:
        """Drop every other frame but the latest tenth, the first and those of events; sequences stay."""
        alive = [index for index, payload in enumerate(self._payloads) if payload]
        for index in alive[1 : len(alive) * 9 // 10 : 2]:
            if index not in self._keep:
                self.bytes -= len(self._payloads[index])
                self._payloads[index] = b""

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

        Whoever has no frame yet gets the header, which may have come after the snapshot.
        """
        sequence = self.sequence
        unknown = self.header_json is not None and self._count(after) == 0
        facts = b',"header":' + self.header_json if unknown else b""
        return sequence, self._message(sequence, facts, self.frames_between(after, sequence))

    def snapshot(self, **extra) -> tuple[int, bytes]:
        """Return the sequence reached and the JSON message that holds the whole run; `extra` fields go along."""
        sequence = self.sequence
        facts = {"events": self.events, "speed": self.speed, "ghost": self.ghost, "created": round(self.created, 3), **extra}
        head = b',"snapshot":true,"header":' + (self.header_json or b"null") + b","
        return sequence, self._message(sequence, head + _encode(facts)[1:-1], self.frames_between(0, sequence))

    def _count(self, sequence: int) -> int:
        """Return how many frames there were at `sequence`."""
        return max(0, sequence - bisect_right(self._marks, sequence))

    def _message(self, sequence: int, facts: bytes, frames: list[bytes]) -> bytes:
        state = {"run": self.id, "seq": sequence, "state": self.state, "reason": self.reason, "step": self.step}
        if self.ahead is not None:
            state["ahead"] = self.ahead
        if self.wait is not None:
            state["wait"] = self.wait
        if self.diverged:
            state["diverged"] = self.diverged
        return _encode(state)[:-1] + facts + b',"frames":[' + b",".join(frames) + b"]}"


def _encode(data: dict) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
