"""Whether the server lives, whether it is ready, and its figures: what a host asks. Imports no streamlit."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...engine import Engine
from . import metrics

LEAST_DISK = 50 * 2**20
"""Bytes that must be free where runs are kept."""
CHECKED_SECONDS = 2.0
"""How long one look at the disk is good for: whoever asks often costs nothing."""
_PRIVATE = "/_stcore/metrics"
"""Streamlit's own figures, which are nobody else's business either."""


class Health:
    """Answers a host's questions about one engine; `viewers` counts the open streams."""

    def __init__(self, engine: Callable[[], Engine], viewers: Callable[[], int]) -> None:
        self._engine, self._viewers = engine, viewers
        self._looked: dict[Path, tuple[float, str | None]] = {}

    def routes(self) -> list[Route]:
        """Return the routes /skipviz/live, /skipviz/ready and /skipviz/metrics."""
        return [
            Route("/skipviz/live", self.live, methods=["GET"]),
            Route("/skipviz/ready", self.ready, methods=["GET"]),
            Route("/skipviz/metrics", self.metrics, methods=["GET"]),
        ]

    async def live(self, request: Request) -> Response:
        """GET /skipviz/live — the process answers."""
        return _answer(200, {"live": True})

    async def ready(self, request: Request) -> Response:
        """GET /skipviz/ready — runs start at once and can be kept; otherwise 503 and why not."""
        reason = await asyncio.to_thread(self._reason)
        return _answer(503, {"ready": False, "error": reason}) if reason else _answer(200, {"ready": True})

    async def metrics(self, request: Request) -> Response:
        """GET /skipviz/metrics — figures in Prometheus' text form."""
        engine = self._engine()
        if not metrics.may_read(request.scope, engine.settings.metrics_token):
            return _answer(403, {"error": "only this machine, or who has the token, may read figures"})
        body = await asyncio.to_thread(metrics.written, engine, self._viewers)
        return Response(body, headers={"content-type": metrics.CONTENT_TYPE, "cache-control": "no-store"})

    def _reason(self) -> str | None:
        """Return one sentence on why the server is not ready, or None."""
        engine = self._engine()
        if engine.closed:
            return "the server is stopping"
        if not engine.warm:
            return "the helper that starts workers is warming up"
        folder = engine.settings.data_dir
        at, reason = self._looked.get(folder, (-CHECKED_SECONDS, None))
        if time.monotonic() - at >= CHECKED_SECONDS:
            reason = disk_problem(folder)
            self._looked[folder] = time.monotonic(), reason
        return reason


def disk_problem(folder: Path) -> str | None:
    """Return one sentence on why nothing can be kept in `folder`, which is made if need be, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"the data folder cannot be written: {error.strerror or 'unknown reason'}"
    return None if free >= LEAST_DISK else f"the disk is full: {free / 2**20:.0f} MB are free, {LEAST_DISK // 2**20} are needed"


class PrivateFigures:
    """ASGI middleware that shows Streamlit's own figures to those who may read ours."""

    def __init__(self, app, token: Callable[[], str]) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"].endswith(_PRIVATE) and not metrics.may_read(scope, self._token()):
            refusal = _answer(403, {"error": "only this machine, or who has the token, may read figures"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _answer(status: int, data: dict) -> Response:
    return JSONResponse(data, status_code=status, headers={"cache-control": "no-store"})
