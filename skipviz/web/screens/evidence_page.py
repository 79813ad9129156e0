"""Evidence: published effects, each measured again by whoever presses Run; a wall of all of them, and a page for each."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import lru_cache

from ...drawing.claim_thumbnail import claim_thumbnail
from ...engine import EngineError, get_engine
from ...engine.job import Job
from ...evidence.claim import Claim
from ...evidence.claims import CLAIMS
from ...evidence.recording import recordings
from ...network.scalar_fields import ScalarField, scalar_fields
from ..component import component, feed
from ..component.commands import perform_all
from ..session_state import session, view
from . import opening

KEY = "evidence"
JOB = "claim"
"""The kind of job that measures a claim."""


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = session.evidence_state()
    perform_all(KEY, state, lambda command: perform(state, command))


def page() -> None:
    """Draw the wall of claims, or one of them."""
    obey()
    state = session.evidence_state()
    claim = CLAIMS.get(state.claim or "")
    job = _job(state, claim) if claim else None
    view.write_address({"claim": claim.name} | ({"job": job.id} if job and job.id == state.job else {}) if claim else {})
    message, state.message = state.message, None
    if claim:
        shown = {"claim": _claim_data(claim), "job": _job_data(job), "recording": None if job else _recording_data(claim)}
    else:
        shown = {"claims": [_card(one) for one in CLAIMS.values()]}
    component.mount({"page": KEY, "done": state.done, "message": message, **shown}, KEY)
    if component.wants_feed(KEY):
        feed.draw()


def perform(state: session.Reading, command: dict) -> None:
    """Do one command of the page; raises `EngineError`, `ClaimError` with a sentence, `ValueError` for what is none."""
    operation, jobs = command["op"], get_engine().jobs
    if view.perform(command) or operation == "look":
        return
    if operation == "go":
        session.go(str(command["page"]))
    elif operation == "claim":
        name = str(command["name"])
        if name and name not in CLAIMS:
            raise ValueError(name)
        state.claim, state.job = name or None, None
    elif operation == "run":
        claim = CLAIMS[str(command["claim"])]
        state.job = jobs.submit(JOB, _spec(claim, command["controls"]), session.owner(), session.address())
    elif operation == "stop":
        jobs.stop(str(command["job"]), session.owner())
    elif operation == "open_lab":
        claim = CLAIMS[str(command["claim"])]
        opening.open_experiment(claim.experiment(**claim.checked(**_read(claim, command["controls"]))))
    else:
        raise ValueError(operation)


def _spec(claim: Claim, controls: dict) -> dict:
    """Return what a job is asked for: of the controls those that are not as usual, so that usual ones are known again."""
    usual = claim.checked()
    chosen = {name: value for name, value in claim.checked(**_read(claim, controls)).items() if value != usual[name]}
    return {"claim": claim.name, **({"controls": chosen} if chosen else {})}


def _read(claim: Claim, controls: dict) -> dict:
    """Return controls as the claim takes them: text of a number is one, what is none is refused by the claim."""
    fields, found = scalar_fields(claim.controls), {}
    for name, value in dict(controls).items():
        numeric = name in fields and fields[name].type in ("integer", "number") and isinstance(value, str)
        found[str(name)] = _number(value) if numeric else value
    return found


def _number(text: str) -> float | int | str:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _job(state: session.Reading, claim: Claim) -> Job | None:
    """Return what the claim's page shows: the job that it began or that the address names, or what the server has measured."""
    jobs = get_engine().jobs
    if state.job:
        try:
            job = jobs.find(state.job)
        except EngineError as error:
            state.message = state.message or ("This measurement is not here.", str(error))
            if error.status != 404:  # it may be had later
                return None
        else:
            if job.kind == JOB and job.spec["claim"] == claim.name:
                return job
        state.job = None
    return jobs.newest(JOB, _spec(claim, {}))


def _card(claim: Claim) -> dict:
    """Return what the wall shows of a claim: its picture as this server measured it last, or as it was recorded."""
    job = get_engine().jobs.newest(JOB, _spec(claim, {}))
    if job and (verdict := _verdict(tuple(job.rows))):
        return {**_facts(claim), "svg": _picture(claim.name, tuple(job.rows)), "verdict": verdict, "date": _date(job)}
    made = _recording_data(claim)
    return {**_facts(claim), "svg": _picture(claim.name, None), **made, "verdict": made.pop("rows")[-1]}


def _verdict(rows: tuple[bytes, ...]) -> dict | None:
    """Return what the worker said at last that a measurement says of its claim; None before."""
    last = json.loads(rows[-1]) if rows else {}
    return last if "sentence" in last else None


@lru_cache(maxsize=64)
def _picture(name: str, rows: tuple[bytes, ...] | None) -> str:
    """Return a claim's small picture of a job's rows, or of its recording."""
    chart = CLAIMS[name].chart
    found = recordings()[name].rows if rows is None else [json.loads(row) for row in rows[:-1]]
    return claim_thumbnail(chart.kind, chart.log_y, found)


def _expected(claim: Claim) -> list[dict]:
    return claim.expected(**claim.checked()) if claim.expected else []


def _facts(claim: Claim) -> dict:
    return {"name": claim.name, "title": claim.title, "who": claim.who, "year": claim.year, "band": claim.band}


def _claim_data(claim: Claim) -> dict:
    chart = claim.chart
    return {
        **_facts(claim),
        "paper": claim.paper,
        "read_next": list(claim.read_next),
        "fields": [_field(field) for field in scalar_fields(claim.controls).values()],
        "expected": _expected(claim),
        "chart": {"kind": chart.kind, "x": chart.x, "y": chart.y, "z": chart.z, "log_x": chart.log_x, "log_y": chart.log_y},
    }


def _field(field: ScalarField) -> dict:
    said = {"name": field.name, "words": field.words, "says": field.says, "type": field.type, "default": field.default}
    return said | {"options": list(field.options), "bounds": None if field.low is None else [field.low, field.high]}


def _job_data(job: Job | None) -> dict | None:
    """Return a measurement with its rows, what its controls were and when it was begun."""
    if job is None:
        return None
    said = json.loads(job.to_json(0, job.facts(job.owner == session.owner())))
    return {**said, "controls": job.spec.get("controls", {}), "date": _date(job)}


def _recording_data(claim: Claim) -> dict:
    """Return the rows of a claim's recording, the last of which is its verdict, and what made them when."""
    recording = recordings()[claim.name]
    return {
        "rows": [*recording.rows, recording.verdict],
        "torch": recording.torch,
        "date": _day(date.fromisoformat(recording.date)),
    }


def _date(job: Job) -> str:
    """Return the day on which a measurement was begun, in words."""
    return _day(datetime.fromtimestamp(job.created, UTC))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
