"""A visitor whose run waits in line behind somebody else's: it says its place and its wait, and starts by itself."""

from __future__ import annotations

import json
import re

import pytest
from experiments import small
from pages import LabPage
from playwright.sync_api import expect
from servers import Server


@pytest.fixture
def narrow(tmp_path):
    """A server of its own, on which one run computes at a time."""
    server = Server(tmp_path / "log.txt", forked=True, SKIPVIZ_MAX_RUNNING="1")
    try:
        server.wait_until_warm()
        yield server
    finally:
        server.close()


def test_a_second_visitor_waits_in_line_and_starts_by_itself_when_the_first_stops(narrow, visit):
    first = visit(base_url=narrow.address)
    first.request.get("", headers={"accept": "text/html"})
    body = {"experiment": json.loads(small(steps=1_000_000, record_every=1000).to_json())}
    run = first.request.post("skipviz/runs", data=body).json()["run"]
    second = LabPage(visit(base_url=narrow.address)).open(small())
    second.press("Start")
    second.expect_state("Queued, next in line")
    notice = second.page.locator(".sv-queue-notice")
    expect(notice).to_contain_text(re.compile(r"Queued, .*Starts by itself in (about \d|an hour)"), timeout=60_000)
    expect(second.main).to_have_text("Leave queue")
    expect(second.page.get_by_label("One step")).to_be_disabled()
    first.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"})
    second.expect_running()
    expect(notice).to_be_hidden()
    second.wait_for_step(5)
