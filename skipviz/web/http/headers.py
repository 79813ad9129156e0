"""What every response says about how a browser may use it, and how large a request may be. Imports no streamlit.

Two ASGI middlewares that pass everything else through as it comes: streams are not held up, websockets not touched.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...settings import get_settings
from ..content import beginning

MAX_BODY = 22 * 2**20
"""Bytes of any request's body: the largest is an uploaded file of 20 MB with its form around it. Routes of ours take less."""
SILENT_SECONDS = 30.0
"""For which the next part of a body is waited for: a sender that says nothing for longer holds nothing here."""
_YEAR = 365 * 24 * 3600
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.S)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_SENSORS = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi")
_NEVER = (*_SENSORS, "payment", "usb")
"""Abilities of a browser that no page of ours asks for."""


def content_policy(frame_ancestors: str, host: str = "", secure: bool = False) -> str:
    """Return the Content-Security-Policy of every response.

    Scripts come from this server, or plotly.js from its public CDN where our own route is cut off. Streamlit imports a
    component's script from a blob and styles the page inline. `host` is named for browsers whose 'self' leaves
    websockets out. WebAssembly is what Streamlit counts long integers with.
    """
    socket = f" {'wss' if secure else 'ws'}://{host}" if _HOST.fullmatch(host) else ""
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "'wasm-unsafe-eval'", "blob:", "https://cdn.plot.ly", *_inline_hashes()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' data: blob:{socket}",
        "worker-src": "'self' blob:",
        "media-src": "'self' blob:",
        "frame-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(["'self'", *frame_ancestors.split()]),
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _inline_hashes() -> list[str]:
    """Return the hashes of the scripts written into Streamlit's own page and of our beginning, so that no others may run inline."""
    page = Path(find_spec("streamlit").origin).parent / "static" / "index.html"
    scripts = [*_INLINE_SCRIPT.findall(page.read_bytes()), beginning.SCRIPT.encode()]
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]


class SecurityHeaders:
    """ASGI middleware that adds the headers a response does not already have."""

    def __init__(self, app, frame_ancestors: str | None = None) -> None:
        self._app = app
        self._ancestors = get_settings().frame_ancestors if frame_ancestors is None else frame_ancestors
        self._fixed = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"permissions-policy", ", ".join(f"{name}=()" for name in _NEVER).encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"cross-origin" if self._ancestors else b"same-origin"),
        ]
        if not self._ancestors:
            self._fixed.append((b"x-frame-options", b"SAMEORIGIN"))

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                added = [header for header in self._headers(scope) if header[0] not in names]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        await self._app(scope, receive, with_headers)

    def _headers(self, scope) -> list[tuple[bytes, bytes]]:
        secure = scope.get("scheme") == "https"
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        policy = (b"content-security-policy", content_policy(self._ancestors, host, secure).encode())
        strict = [(b"strict-transport-security", f"max-age={_YEAR}".encode())] if secure else []
        return [policy, *self._fixed, *strict]


class BoundedBodies:
    """ASGI middleware that refuses a request whose body is longer than `MAX_BODY`, before or while it is read, or does not come."""

    def __init__(self, app, silent_seconds: float = SILENT_SECONDS) -> None:
        self._app, self._silent_seconds = app, silent_seconds

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > 12 or int(declared) > MAX_BODY:
            await refuse(send, 413, _TOO_LONG)
            return
        size, whole, begun, refused = 0, False, False, False

        async def give_up(status: int, reason: str) -> dict:
            nonlocal refused
            refused = True
            if not begun:
                await refuse(send, status, reason)
            return {"type": "http.disconnect"}

        async def counted():
            nonlocal size, whole
            try:
                message = await asyncio.wait_for(receive(), None if whole or refused else self._silent_seconds)
            except TimeoutError:
                return await give_up(408, f"nothing more of the request came for {self._silent_seconds:g} s")
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            return message if size <= MAX_BODY or refused else await give_up(413, _TOO_LONG)

        async def noted(message) -> None:
            nonlocal begun
            begun = True
            if not refused:
                await send(message)

        await self._app(scope, counted, noted)


_TOO_LONG = f"a request's body has at most {MAX_BODY:,} bytes"


async def refuse(send, status: int, reason: str) -> None:
    """Answer a request with one sentence, and let its connection end."""
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
