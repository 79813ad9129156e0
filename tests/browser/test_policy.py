"""The content policy holds in a real browser and stands in the way of nothing of ours."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from blocked import block, give_plotly
from experiments import small
from pages import FigurePage, LabPage
from playwright.sync_api import expect

LISTEN = """
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => {
        window.refused.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
"""


@pytest.fixture
def watched(page):
    """A page that notes whatever its policy refuses."""
    page.add_init_script(LISTEN)
    yield page
    assert page.evaluate("window.refused") == []
    assert [line for line in page.complaints if "Content Security Policy" in line] == []


def test_every_page_draws_and_trains_within_the_policy_and_a_script_written_into_it_does_not_run(watched):
    figure = FigurePage(watched).open()
    figure.press("Start")
    figure.wait_for_step(3)
    watched.get_by_role("link", name="Gallery").click()
    expect(watched.locator(".sv-gallery")).to_be_visible()
    watched.get_by_role("link", name="Lab").click()
    lab = LabPage(watched).ready()
    lab.start()
    lab.wait_for_step(5)
    lab.choose_task("Digits")
    lab.until(lambda: lab.experiment().task.name == "digits")

    assert watched.evaluate("window.refused") == []
    watched.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )
    watched.wait_for_function("window.refused.length > 0")
    assert watched.evaluate("[window.ran ?? false, window.refused]") == [False, ["script-src-elem inline"]]
    watched.evaluate("() => { window.refused = []; }")
    watched.complaints.clear()


def test_the_page_that_travels_inline_and_plotly_from_its_cdn_are_within_the_policy(watched):
    give_plotly(block(watched, "*/skipviz/page.js*", "*/skipviz/plotly.js"))
    lab = LabPage(watched).open(small())
    lab.start()
    lab.wait_for_step(5)
    assert any(address.startswith("https://cdn.plot.ly/") for address in watched.asked)


@pytest.fixture
def elsewhere(server):
    """The address of another site on this machine, whose one page frames the lab."""

    class Framing(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{server.address}lab"></iframe>'.encode())

        def log_message(self, *words):
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Framing) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()


def test_another_site_cannot_frame_the_lab(page, server, elsewhere):
    with page.expect_event("requestfailed", lambda request: request.url.startswith(server.address)) as failed:
        page.goto(elsewhere)
    assert failed.value.failure == "net::ERR_BLOCKED_BY_RESPONSE"
