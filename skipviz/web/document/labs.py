"""All labs of this server: found by their id, by a run that they show, and again by a page that is loaded anew."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ...engine import get_engine
from ...engine.listeners import Listeners
from ...storage import StoreError
from ...tasks.experiment import Experiment
from .document import Document
from .lab import Lab
from .reducer import LAB, Rules

if TYPE_CHECKING:
    from .shared_labs import SharedLabs

MOST = 300
"""Labs that are kept for a page that is loaded anew; the ones longest unused go first."""
SECONDS = 900.0
"""For which they are."""
MOST_HEARD = 5000
"""Labs of other servers of which the newest version is known."""


class Labs:
    """The labs of this server, each as long as a page has it and a while longer; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._labs: WeakValueDictionary[str, Lab] = WeakValueDictionary()
        self._by_run: dict[str, set[str]] = {}
        self._kept: OrderedDict[str, tuple[float, str, Lab]] = OrderedDict()
        self._listeners = Listeners()
        self._following = ThreadPoolExecutor(1, "skipviz-labs")
        self._shared: SharedLabs | None = None
        self._heard: OrderedDict[str, int] = OrderedDict()
        """Versions that other servers have written, by lab, the newest last."""
        self.rules = {LAB.name: LAB}
        """What is known of kinds of labs, by their names."""

    def share(self, shared: SharedLabs | None) -> None:
        """Keep the documents of labs where other servers take commands for them too."""
        self._shared = shared

    def heard(self, versions: Iterable[tuple[str, int]]) -> None:
        """Hear of versions that other servers have written, from a thread that must not wait."""
        for identifier, version in versions:
            with self._lock:
                self._heard.pop(identifier, None)
                self._heard[identifier] = version
                while len(self._heard) > MOST_HEARD:
                    self._heard.popitem(last=False)
            lab = self.get(identifier)
            if lab is None:
                self._listeners.tell(identifier)
            else:
                self._following.submit(lab.refresh)

    def version_of(self, identifier: str) -> int | None:
        """Return the newest version of a lab's document that is known of, or None."""
        lab = self.get(identifier)
        return self._heard.get(identifier) if lab is None else lab.document.version

    def learn(self, known: dict[str, int]) -> None:
        """Hear what other servers have of labs that a page here has at some version; may wait."""
        if self._shared is not None:
            versions = {identifier: self._shared.version(identifier, version) for identifier, version in known.items()}
            self.heard((identifier, version) for identifier, version in versions.items() if version is not None)

    def look_up(self, identifier: str) -> Lab | None:
        """Return a lab, also one that another server's page has; may wait. Raises `StoreError`."""
        lab = self.get(identifier)
        found = self._shared.read(identifier) if lab is None and self._shared is not None else None
        if found is None:
            return lab
        row, document, more = found
        rules = self.rules.get(more["rules"], LAB)
        opened = Lab(document.experiment, row["owner"], row["run"], rules, self._changed, self._shared, identifier)
        opened.hold(document, more["speed"], more["follows"])
        with self._lock:
            lab = self._labs.setdefault(identifier, opened)
        return lab

    def opened(self, experiment: Experiment, owner: str = "", run: str | None = None, rules: Rules = LAB) -> Lab:
        """Return a new lab."""
        lab = Lab(experiment, owner, run, rules, self._changed, self._shared)
        lab.begin()
        with self._lock:
            self._labs[lab.id] = lab
        self._changed(lab)
        return lab

    def get(self, identifier: str) -> Lab | None:
        """Return a lab, or None where no page has it any more."""
        return self._labs.get(identifier)

    def keep(self, lab: Lab, place: str) -> None:
        """Keep a lab for a page that is loaded anew at the address where it stands now."""
        with self._lock:
            self._kept.pop(lab.id, None)
            self._kept[lab.id] = self._clock(), place, lab
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        if self._shared is not None and lab.place != place:
            lab.place = place
            self._shared.place(lab)

    def of_run(self, owner: str, run: str) -> Lab | None:
        """Return the lab of `owner` that shows a run: the same lab in another tab, or in the page before it was loaded anew."""
        found = next((lab for _, lab in self._recent() if lab.owner == owner and lab.document.run == run), None)
        return found or self._found(owner, run=run)

    def document_at(self, owner: str, place: str) -> Document | None:
        """Return what the newest lab of `owner` at an address holds, of those in which something was done, or None."""
        found = (lab.document for stood, lab in self._recent() if lab.owner == owner and stood == place)
        known = next((document for document in found if document.undo or document.redo), None)
        lab = self._found(owner, place=place) if known is None else None
        return lab.document if lab is not None else known

    def _found(self, owner: str, **where: str) -> Lab | None:
        """Return the newest lab of `owner` that other servers know at a place, or of a run."""
        identifier = self._shared.find(owner, **where) if self._shared is not None else None
        with contextlib.suppress(StoreError):
            return self.look_up(identifier) if identifier else None

    def _recent(self) -> list[tuple[str, Lab]]:
        with self._lock:
            now = self._clock()
            return [(place, lab) for since, place, lab in reversed(self._kept.values()) if now - since <= SECONDS]

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(id)`, quickly, after every change of a lab; returns the way to end that."""
        return self._listeners.subscribe(listener)

    def run_changed(self, run_id: str) -> None:
        """Let the labs that show a run take what was done to it elsewhere; called from the engine's thread, which must not wait."""
        for identifier in tuple(self._by_run.get(run_id, ())):
            lab, run = self.get(identifier), get_engine().kept(run_id)
            if lab is None or lab.document.run != run_id:
                self._forget(run_id, identifier)
            elif run is not None and lab.is_behind(run):
                self._following.submit(lab.follow)

    def _changed(self, lab: Lab) -> None:
        if lab.document.run:
            with self._lock:
                self._by_run.setdefault(lab.document.run, set()).add(lab.id)
        self._listeners.tell(lab.id)

    def _forget(self, run_id: str, identifier: str) -> None:
        with self._lock:
            named = self._by_run.get(run_id, set())
            named.discard(identifier)
            if not named:
                self._by_run.pop(run_id, None)


labs = Labs()
"""The process's own."""
