"""The lab on a projector: large type, nothing of the frame, strong contrast, all of it on the screen."""

from __future__ import annotations

import pytest
from experiments import four, unlike_four
from playwright.sync_api import expect

from skipviz.tasks import presets
from skipviz.tasks.experiment import Training

SIZES = """() => [".sv-step", ".sv-state", ".sv-bar .sv-segment button",
    ".sv-head-bars", ".sv-loss-card .sv-title", ".sv-diagram .label"]
    .map((selector) => document.querySelector(selector))
    .map((node) => parseFloat(getComputedStyle(node).fontSize) * (node.currentCSSZoom ?? 1))"""
PLACES = """() => [".sv-scroll .sv-rows", ".sv-loss-card", ".sv-inspector", ".sv-bar .sv-segment", ".sv-legend"]
    .map((selector) => document.querySelector(selector).getBoundingClientRect().toJSON())"""
SCREENS = {"1080": (1920, 1080), "900": (1440, 900), "768": (1024, 768)}
OVER = """() => document.querySelector(".sv-head-bars").getBoundingClientRect().bottom
    - document.querySelector("svg.sv-diagram").getBoundingClientRect().top"""
"""How far the words over the bars reach into the lines between them, px."""


CUT = """() => [...document.querySelectorAll(".sv-head-bars > .sv-quiet, .sv-legend, .sv-sentence > p, .sv-title")]
    .filter((node) => node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)
    .map((node) => node.className)"""
"""What has words that its place cuts off."""

STACK = """() => ["transport-card", "curves-card > .sv-title", "curves-card .sv-plot", "legend", "network .sv-bar .sv-segment"]
    .flatMap((part) => [...document.querySelectorAll(`.sv-lab .sv-${part}`)])
    .map((node) => node.getBoundingClientRect().toJSON()).sort((a, b) => a.top - b.top)"""
"""What stands beside the networks of a comparison, from above."""


@pytest.mark.parametrize("name", SCREENS)
def test_a_projector_shows_large_type_and_nothing_else_until_escape(kept, name):
    screen = dict(zip(("width", "height"), SCREENS[name], strict=True))
    kept.page.set_viewport_size(screen)
    lab, page = kept.put(presets.get("vanishing-plain").replaced(training=Training(steps=100_000))), kept.page
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
        svg, loss, words, switch, legend = page.evaluate(PLACES)
        inside = all(box["bottom"] <= screen["height"] and box["right"] <= screen["width"] for box in (svg, loss, switch, legend))
        return (
            inside
            and loss["bottom"] <= legend["top"] + 1
            and legend["bottom"] <= words["top"] + 1
            and svg["right"] <= legend["left"]
        )

    lab.until(fits)
    lab.until(lambda: page.evaluate(OVER) <= 0)
    lab.until(lambda: min(now / then for now, then in zip(page.evaluate(SIZES), before, strict=True)) >= 1.44)
    lab.wait_for_step(5)
    lab.residual.click()
    lab.event_frame()
    for key in (".sv-wedges svg", ".sv-key.baseline", ".sv-key.tick"):
        expect(page.locator(f".sv-legend {key}")).to_be_visible()
    lab.until(fits)
    assert page.evaluate(CUT) == []
    lab.until(lambda: "projector=1" in page.url)
    page.keyboard.press("Escape")
    expect(header).to_be_visible()
    expect(page.locator(".sv-heatmap-card")).to_be_visible()
    lab.until(lambda: "projector" not in page.url)


def test_a_projector_lays_nothing_over_the_curves_of_four_networks(kept):
    kept.drop(four())
    page = kept.page
    expect(page.locator(".sv-variant-head")).to_have_count(4)
    page.set_viewport_size({"width": 1024, "height": 768})
    page.get_by_label("Projector: large type, nothing else (P)").click()

    def is_apart():
        stack = page.evaluate(STACK)
        ends = [*(box["top"] for box in stack[1:]), 768]
        return len(stack) == 7 and all(box["bottom"] <= end + 1 for box, end in zip(stack, ends, strict=True))

    kept.until(is_apart)
    assert min(box["height"] for box in page.evaluate(STACK)) >= 40


@pytest.mark.parametrize("name", ["900", "768"])
def test_a_projector_says_whole_what_sets_four_networks_apart_and_fills_its_height_with_them(kept, name):
    kept.page.set_viewport_size(dict(zip(("width", "height"), SCREENS[name], strict=True)))
    kept.drop(unlike_four(24))
    page = kept.page
    page.get_by_label("Projector: large type, nothing else (P)").click()
    expect(page.locator(".sv-sentence-why")).to_contain_text("D: activation tanh instead of ReLU, init He instead of torch’s")
    drawn = page.locator(".sv-column-body svg.sv-diagram").last
    kept.until(lambda: 0.85 * SCREENS[name][1] < _bottom(drawn) <= SCREENS[name][1])
    assert page.evaluate(CUT) == []


def _bottom(node) -> float:
    return node.evaluate("node => node.getBoundingClientRect().bottom")
