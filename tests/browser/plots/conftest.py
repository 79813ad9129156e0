"""A page with nothing but the plots, served on the loopback."""

from __future__ import annotations

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import plotly
import pytest

from skipviz.drawing import modules
from skipviz.drawing.glossary import glossary

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


class _Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0]
        if path == "/plotly.js":
            return str(PLOTLY)
        if path.startswith("/js/"):
            return str(ROOT / "assets" / path[1:])
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


@pytest.fixture(scope="module")
def harness_page(chromium, harness_address):
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(harness_address)
    page.wait_for_function("window.ready")
    page.evaluate("(kinds) => { globalThis.KINDS = kinds; }", modules.kinds())
    page.evaluate("(glossary) => { globalThis.EXPLANATIONS = glossary; }", glossary())
    yield page
    page.close()


@pytest.fixture
def harness(harness_page):
    """The page with nothing on it; any error in its script fails the test."""
    errors = []

    def note(error):
        errors.append(str(error))

    harness_page.evaluate("() => harness.clear()")
    harness_page.mouse.move(0, 0)
    harness_page.on("pageerror", note)
    yield harness_page
    harness_page.remove_listener("pageerror", note)
    assert errors == []
