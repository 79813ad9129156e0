"""What every response tells a browser, and how large a request may be: the middlewares as the server calls them."""

import asyncio
import re

import pytest
from pydantic import ValidationError

from skipviz.settings import Settings
from skipviz.web.http import headers
from skipviz.web.http.headers import BoundedBodies, SecurityHeaders
from skipviz.web.session_state.identity import Identity


async def page(scope, receive, send):
    """An application that reads the whole body, and answers in two parts."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})


def asked(app, scheme="http", body=(b"",), **given):
    """Return the status, the headers and the parts of `app`'s answer to a request."""
    parts = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    parts[-1]["more_body"] = False
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    asyncio.run(app({"type": "http", "method": "GET", "scheme": scheme, "path": "/", "headers": named}, receive, send))
    start, *rest = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, [one["body"] for one in rest]


def policy_of(app, **given) -> dict[str, list[str]]:
    """Return the content policy as a table of names and sources."""
    _, found, _ = asked(app, **given)
    return {name: sources for name, *sources in (rule.split() for rule in found["content-security-policy"].split(";"))}


def test_a_response_keeps_its_parts_and_gains_every_header():
    status, found, parts = asked(SecurityHeaders(page, ""))
    assert (status, parts) == (200, [b"one", b"two"])
    assert found["content-type"] == "text/html"
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert found["x-frame-options"] == "SAMEORIGIN"
    assert "camera=()" in found["permissions-policy"]
    assert found["cross-origin-opener-policy"] == found["cross-origin-resource-policy"] == "same-origin"


def test_scripts_come_from_here_or_the_plotly_cdn_and_none_is_run_inline_but_streamlits_own():
    policy = policy_of(SecurityHeaders(page, ""))
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & set(policy["script-src"])
    assert [source for source in policy["script-src"] if source.startswith("https:")] == ["https://cdn.plot.ly"]
    assert any(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", source) for source in policy["script-src"])
    assert policy["object-src"] == policy["frame-src"] == ["'none'"]
    assert policy["base-uri"] == policy["default-src"] == policy["frame-ancestors"] == ["'self'"]


def test_the_sites_that_may_frame_the_lab_can_be_set():
    app = SecurityHeaders(page, "https://huggingface.co https://*.example.edu")
    assert policy_of(app)["frame-ancestors"] == ["'self'", "https://huggingface.co", "https://*.example.edu"]
    assert "x-frame-options" not in asked(app)[1]


@pytest.mark.parametrize("value", ["*", "", "https://huggingface.co", "http://localhost:* https://*.example.edu:8443"])
def test_sites_that_can_be_named(value):
    assert Settings(frame_ancestors=value).frame_ancestors == value


@pytest.mark.parametrize(
    "value", ["https://a.example; script-src *", "javascript:alert(1)", "'none'", "a b", "https://a,https://b"]
)
def test_what_is_no_list_of_sites_is_refused(value):
    with pytest.raises(ValidationError):
        Settings(frame_ancestors=value)


def test_https_is_made_to_last_only_where_it_is_spoken():
    assert "max-age=" in asked(SecurityHeaders(page, ""), scheme="https")[1]["strict-transport-security"]
    assert "strict-transport-security" not in asked(SecurityHeaders(page, ""))[1]


@pytest.mark.parametrize(
    ("host", "scheme", "named"),
    [
        ("lab.example", "https", "wss://lab.example"),
        ("127.0.0.1:8501", "http", "ws://127.0.0.1:8501"),
        ("[::1]:8501", "http", "ws://[::1]:8501"),
        ("a.example; script-src *", "https", None),
        ("a.example\r\nx: y", "https", None),
        ("", "http", None),
    ],
)
def test_the_websocket_of_this_host_is_named_and_nothing_that_is_no_host(host, scheme, named):
    policy = policy_of(SecurityHeaders(page, ""), host=host, scheme=scheme)
    assert policy["connect-src"] == ["'self'", "data:", "blob:", *([named] if named else [])]


def test_a_response_with_a_policy_of_its_own_keeps_it():
    async def strict(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Security-Policy", b"default-src 'none'")]})
        await send({"type": "http.response.body", "body": b""})

    _, found, _ = asked(SecurityHeaders(strict, ""))
    assert found["Content-Security-Policy"] == "default-src 'none'"
    assert "content-security-policy" not in found


def test_a_websocket_passes_untouched():
    passed = []

    async def app(scope, receive, send):
        passed.append((scope, receive, send))

    call = ({"type": "websocket"}, object(), object())
    for layer in (SecurityHeaders(app, ""), BoundedBodies(app)):
        asyncio.run(layer(*call))
    assert passed == [call, call]


def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_read():
    status, found, parts = asked(BoundedBodies(page), content_length=str(headers.MAX_BODY + 1))
    assert status == 413
    assert found["content-type"] == "application/json"
    assert b"at most 23,068,672 bytes" in parts[0]


def test_a_body_that_turns_out_too_long_is_refused_while_it_is_read():
    status, _, parts = asked(BoundedBodies(page), body=[b"x" * 2**20] * 30)
    assert (status, len(parts)) == (413, 1)


def test_a_body_as_long_as_allowed_passes():
    assert asked(BoundedBodies(page), body=[b"x" * 2**20] * 22)[0] == 200


def test_a_body_that_does_not_come_is_given_up_with_a_sentence():
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"1000")]}
    asyncio.run(BoundedBodies(page, silent_seconds=0.05)(scope, receive, send))
    assert [sent[0]["status"], len(sent)] == [408, 2]
    assert b"nothing more of the request came for 0.05 s" in sent[1]["body"]


def test_a_reader_may_stay_as_long_as_it_likes_once_its_request_is_whole():
    gone, sent = asyncio.Event(), []
    came = [{"type": "http.request", "body": b""}]

    async def receive():
        if came:
            return came.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    async def stream(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        asyncio.get_running_loop().call_later(0.2, gone.set)
        assert (await receive())["type"] == "http.disconnect"

    asyncio.run(BoundedBodies(stream, silent_seconds=0.05)({"type": "http", "headers": []}, receive, send))
    assert [one["status"] for one in sent] == [200]


@pytest.mark.parametrize(
    ("scheme", "given", "reach"),
    [
        ("http", {}, "SameSite=Lax"),
        ("https", {}, "SameSite=Lax; Secure"),
        ("https", {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site"}, "SameSite=None; Secure; Partitioned"),
        ("https", {"sec_fetch_dest": "iframe", "sec_fetch_site": "same-origin"}, "SameSite=Lax; Secure"),
        ("https", {"sec_fetch_dest": "document", "sec_fetch_site": "cross-site"}, "SameSite=Lax; Secure"),
        ("http", {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site"}, "SameSite=Lax"),
    ],
)
def test_the_cookie_reaches_into_another_sites_frame_only_when_it_is_given_there(scheme, given, reach):
    cookie = asked(Identity(page), scheme=scheme, accept="text/html", **given)[1]["set-cookie"]
    assert cookie.endswith(f"HttpOnly; {reach}")
