"""The lab behind Debian's nginx with the example configuration: pages, websocket, and frames one by one."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import statistics
import time
import zlib
from itertools import pairwise

import pytest
from experiments import small
from nginxes import Nginx
from pages import LabPage

RATE = 4
"""Steps a second of the run that is watched: fewer than the server tells pages of it, so that each frame comes by itself."""
WATCHED = 12
"""Frames that are timed."""


@pytest.fixture(scope="module")
def nginx(server, tmp_path_factory):
    """nginx as in the example, before the server of all browser tests."""
    started = Nginx(tmp_path_factory.mktemp("nginx"), server.port)
    yield started
    started.close()


def ask(port, method, path, body=None, **headers):
    """Return the status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


@pytest.fixture
def paced(server):
    """A run that takes ten steps a second, whose frames are so small that several fit into one packet."""
    cookie = ask(server.port, "GET", "/", accept="text/html")[1]["set-cookie"].partition(";")[0]
    mine = {"cookie": cookie, "content_type": "application/json"}
    experiment = small(steps=100_000, depth=2, width=2).model_dump(mode="json", exclude_defaults=True)
    body = json.dumps({"experiment": experiment, "speed": RATE})
    run = json.loads(ask(server.port, "POST", "/skipviz/runs", body, **mine)[2])["run"]
    yield run
    ask(server.port, "POST", f"/skipviz/runs/{run}/events", json.dumps({"kind": "stop"}), **mine)


def gaps_between_frames(port: int, run: str) -> list[float]:
    """Return the seconds between the arrivals of a stream's frames, without those that came before it was opened."""
    arrivals, rest = [], b""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as viewer:
        viewer.request("GET", f"/skipviz/stream?runs={run}", headers={"accept-encoding": "gzip"})
        stream = viewer.getresponse()
        unpack = zlib.decompressobj(31).decompress if stream.headers["content-encoding"] else bytes
        while len(arrivals) <= WATCHED:
            data = stream.read1()
            assert data, "the stream ended"
            *messages, rest = (rest + unpack(data)).split(b"\n\n")
            news = [message for message in messages if b'"snapshot":true' not in message]
            arrivals += [time.monotonic()] * sum(message.count(b'{"step":') for message in news)
    return [after - before for before, after in pairwise(arrivals)]


def test_a_page_opens_trains_and_toggles_through_nginx(visit, nginx):
    page = visit(base_url=nginx.address)
    sockets = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    lab = LabPage(page).open(small())
    lab.start()
    lab.wait_for_step(5)
    lab.plain.click()
    assert lab.event_frame()["events"][0]["on"] is False
    assert sockets == [f"ws://127.0.0.1:{nginx.port}/_stcore/stream"]
    assert any(address.startswith(f"{nginx.address}skipviz/stream") for address in page.asked)
    assert [address for address in page.asked if not address.startswith((nginx.address, "data:", "blob:"))] == []


BUFFERED = "proxy_buffering on; gzip_types text/event-stream;"


def buffered(text: str) -> str:
    """Let nginx buffer and compress streams unless the server says not to buffer."""
    return text.replace("proxy_buffering    off;", BUFFERED).replace("gzip               off;", "")


def deaf(text: str) -> str:
    """Let nginx do so whatever the server says."""
    return buffered(text).replace(BUFFERED, f"{BUFFERED} proxy_ignore_headers X-Accel-Buffering;")


def are_spread(gaps: list[float]) -> bool:
    """Return whether frames came at the run's own pace, not several at once."""
    return statistics.median(gaps) > 0.5 / RATE and sum(gap < 0.2 / RATE for gap in gaps) <= len(gaps) // 3


def test_frames_come_through_the_example_one_by_one(nginx, paced):
    assert are_spread(gaps_between_frames(nginx.port, paced))


@pytest.mark.parametrize(("change", "spread"), [(buffered, True), (deaf, False)], ids=["header heard", "header ignored"])
def test_the_servers_own_header_keeps_nginx_from_holding_frames_back(server, paced, tmp_path, change, spread):
    nginx = Nginx(tmp_path, server.port, change)
    try:
        assert are_spread(gaps_between_frames(nginx.port, paced)) is spread
    finally:
        nginx.close()


@pytest.mark.parametrize("path", ["", "skipviz/page.js", "skipviz/plotly.js", "_stcore/health"])
def test_what_is_long_is_compressed_on_its_way(nginx, server, path):
    _, headers, body = ask(nginx.port, "GET", f"/{path}", accept_encoding="gzip", accept="text/html")
    plain = ask(server.port, "GET", f"/{path}", accept="text/html")[2]
    assert (headers["content-encoding"] == "gzip") is (len(plain) > 1024)
    assert (gzip.decompress(body) if headers["content-encoding"] else body) == plain


def test_figures_are_not_handed_out_and_health_is(nginx, server):
    assert ask(nginx.port, "GET", "/skipviz/metrics")[0] == 404
    assert ask(nginx.port, "GET", "/_stcore/metrics")[0] == 404
    assert ask(server.port, "GET", "/skipviz/metrics")[0] == 200
    assert ask(nginx.port, "GET", "/skipviz/ready")[0] == 200


def test_a_body_too_long_is_refused_at_the_door(nginx):
    assert ask(nginx.port, "POST", "/skipviz/runs", content_length=str(23 * 2**20))[0] == 413


def test_a_link_of_the_longest_kind_passes(nginx):
    assert ask(nginx.port, "GET", "/lab?x=" + "A" * 8_000, accept="text/html")[0] == 200


def test_a_flood_of_posts_from_one_address_is_turned_away(nginx):
    statuses = set()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)) as connection:
        for _ in range(2000):
            statuses.add(status_of_post(connection))
            if 429 in statuses:
                break
    assert statuses == {415, 429}


def status_of_post(connection) -> int:
    """Post what is refused at once, and return how it was."""
    connection.request("POST", "/skipviz/runs", headers={"content-type": "text/plain"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_a_connection_used_before_answers_at_once(server):
    seconds = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        for _ in range(21):
            began = time.monotonic()
            status_of_post(connection)
            seconds.append(time.monotonic() - began)
    assert statistics.median(seconds) < 0.03


def test_a_page_asked_for_over_https_gets_a_cookie_for_https_and_is_told_to_stay(server):
    _, headers, _ = ask(server.port, "GET", "/", accept="text/html", x_forwarded_proto="https", x_forwarded_for="10.0.0.7")
    assert "Secure" in headers["set-cookie"]
    assert headers["strict-transport-security"].startswith("max-age=")
