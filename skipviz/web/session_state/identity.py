"""Who a browser is: a random HttpOnly cookie. Its holder may control the runs that it started. Imports no streamlit."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "skipviz"
_YEAR = 365 * 24 * 3600
_VALID = re.compile(r"[A-Za-z0-9_-]{20,64}")


def owner_from(cookies: Mapping[str, str]) -> str | None:
    """Return the browser's identity from its cookies, or None if it has none; for a page: `owner_from(st.context.cookies)`."""
    value = cookies.get(COOKIE, "")
    return value if _VALID.fullmatch(value) else None


def owner_of(scope) -> str | None:
    """Return the identity that an ASGI request carries, or None."""
    cookies = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookies.load(value.decode("latin-1"))
            except CookieError:
                continue
    return owner_from({name: morsel.value for name, morsel in cookies.items()})


class Identity:
    """ASGI middleware that gives a browser its cookie with the first page it loads, and touches nothing else."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_a_page(scope) or owner_of(scope):
            await self._app(scope, receive, send)
            return
        cookie = f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={_YEAR}; HttpOnly; {_reach(scope)}"

        async def with_cookie(message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"set-cookie", cookie.encode())]}
            await send(message)

        await self._app(scope, receive, with_cookie)


def _reach(scope) -> str:
    """Return where the cookie goes along: to this site's own pages, and within another site's frame to that frame alone."""
    if scope.get("scheme") != "https":
        return "SameSite=Lax"
    framed = any(name == b"sec-fetch-dest" and value in (b"iframe", b"frame") for name, value in scope["headers"])
    foreign = any(name == b"sec-fetch-site" and value == b"cross-site" for name, value in scope["headers"])
    return "SameSite=None; Secure; Partitioned" if framed and foreign else "SameSite=Lax; Secure"


def _asks_for_a_page(scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
