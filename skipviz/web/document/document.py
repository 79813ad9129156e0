"""What one lab holds: an experiment, what can be undone and redone, the run that trains it. A change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...tasks.experiment import Experiment

UNDO_LIMIT = 200
"""Steps back, steps forth and ended runs that are kept."""


@dataclass(frozen=True)
class Document:
    """`run` is the id of the run that trains the experiment, if any; `version` counts the changes."""

    experiment: Experiment
    run: str | None = None
    undo: tuple[Experiment, ...] = ()
    redo: tuple[Experiment, ...] = ()
    ended: tuple[tuple[Experiment, str], ...] = ()
    """Runs that an edit has ended, the newest last, and the experiment that each stood at."""
    version: int = 0
    told: int = 0
    """The version of the newest change that the run is to hear of, where several servers have the document."""
    edits: int = 0
    """Of a run that is only looked at: how many events the experiment has."""

    def put(self, experiment: Experiment) -> Document:
        """Return the document with `experiment` as its newest; what was before can be undone."""
        if experiment == self.experiment and [*experiment.variants] == [*self.experiment.variants]:
            return self
        return replace(self, experiment=experiment, undo=(*self.undo, self.experiment)[-UNDO_LIMIT:], redo=())

    def back(self) -> Document:
        """Return the document as one undo leaves it; the same where there is nothing to undo."""
        if not self.undo:
            return self
        *undo, experiment = self.undo
        return replace(self, experiment=experiment, undo=tuple(undo), redo=(*self.redo, self.experiment))

    def forth(self) -> Document:
        """Return the document as one redo leaves it; the same where there is nothing to redo."""
        if not self.redo:
            return self
        *redo, experiment = self.redo
        return replace(self, experiment=experiment, undo=(*self.undo, self.experiment), redo=tuple(redo))

    def without_run(self, stood: Experiment) -> Document:
        """Return the document without the run that an edit has ended, which `stood` at the experiment before it."""
        return replace(self, run=None, ended=(*self.ended, (stood, self.run))[-UNDO_LIMIT:])

    def ended_here(self) -> str | None:
        """Return the run that an edit of just this experiment ended last, or None."""
        return next((run for experiment, run in reversed(self.ended) if experiment is self.experiment), None)


def document_of(run) -> Document:
    """Return a run's document as those read it who may not change it: what it began with, and all that was done to it since."""
    edits = run.edits  # before the experiment: what is done meanwhile is news then
    return Document(run.experiment, run.id, edits=edits)
