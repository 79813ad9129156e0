"""How many files may wait to be read, by the middleware as the server calls it."""

import asyncio

import pytest

from skipviz.web.http.headers import MAX_BODY
from skipviz.web.http.held_files import MOST_BYTES, HeldFiles

UPLOAD = "/base/_stcore/upload_file/page/file"


def answered(held, method="PUT", path=UPLOAD, coming=0):
    """Return the statuses of a request's answer, and of `coming` others that are on their way meanwhile."""
    come, statuses = asyncio.Event(), []

    async def app(scope, receive, send):
        if scope["path"].endswith("/earlier"):
            await come.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask():
        layer = HeldFiles(app, held=lambda: held)
        scope = {"type": "http", "method": method, "headers": []}
        earlier = [asyncio.create_task(layer({**scope, "path": f"{UPLOAD[:-5]}/earlier"}, None, send)) for _ in range(coming)]
        await asyncio.sleep(0)
        await layer({**scope, "path": path}, None, send)
        come.set()
        await asyncio.gather(*earlier)
        assert not layer._coming

    asyncio.run(ask())
    return statuses


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({}, 204),
        ({"page": {"a": 10}}, 204),
        ({"page": {"a": 10, "b": 10}}, 429),
        ({"other": {"a": 10, "b": 10}}, 204),
        ({f"page-{number}": {"a": MOST_BYTES // 10} for number in range(10)}, 503),
    ],
)
def test_a_file_is_taken_while_few_wait(held, status):
    assert answered(held) == [status]


def test_files_on_their_way_count_too():
    assert answered({"page": {"a": 10}}, coming=1) == [429, 204]


@pytest.mark.parametrize(("coming", "statuses"), [(0, [204]), (1, [503, 204])])
def test_the_bytes_of_files_on_their_way_count_as_the_most_they_may_have(coming, statuses):
    assert answered({"other": {"a": MOST_BYTES - 2 * MAX_BODY + 1}}, coming=coming) == statuses


@pytest.mark.parametrize(("method", "path"), [("DELETE", UPLOAD), ("GET", "/"), ("PUT", "/_stcore/other")])
def test_everything_else_passes(method, path):
    assert answered({"page": {"a": 10, "b": 10}}, method, path) == [204]
