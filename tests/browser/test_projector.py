"""The lab on a projector: large type, nothing of the frame, strong contrast, all of it on the screen."""

from __future__ import annotations

import pytest
from pages import LabPage
from playwright.sync_api import expect

from skipviz.tasks import presets
from skipviz.tasks.experiment import Training

SIZES = """() => [".sv-step", ".sv-state", ".sv-bar .sv-segment button",
    ".sv-head-bars", ".sv-loss-card .sv-title", ".sv-diagram .label"]
    .map((selector) => document.querySelector(selector))
    .map((node) => parseFloat(getComputedStyle(node).fontSize) * (node.currentCSSZoom ?? 1))"""
PLACES = """() => [".sv-scroll .sv-rows", ".sv-loss-card", ".sv-inspector", ".sv-bar .sv-segment"]
    .map((selector) => document.querySelector(selector).getBoundingClientRect().toJSON())"""
SCREENS = [{"width": 1920, "height": 1080}, {"width": 1280, "height": 720}]


@pytest.mark.parametrize("screen", SCREENS, ids=["1080", "720"])
def test_a_projector_shows_large_type_and_nothing_else_until_escape(visit, screen):
    page = visit(viewport=screen)
    lab = LabPage(page).open(presets.get("vanishing-plain").replaced(training=Training(steps=100_000)))
    before = page.evaluate(SIZES)
    lab.press("Start")
    page.locator("svg.sv-diagram .box").first.focus()
    page.keyboard.press("p")
    header, sidebar = page.get_by_test_id("stHeader"), page.get_by_test_id("stSidebar")
    expect(header).to_be_hidden()
    expect(sidebar).to_be_hidden()
    expect(page.locator(".sv-heatmap-card")).to_be_hidden()
    lab.until(lambda: page.evaluate("() => document.documentElement.scrollHeight <= innerHeight + 1"))

    def fits():
        svg, loss, words, switch = page.evaluate(PLACES)
        inside = all(box["bottom"] <= screen["height"] and box["right"] <= screen["width"] for box in (svg, loss, switch))
        return inside and loss["bottom"] <= words["top"] + 1

    lab.until(fits)
    lab.until(lambda: min(now / then for now, then in zip(page.evaluate(SIZES), before, strict=True)) >= 1.44)
    lab.wait_for_step(5)
    lab.residual.click()
    lab.event_frame()
    lab.until(lambda: "projector=1" in page.url)
    page.keyboard.press("Escape")
    expect(header).to_be_visible()
    expect(page.locator(".sv-heatmap-card")).to_be_visible()
    lab.until(lambda: "projector" not in page.url)
