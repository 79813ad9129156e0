"""What a list of runs shows of each: its facts, its network's drawing and what happened. Imports no streamlit."""

from __future__ import annotations

from collections import OrderedDict
from threading import Event, Lock

from ...drawing.history import FRAMES, history
from ...drawing.thumbnail import thumbnail
from ...engine import Engine
from ...storage import Run
from ...tasks.task import KINDS, OWN_KINDS, OWN_NAMES, WATCHED

MOST = 24
"""Runs that are pictured with one request: a screen of them."""

KEPT = 500
"""Pictures kept, of about 3 kB each; a live run's go as it goes on."""

STOP_SECONDS = 5.0
"""Longest wait for a run that is to be deleted to stop: its worker finishes the step it is in."""

_LISTED = (
    *("id", "title", "state", "reason", "step", "steps", "created", "bytes", "metric", "variants", "labels", "depth"),
    *("parameters", "skips_on", "skips_total", "resumable", "weights"),
)

_REACHED = ("loss", "held_out", "held_out_step")

_TASKS = {name: kind.title.lower() for name, kind in KINDS.items()} | {
    name: OWN_KINDS[kinds[0]].title.lower() for name, kinds in OWN_NAMES.items()
}
_TASKS["watched"] = WATCHED.title.lower()

_pictures: OrderedDict[str, tuple[tuple, dict]] = OrderedDict()
_lock = Lock()


def list_of(engine: Engine, owner: str) -> list[dict]:
    """Return the facts of every run of `owner`, the newest first."""
    return [_facts(run) for run in engine.runs_of(owner)]


def _facts(run: dict) -> dict:
    """Return what the list says of a run: of each variant what it reached, the task by its title."""
    named = zip(run["variants"], run["labels"], strict=True)
    reached = [{"label": label, **{what: run[what].get(name) for what in _REACHED}} for name, label in named]
    return {**{name: run[name] for name in _LISTED}, "reached": reached, "task": _TASKS[run["task"]]}


def cards(engine: Engine, owner: str, ids: list[str]) -> list[dict]:
    """Return facts and pictures of those runs of `owner` that `ids` names, at most `MOST`."""
    wanted = set(ids[:MOST])
    shown = [(facts, picture(engine, facts["id"])) for facts in list_of(engine, owner) if facts["id"] in wanted]
    return [{**facts, **drawn} for facts, drawn in shown if drawn is not None]


def picture(engine: Engine, run_id: str) -> dict | None:
    """Return a run's `svg`, its network as it is now, and its `history`, which is None while nothing was measured.

    None if there is no such run. What only lies on the disk has ended, and its picture stays as it is.
    """
    run = engine.kept(run_id)
    stamp = None if run is None else (run.sequence, len(run.events))
    with _lock:
        known = _pictures.get(run_id)
        if known is not None and (run is None or known[0] == stamp):
            _pictures.move_to_end(run_id)
            return known[1]
    found = engine.glance(run_id, FRAMES)
    if found is None:
        return None
    experiment, frames = found
    made = {"svg": thumbnail(experiment.network), "history": history(frames)}
    with _lock:
        _pictures[run_id] = (stamp, made)
        _pictures.move_to_end(run_id)
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
