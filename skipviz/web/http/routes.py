"""The HTTP routes under /skipviz, the middleware and the lifespan that `app.py` joins to the Streamlit app.

Every refusal is JSON with one sentence. Imports no streamlit and no torch.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.metadata
import json
import signal
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...engine import Engine, begin_engine, get_engine
from ...network.base import Frozen, NetworkError, sentence
from ...sharing import link
from ...storage import Run
from ...tasks.event import Speed, message_from
from ...tasks.experiment import Experiment
from ..content import bundle, run_cards
from ..content.watched import watched
from ..document.document import Document, document_of
from ..document.labs import labs
from ..session_state.address import address_of
from ..session_state.classroom import ROOM, classrooms, is_token
from ..session_state.identity import Identity, owner_of
from .downloads import download_routes
from .endpoint import Endpoint, RefusalError, body_of, owner_posting
from .first_page import FirstPage
from .headers import BoundedBodies, SecurityHeaders
from .health import Health, PrivateFigures
from .held_files import HeldFiles, held_by_streamlit
from .idle import InUse, end_when_idle
from .jobs import job_routes
from .lab_commands import post_command
from .own_address import lab_address
from .shares import STREAM_AGAIN, stream_place
from .shutdown_notice import RESTARTS, shutdown_notice
from .sockets import send_at_once
from .stream import MAX_RUNS, Broadcaster, Viewer, cursors_from

if TYPE_CHECKING:
    from ..document.shared_labs import SharedLabs

MAX_MESSAGES = 200
"""Events and controls in one post."""
MAX_NAMED = 12_000
"""Layers and skips that the events of one post name: all skips of the largest network, twice."""
NOT_JSON = "the body is not JSON"
MOST_NAMED = 1000
"""Characters that name the labs or jobs of a page."""


class _Submission(Frozen):
    """What `POST /skipviz/runs` takes: an experiment, written out or as a link's text."""

    experiment: Experiment | None = None
    link: str | None = Field(None, max_length=8000)
    speed: Speed | None = None
    ghost: bool = False
    paused: bool = False


class _Renaming(Frozen):
    """What `PATCH /skipviz/runs/{id}` takes."""

    title: str = Field(max_length=1000)


class _EventStream(Response):
    """A response that lasts as long as its viewer, who then gives its place back."""

    def __init__(self, viewer: Viewer, give_back: Callable[[], None]) -> None:
        super().__init__()
        self._viewer, self._give_back = viewer, give_back

    async def __call__(self, scope, receive, send) -> None:
        try:
            await _broadcaster().stream(self._viewer, receive, send)
        finally:
            self._give_back()


async def _stream(request: Request) -> Response:
    """GET /skipviz/stream?runs=a,b&after=a:12,b:7 — news of runs as they come; ?follow=TOKEN — of a classroom's.

    With &labs=x:3,y:5 also that a lab's document is another than the version that the page has. With
    ?notices=1 only what the server tells every page, as before it restarts: for pages that show no run. With &jobs=j:12 also
    how a job stands, and its rows from number 12 on.
    """
    run_ids = list(dict.fromkeys(filter(None, request.query_params.get("runs", "").split(","))))
    room = request.query_params.get("follow")
    if room is not None and not is_token(room):
        raise RefusalError(400, "this is no classroom's link")
    notices = request.query_params.get("notices") == "1"
    if room is None and not notices and not (1 <= len(run_ids) <= MAX_RUNS and max(map(len, run_ids)) <= 64):
        raise RefusalError(400, f"name between 1 and {MAX_RUNS} runs: /skipviz/stream?runs=a,b")
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    place = stream_place(request.scope, get_engine().settings)
    if isinstance(place, str):
        raise RefusalError(429, place, STREAM_AGAIN)
    known = request.headers.get("last-event-id") or request.query_params.get("after", "")
    labs, jobs = (_named(request.query_params.get(name, "")) for name in ("labs", "jobs"))
    shown = [] if room or notices else run_ids
    return _EventStream(Viewer(shown, cursors_from(known), room, labs, jobs, owner_of(request.scope)), place)


def _named(text: str) -> dict[str, int]:
    """Return what a page has of its labs or jobs."""
    return dict([*cursors_from(text[:MOST_NAMED]).items()][:MAX_RUNS])


async def _get_view(request: Request) -> Response:
    """GET /skipviz/view?run=ID or ?follow=TOKEN, &compact=1 — the lab as one sees it who watches that run or classroom."""
    asked = request.query_params
    room = await asyncio.to_thread(classrooms.look_up, asked["follow"]) if asked.get("follow") else None
    run = get_engine().run(room.run if room and room.run else asked.get("run", ""))
    if room is None and run is None:
        raise RefusalError(404, "there is no such run, or it is no longer kept")
    document = document_of(run) if run else Document(room.experiment)
    body = await watched(document, get_engine(), compact=asked.get("compact") == "1")
    headers = {"cache-control": "no-store", "content-encoding": "gzip"}
    return Response(body, media_type="application/json", headers=headers)


async def _get_run(request: Request) -> Response:
    """GET /skipviz/runs/{id} — the whole run as JSON."""
    run = await _run(request)
    owner = owner_of(request.scope)
    _, body = run.snapshot(mine=owner is not None and owner == run.owner)
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


async def _get_cards(request: Request) -> Response:
    """GET /skipviz/cards?runs=a,b — facts and small pictures of one's own runs, for the list of them."""
    ids = [part[:64] for part in request.query_params.get("runs", "").split(",") if part]
    if len(ids) > run_cards.MOST:
        raise RefusalError(400, f"name at most {run_cards.MOST} runs: /skipviz/cards?runs=a,b")
    owner = owner_of(request.scope)
    shown = await asyncio.to_thread(run_cards.cards, get_engine(), owner, ids) if owner else []
    return JSONResponse({"cards": shown}, headers={"cache-control": "no-store"})


async def _post_run(request: Request) -> Response:
    """POST /skipviz/runs {"experiment": …, "speed": …, "ghost": …, "paused": …} → {"run": id}."""
    owner = owner_posting(request)
    body = await body_of(request)

    def submit() -> str:
        try:
            asked = _Submission.kept(body)
        except ValidationError as error:
            if error.errors(include_url=False)[0]["type"] == "json_invalid":
                raise RefusalError(400, NOT_JSON) from None
            raise RefusalError(422, sentence(error)) from None
        except (NetworkError, RecursionError, ValueError) as error:
            raise RefusalError(422, str(error)[:300]) from None
        if (asked.experiment is None) == (asked.link is None):
            raise RefusalError(422, "give an experiment or a link, one of them")
        try:
            experiment = asked.experiment or link.decode(asked.link)
        except link.LinkError as error:
            raise RefusalError(422, str(error)) from None
        engine = get_engine()
        address = address_of(request.scope, engine.settings.trusted_proxies)
        return engine.submit(experiment, owner, asked.speed, asked.ghost, asked.paused, address=address)

    return JSONResponse({"run": await asyncio.to_thread(submit)}, status_code=201)


async def _post_events(request: Request) -> Response:
    """POST /skipviz/runs/{id}/events: one event or control, or a list of them → {"ok": true, "step": n}."""
    owner = owner_posting(request)
    run = await _run(request)
    body = await body_of(request)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, NOT_JSON) from None
    messages = data if isinstance(data, list) else [data]
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise RefusalError(422, f"send between 1 and {MAX_MESSAGES} messages")

    def post() -> dict:
        try:
            checked = [message_from(message) for message in messages]
        except NetworkError as error:
            raise RefusalError(422, str(error)) from None
        if sum(len(getattr(message, "ids", ())) for message in checked) > MAX_NAMED:
            raise RefusalError(422, f"the events of one post name at most {MAX_NAMED:,} layers and skips")
        return [get_engine().post(run.id, owner, message) for message in checked][-1]

    return JSONResponse(await asyncio.to_thread(post))


async def _get_runs(request: Request) -> Response:
    """GET /skipviz/runs — this browser's own runs, newest first, and how long runs are kept."""
    engine = get_engine()
    runs = await asyncio.to_thread(engine.runs_of, owner_of(request.scope))
    return JSONResponse({"runs": runs, "retention": engine.retention}, headers={"cache-control": "no-store"})


async def _patch_run(request: Request) -> Response:
    """PATCH /skipviz/runs/{id} {"title": …} → {"ok": true, "title": …}."""
    owner = owner_posting(request)
    try:
        asked = _Renaming.model_validate_json(await body_of(request))
    except ValidationError as error:
        raise RefusalError(422, sentence(error)) from None
    return JSONResponse(await asyncio.to_thread(get_engine().rename, request.path_params["id"], owner, asked.title))


async def _delete_run(request: Request) -> Response:
    """DELETE /skipviz/runs/{id} → {"ok": true}; a run that still goes on is refused."""
    owner = owner_posting(request)
    return JSONResponse(await asyncio.to_thread(get_engine().delete, request.path_params["id"], owner))


async def _post_resume(request: Request) -> Response:
    """POST /skipviz/runs/{id}/resume → {"ok": true, "step": n}, the step from which it goes on."""
    owner = owner_posting(request)
    engine = get_engine()
    address = address_of(request.scope, engine.settings.trusted_proxies)
    return JSONResponse(await asyncio.to_thread(engine.resume, request.path_params["id"], owner, address))


async def _get_plotly(request: Request) -> Response:
    """GET /skipviz/plotly.js — plotly's own script, as installed, compressed once."""
    version, script, packed = await asyncio.to_thread(_plotly)
    etag = f'"plotly-{version}"'
    headers = {"etag": etag, "vary": "accept-encoding", "cache-control": "public, max-age=86400"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers={**headers, "content-encoding": "gzip"})
    return Response(script.read_bytes(), media_type="text/javascript", headers=headers)


async def _get_page(request: Request) -> Response:
    """GET /skipviz/page.js — the browser's part of the page; its address changes with its content."""
    body, packed = await asyncio.to_thread(_page)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers={**headers, "content-encoding": "gzip"})
    return Response(body, media_type="text/javascript", headers=headers)


@cache
def _page() -> tuple[bytes, bytes]:
    body = bundle.module().encode()
    return body, gzip.compress(body, 6)


@cache
def _plotly() -> tuple[str, Path, bytes]:
    script = bundle.plotly_file()
    return importlib.metadata.version("plotly"), script, gzip.compress(script.read_bytes(), 6)


async def _run(request: Request) -> Run:
    run_id = request.path_params["id"]
    return get_engine().kept(run_id) or await asyncio.to_thread(get_engine().look_up, run_id)


_broadcasters: dict[asyncio.AbstractEventLoop, Broadcaster] = {}


def _broadcaster() -> Broadcaster:
    """Return this event loop's broadcaster for the present engine."""
    loop = asyncio.get_running_loop()
    if loop not in _broadcasters:
        _broadcasters[loop] = Broadcaster(get_engine())
    return _broadcasters[loop]


@asynccontextmanager
async def lifespan(app):
    """Start the engine, whose helper warms up in the background, and end it with the server."""
    engine: Engine = await asyncio.to_thread(begin_engine, lab_address)
    broadcaster = _broadcaster()
    _end_streams_on_signals(broadcaster)
    send_at_once()
    forget = engine.subscribe(labs.run_changed)
    labs.share(_shared_labs(engine))
    idle = asyncio.create_task(end_when_idle(engine.settings.idle_minutes, lambda: engine.busy))
    try:
        yield {"engine": engine}
    finally:
        forget()
        idle.cancel()
        broadcaster.close()
        _broadcasters.clear()
        await asyncio.to_thread(engine.close)


def _shared_labs(engine: Engine) -> SharedLabs | None:
    """Return where the documents of labs are that other servers of the engine's database share, or None where there are none."""
    if engine.shared is None:
        return None
    from ..document.shared_labs import SharedLabs

    def heard(versions: list) -> None:
        labs.heard([(name, version) for name, version in versions if not name.startswith(ROOM)])
        for name, _ in versions:
            if name.startswith(ROOM):
                classrooms.heard(name.removeprefix(ROOM))

    shared = SharedLabs(engine.shared)
    classrooms.share(shared)
    engine.shared.on_labs = heard
    return shared


LEAVING_PERIOD = 0.1
"""Seconds between two looks at whether every page knows that the server stops."""


def _end_streams_on_signals(broadcaster: Broadcaster) -> None:
    """End open streams when the server is told to stop, since it waits for every response before its lifespan ends.

    Where pages ask from time to time only, it stops once they have heard of it.
    """
    shutdown_notice.begin()
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def chained(previous):
        def handle(number, stack) -> None:
            loop.call_soon_threadsafe(broadcaster.close, RESTARTS)
            if shutdown_notice.tell():
                loop.call_soon_threadsafe(leave, number, stack)
            else:
                previous(number, stack)

        def leave(number, stack) -> None:
            if shutdown_notice.waits():
                loop.call_later(LEAVING_PERIOD, leave, number, stack)
            else:
                previous(number, stack)

        return handle

    for number in (signal.SIGINT, signal.SIGTERM):
        previous = signal.getsignal(number)
        if callable(previous):
            signal.signal(number, chained(previous))


_health = Health(get_engine, lambda: sum(broadcaster.viewers for broadcaster in _broadcasters.values()))
_private = Middleware(PrivateFigures, token=lambda: get_engine().settings.metrics_token)
_files = Middleware(HeldFiles, held=held_by_streamlit)
middleware = [
    Middleware(InUse),
    Middleware(SecurityHeaders),
    Middleware(BoundedBodies),
    Middleware(FirstPage),
    _files,
    _private,
    Middleware(Identity),
]
routes = [
    Route("/skipviz/stream", Endpoint(_stream), methods=["GET"]),
    Route("/skipviz/runs", Endpoint(_get_runs), methods=["GET"]),
    Route("/skipviz/view", Endpoint(_get_view), methods=["GET"]),
    Route("/skipviz/runs", Endpoint(_post_run), methods=["POST"]),
    *download_routes(Endpoint, _run),
    Route("/skipviz/runs/{id}", Endpoint(_get_run), methods=["GET"]),
    Route("/skipviz/runs/{id}", Endpoint(_patch_run), methods=["PATCH"]),
    Route("/skipviz/runs/{id}", Endpoint(_delete_run), methods=["DELETE"]),
    Route("/skipviz/runs/{id}/resume", Endpoint(_post_resume), methods=["POST"]),
    Route("/skipviz/runs/{id}/events", Endpoint(_post_events), methods=["POST"]),
    Route("/skipviz/labs/{id}", Endpoint(post_command), methods=["POST"]),
    *job_routes(Endpoint),
    Route("/skipviz/cards", Endpoint(_get_cards), methods=["GET"]),
    Route("/skipviz/page.js", Endpoint(_get_page), methods=["GET"]),
    Route("/skipviz/plotly.js", Endpoint(_get_plotly), methods=["GET"]),
    *_health.routes(),
]
