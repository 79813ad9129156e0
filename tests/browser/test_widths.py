"""Between a phone and a wide screen: every page is reached, nothing sticks out of its card or covers another word."""

from __future__ import annotations

import pytest
from pages import PHONE, FigurePage, LabPage
from playwright.sync_api import expect

from skipviz.tasks import presets

LINKS = "[data-testid=stTopNavLink]:visible, .sv-pages:visible button"
OUTSIDE = """() => [...document.querySelectorAll(".sv-panel")].flatMap((card) => {
    const edge = card.getBoundingClientRect().right;
    return [...card.querySelectorAll(".sv-head-bars, .sv-stepper, .sv-fold, .sv-numbers")]
        .filter((part) => part.getBoundingClientRect().right > edge).map((part) => part.className);
})"""
HEADS = """() => [...document.querySelectorAll(".sv-panel .sv-head-bars, .sv-panel .sv-head-bars > .sv-quiet")]
    .filter((words) => words.scrollWidth > words.clientWidth || words.scrollHeight > words.clientHeight + 2)
    .map((words) => words.textContent)"""
"""The words over bars of which something is cut off."""
PRESSED = (
    """() => [...document.querySelectorAll(".sv-foot, .sv-stepper")].filter((foot) => foot.scrollWidth > foot.clientWidth).length"""
)
PLOTS = """() => [...document.querySelectorAll(".sv-panel .sv-bars")].map((bars) => bars.clientWidth)"""
BOXES = """selectors => selectors.map((selector) => [...document.querySelectorAll(selector)].at(-1))
    .map((node) => node.getBoundingClientRect().toJSON())"""
"""Where the last node of each selector stands, all at the same moment."""
BADGE = """() => {
    const badge = document.querySelector(".sv-summary .sv-badge").getBoundingClientRect();
    const line = document.querySelector(".sv-summary").getBoundingClientRect();
    return badge.right <= line.right && badge.bottom <= line.bottom + 1;
}"""
"""Whether the line over the network holds the whole warning in it."""
CUT = """() => [...document.querySelectorAll(".sv-head-bars .sv-menu label, .sv-head-bars .sv-menu button")]
    .filter((part) => part.getBoundingClientRect().right > innerWidth || part.getBoundingClientRect().left < 0)
    .map((part) => part.textContent)"""
CLEAR = """() => {
    const end = document.querySelector(".sv-brand").getBoundingClientRect().right;
    const parts = [...document.querySelectorAll(".sv-pages, [data-testid=stTopNav], .sv-share")];
    return parts.every((node) => !node.offsetWidth || node.getBoundingClientRect().left >= end)
        && document.querySelector(".sv-header-actions").scrollWidth <= document.querySelector(".sv-header-actions").clientWidth;
}"""
"""Whether links and buttons of the header begin to the right of the logo and stay within their row."""


def test_the_figure_fits_every_width_and_leads_to_every_page(visit):
    page = visit(viewport=PHONE)
    figure = FigurePage(page).open()
    figure.until(lambda: page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"])
    tops = [figure.panel(name).bounding_box()["y"] for name in ("left", "center", "right")]
    assert tops == sorted(tops)
    assert tops[1] - tops[0] > 300
    for width in (390, 641, 700, 767, 768, 900, 1024, 1241, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        figure.until(lambda: page.locator(LINKS).count() == 7)
        figure.until(lambda: page.evaluate(OUTSIDE) == [] and page.evaluate(PRESSED) == 0)
        figure.until(lambda: page.evaluate(HEADS) == [])
        figure.until(lambda: min(page.evaluate(PLOTS)) >= 150)


def _covers_no_word(lab) -> bool:
    """Return whether words and buttons over the network stand apart, and the transport, where it is docked, below its card."""
    words, share, card, dock = lab.page.evaluate(
        BOXES, [".sv-head-bars > *", ".sv-head-share", ".sv-network", ".sv-transport-card"]
    )
    below = (dock["left"], dock["right"]) == pytest.approx((card["left"], card["right"]), abs=1)
    fits = lab.page.locator(".sv-summary").evaluate("line => line.scrollWidth <= line.clientWidth")
    return words["right"] <= share["left"] and (below or dock["bottom"] != 800) and fits


def test_the_lab_covers_no_word_and_opens_on_a_middle_width_with_the_setup_closed_and_the_plots_beside_the_diagram(visit):
    page = visit(viewport={"width": 1024, "height": 800})
    lab = LabPage(page).open()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_have_attribute("data-collapsed", "true")
    card, side = page.evaluate(BOXES, [".sv-network", ".sv-side"])
    assert side["left"] > card["right"]
    expect(page.locator(".sv-sentence")).to_contain_text("Vanishing")
    for width in (1024, 768, 700):
        page.set_viewport_size({"width": width, "height": 800})
        lab.until(lambda: _covers_no_word(lab))
        expect(lab.main).to_be_in_viewport()
    page.set_viewport_size({"width": 1024, "height": 800})
    page.locator(".sv-setup").click()
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    page.set_viewport_size({"width": 1280, "height": 800})
    lab.until(lambda: _covers_no_word(lab))
    expect(lab.main).to_be_in_viewport()
    page.set_viewport_size({"width": 1024, "height": 800})
    lab.residual.click()
    lab.expect_network(lambda network: all(skip.on for skip in network.skips))
    expect(sidebar).to_have_attribute("data-collapsed", "false")


def test_beside_an_open_setup_and_on_a_wide_screen_a_warning_is_read_whole(visit):
    page = visit(viewport={"width": 1024, "height": 800})
    lab = LabPage(page).open(presets.get("residual-unscaled"))
    expect(page.locator(".sv-summary .sv-badge.warn")).to_contain_text("would overflow float16")
    page.locator(".sv-setup").click()
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false")
    for width in (1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        lab.until(lambda: page.evaluate(BADGE))


def test_a_narrow_page_tells_of_a_bad_link_above_the_transport_and_lays_nothing_over_the_logo_or_out_of_reach(visit):
    page = visit(viewport=PHONE)
    lab = LabPage(page)
    page.goto("lab?x=garbage")
    expect(lab.toast).to_contain_text("This link does not open.")
    lab.toast.dispatch_event("mouseenter")  # or it goes after six seconds, sooner than a busy machine has laid out the page
    lab.ready()
    expect(lab.toast).to_be_in_viewport(ratio=1)
    toast, dock = page.evaluate(BOXES, [".sv-toast", ".sv-transport-card"])
    assert toast["bottom"] <= dock["top"]
    lab.toast.evaluate("toast => { toast.hidden = true; }")
    expect(page.get_by_test_id("stMain")).to_have_css("scroll-padding-bottom", "168px")  # above the transport

    for width in (320, 360, 390, 430, 640, 767, 768):
        page.set_viewport_size({"width": width, "height": 844})
        lab.until(lambda: page.locator(LINKS).count() == 7)
        lab.until(lambda: page.evaluate(CLEAR))
        page.locator(LINKS).last.scroll_into_view_if_needed()
        expect(page.locator(LINKS).last).to_be_in_viewport(ratio=0.9)
    page.locator(".sv-head-button").first.click()
    for width in (320, 390):
        page.set_viewport_size({"width": width, "height": 844})
        lab.until(lambda: page.evaluate(CUT) == [])
    page.locator(".sv-head-button").first.click()

    # As a window of 1280×900 shows it that is enlarged to 400 per cent.
    enlarged = {"width": 320, "height": 225, "deviceScaleFactor": 4, "mobile": False}
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", enlarged)
    lab.until(lambda: page.evaluate("() => [innerWidth, devicePixelRatio]") == [320, 4])
    lab.until(lambda: page.evaluate(CLEAR))
    lab.until(lambda: page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") == 320)

    def is_undocked() -> bool:
        transport, card, count = page.evaluate(BOXES, [".sv-transport-card", ".sv-network", ".sv-transport .sv-count"])
        return transport["bottom"] <= card["top"] and count["right"] <= 320

    lab.until(is_undocked)


@pytest.mark.parametrize("lent", ["kept", "pocket"], ids=["mouse", "touch"])
def test_on_a_narrow_page_the_mark_that_explains_the_bars_lies_beside_the_words_and_not_over_them(lent, request):
    lab = request.getfixturevalue(lent)
    lab.page.set_viewport_size(PHONE)
    lab.ready()
    selectors = [".sv-heads .sv-head-button", ".sv-heads .sv-head-button + .sv-explain .sv-explain-mark"]
    lab.until(lambda: all(box["width"] for box in lab.page.evaluate(BOXES, selectors)))
    words, mark = lab.page.evaluate(BOXES, selectors)
    assert words["right"] <= mark["left"]
    assert mark["right"] <= PHONE["width"]
