"""The parts of jobs, each with a worker: on one machine all of a job, on a cluster each cell of a sweep. Imports no torch."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

from ..tasks.sweep import Sweep
from .capacity import limits
from .capacity.admission import Place, Room, Waiting
from .job import Job
from .processes.launcher import Child, Needs

PART_MB = 300.0
"""What a part is reckoned with whose experiments are not known beforehand."""
SHARE = 2
"""Jobs leave the runs all but one in so many of each node's cores."""


class Cells:
    """The cells of a sweep that no part has begun."""

    def __init__(self, job: Job) -> None:
        self._sweep = Sweep.kept(job.spec)
        self.count = len(self._sweep)
        known = {json.loads(row)["cell"] for row in job.rows}
        self.left = deque(index for index in range(self.count) if index not in known)

    def memory_mb(self) -> float:
        """Return what the next one is reckoned with."""
        experiment = self._sweep.cell(self.left[0]).experiment
        return PART_MB if experiment is None else limits.memory_mb(experiment)


@dataclass(eq=False)
class Part:
    """What one worker computes of a job."""

    job: Job
    cells: list[int] | None
    """Of a sweep; None: all that the job lacks."""
    needs: Needs
    takes_mb: float = 0.0
    """What its worker expects to take for what it computes just now."""


class JobParts:
    """The parts that compute, by their workers, and what is left to begin. The engine's lock guards it."""

    def __init__(self) -> None:
        self.by_child: dict[Child, Part] = {}
        self._cells: dict[str, Cells] = {}

    def cut(self, job: Job) -> None:
        """Let a job be computed cell by cell, where it is a sweep."""
        if job.kind == "sweep":
            self._cells[job.id] = Cells(job)

    def waiting(self, job: Job) -> Waiting | None:
        """Return what the next part of a job needs to begin; None where all have begun."""
        cells = self._cells.get(job.id)
        if cells is None:
            return None if self.children(job) else Waiting(job.id, job.owner, PART_MB)
        return Waiting(job.id, job.owner, cells.memory_mb()) if cells.left else None

    def next(self, job: Job, needs: Needs) -> Part:
        """Return the next part of a job."""
        cells = self._cells.get(job.id)
        return Part(job, None if cells is None else [cells.left.popleft()], needs)

    def give_back(self, part: Part) -> None:
        """Take it that a part has to be computed again, but for the cells that there are rows of."""
        cells = self._cells.get(part.job.id)
        if cells is not None:
            known = {json.loads(row)["cell"] for row in part.job.rows}
            cells.left.extendleft(index for index in part.cells if index not in known)

    def progress(self, part: Part, share: float) -> float:
        """Return how much of a part's job is done, of which part `share` is."""
        cells = self._cells.get(part.job.id)
        return share if cells is None else len(part.job.rows) / cells.count

    def over(self, job: Job) -> bool:
        """Return whether nothing of a job computes or waits to."""
        cells = self._cells.get(job.id)
        return not self.children(job) and not (cells and cells.left)

    def children(self, job: Job) -> list[Child]:
        """Return a job's workers."""
        return [child for child, part in self.by_child.items() if part.job is job]

    def forget(self, job: Job) -> list[Child]:
        """Forget all of a job, and return the workers that it had."""
        self._cells.pop(job.id, None)
        children = self.children(job)
        for child in children:
            del self.by_child[child]
        return children

    def beside(self, place: Place) -> Place:
        """Return a node of a cluster with what jobs leave of it."""
        for part in list(self.by_child.values()):
            if part.needs.place == place.name:
                place = place.without(part.needs.cores, part.needs.memory_mb)
        return place

    def room(self, room: Room, nodes: list[Place]) -> tuple[Place, ...]:
        """Return what of `room`, which runs leave of the `nodes` of a cluster, jobs may take."""
        bound = {node.name: max(1.0, node.cores // SHARE) - (node.cores - self.beside(node).cores) for node in nodes}
        return tuple(place.without(max(0.0, place.cores - bound.get(place.name, 0.0)), 0) for place in room.places)
