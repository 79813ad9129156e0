"""Streamlit's document on its way to a browser: what the page will need is asked for at once, and the first page has a beginning.

Imports no streamlit.
"""

from __future__ import annotations

import asyncio
import gzip
import json

from ...engine import get_engine
from ..content import beginning, bundle
from ..session_state.shared_demo import opening, shared_demo

FIRST = ("", "figure")
PLOTTED = (*FIRST, "lab", "compare", "sweep", "evidence")
"""The pages with a plot, by the last part of their address."""
_OWN = ("accept-encoding", "if-none-match", "if-modified-since")
_HEAD, _ROOT = b"</head>", b'<div id="root">'


class FirstPage:
    """ASGI middleware that writes into the documents of pages."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or b"text/html" not in _header(scope, b"accept"):
            await self._app(scope, receive, send)
            return
        start, parts = {}, []

        async def hold(message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif _is_page(start):
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send(scope, start, b"".join(parts), send)
                return
            if message["type"] != "http.response.start":
                await send(message)
            elif not _is_page(start):
                await send(start)

        plain = [header for header in scope["headers"] if header[0].decode("latin-1") not in _OWN]
        await self._app({**scope, "headers": plain}, receive, hold)

    async def _send(self, scope, start, body: bytes, send) -> None:
        if start["status"] == 200:
            body = await asyncio.to_thread(written, body, scope["path"], bool(scope["query_string"]))
        packs = b"gzip" in _header(scope, b"accept-encoding")
        body = gzip.compress(body, 6) if packs else body
        own = (b"content-length", b"content-encoding", b"etag", b"last-modified", b"vary")
        headers = [header for header in start["headers"] if header[0].lower() not in own]
        headers += [(b"content-length", str(len(body)).encode()), (b"vary", b"accept-encoding")]
        await send({**start, "headers": [*headers, (b"content-encoding", b"gzip")] if packs else headers})
        await send({"type": "http.response.body", "body": body})


def _is_page(start: dict) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start.get("headers", ()))


def _header(scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def written(document: bytes, path: str, asks: bool) -> bytes:
    """Return a page's document with what it will need; the first page's with its beginning, unless its address `asks` for more."""
    page = path.rsplit("/", 1)[-1]
    links = f'<link rel="modulepreload" href="./skipviz/page.js?v={bundle.version()}">'
    if page in PLOTTED:
        links += '<link rel="preload" as="script" href="./skipviz/plotly.js" fetchpriority="low">'
    document = document.replace(_HEAD, links.encode() + _HEAD, 1)
    if page not in FIRST or asks:
        return document
    return document.replace(_ROOT, beginning.markup(_first_frames()).encode() + _ROOT, 1)


def _first_frames() -> dict[str, dict]:
    """Return what the shared run of each panel measured first, as far as there is one."""
    frames = {}
    for panel, run_id in shared_demo.known().items():
        run = get_engine().run(run_id)
        found = run.frames[:1] if run is not None else []
        for payload in found:
            frames[panel] = json.loads(payload)["variants"][next(iter(opening(panel).variants))]
    return frames
