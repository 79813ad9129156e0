"""A small class opens the lab, the short form: `browsers.py` is run by hand with ten pages and two hundred sessions."""

import pytest
from browsers import measured
from chromium import launch
from playwright.sync_api import sync_playwright
from servers import Server

PAGES, SESSIONS = 2, 12


@pytest.fixture
def found(tmp_path):
    """What a class of pages and scripted sessions got."""
    server = Server(tmp_path / "log.txt", SKIPVIZ_MAX_RUNNING="3")
    try:
        server.wait_until_warm()
        with sync_playwright() as playwright:
            browser = launch(playwright)
            yield measured(server, browser, PAGES, SESSIONS, together=SESSIONS, toggles=3)
            browser.close()
    finally:
        server.close()


def test_everybody_is_served_and_those_in_line_are_told_their_place(found):
    assert found.failures == []
    assert (len(found.loads), len(found.sessions)) == (PAGES, SESSIONS)
    waiting = [session.told["ahead"] for session in found.sessions if session.told["state"] == "queued"]
    assert waiting
    assert all(place >= 0 for place in waiting)
    assert all(session.data["run"] == session.told["run"] for session in found.sessions)
    assert len(found.toggles) == 3
