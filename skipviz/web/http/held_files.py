"""Files that pages have sent and no script has read yet: Streamlit keeps them in memory, however many come. No streamlit here.

A page that sends one has it read within a moment, after which its bytes are let go.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from .headers import MAX_BODY, refuse

MOST_OF_A_PAGE = 2
"""Files of one page that may wait or be on their way."""
MOST_BYTES = 200 * 2**20
"""Of all pages' together."""
_SENT_TO = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class HeldFiles:
    """ASGI middleware that refuses a file while enough wait; `held()` returns by page, then by file, how many bytes each has."""

    def __init__(self, app, held: Callable[[], dict[str, dict[str, int]]]) -> None:
        self._app, self._held = app, held
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope, receive, send) -> None:
        sent_to = _SENT_TO.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if sent_to is None:
            await self._app(scope, receive, send)
            return
        page = sent_to[1]
        refusal = self._refusal(page)
        if refusal:
            await refuse(send, *refusal)
            return
        self._coming[page] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming[page] -= 1
            self._coming += Counter()  # forgets pages that have none

    def _refusal(self, page: str) -> tuple[int, str] | None:
        held = self._held()
        if self._coming[page] + len(held.get(page, ())) >= MOST_OF_A_PAGE:
            return 429, f"this page has sent {MOST_OF_A_PAGE} files that are not read yet: wait for them, or load it again"
        waiting = sum(size for files in held.values() for size in files.values())
        if waiting + MAX_BODY * (1 + self._coming.total()) > MOST_BYTES:
            return 503, "many files are being read at present: try again in a while"
        return None


def held_by_streamlit() -> dict[str, dict[str, int]]:
    """Return what Streamlit holds in this process."""
    from streamlit import runtime

    if not runtime.exists():
        return {}
    storage = runtime.get_instance().uploaded_file_mgr.file_storage
    return {page: {name: len(file.data) for name, file in list(files.items())} for page, files in list(storage.items())}
