"""What all our routes share: a refusal as JSON with one sentence, who posts, and a body within its bounds. No streamlit."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ...engine import EngineError
from ...tasks.experiment import MAX_JSON
from ..content.files import FileError
from ..session_state.identity import owner_of


class RefusalError(Exception):
    """A request is refused with `status` and a sentence; `again` is after how many seconds another try may succeed."""

    def __init__(self, status: int, reason: str, again: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.again = status, again


class Endpoint:
    """An ASGI endpoint around `handler(request) -> Response` that answers every refusal with one sentence."""

    def __init__(self, handler) -> None:
        self._handler = handler

    async def __call__(self, scope, receive, send) -> None:
        try:
            response = await self._handler(Request(scope, receive))
        except (RefusalError, FileError) as refusal:
            response = _error(refusal.status, str(refusal), refusal.again)
        except EngineError as error:
            response = _error(error.status, str(error))
        except ClientDisconnect:
            return
        await response(scope, receive, send)


def _error(status: int, reason: str, again: int | None = None) -> Response:
    """Return a refusal; `again` is after how many seconds another try may succeed."""
    headers = {"cache-control": "no-store", **({} if again is None else {"retry-after": str(again)})}
    return JSONResponse({"error": reason}, status_code=status, headers=headers)


def owner_posting(request: Request) -> str:
    """Return who posts; refuses other sites, other content than JSON, and browsers without identity."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in ("same-origin", "none") if site else bool(origin) and _host_of(origin) != request.headers.get("host")
    if foreign:
        raise RefusalError(403, "posts come from skipviz's own pages only")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(415, "the body's content type is application/json")
    owner = owner_of(request.scope)
    if owner is None:
        raise RefusalError(401, "this browser has no identity yet: load the page first and allow its cookie")
    return owner


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def body_of(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_JSON:
            raise RefusalError(413, f"a request's body has at most {MAX_JSON:,} bytes")
        parts.append(part)
    return b"".join(parts)
