"""How the networks of a comparison differed at the earlier steps of a run."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from ...storage import Run
from ...tasks.comparison import apart_words
from ...tasks.event import applied, message_from
from ...tasks.experiment import Experiment

_KNOWN: WeakKeyDictionary[Run, tuple[list[dict], Experiment, list[dict]]] = WeakKeyDictionary()
"""By run, the events that were followed, what the experiment was after them, and what `history` then returned."""


def history(run: Run | None, names: Iterable[str]) -> list[dict]:
    """Return how the networks of a run, in this order, differed from each step on at which an event changed one of them.

    Each entry has the `step` and by name what each `differs` in from the first; nothing where the run is not of these networks.
    """
    if run is None or not run.events:
        return []
    names = list(names)
    events, experiment, found = _KNOWN.get(run, ([], run.began or run.experiment, []))
    if events != run.events[: len(events)] or (found and list(found[0]["differs"]) != names):
        events, experiment, found = [], run.began or run.experiment, []
    if set(names) != set(experiment.variants):
        return []
    found = found or [_entry(0, experiment, names)]
    for event in run.events[len(events) :]:
        after = applied(experiment, message_from(event))
        if after.variants != experiment.variants:
            found = [*(one for one in found if one["step"] < event["step"]), _entry(event["step"], after, names)]
        experiment = after
    _KNOWN[run] = [*run.events], experiment, found
    return found


def _entry(step: int, experiment: Experiment, names: list[str]) -> dict:
    first, *others = (experiment.variants[name] for name in names)
    return {"step": step, "differs": dict(zip(names, ["", *(apart_words(first, other) for other in others)], strict=True))}
