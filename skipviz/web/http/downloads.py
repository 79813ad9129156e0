"""The routes that hand a run or an experiment out as a file: table, script, JSON, replay. Imports no streamlit and no torch."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...engine import get_engine
from ...network.base import NetworkError
from ...sharing import link, replay
from ...sharing.script import experiment as script
from ...storage import Run
from ...tasks import presets
from ...tasks.event import message_from
from ...tasks.experiment import Experiment
from ...tasks.own import UploadError
from ..content.file_names import preset_of, run_stem, stem
from ..content.replay_data import replay_file
from .made_files import CrowdedError, MadeFiles

ROOT = Path(__file__).resolve().parents[3]
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "py": "text/x-python; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}
NO_SUCH_FILE = "there is no such file to download"
NOT_BEGUN = "this run has not begun yet: there is nothing to download"
MAKERS = ThreadPoolExecutor(2, thread_name_prefix="download")
"""Two files are made at a time, and pages are served beside: the replay of the longest run takes up to a second of a core."""


class DownloadError(ValueError):
    """A file that cannot be given out; `status` is HTTP's number, the text one sentence.

    `again` is after how many seconds another try may succeed.
    """

    def __init__(self, status: int, reason: str, again: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.again = status, again


def download_routes(endpoint: Callable, find_run: Callable[[Request], Awaitable[Run]]) -> list[Route]:
    """Return the routes; `endpoint` answers refusals with a sentence, `find_run` gives the run a request names."""

    def of_run(suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            run = await find_run(request)
            made = made_of_run(run, suffix, f"{request.base_url}lab")
            return _attachment(*await asyncio.shield(asyncio.wrap_future(made)))

        return Route(f"/skipviz/runs/{{id}}.{suffix}", endpoint(handler), methods=["GET"])

    def of_link(path: str, suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            text = request.query_params.get("x", "")
            made = asyncio.get_running_loop().run_in_executor(MAKERS, link_file, text, suffix)
            return _attachment(*await made)

        return Route(path, endpoint(handler), methods=["GET"])

    return [*map(of_run, RUN_FILES), of_link("/skipviz/code", "py"), of_link("/skipviz/experiment", "json")]


def run_file(run: Run, suffix: str, lab: str) -> tuple[str, bytes]:
    """Return name and content of a run's file, in which `lab` is the lab's address; raises `DownloadError`."""
    if suffix not in RUN_FILES:
        raise DownloadError(404, NO_SUCH_FILE)
    if run.header_json is None:
        raise DownloadError(409, NOT_BEGUN)
    name = f"{run_stem(run)}-{run.id}.{suffix}"
    return name, _refused(lambda: RUN_FILES[suffix](run, name, lab))


def made_of_run(run: Run, suffix: str, lab: str) -> Future[tuple[str, bytes]]:
    """Return the file to come of a run, made beside the caller if it is not kept; raises `DownloadError`."""
    try:
        return _FILES.ask(run, suffix, lab)
    except CrowdedError as error:
        raise DownloadError(503, str(error)) from None


def experiment_file(experiment: Experiment, suffix: str) -> tuple[str, bytes]:
    """Return name and content of the file of an experiment that has not run; raises `DownloadError`."""
    if suffix not in LINK_FILES:
        raise DownloadError(404, NO_SUCH_FILE)
    name = f"{stem(experiment)}.{suffix}"
    return name, _refused(lambda: LINK_FILES[suffix](experiment, name))


def link_file(text: str, suffix: str) -> tuple[str, bytes]:
    """Return name and content of the file of a link's experiment; raises `DownloadError`."""
    return experiment_file(_refused(lambda: link.decode(text)), suffix)


def _refused(make: Callable):
    """Return what `make` does; what cannot be made is refused with its sentence."""
    try:
        return make()
    except replay.ReplayError as error:
        raise DownloadError(409, str(error)) from None
    except (link.LinkError, script.ScriptError, NetworkError, UploadError) as error:
        raise DownloadError(422, str(error)) from None


def _attachment(name: str, body: bytes) -> Response:
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)


def title(experiment: Experiment) -> str:
    """Return an experiment's name for people: its preset's title, or depth and task."""
    name = preset_of(experiment)
    return presets.preset(name).title if name else f"{experiment.network.depth} layers on {experiment.task.kind.title.lower()}"


def pretty_json(experiment: Experiment) -> bytes:
    """Return an experiment's JSON as a file that a person can read and the lab opens again."""
    return (json.dumps(experiment.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n").encode()


def _began(run: Run) -> Experiment:
    """Return the experiment that a run began with, before its events."""
    return run.began or run.experiment


def _table(run: Run, suffix: str) -> bytes:
    """Return a run's table, made by a process of its own: pandas would stay in this one, and hold up the pages meanwhile."""
    command = [sys.executable, "-m", "skipviz.sharing.table", suffix]
    told = b"\n".join([_began(run).to_json().encode(), *run.frames])
    made = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, check=False)
    if made.returncode:
        raise DownloadError(500, "the table could not be made: this machine has no room for it at present")
    return made.stdout


def _script(run: Run, name: str) -> bytes:
    events = [message_from(event) for event in list(run.events)]
    return script.script(_began(run), events, name, get_engine().uploads).encode()


def _replay(run: Run, name: str, lab: str) -> bytes:
    return replay_file(run, title(_began(run)), lab)


RUN_FILES: dict[str, Callable[[Run, str, str], bytes]] = {
    "csv": lambda run, name, lab: _table(run, "csv"),
    "parquet": lambda run, name, lab: _table(run, "parquet"),
    "py": lambda run, name, lab: _script(run, name),
    "json": lambda run, name, lab: pretty_json(_began(run)),
    "html": _replay,
}
"""What a run can be had as; each is made in a thread."""
_FILES = MadeFiles(run_file, MAKERS)
LINK_FILES: dict[str, Callable[[Experiment, str], bytes]] = {
    "py": lambda experiment, name: script.script(experiment, (), name, get_engine().uploads).encode(),
    "json": lambda experiment, name: pretty_json(experiment),
}
"""What an experiment that has not run can be had as."""
