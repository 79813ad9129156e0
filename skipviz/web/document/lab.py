"""A lab on the server: its document, which any thread may change, and the run that follows each change."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ...engine import EngineError, get_engine
from ...network.base import NetworkError
from ...tasks.event import applied
from ...tasks.experiment import Experiment
from ...tasks.training_words import schedule_words
from .document import Document
from .edits import events_between
from .reducer import LAB, Rules

if TYPE_CHECKING:
    from .shared_labs import SharedLabs

Message = tuple[str, str]
"""A title and a sentence for whoever changed something."""
LOST_SECONDS = 30.0
"""After which a run that has not heard of its lab's newest change hears of it from another server: longer than the one that took
the command tries to reach the run, so that one is gone."""


class Lab:
    """One lab of `owner`, whose run is told what an edit of the document changes; `changed(lab)` is called after each change."""

    def __init__(
        self,
        experiment: Experiment,
        owner: str = "",
        run: str | None = None,
        rules: Rules = LAB,
        changed: Callable[[Lab], object] = lambda lab: None,
        shared: SharedLabs | None = None,
        identifier: str = "",
    ) -> None:
        """`shared` keeps the document where other servers take commands for this lab too."""
        self.id, self.owner, self.rules, self.changed = identifier or secrets.token_urlsafe(9), owner, rules, changed
        self.lock, self._shared = threading.RLock(), shared
        self.stored = 0
        """The version of the document that other servers were last seen to have; 0: none."""
        self.place = ""
        """The address at which it stands, as other servers know it."""
        self._document = Document(experiment, run)
        self._seen: Experiment | None = None
        """The run's experiment as this lab has last seen it."""
        self.follows: str | None = None
        """Token of the classroom that is looked on at."""
        self.speed: float | None = 100.0
        """Steps a second that were asked for last."""
        self._passing = False
        """Whether the run was told what the document does not hold (yet)."""
        self._moved = float("-inf")
        """When the document of several servers last changed, or the run was last told of all that it has not heard."""
        self._note_run()

    def begin(self) -> None:
        """Let other servers have the document as it is at first."""
        if self._shared is not None:
            self._swap(lambda document: replace(document))

    def hold(self, document: Document, speed: float | None, follows: str | None) -> None:
        """Be what other servers have written of this lab."""
        self._document, self.stored, self.speed, self.follows = document, document.version, speed, follows
        self._moved = time.monotonic()

    @property
    def document(self) -> Document:
        """What the lab holds now."""
        return self._document

    @property
    def watching(self) -> bool:
        """Whether what is shown is somebody else's, or a script's own module, which cannot be changed here."""
        run = self._run()
        experiment = self._document.experiment
        elsewhere = experiment.task.watched and not get_engine().trains(experiment)
        return self.follows is not None or elsewhere or (run is not None and run.owner != self.owner)

    def change(
        self, make: Callable[[Document], Document], address: str | None = None, *, extends: bool = True, ends: bool = False
    ) -> Message | None:
        """Take the document that `make` gives of the one now, and return what that did to the run, where it is worth a sentence.

        The run follows by events where these are enough, or ends; one that has finished goes on for as many steps again unless
        `extends` is False. With `ends` it ends whatever was changed. A run that an edit had ended is there again where the edit
        was undone.
        """
        with self.lock:
            self.follow()
            before, after = self._swap(make, leads=True)
            if after is before and not self._passing and not ends and self._shared is None:
                return None
            said = self._lead_run(before, address, extends, ends)
            travelled = after is not before and len(after.undo) + len(after.redo) == len(before.undo) + len(before.redo)
            if self._document.run is None and travelled:
                said = self._return_to_run() or said
            self._count()
            return said

    def show(self, experiment: Experiment, run: str | None = None, edits: int = 0) -> None:
        """Hold `experiment` and its run in place of what is held, which cannot be undone."""
        with self.lock:
            held = self._document
            same = experiment is held.experiment or (self._shared is not None and experiment == held.experiment)
            if not same or (run, edits) != (held.run, held.edits):
                self._swap(lambda held: replace(held, experiment=experiment, run=run, edits=edits))
                self._note_run()
                self._count()

    def take(self, run) -> None:
        """Show a run and its experiment; what was there before can be undone, and its run goes on."""
        with self.lock:
            self._swap(lambda document: replace(document.put(run.experiment), run=run.id))
            self._note_run()
            self._count()

    def restore(self, document: Document) -> None:
        """Hold another document's undo, redo and ended runs."""
        with self.lock:
            self._swap(lambda held: replace(held, undo=document.undo, redo=document.redo, ended=document.ended))

    def start(self, *, speed: float | None, baseline: bool, paused: bool, address: str | None) -> None:
        """Submit the experiment as a new run; raises `EngineError` with a sentence."""
        with self.lock:
            self.leave()
            self.speed = speed
            engine, experiment = get_engine(), self._document.experiment
            alone = len(experiment.variants) == 1  # several are compared with each other
            run = engine.submit(experiment, self.owner, speed=speed, baseline=baseline and alone, paused=paused, address=address)
            self._swap(lambda document: replace(document, run=run))
            self._note_run()
            self._count()

    def leave(self) -> None:
        """Stop the run if it still goes, and forget it."""
        with self.lock:
            self.refresh()
            if self._document.run is None:
                return
            self._stop()
            self._swap(lambda document: replace(document, run=None))
            self._count()

    def send_passing(self, make: Callable[[Document], Document]) -> None:
        """Tell the run only what `make` would change."""
        with self.lock:
            run = self._run()
            if run is None or run.ended:
                return
            for event in events_between(run.experiment, make(self._document).experiment) or ():
                self._passing = True
                self._send(event)
            self._note_run()

    def is_behind(self, run) -> bool:
        """Return whether something was done to the run that this lab does not hold yet."""
        return run.owner == self.owner and (run.experiment is not self._seen or self._heard(run) < self._document.told)

    def follow(self) -> None:
        """Take what was done to the run elsewhere, such as in another lab that shows it, once the run has heard of all that was
        done to the document: what it has not heard would be taken back."""
        with self.lock:
            run = self._run()
            if run is None or not self.is_behind(run):
                return
            heard, there = self._heard(run), run.experiment  # in this order: what it has heard is in its experiment
            if heard < self._document.told:
                self._tell_again(there)
                return
            events = events_between(self._seen, there) if self._seen else None

            def followed(document: Document) -> Document:
                if heard < document.told:
                    return document
                experiment = document.experiment
                for event in events or ():
                    experiment = applied(experiment, event)
                if events is not None and experiment.variants.keys() == there.variants.keys():
                    experiment = experiment.labelled(there.labels)
                return document if experiment == document.experiment else replace(document, experiment=experiment)

            try:
                before, after = self._swap(followed)
            except NetworkError:
                self._seen = there
                return  # the lab went on to another network meanwhile
            if heard >= after.told:
                self._seen = there
            if after is not before:
                self._count()

    def _heard(self, run) -> int:
        return run.led.get(self.id, 0)

    def _tell_again(self, there: Experiment) -> None:
        """Bring a run, whose experiment is `there`, to where the document is once the server is gone that should have done so."""
        if time.monotonic() - self._moved > LOST_SECONDS:
            self._moved = time.monotonic()
            self._send_change(events_between(there, self._document.experiment) or [], 0)

    def refresh(self) -> None:
        """Take what other servers have made of the document; may wait."""
        if self._shared is None:
            return
        with self.lock:
            self._take_latest()

    def _swap(self, make: Callable[[Document], Document], leads: bool = False) -> tuple[Document, Document]:
        """Put what `make` gives of the document in its place, whoever has changed it last; return what was there, and that.

        One that `leads` is to reach the run.
        """
        while True:
            if self._shared is not None:
                self._take_latest()
            before = self._document
            after = make(before)
            if after is before:
                return before, after
            if self._shared is not None:
                version, told = before.version + 1, before.told if after.run == before.run else 0
                after = replace(after, version=version, told=version if leads and after.run else told)
            if self._shared is None or self._shared.put(self, after):
                self._document, self._moved = after, time.monotonic()
                return before, after

    def _take_latest(self) -> None:
        latest = self._shared.latest(self)
        if latest is not None:
            moved, self._document, self._moved = latest.run != self._document.run, latest, time.monotonic()
            if moved:
                self._note_run()
            self.changed(self)

    def _lead_run(self, before: Document, address: str | None, extends: bool, ends: bool) -> Message | None:
        """Bring the run to where the document is now; returns what is to be said of it."""
        run, passing, self._passing = self._run(), self._passing, False
        if self._document.run is None:
            return None
        passing |= self._shared is not None and before.experiment is self._document.experiment  # perhaps told at another server
        began = run.experiment if passing and run is not None else before.experiment
        events = None if ends else events_between(began, self._document.experiment)
        own = run is not None and run.owner == self.owner
        if own and events is not None:
            self._label_run()
        if events == []:
            self._send_change([], before.told)
            return None
        said = None
        if own and extends and events and run.state == "finished":
            went, said = self._extend(events, address)
            if went:
                self._send_change([], before.told)
                return said
        if events is not None and run is not None and (not run.ended or run.restart):
            self._send_change(events, before.told)
            return said
        if run is None:
            said = ("Your run is no longer kept.", "Start trains this network anew.")
        elif events is None and run.state in ("running", "paused", "finished") and own:
            said = (
                f"Your run {'has ' if run.ended else ''}ended at step {run.step:,}.",
                "It is kept in My runs, and undo brings it back. This is another network: Start trains it.",
            )
        self._stop()
        self._swap(lambda document: document.without_run(before.experiment) if document.run == before.run else document)
        return said

    def _return_to_run(self) -> Message | None:
        """Show again the run that an edit of just this experiment had ended, where it is kept."""
        found = self._document.ended_here()
        run = get_engine().run(found) if found else None
        if run is None:
            return None
        self._swap(lambda document: replace(document, run=run.id))
        self._label_run()
        self._note_run()
        on = "A switch lets it go on." if run.state == "finished" else "Resume lets it go on."
        return f"Your run is back at step {run.step:,}.", on

    def _extend(self, events: list, address: str | None) -> tuple[bool, Message]:
        """Let the finished run go on after `events`; returns whether it does, and a sentence for either."""
        try:
            went = get_engine().extend(self._document.run, self.owner, events, address)
        except EngineError as error:
            why = str(error)
            return False, (
                "Your finished run does not go on.",
                f"{why[:1].upper()}{why[1:]}. Start trains this network anew.",
            )
        schedule = schedule_words(self._document.experiment.training)
        rate = f" Its learning rate is from here on that of a run of {went['steps']:,} steps ({schedule})." if schedule else ""
        return True, (f"Your run goes on from step {went['step']:,} to {went['steps']:,}.", f"Its weights are kept.{rate}")

    def _run(self):
        return get_engine().run(self._document.run) if self._document.run else None

    def _label_run(self) -> None:
        """Let the run's networks be called as here."""
        with contextlib.suppress(EngineError):
            get_engine().label(self._document.run, self.owner, self._document.experiment.labels)

    def _note_run(self) -> None:
        run = self._run()
        self._seen = run.experiment if run is not None else None

    def _stop(self) -> None:
        run = self._run()
        if run is not None and run.state in ("queued", "running", "paused"):
            self._send({"kind": "stop"})

    def _send_change(self, events: list, since: int) -> None:
        """Let the run hear of the document's newest change, which `events` are to it, and which follows the one `since`.

        A run that has ended takes none, and that is no error.
        """
        if events or since < self._document.told:
            with contextlib.suppress(EngineError, NetworkError):
                get_engine().lead(self._document.run, self.owner, events, self.id, since, self._document.told)

    def _send(self, message) -> None:
        """Send one event or control to the run; a run that has ended takes none, and that is no error."""
        try:
            get_engine().post(self._document.run, self.owner, message)
        except (EngineError, NetworkError):
            return

    def _count(self) -> None:
        if self._shared is None:
            self._document = replace(self._document, version=self._document.version + 1)
        self.changed(self)
