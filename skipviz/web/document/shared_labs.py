"""Documents of labs that several servers share: any of them changes one, by comparing and swapping. Imports no streamlit."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...storage import StoreError
from ...tasks.experiment import Experiment
from .document import UNDO_LIMIT, Document

if TYPE_CHECKING:
    from .lab import Lab

MOST_CHARACTERS = 2_000_000
"""Of a document's experiments as JSON; steps back that are nearer to the present are kept before those farther."""
MOST_KNOWN = 3 * UNDO_LIMIT
"""Experiments of which text and object are both remembered, the ones longest unused going first."""


class SharedLabs:
    """Keeps labs' documents in a store that servers share. Where that takes nothing, each server goes on with what it has."""

    def __init__(self, store) -> None:
        self._store = store
        self._texts = _Texts()

    def latest(self, lab: Lab) -> Document | None:
        """Return a lab's document where another server has written a newer one; may wait."""
        try:
            found = self._store.read_lab(lab.id, lab.stored)
        except StoreError:
            return None
        if found is None or found[1] is None:
            lab.stored = lab.stored if found else 0
            return None
        row, data = found
        lab.stored = row["version"]
        return self._document(row, _unpacked(data)) if row["version"] > lab.document.version else None

    def put(self, lab: Lab, document: Document) -> bool:
        """Put a document in the place of the one that was last read or written; False where another has come first. May wait."""
        more = {"rules": lab.rules.name, "speed": lab.speed, "follows": lab.follows}
        try:
            done = self.write(lab.id, lab.owner, document, more, lab.stored, lab.place)
        except StoreError:
            return True
        if done:
            lab.stored = document.version
        return done

    def write(self, identifier: str, owner: str, document: Document, more: dict, before: int, place: str = "") -> bool:
        """Put what `read` returns in the place of the version `before`; False where another is there. Raises `StoreError`."""
        row = {"id": identifier, "owner": owner, "run": document.run, "place": place, "version": document.version}
        return self._store.put_lab(row, _packed(self._data(document) | more), before)

    def read(self, identifier: str) -> tuple[dict, Document, dict] | None:
        """Return a lab's row, its document, and the rest that makes it whole again; may wait. Raises `StoreError`."""
        found = self._store.read_lab(identifier, 0)
        if found is None or found[1] is None:
            return None
        data = _unpacked(found[1])
        return found[0], self._document(found[0], data), data

    def version(self, identifier: str, known: int) -> int | None:
        """Return the version of a lab's document, which is `known` at some, or None where there is none; may wait."""
        try:
            found = self._store.read_lab(identifier, known)
        except StoreError:
            return None
        return found and found[0]["version"]

    def find(self, owner: str, **where: str) -> str | None:
        """Return the id of the newest lab of `owner` that shows a `run`, or stands at a `place`; may wait."""
        try:
            return self._store.find_lab(owner, **where)
        except StoreError:
            return None

    def place(self, lab: Lab) -> None:
        """Note the address at which a lab stands."""
        self._store.place_lab(lab.id, lab.place)

    def _data(self, document: Document) -> dict[str, Any]:
        places: dict[str, int] = {}

        def place(experiment: Experiment) -> int:
            return places.setdefault(self._texts.text(experiment), len(places))

        data = {"now": place(document.experiment), "told": document.told, "edits": document.edits}
        for name in ("undo", "redo"):
            data[name] = []
            for experiment in reversed(getattr(document, name)):
                if sum(map(len, places)) > MOST_CHARACTERS:
                    break
                data[name].insert(0, place(experiment))
        ended = [(self._texts.text(experiment), run) for experiment, run in document.ended]
        data["ended"] = [[places[text], run] for text, run in ended if text in places]
        return data | {"experiments": [*places]}

    def _document(self, row: dict, data: dict[str, Any]) -> Document:
        experiments = [self._texts.experiment(text) for text in data["experiments"]]
        undo, redo = (tuple(experiments[place] for place in data[name]) for name in ("undo", "redo"))
        ended = tuple((experiments[place], run) for place, run in data["ended"])
        told = data.get("told", 0)
        return Document(experiments[data["now"]], row["run"], undo, redo, ended, row["version"], told, data["edits"])


class _Texts:
    """Experiments as JSON and back; the same text is the same object, as a document that is undone needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._experiments: OrderedDict[str, Experiment] = OrderedDict()
        self._by_object: dict[int, str] = {}

    def text(self, experiment: Experiment) -> str:
        """Return an experiment as JSON."""
        with self._lock:
            known = self._by_object.get(id(experiment))
            if known is None:
                known = experiment.to_json()
                self._keep(known, experiment)
            return known

    def experiment(self, text: str) -> Experiment:
        """Return the experiment of a JSON text."""
        with self._lock:
            if text not in self._experiments:
                self._keep(text, Experiment.kept(text))
            self._experiments.move_to_end(text)
            return self._experiments[text]

    def _keep(self, text: str, experiment: Experiment) -> None:
        before = self._experiments.pop(text, None)
        self._by_object.pop(id(before), None)
        self._experiments[text], self._by_object[id(experiment)] = experiment, text
        while len(self._experiments) > MOST_KNOWN:
            _, gone = self._experiments.popitem(last=False)
            self._by_object.pop(id(gone), None)


def _packed(data: dict) -> str:
    return base64.b85encode(zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)).decode()


def _unpacked(data: bytes) -> dict:
    return json.loads(zlib.decompress(base64.b85decode(data)))
