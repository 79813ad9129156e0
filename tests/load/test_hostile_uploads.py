"""Files sent to the server as it is served: too long, of another length than they say, never coming, too many at once."""

from __future__ import annotations

import asyncio
import json
import socket

import psutil
import pytest
from engines import PATIENCE
from hostile import MEGABYTES
from servers import Server
from sessions import Session

from skipviz.web.http.headers import MAX_BODY
from skipviz.web.http.held_files import MOST_OF_A_PAGE

MB = 2**20
SECRET = "2|" + "0" * 8 + "|" + "0" * 32 + "|1700000000"
"""What a page sends as cookie and as header to show that it read the one to write the other."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose log holds no traceback in the end, and which has not grown."""
    server = Server(tmp_path_factory.mktemp("server") / "log.txt")
    try:
        server.wait_until_warm()
        process = psutil.Process(server.pid)
        before = process.memory_info().rss
        yield server
        assert process.memory_info().rss < before + MEGABYTES * MB
    finally:
        server.close()
    assert "Traceback" not in server.log.read_text(errors="replace")


@pytest.fixture
def page(server):
    """The name of a page that is open."""
    session = Session(server.port, 1)
    with asyncio.Runner() as runner:
        opened = session.opened()
        runner.run(opened.__aenter__())
        yield session.name
        runner.run(opened.__aexit__(None, None, None))


def form(content: bytes) -> bytes:
    """Return a form with one file."""
    head = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    return head + content + b"\r\n--edge--\r\n"


class Sender:
    """One connection that sends a file, or says so."""

    def __init__(self, server, page, name, *headers):
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        given = [f"Cookie: _streamlit_xsrf={SECRET}", f"X-Xsrftoken: {SECRET}", "Content-Type: multipart/form-data; boundary=edge"]
        lines = [f"PUT /_stcore/upload_file/{page}/{name} HTTP/1.1", "Host: localhost", *given, *headers]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send(self, *parts):
        """Send on, as long as the server takes it."""
        try:
            for part in parts:
                self._socket.sendall(part)
        except ConnectionError:
            pass
        return self

    def status(self):
        """Return the answer's status, or None where the server just ended the connection."""
        try:
            line = self._socket.makefile("rb").readline()
        except ConnectionError:
            return None
        return int(line.split()[1]) if line else None

    def close(self):
        self._socket.close()


def put(server, page, name, content):
    """Send a whole file and return the status of the answer."""
    body = form(content)
    sender = Sender(server, page, name, f"Content-Length: {len(body)}", "Connection: close").send(body)
    status = sender.status()
    sender.close()
    return status


def lives(server):
    """See that the server answers somebody else at once."""
    assert json.loads(server.ask("skipviz/live")[2]) == {"live": True}


def test_a_file_that_says_it_is_too_long_is_refused_before_it_comes(server, page):
    assert Sender(server, page, "a", f"Content-Length: {MAX_BODY + 1}").status() == 413


def test_a_file_that_turns_out_too_long_is_refused_while_it_comes(server, page):
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (form(b"").partition(b"--edge--")[0][:-2], *[b"x" * MB] * 30)]
    assert Sender(server, page, "a", "Transfer-Encoding: chunked").send(*chunks).status() in (413, None)
    lives(server)


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "", "9" * 40, "5\r\nContent-Length: 7", "+5"])
def test_a_length_that_is_none_is_refused(server, page, length):
    assert Sender(server, page, "a", f"Content-Length: {length}").send(b"x" * 100).status() in (400, 413)
    lives(server)


def test_a_file_longer_than_it_says_is_cut_there(server, page):
    sender = Sender(server, page, "a", "Content-Length: 10").send(form(b"a,b\n1,2\n" * 1000))
    assert sender.status() == 400
    lives(server)


def test_a_file_that_breaks_off_leaves_nothing(server, page):
    for _ in range(20):
        Sender(server, page, "a", "Content-Length: 5000000").send(b"x" * 100_000).close()
    lives(server)
    assert put(server, page, "a", b"a,b\n") == 204


def test_senders_that_fall_silent_hold_nobody_up(server, page):
    silent = [Sender(server, f"{page}{number}", "a", "Content-Length: 5000000").send(b"--edge") for number in range(100)]
    lives(server)
    assert put(server, page, "b", b"a,b\n") == 204
    for sender in silent:
        sender.close()


def test_a_page_holds_few_files_and_another_ones_name_helps_nobody(server, page):
    assert [put(server, page, f"f{number}", b"x" * MB) for number in range(MOST_OF_A_PAGE + 2)] == [204] * MOST_OF_A_PAGE + [
        429
    ] * 2
    assert put(server, "nobody", "a", b"x") == 400
