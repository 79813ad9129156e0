"""The routes of jobs, as sweeps are: begun, looked at, stopped, resumed, taken as a table. No streamlit, no torch here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...engine import get_engine
from ...engine.jobs import MOST_SPEC_BYTES
from ...network.base import Frozen, sentence
from ...sharing.sweep_table import to_csv
from ..session_state.address import address_of
from ..session_state.identity import owner_of
from .endpoint import RefusalError, body_of, owner_posting

MOST_BYTES = 2 * MOST_SPEC_BYTES
"""Of a body: what is asked for, which may be written more widely than it is kept."""
NO_STORE = {"cache-control": "no-store"}


class _Submission(Frozen):
    """What `POST /skipviz/jobs` takes; the engine knows what each kind's spec holds."""

    kind: str = Field(max_length=32)
    spec: dict[str, Any]


def job_routes(endpoint: Callable) -> list[Route]:
    """Return the routes; `endpoint` answers refusals with a sentence."""
    return [
        Route("/skipviz/jobs", endpoint(_post_job), methods=["POST"]),
        Route("/skipviz/jobs/{id}.csv", endpoint(_get_table), methods=["GET"]),
        Route("/skipviz/jobs/{id}", endpoint(_get_job), methods=["GET"]),
        Route("/skipviz/jobs/{id}/stop", endpoint(_post_stop), methods=["POST"]),
        Route("/skipviz/jobs/{id}/resume", endpoint(_post_resume), methods=["POST"]),
    ]


async def _post_job(request: Request) -> Response:
    """POST /skipviz/jobs {"kind": "sweep", "spec": {"base": …, "axes": …}} → {"job": id}."""
    owner = owner_posting(request)
    body = await body_of(request)
    if len(body) > MOST_BYTES:
        raise RefusalError(413, f"what a job asks for has at most {MOST_BYTES:,} bytes")

    def submit() -> str:
        try:
            asked = _Submission.model_validate_json(body)
        except ValidationError as error:
            unreadable = error.errors(include_url=False)[0]["type"] == "json_invalid"
            raise RefusalError(*((400, "the body is not JSON") if unreadable else (422, sentence(error)))) from None
        return get_engine().jobs.submit(asked.kind, asked.spec, owner, _address(request))

    return JSONResponse({"job": await asyncio.to_thread(submit)}, status_code=201)


async def _get_job(request: Request) -> Response:
    """GET /skipviz/jobs/{id}?since=n — its state and progress, how many rows it has, and those from number n on."""
    jobs, name, since = get_engine().jobs, request.path_params["id"], request.query_params.get("since", "0")
    if not (since.isascii() and since.isdigit() and len(since) < 10):
        raise RefusalError(400, "since is the number of rows that are known: /skipviz/jobs/…?since=12")
    job = jobs.known(name) or await asyncio.to_thread(jobs.find, name)
    owner = owner_of(request.scope)
    body = job.to_json(int(since), job.facts(owner is not None and owner == job.owner))
    return Response(body, media_type="application/json", headers=NO_STORE)


async def _post_stop(request: Request) -> Response:
    """POST /skipviz/jobs/{id}/stop → {"ok": true}; what it has stays."""
    owner = owner_posting(request)
    await asyncio.to_thread(get_engine().jobs.stop, request.path_params["id"], owner)
    return JSONResponse({"ok": True}, headers=NO_STORE)


async def _post_resume(request: Request) -> Response:
    """POST /skipviz/jobs/{id}/resume → {"ok": true}; it computes what it lacks."""
    owner = owner_posting(request)
    await asyncio.to_thread(get_engine().jobs.resume, request.path_params["id"], owner, _address(request))
    return JSONResponse({"ok": True}, headers=NO_STORE)


async def _get_table(request: Request) -> Response:
    """GET /skipviz/jobs/{id}.csv — its rows, one a line."""

    def made() -> Response:
        job = get_engine().jobs.find(request.path_params["id"])
        named = {**NO_STORE, "content-disposition": f'attachment; filename="{job.kind}-{job.id}.csv"'}
        return Response(to_csv([json.loads(row) for row in job.rows]), media_type="text/csv; charset=utf-8", headers=named)

    return await asyncio.to_thread(made)


def _address(request: Request) -> str:
    return address_of(request.scope, get_engine().settings.trusted_proxies)
