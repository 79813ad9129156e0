"""Streamlit's document as it leaves the server: what the page needs is asked for at once, and the first page has a beginning."""

import asyncio
import gzip
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from skipviz.drawing.colours import ramp_colour, scaled
from skipviz.web.content import beginning, bundle
from skipviz.web.http import first_page
from skipviz.web.http.first_page import FirstPage
from skipviz.web.http.headers import content_policy
from skipviz.web.session_state.shared_demo import opening

DOCUMENT = (Path(find_spec("streamlit").origin).parent / "static" / "index.html").read_bytes()


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch):
    """No run of this machine is looked at."""
    monkeypatch.setattr(first_page, "_first_frames", dict)


def answered(path="/", query=b"", kind=b"text/html; charset=utf-8", body=DOCUMENT, status=200, **headers):
    """Return the answer's headers and body, and the headers that the application was asked with."""
    seen, sent = {}, []

    async def app(scope, receive, send):
        seen.update((name.decode(), value.decode()) for name, value in scope["headers"])
        facts = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"etag", b'"e"')]
        await send({"type": "http.response.start", "status": status, "headers": facts})
        middle = len(body) // 2
        await send({"type": "http.response.body", "body": body[:middle], "more_body": True})
        await send({"type": "http.response.body", "body": body[middle:]})

    async def send(message):
        sent.append(message)

    asks = {"accept": "text/html,*/*", **{name.replace("_", "-"): value for name, value in headers.items()}}
    named = [(name.encode(), value.encode()) for name, value in asks.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": named}
    asyncio.run(FirstPage(app)(scope, None, send))
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return found, b"".join(part["body"] for part in rest), seen


@pytest.mark.parametrize(
    ("path", "query", "begins", "plots"),
    [
        ("/", b"", True, True),
        ("/figure", b"", True, True),
        ("/base/figure", b"", True, True),
        ("/figure", b"runs=a.b.c", False, True),
        ("/lab", b"x=1", False, True),
        ("/gallery", b"", False, False),
    ],
)
def test_a_page_asks_at_once_for_what_it_will_need(path, query, begins, plots):
    _, body, _ = answered(path, query)
    assert f'<link rel="modulepreload" href="./skipviz/page.js?v={bundle.version()}">'.encode() in body
    assert (b"skipviz/plotly.js" in body) == plots
    assert (beginning.ELEMENT.encode() in body) == begins
    assert body.count(b'<div id="root">') == 1


def test_the_answer_is_whole_packed_where_that_is_taken_and_never_taken_for_an_older_one():
    found, body, seen = answered(accept_encoding="gzip, br", if_none_match='"e"')
    assert "if-none-match" not in seen
    assert "accept-encoding" not in seen
    assert found["content-encoding"] == "gzip"
    assert int(found["content-length"]) == len(body)
    assert "etag" not in found
    plain, same, _ = answered()
    assert "content-encoding" not in plain
    assert gzip.decompress(body) == same


@pytest.mark.parametrize("given", [{"kind": b"text/javascript"}, {"status": 404}, {"accept": "*/*"}])
def test_what_is_no_page_stays_as_it_is(given):
    assert answered(**given)[1] == DOCUMENT


def test_the_policy_lets_the_script_run_that_shows_the_beginning_and_no_other():
    _, body, _ = answered()
    [*_, script] = re.findall(rb"<script>(.*?)</script>", body, re.S)
    assert script.decode() == beginning.SCRIPT
    assert len(re.findall("'sha256-", content_policy(""))) == len(re.findall(rb"<script>", body))


def test_the_figure_begins_with_what_its_shared_run_measured_first():
    network = next(iter(opening("left").variants.values()))
    skip = [10.0 ** -(place + 1) for place in range(len(network.skips))]
    frame = {"skip_grad": skip, "trunk_grad": [1.0] * network.depth, "weight_grad": [0.1] * network.depth}
    without, measured = beginning.markup({}), beginning.markup({"left": frame})
    for theme in ("light", "dark"):
        for gradient in skip:
            stroke = f"stroke:{ramp_colour('skip', scaled(gradient), theme)}"
            assert measured.count(stroke) > without.count(stroke)
    assert measured.count("<svg") == 6  # a theme and a panel each
