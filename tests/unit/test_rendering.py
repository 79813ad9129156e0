"""What anybody may ask of the server is made in a process of its own: bounded, kept by link, ended where it hangs."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from test_routes import client  # noqa: F401  a server with the routes

from skipviz import families, link
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task
from skipviz.web.content.files import FileError
from skipviz.web.http import downloads, made_files
from skipviz.web.http.rendering import Renderer


@pytest.fixture
def renderer():
    """One that is asked by this test alone, of which nothing may take longer than 3 s once it is there."""
    made = Renderer(60)
    made.call("sleep", 0)
    made._seconds = 3
    yield made
    made.close()


def worst_link() -> str:
    """Return a short link whose experiment takes long to read and to write out."""
    variants = {name: families.mlp(depth=2500, width=4, skip_every=1) for name in "ab"}
    return link.encode(Experiment(variants=variants, task=Task(name="spiral")))


def asked(port: int, path: str):
    """Return status, headers and body of a GET without a cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    response = connection.getresponse()
    try:
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_a_short_link_to_a_huge_experiment_costs_the_servers_own_python_nothing(client):  # noqa: F811
    text = worst_link()
    assert len(text) < 200
    before, began = time.process_time(), time.monotonic()
    status, _, body = asked(client.port, f"/skipviz/code?x={text}")
    spent, took = time.process_time() - before, time.monotonic() - began
    assert (status, b"import torch" in body) == (200, True)
    assert spent < 0.3
    began = time.monotonic()
    assert asked(client.port, f"/skipviz/code?x={text}")[2] == body
    assert time.monotonic() - began < took / 4, "the file of a link is kept"


@pytest.mark.parametrize("full", ["the queue", "the share of one address"])
def test_where_the_queue_is_full_one_is_told_when_to_ask_again(client, monkeypatch, full):  # noqa: F811
    gate = threading.Event()
    monkeypatch.setattr(downloads._OF_LINKS, "_make", lambda *_: gate.wait(60) and ("a.py", b"made"))
    first = downloads.made_of_link(f"one for {full}", "py", "127.0.0.1")
    limit, most = ("MOST_WAITING", 0) if full == "the queue" else ("MOST_OF_ADDRESS", 1)
    try:
        monkeypatch.setattr(made_files, limit, most)
        status, headers, body = asked(client.port, "/skipviz/code?x=another")
        assert (status, headers["retry-after"]) == (503, "10")
        assert b"files are being made" in body
        assert b"try again in a while" in body
    finally:
        gate.set()
    assert first.result(60) == ("a.py", b"made")


def test_what_hangs_is_ended_with_a_sentence_and_the_next_is_made(renderer):
    first = renderer.pid
    with pytest.raises(FileError, match="took over 3 s to make and was given up") as refused:
        renderer.call("sleep", 600)
    assert (refused.value.status, refused.value.again) == (503, 30)
    assert not psutil.pid_exists(first)
    assert renderer.pid is None
    renderer._seconds = 60
    with pytest.raises(FileError, match="this link is damaged"):
        renderer.call("link", "no link", "py", None)


def test_what_was_killed_meanwhile_is_started_anew(renderer):
    renderer._seconds = 60
    first = renderer.pid
    os.kill(first, signal.SIGKILL)
    assert renderer.call("sleep", 0) is None
    assert renderer.pid != first


def test_it_ends_with_the_server():
    code = (
        "import os; from skipviz.web.http.rendering import Renderer; made = Renderer(); made.call('sleep', 0); "
        "print(made.pid, flush=True); os._exit(0)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=downloads.ROOT, capture_output=True, check=True, timeout=120)
    process = int(told.stdout)
    end = time.monotonic() + 60
    while psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)
