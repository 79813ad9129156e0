"""What could be undone in a lab, on the disk: for a page that is loaded anew after its lab has left the memory. No streamlit here.

A file a lab, found by whose it is and by the address at which the lab stands; it holds experiments as links, and as sealed JSON
those that no link holds: very large ones, and modules of somebody's own. Data of one's own stays where uploads are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from ...engine import get_engine
from ...network.remembered import remembered
from ...sharing import link
from ...tasks.experiment import Experiment, experiment_from_json
from ..document.document import Document
from ..document.lab import Lab
from .page_data import link_of

MOST_BYTES = 50_000_000
"""Of all files; those longest unused go first."""
MOST_CHARACTERS = 100_000
"""Of all experiments in a file; steps back that are nearer to the present go before those farther."""
JSON = "json:"
"""What the text of an experiment's sealed JSON begins with."""
SECONDS = 1.0
"""For which experiments of a file are read, the nearest steps first: a person waits for the page meanwhile."""

_written: WeakKeyDictionary[Lab, tuple[int, Path]] = WeakKeyDictionary()
"""Of each lab the version that was written last, and where."""


def keep(lab: Lab, place: str) -> None:
    """Write down what can be undone in a lab that stands at an address now; where the disk takes nothing, nothing is kept."""
    document, (version, before) = lab.document, _written.get(lab, (-1, None))
    if version == document.version or not (document.undo or document.redo):
        return
    path = _path(lab.owner, place)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if before is None:
            _forget_old(path.parent)
        fresh = path.with_suffix(f".{lab.id}")
        fresh.write_text(json.dumps({"lab": lab.id, **_data(document)}), encoding="utf-8")
        fresh.replace(path)
        if before not in (None, path) and _lab_of(before) == lab.id:
            before.unlink(missing_ok=True)
        _written[lab] = document.version, path


def _lab_of(path: Path) -> str | None:
    """Return whose undo a file holds: another lab of the same owner may stand at that address by now."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("lab")
    except (OSError, ValueError):
        return None


def found(owner: str, place: str) -> Document | None:
    """Return a document with the undo, redo and ended runs of the lab of `owner` that stood last at an address, or None."""
    try:
        data = json.loads(_path(owner, place).read_text(encoding="utf-8"))
        until, known = time.monotonic() + SECONDS, {}
        undo, redo = (_experiments(data[name], known, until) for name in ("undo", "redo"))
        texts = [*data["undo"], *data["redo"]]
        ended = tuple((known[texts[place]], str(run)) for place, run in data["ended"] if texts[place] in known)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Document(undo[-1] if undo else redo[-1], undo=undo, redo=redo, ended=ended) if undo or redo else None


def _data(document: Document) -> dict:
    undo = _texts(document.undo, MOST_CHARACTERS)
    redo = _texts(document.redo, MOST_CHARACTERS - sum(map(len, undo)))
    places = {text: place for place, text in enumerate([*undo, *redo])}
    ended = [[places[text], run] for experiment, run in document.ended if (text := _text(experiment)) in places]
    return {"undo": undo, "redo": redo, "ended": ended}


def _texts(experiments: Sequence[Experiment], room: int) -> list[str]:
    """Return the texts of the last experiments, as far back as there is room."""
    texts: list[str] = []
    for experiment in reversed(experiments):
        text = _text(experiment)
        room -= len(text)
        if room < 0:
            break
        texts.append(text)
    return texts[::-1]


@remembered
def _text(experiment: Experiment) -> str:
    """Return the text by which an experiment is kept: its link, or where none holds it, its JSON."""
    return link_of(experiment) or JSON + link.sealed(experiment.to_json().encode())


def _read(text: str) -> Experiment:
    return experiment_from_json(link.unsealed(text.removeprefix(JSON))) if text.startswith(JSON) else link.decode(text)


def _experiments(texts: list[str], known: dict[str, Experiment], until: float) -> tuple[Experiment, ...]:
    """Return the last experiments of which the texts are read in time; `known` are those that were read, by their texts."""
    read: list[Experiment] = []
    for text in reversed(texts):
        if time.monotonic() > until:
            break
        if text not in known:
            known[text] = _read(text)
        read.append(known[text])
    return tuple(reversed(read))


def _path(owner: str, place: str) -> Path:
    name = hashlib.sha256(f"{owner} {place}".encode()).hexdigest()[:40]
    return _folder() / f"{name}.json"


def _folder() -> Path:
    return get_engine().settings.data_dir / "labs"


def _forget_old(folder: Path) -> None:
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # it went meanwhile
            files.append((path.stat(), path))
    found = sorted(files, key=lambda one: -one[0].st_mtime)
    since, room = time.time() - 86_400 * get_engine().settings.keep_days, MOST_BYTES
    for stat, path in found:
        room -= stat.st_size
        if room < 0 or stat.st_mtime < since:
            path.unlink(missing_ok=True)
