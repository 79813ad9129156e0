"""The ten-second story, a toggle, a drag and a share in Firefox and in WebKit: what Chromium shows is not all that people have."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import hands
import pytest

from skipviz.sharing import link


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def browser(request, tmp_path_factory):
    """A fresh browser of another maker."""
    if request.param == "firefox":
        if not hands.FIREFOX:
            pytest.skip("Firefox is not installed; on Debian: apt-get install firefox-esr")
        with hands.firefox(request.getfixturevalue("playwright")) as opened:
            yield opened
    else:
        if not hands.WEBKIT:
            pytest.skip("WebKit is not installed; on Debian: apt-get install webkit2gtk-driver xvfb")
        with hands.webkit(tmp_path_factory.mktemp("webkit")) as opened:
            yield opened


def _lab(browser, address: str) -> None:
    browser.open(address)
    browser.until(lambda: browser.of(".sv-bars .barlayer .point path", "true"), "the bars are measured")


def _step(browser) -> int:
    return int(browser.text(".sv-transport .sv-step") or 0)


def _experiment(browser):
    text = parse_qs(urlsplit(browser.evaluate("return location.href;")).query).get("x", [""])[0]
    return link.decode(text) if text else None


def _network_where(browser, condition, what: str):
    """Wait until the network that the address carries meets `condition`, and return it."""
    browser.until(lambda: (held := _experiment(browser)) is not None and condition(held.network), what)
    return _experiment(browser).network


def test_the_ten_second_story_a_toggle_a_drag_an_undo_and_a_share(browser, server):
    widths = "[...node.querySelectorAll('.band')].map((band) => band.style.strokeWidth).join()"
    _lab(browser, server.address + "lab")
    browser.press(".sv-transport .sv-main")
    browser.until(lambda: _step(browser) > 5, "the run's steps")
    before = browser.of("svg.sv-diagram", widths)
    browser.press(".sv-segment button:nth-child(2)")
    network = _network_where(browser, lambda network: all(skip.on for skip in network.skips), "Residual")
    browser.until(lambda: browser.of("svg.sv-diagram", widths) != before, "wider lines")

    skip, count = network.skips[0].id, len(network.skips)
    browser.press(f'svg.sv-diagram [data-skip="{skip}"] .hit')
    _network_where(browser, lambda network: not network.skip(skip).on, "the skip switched off")
    step = _step(browser)
    browser.until(lambda: _step(browser) > step, "further steps")
    browser.drag(browser.place('svg.sv-diagram [data-state="1"]'), browser.place('svg.sv-diagram [data-state="4"]'))
    _network_where(browser, lambda network: len(network.skips) == count + 1, "the skip that was dragged")
    browser.press(".sv-undo")
    _network_where(browser, lambda network: len(network.skips) == count, "the undo")
    assert browser.errors() == []

    shown = _experiment(browser)
    browser.press("button.sv-share")
    shared = browser.until(lambda: browser.of(".sv-share-panel .sv-address", "node.value"), "the shared link")
    _lab(browser, shared)
    browser.until(lambda: _experiment(browser) == shown, "the shared experiment")
    assert browser.errors() == []
