"""A running server, a real Chromium, and pages whose scripts may not fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pages import DESKTOP, FigurePage, LabPage

ROOT = Path(__file__).parents[2]
PATIENCE = 90
"""Seconds that a server may take to be up with a warm engine on a busy machine."""


class Server:
    """`streamlit run app.py` in a process of its own; `address` ends in a slash."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log = log
        self.address = f"http://127.0.0.1:{port}/"
        options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        self.pid = self._process.pid

    def wait_until_warm(self) -> None:
        """Wait until the server answers and a run of one step has gone through its engine."""
        self._wait(lambda: self._ask("_stcore/health")[0] == 200)
        cookie = self._ask("", accept="text/html")[1]["set-cookie"].partition(";")[0]
        experiment = {"variants": {"a": {"layers": [{"op": {"kind": "linear", "width": 2}}]}}, "training": {"steps": 1}}
        run = json.loads(self._ask("skipviz/runs", cookie=cookie, body={"experiment": experiment})[2])["run"]
        self._wait(lambda: json.loads(self._ask(f"skipviz/runs/{run}")[2])["state"] == "finished")

    def _wait(self, condition) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"the server is not up: {self.log.read_text(errors='replace')[-4000:]}")
            try:
                if condition():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.1)

    def _ask(self, path, accept="*/*", cookie="", body=None):
        headers = {"accept": accept, "cookie": cookie, "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()

    def close(self) -> None:
        """End the server as a person would, or by force."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that all browser tests share, warm."""
    started = Server(tmp_path_factory.mktemp("server") / "log.txt")
    try:
        started.wait_until_warm()
        yield started
    finally:
        started.close()


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium where it is installed, else Playwright's own."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        path = "/usr/bin/chromium" if os.path.exists("/usr/bin/chromium") else None
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(server, chromium):
    """A function that returns a fresh page, by default in a context (a browser with cookies) of its own.

    Afterwards every run that they started is stopped, and an error in a page's script fails the test. `page.problems`
    holds those errors, `page.complaints` what was logged as an error, `page.asked` the addresses that were requested.
    """
    contexts, errors, watched = [], [], {}

    def opened(context=None, viewport=DESKTOP, **options):
        if context is None:
            context = chromium.new_context(base_url=server.address, viewport=viewport, **options)
            context.set_default_timeout(30_000)
            watched[context] = set()
            context.on("request", lambda request: watched[context].update(_runs_asked_for(request.url)))
            contexts.append(context)
        page = context.new_page()
        page.problems, page.complaints, page.asked = errors, [], []
        page.on("pageerror", lambda error: errors.append(f"{error.message}\n{error.stack}"))
        page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: page.asked.append(request.url))
        return page

    yield opened
    for context in contexts:
        for run in watched[context]:
            context.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"})
        context.close()
    assert errors == []


def _runs_asked_for(address: str) -> list[str]:
    parts = urlsplit(address)
    return parse_qs(parts.query).get("runs", [""])[0].split(",") if parts.path.endswith("/skipviz/stream") else []


@pytest.fixture
def page(visit):
    """A fresh page, 1440×900."""
    return visit()


@pytest.fixture
def lab(page):
    """The lab as it opens for a newcomer."""
    return LabPage(page).open()


@pytest.fixture
def figure(page):
    """The page of Figure 4.9 as it opens for a newcomer."""
    return FigurePage(page).open()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture of every open page where a test failed, in the folder that SKIPVIZ_TEST_PICTURES names."""
    report = yield
    folder = os.environ.get("SKIPVIZ_TEST_PICTURES")
    if folder and report.when == "call" and report.failed:
        found = {id(value): value for value in item.funcargs.values() if hasattr(value, "screenshot")}
        found |= {id(value.page): value.page for value in item.funcargs.values() if hasattr(value, "page")}
        contexts = {id(page.context): page.context for page in found.values()}
        for number, page in enumerate(page for context in contexts.values() for page in context.pages):
            page.screenshot(path=Path(folder) / f"{item.name}-{number}.png")
    return report
