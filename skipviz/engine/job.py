"""A job: what is computed in the background and gives rows, a sweep or a claim. Imports no torch."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, model_validator

from ..evidence.claim import ClaimError
from ..evidence.claims import CLAIMS
from ..network.base import Frozen, NetworkError
from ..tasks.sweep import Sweep

Control = bool | int | float | str | None


class ClaimSpec(Frozen):
    """A claim of `skipviz.evidence.claims` by its name, and what its controls are set to."""

    claim: str = Field(max_length=64)
    controls: dict[str, Control] = Field({}, max_length=32)

    @model_validator(mode="after")
    def _check(self):
        if self.claim not in CLAIMS:
            raise NetworkError(f"there is no claim {self.claim!r}; there is {', '.join(CLAIMS)}")
        try:
            CLAIMS[self.claim].checked(**self.controls)
        except ClaimError as error:
            raise NetworkError(str(error)) from None
        return self


KINDS: dict[str, type[Frozen]] = {"sweep": Sweep, "claim": ClaimSpec}
"""What is asked for, by the kind of job; what computes it stands in `processes.job_worker`."""
STATES = ("queued", "running", "finished", "stopped", "failed")
UNDER_WAY = STATES[:2]


def digest(kind: str, spec: dict) -> str:
    """Return a name for what is asked for, the same for equal specs."""
    return hashlib.sha256(json.dumps([kind, spec], sort_keys=True).encode()).hexdigest()


@dataclass
class Job:
    """One job, guarded by the engine's lock; `rows` and `spec` are None while they are on the disk alone."""

    id: str
    kind: str
    owner: str
    spec: dict | None
    asked: str = ""
    """`digest` of kind and spec, which is known while they are on the disk alone, too."""
    created: float = field(default_factory=time.time)
    state: str = "queued"
    """One of `STATES`."""
    reason: str | None = None
    progress: float = 0.0
    """0…1."""
    seconds: float = 0.0
    """For which it has computed, all its times together."""
    ahead: int = 0
    """Jobs that begin before it while it is queued."""
    rows: list[bytes] | None = field(default_factory=list)
    """JSON, in the order in which they came."""
    kept: bool = True
    """Whether it is on the disk."""

    @property
    def under_way(self) -> bool:
        """Whether it waits or computes."""
        return self.state in UNDER_WAY

    @property
    def bytes(self) -> int:
        """What its rows take."""
        return sum(map(len, self.rows or ()))

    def head(self) -> dict[str, Any]:
        """Return what is written down of it first."""
        return {"id": self.id, "kind": self.kind, "owner": self.owner, "created": self.created, "spec": self.spec}

    def said(self) -> dict[str, Any]:
        """Return its state, as JSON data."""
        return {
            "state": self.state,
            "reason": self.reason,
            "progress": round(self.progress, 4),
            "seconds": round(self.seconds, 3),
        }

    def facts(self, mine: bool) -> dict[str, Any]:
        """Return all that a page is told of it but its rows; `count` is how many there are."""
        about = {"id": self.id, "kind": self.kind, "mine": mine, **self.said()}
        return {**about, "ahead": self.ahead, "kept": self.kept, "count": len(self.rows or ())}

    def to_json(self, since: int, facts: dict[str, Any]) -> bytes:
        """Return its `facts` of a moment with the rows that it had then, from number `since` on."""
        rows = (self.rows or [])[max(0, since) : facts["count"]]
        return json.dumps(facts, separators=(",", ":"))[:-1].encode() + b',"rows":[' + b",".join(rows) + b"]}"
