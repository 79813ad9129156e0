"""What a list of runs shows of each: its facts, its network's drawing and what happened. Imports no streamlit."""

from __future__ import annotations

from collections import OrderedDict
from threading import Event, Lock

from ..drawing.history import history
from ..drawing.thumbnail import thumbnail
from ..engine import Engine
from ..storage import Run
from ..tasks.task import KINDS

MOST = 24
"""Runs that are pictured with one request: a screen of them."""

KEPT = 500
"""Pictures kept, of about 3 kB each; a live run's go as it goes on."""

STOP_SECONDS = 5.0
"""Longest wait for a run that is to be deleted to stop: its worker finishes the step it is in."""

_LISTED = (
    *("id", "title", "state", "reason", "step", "steps", "created", "bytes", "metric", "variants", "depth"),
    *("parameters", "skips_on", "skips_total", "resumable"),
)

_pictures: OrderedDict[str, tuple[tuple, dict]] = OrderedDict()
_lock = Lock()


def list_of(engine: Engine, owner: str) -> list[dict]:
    """Return the facts of every run of `owner`, the newest first."""
    return [_facts(run) for run in engine.runs_of(owner)]


def _facts(run: dict) -> dict:
    """Return what the list says of a run: loss and metric are the first variant's, the task has its title."""
    first = run["variants"][0]
    numbers = {name: run[name].get(first) for name in ("loss", "held_out")}
    return {**{name: run[name] for name in _LISTED}, **numbers, "task": KINDS[run["task"]].title.lower()}


def cards(engine: Engine, owner: str, ids: list[str]) -> list[dict]:
    """Return facts and pictures of those runs of `owner` that `ids` names, at most `MOST`."""
    wanted = set(ids[:MOST])
    shown = []
    for facts in list_of(engine, owner):
        run = engine.run(facts["id"]) if facts["id"] in wanted else None
        if run is not None:
            shown.append({**facts, **picture(run)})
    return shown


def picture(run: Run) -> dict:
    """Return a run's `svg`, its network as it is now, and its `history`, or None there while nothing was measured."""
    stamp = (run.sequence, run.state, len(run.events))
    with _lock:
        known = _pictures.get(run.id)
        if known is not None and known[0] == stamp:
            _pictures.move_to_end(run.id)
            return known[1]
    made = {"svg": thumbnail(run.experiment.network), "history": history(run.frames)}
    with _lock:
        _pictures[run.id] = (stamp, made)
        _pictures.move_to_end(run.id)
        while len(_pictures) > KEPT:
            _pictures.popitem(last=False)
    return made


def delete(engine: Engine, run_id: str, owner: str) -> None:
    """Delete a run; one that goes on is stopped first. Raises `EngineError`."""
    run = engine.run(run_id)
    if run is not None and run.owner == owner and not run.ended:
        _stop(engine, run, owner)
    engine.delete(run_id, owner)


def _stop(engine: Engine, run: Run, owner: str) -> None:
    ended = Event()
    unsubscribe = engine.subscribe(lambda run_id: ended.set() if run_id == run.id and run.ended else None)
    try:
        engine.post(run.id, owner, {"kind": "stop"})
        if not run.ended:
            ended.wait(STOP_SECONDS)
    finally:
        unsubscribe()
