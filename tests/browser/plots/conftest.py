"""A page with nothing but the plots, served on the loopback, and frames of real networks to feed them."""

from __future__ import annotations

import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import plotly
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


class _Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0]
        if path == "/plotly.js":
            return str(PLOTLY)
        if path.startswith("/js/"):
            return str(ROOT / "assets" / "js" / Path(path).name)
        return str(HERE / "harness.html")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def harness_address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def plots_browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = "/usr/bin/chromium" if os.path.exists("/usr/bin/chromium") else None
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def harness(plots_browser, harness_address):
    """The empty page; any error in its script fails the test."""
    context = plots_browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(harness_address)
    page.wait_for_function("window.ready")
    yield page
    context.close()
    assert errors == []


@functools.cache
def recorded(name: str, every_skip: bool, steps: int) -> tuple[dict, list[dict], dict]:
    """Return header, frames (as they travel) and the experiment's network of a preset, trained for a few steps."""
    from skipviz.learning.trainer import Trainer
    from skipviz.network import edit
    from skipviz.tasks import presets

    experiment = presets.get(name)
    if every_skip:
        experiment = experiment.with_network(edit.switch_all(experiment.network, True))
    trainer = Trainer(experiment)
    frames = [trainer.measure(ghost=True, picture=True).to_data()]
    for _ in range(steps):
        frame = trainer.advance(record=True)
        if frame is not None:
            frames.append(frame.to_data())
    frames.append(trainer.measure(ghost=True, picture=True).to_data())
    return trainer.header(), frames, experiment.network
