"""The one route by which a page changes its lab. No streamlit here."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...engine import EngineError, get_engine
from ...storage import StoreError
from ..document.commands import REFUSED, handle, refusal
from ..document.labs import labs
from ..session_state.address import address_of
from .endpoint import RefusalError, body_of, owner_posting

MOST_BYTES = 400_000
"""Of a command: one names at most all layers and skips of the largest network."""


async def post_command(request: Request) -> Response:
    """POST /skipviz/labs/{id} {"op": …} → {"version": n, "run": id, "said": [title, sentence], "select": …}."""
    owner = owner_posting(request)
    identifier = request.path_params["id"]
    try:
        lab = labs.get(identifier) or await asyncio.to_thread(labs.look_up, identifier)
    except StoreError as error:
        raise RefusalError(503, str(error)) from None
    if lab is None:
        raise RefusalError(404, "this lab is no longer here: load its page again")
    if lab.owner != owner:
        raise RefusalError(403, "only the browser that opened this lab may change it")
    body = await body_of(request)
    if len(body) > MOST_BYTES:
        raise RefusalError(413, f"a command has at most {MOST_BYTES:,} bytes")
    address = address_of(request.scope, get_engine().settings.trusted_proxies)

    def obey() -> dict:
        try:
            answer = handle(lab, json.loads(body), address)
        except EngineError as error:
            raise RefusalError(error.status, refusal(error)) from None
        except (*REFUSED, RecursionError) as error:
            raise RefusalError(422, refusal(error)) from None
        return {"version": lab.document.version, "run": lab.document.run, "said": answer.said, "select": answer.select}

    return JSONResponse(await asyncio.to_thread(obey), headers={"cache-control": "no-store"})
