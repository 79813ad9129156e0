"""Sweep: one network with other values of one field or two, each cell trained in the background."""

from __future__ import annotations

import json

from ...engine import EngineError, get_engine
from ...engine.job import Job
from ...storage.summary import title_of
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.sweep import LOGARITHMIC, QUANTITIES, Sweep, sweep_of, usual_sweep
from ...tasks.sweep_field import SweepField, fields_of
from ..component import component, feed
from ..component.commands import perform_all
from ..session_state import session, view
from . import opening

KEY = "sweep"
LAB = "lab"
"""The base that is what the lab holds; the others are presets, by name."""
USUAL_STEPS = 300
"""Of each cell, where the base has more: a first look is there in a minute."""


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = session.sweep_state()
    perform_all(KEY, state, lambda command: perform(state, command))


def page() -> None:
    """Draw the page of sweeps."""
    obey()
    state = session.sweep_state()
    job = _job(state)
    view.write_address({"job": job.id} if job else {})
    sweep = Sweep.kept(job.spec) if job else None
    again = sweep if state.again else None
    state.base = state.base or (_base_of_sweep(again) if again else LAB)
    base = base_of(state.base)
    message, state.message = state.message, None
    component.mount(
        {
            "page": KEY,
            "done": state.done,
            "message": message,
            "bases": [[LAB, "What the lab holds"], *([name, presets.preset(name).title] for name in presets.names())],
            "base": state.base,
            "title": title_of(base),
            **_form(base, again if again and _is_of(again, base) else None),
            "job": _job_data(job, sweep) if job else None,
        },
        KEY,
    )
    if component.wants_feed(KEY):
        feed.draw()


def perform(state: session.Sweeping, command: dict) -> None:
    """Do one command of the page; raises `EngineError`, `NetworkError` with a sentence, `ValueError` for what is none."""
    operation, jobs = command["op"], get_engine().jobs
    if view.perform(command) or operation == "look":
        return
    if operation == "go":
        session.go(str(command["page"]))
    elif operation == "base":
        base_of(str(command["name"]))
        state.base = str(command["name"])
    elif operation == "start":
        state.job = jobs.submit("sweep", _asked(state, command), session.owner(), session.address())
    elif operation == "stop":
        jobs.stop(str(command["job"]), session.owner())
    elif operation == "resume":
        jobs.resume(str(command["job"]), session.owner(), session.address())
    elif operation == "open_lab":
        cell = Sweep.kept(jobs.find(str(command["job"])).spec).cell(int(command["cell"]))
        if cell.experiment is None:
            raise EngineError(f"this cell cannot exist: {cell.reason}")
        opening.open_experiment(cell.experiment)
    else:
        raise ValueError(operation)


def base_of(name: str) -> Experiment:
    """Return the experiment of one network that a base names; raises `NetworkError` for what names none."""
    experiment = opening.lab_state().editors["lab"].experiment if name == LAB else presets.get(name)
    first = next(iter(experiment.variants))
    return experiment.replaced(variants={first: experiment.variants[first]})


def _asked(state: session.Sweeping, command: dict) -> dict:
    """Return the spec of the sweep that the form asks for."""
    base = base_of(state.base or LAB)
    steps = fields_of(base)["steps"].read(str(command["steps"]))
    base = base.replaced(training=base.training.replaced(steps=steps))
    axes = [(str(field), str(values).split(",")) for field, values in command["axes"]]
    return sweep_of(base, axes).model_dump(mode="json", exclude_defaults=True)


def _job(state: session.Sweeping) -> Job | None:
    """Return the sweep that the page shows: the one it began, the address names, or this browser's newest."""
    jobs = get_engine().jobs
    wanted = state.job or next((job.id for job in jobs.of(session.owner()) if job.kind == KEY), None)
    try:
        job = jobs.find(wanted) if wanted else None
    except EngineError as error:
        if state.message is None:
            state.message = ("This sweep is not here.", str(error))
        if error.status != 404:  # it may be had later
            return None
        job = None
    state.job = job.id if job and job.kind == KEY else None
    return job if state.job else None


def _base_of_sweep(sweep: Sweep) -> str:
    """Return the name of the base that a sweep varies; of what the lab holds where none is known to be it."""
    return next((name for name in (LAB, *presets.names()) if _is_of(sweep, base_of(name))), LAB)


def _is_of(sweep: Sweep, base: Experiment) -> bool:
    """Return whether a sweep varies this base, however long each cell trains."""
    steps = sweep.base.training.steps
    return sweep.base == base.replaced(training=base.training.replaced(steps=steps))


def _form(base: Experiment, shown: Sweep | None) -> dict:
    """Return what can be varied of the base, and what is: in the sweep that is `shown`, else what usually is."""
    known, axes = fields_of(base), (shown or usual_sweep(base)).axes
    return {
        "fields": [_field(field) for field in known.values()],
        "axes": [[axis.field, ", ".join(map(known[axis.field].said, axis.values))] for axis in axes],
        "steps": shown.base.training.steps if shown else min(base.training.steps, USUAL_STEPS),
    }


def _field(field: SweepField) -> dict:
    return {
        "name": field.name,
        "words": field.words,
        "group": field.group,
        "bounds": field.bounds(),
        "says": field.says,
        "value": field.said(field.value) if field.value is not None or field.none else "",
        "suggested": ", ".join(map(field.said, field.suggested())),
    }


def _job_data(job: Job, sweep: Sweep) -> dict:
    """Return a sweep with its rows, and what its axes and quantities are called."""
    quantities = QUANTITIES | {"held_out": f"Held-out {sweep.base.task.kind.metric.replace('_', ' ')} at the end"}
    return {
        **json.loads(job.to_json(0, job.facts(job.owner == session.owner()))),
        "title": title_of(sweep.base),
        "steps": sweep.base.training.steps,
        "cells": len(sweep),
        "axes": [
            {"field": field.name, "words": field.words, "values": list(map(field.said, axis.values))}
            for field, axis in zip(sweep.fields, sweep.axes, strict=True)
        ],
        "quantities": [[name, words, name in LOGARITHMIC] for name, words in quantities.items()],
    }
