"""The routes that hand a run or an experiment out as a file: table, script, JSON, replay, weights. No streamlit, no torch here."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...engine import get_engine
from ...engine.capacity.starts import network_of
from ...sharing import link
from ...storage import Run
from ...tasks.experiment import Experiment
from ..content.file_names import plain, run_stem
from ..content.files import NOT_BEGUN, RUN_FILES, File, FileError, recorded, refused
from ..session_state.address import address_of
from .made_files import CrowdedError, MadeFiles
from .rendering import Renderer

ROOT = Path(__file__).resolve().parents[3]
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "py": "text/x-python; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "safetensors": "application/octet-stream",
}
CROWDED_AGAIN = 10
"""Seconds after which one who found the queue full may ask again."""
TABLE_SECONDS = 120.0
"""That a table may take: pandas is imported for it, and a run has at most 32 MB."""
LINK_BYTES = 8 * 2**20
"""Of all files of links that are kept."""
MAKERS = ThreadPoolExecutor(2, thread_name_prefix="download")
"""Two files are made at a time, in processes of their own; pages are served beside."""


def download_routes(endpoint: Callable, find_run: Callable[[Request], Awaitable[Run]]) -> list[Route]:
    """Return the routes; `endpoint` answers refusals with a sentence, `find_run` gives the run a request names."""

    def of_run(suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            run = await find_run(request)
            variant = request.query_params.get("variant", "")
            made = made_of_run(run, suffix, f"{request.base_url}lab", _address(request), variant)
            return _attachment(*await asyncio.shield(asyncio.wrap_future(made)))

        return Route(f"/skipviz/runs/{{id}}.{suffix}", endpoint(handler), methods=["GET"])

    def of_link(path: str, suffix: str) -> Route:
        async def handler(request: Request) -> Response:
            made = made_of_link(request.query_params.get("x", ""), suffix, _address(request))
            return _attachment(*await asyncio.shield(asyncio.wrap_future(made)))

        return Route(path, endpoint(handler), methods=["GET"])

    return [*map(of_run, (*TABLES, *RUN_FILES, WEIGHTS)), of_link("/skipviz/code", "py"), of_link("/skipviz/experiment", "json")]


def _address(request: Request) -> str:
    return network_of(address_of(request.scope, get_engine().settings.trusted_proxies))


@dataclass(frozen=True)
class _Link:
    """A link as what files are made of; its text is all that is known of it."""

    id: str


def run_file(run: Run, suffix: str, of: str) -> File:
    """Return name and content of a run's file; raises `FileError`, `EngineError`.

    `of` is the lab's address, or of weights the name of the network whose they are.
    """
    if suffix == WEIGHTS:
        label = run.experiment.label(of)
        several = f"-{plain(label) or of}" if len(run.experiment.variants) > 1 else ""
        made = _renderer().call("weights", get_engine().checkpoint(run), of, label)
        return f"{run_stem(run)}-{run.id}{several}.{suffix}", made
    if run.header_json is None and suffix in (*TABLES, *RUN_FILES):
        raise FileError(409, NOT_BEGUN)
    if suffix in TABLES:
        return f"{run_stem(run)}-{run.id}.{suffix}", _table(run, suffix)
    return _renderer().call("run", recorded(run), suffix, of, get_engine().uploads)


def made_of_run(run: Run, suffix: str, lab: str, address: str = "", variant: str = "") -> Future[File]:
    """Return the file to come of a run, made beside the caller if it is not kept; raises `FileError`, `EngineError`.

    `variant` names the network whose weights are wanted, the first by default.
    """
    if suffix != WEIGHTS:
        return _asked(_OF_RUNS, run, suffix, lab, address)
    get_engine().checkpoint(run)
    experiment = run.experiment
    name = experiment.named(variant) if variant else next(iter(experiment.variants))
    if name is None:
        names = ", ".join(map(experiment.label, experiment.variants))
        raise FileError(404, f"there is no network of this name in the run: it has {names}")
    return _asked(_OF_RUNS, run, suffix, name, address)


def made_of_link(text: str, suffix: str, address: str = "") -> Future[File]:
    """Return the file to come of a link's experiment, made beside the caller if it is not kept; raises `FileError`."""
    if len(text) > link.MAX_CHARACTERS:
        refused(lambda: link.decode(text))
    return _asked(_OF_LINKS, _Link(text), suffix, "", address)


def made_of_experiment(experiment: Experiment, suffix: str) -> Future[File]:
    """Return the file to come of an experiment that has not run."""
    return MAKERS.submit(lambda: _renderer().call("experiment", experiment.to_json(), suffix, get_engine().uploads))


def _asked(files: MadeFiles, source: Run | _Link, suffix: str, of: str, address: str) -> Future[File]:
    try:
        return files.ask(source, suffix, of, address)
    except CrowdedError as error:
        raise FileError(503, str(error), CROWDED_AGAIN) from None


_own = threading.local()


def _renderer() -> Renderer:
    """Return the calling thread's own."""
    if not hasattr(_own, "renderer"):
        _own.renderer = Renderer()
    return _own.renderer


def _attachment(name: str, body: bytes) -> Response:
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA[name.rpartition(".")[2]], headers=headers)


def _table(run: Run, suffix: str) -> bytes:
    """Return a run's table, made by a process of its own: pandas would stay in this one, and hold up the pages meanwhile."""
    command = [sys.executable, "-m", "skipviz.sharing.table", suffix]
    written = b"\n".join([(run.began or run.experiment).to_json().encode(), *run.frames])
    try:
        made = subprocess.run(command, cwd=ROOT, input=written, capture_output=True, check=False, timeout=TABLE_SECONDS)
    except subprocess.TimeoutExpired:
        raise FileError(503, f"this table took over {TABLE_SECONDS:g} s to make and was given up", CROWDED_AGAIN) from None
    if made.returncode:
        raise FileError(500, "the table could not be made: this machine has no room for it at present")
    return made.stdout


TABLES = ("csv", "parquet")
WEIGHTS = "safetensors"
_OF_RUNS = MadeFiles(run_file, MAKERS)
_OF_LINKS = MadeFiles(
    lambda asked, suffix, _: _renderer().call("link", asked.id, suffix, get_engine().uploads),
    MAKERS,
    most_bytes=LINK_BYTES,
    stamp=lambda asked: (),
)
