"""The routes that hand a run or an experiment out as a file: table, script, JSON, replay. Imports no streamlit and no torch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..network.base import NetworkError
from ..sharing import link, replay, script, table
from ..storage import Run
from ..tasks import presets
from ..tasks.event import message_from
from ..tasks.experiment import Experiment
from .replay_data import replay_file

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "py": "text/x-python; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}
NOT_BEGUN = "this run has not begun yet: there is nothing to download"
_MAKERS = ThreadPoolExecutor(2, thread_name_prefix="download")
"""Two files are made at a time: each may take a second of a core, and pages are served beside."""


class DownloadError(ValueError):
    """A file that cannot be given out; `status` is HTTP's number, the text one sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def download_routes(endpoint: Callable, find_run: Callable[[Request], Awaitable[Run]]) -> list[Route]:
    """Return the routes; `endpoint` answers refusals with a sentence, `find_run` gives the run a request names."""

    def of_run(suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            run = await find_run(request)
            if run.header_json is None:
                raise DownloadError(409, NOT_BEGUN)
            name = f"{stem(_began(run))}-{run.id}.{suffix}"
            return await _file(lambda: RUN_FILES[suffix](run, name, request), name, suffix)

        return Route(f"/skipviz/runs/{{id}}.{suffix}", endpoint(handler), methods=["GET"])

    def of_link(path: str, suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            text = request.query_params.get("x", "")

            def made() -> tuple[Experiment, bytes]:
                experiment = link.decode(text)
                return experiment, LINK_FILES[suffix](experiment, f"{stem(experiment)}.{suffix}")

            experiment, body = await _made(made)
            return _attachment(body, f"{stem(experiment)}.{suffix}", suffix)

        return Route(path, endpoint(handler), methods=["GET"])

    return [*map(of_run, RUN_FILES), of_link("/skipviz/code", "py"), of_link("/skipviz/experiment", "json")]


async def _file(make: Callable[[], bytes], name: str, suffix: str) -> Response:
    return _attachment(await _made(make), name, suffix)


async def _made(make: Callable):
    """Make a file beside the event loop; what cannot be made is refused with its sentence."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_MAKERS, make)
    except replay.ReplayError as error:
        raise DownloadError(409, str(error)) from None
    except (link.LinkError, script.ScriptError, NetworkError) as error:
        raise DownloadError(422, str(error)) from None


def _attachment(body: bytes, name: str, suffix: str) -> Response:
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA[suffix], headers=headers)


def stem(experiment: Experiment) -> str:
    """Return how files of an experiment are called: by its preset's name, or by depth and task."""
    name = _preset_names().get(experiment.to_json())
    return f"skipviz-{name or f'{experiment.network.depth}-layers-{experiment.task.name}'}"


def title(experiment: Experiment) -> str:
    """Return an experiment's name for people: its preset's title, or depth and task."""
    name = _preset_names().get(experiment.to_json())
    return presets.preset(name).title if name else f"{experiment.network.depth} layers on {experiment.task.kind.title.lower()}"


@cache
def _preset_names() -> dict[str, str]:
    return {presets.get(name).to_json(): name for name in presets.names()}


def pretty_json(experiment: Experiment) -> bytes:
    """Return an experiment's JSON as a file that a person can read and the lab opens again."""
    return (json.dumps(experiment.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n").encode()


def _began(run: Run) -> Experiment:
    """Return the experiment that a run began with, before its events."""
    return Experiment.model_validate(run.header["experiment"])


def _table(run: Run, write: Callable) -> bytes:
    return write(table.table(run.header["experiment"], map(json.loads, run.frames)))


def _script(run: Run, name: str) -> bytes:
    events = [message_from(event) for event in list(run.events)]
    return script.script(_began(run), events, name).encode()


def _replay(run: Run, name: str, request: Request) -> bytes:
    return replay_file(run, title(_began(run)), f"{request.base_url}lab")


RUN_FILES: dict[str, Callable[[Run, str, Request], bytes]] = {
    "csv": lambda run, name, request: _table(run, table.to_csv),
    "parquet": lambda run, name, request: _table(run, table.to_parquet),
    "py": lambda run, name, request: _script(run, name),
    "json": lambda run, name, request: pretty_json(_began(run)),
    "html": _replay,
}
"""What a run can be had as; each is made in a thread."""
LINK_FILES: dict[str, Callable[[Experiment, str], bytes]] = {
    "py": lambda experiment, name: script.script(experiment, (), name).encode(),
    "json": lambda experiment, name: pretty_json(experiment),
}
"""What an experiment that has not run can be had as."""
