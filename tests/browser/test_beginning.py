"""The first page has a picture before Streamlit has begun."""

from __future__ import annotations

import pytest
from pages import DESKTOP, PHONE, FigurePage
from playwright.sync_api import expect

PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
PLACES = """(inside) => {
    const places = inside ?? document.querySelector(".sv-figure");
    return ["h1", ".sv-panel", ".sv-panel h2", ".sv-diagram-host"].map((one) => {
        const { x, y } = places.querySelector(one).getBoundingClientRect();
        return [x, y];
    });
}"""
OPEN = """() => {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (options) {
        const inside = attach.call(this, options);
        if (this.id === "skipviz-beginning") window.beginning = inside;
        return inside;
    };
}"""


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_the_figure_is_painted_while_streamlit_is_on_its_way_and_stands_where_it_will(visit, viewport, scheme):
    page = visit(viewport=viewport)
    page.emulate_media(color_scheme=scheme)
    page.add_init_script(f"({OPEN})()")
    page.route("**/static/js/index.*", lambda route: None)
    page.goto("", wait_until="commit")
    page.wait_for_function(PAINTED)
    places = page.evaluate(f"() => ({PLACES})(window.beginning)")
    background = page.evaluate("() => getComputedStyle(window.beginning.querySelector('.sv-root')).backgroundColor")
    assert background == ("rgb(17, 17, 24)" if scheme == "dark" else "rgb(247, 247, 250)")
    page.unroute("**/static/js/index.*")
    figure = FigurePage(page).open()
    expect(page.locator("#skipviz-beginning")).to_have_count(0)
    for before, after in zip(places, figure.page.evaluate(PLACES), strict=True):
        assert before == pytest.approx(after, abs=2)
    assert [line for line in page.complaints if "Content Security Policy" in line] == []


def test_a_page_that_never_comes_does_not_keep_the_beginning_before_what_is_said_of_it(visit):
    page = visit()
    page.route("**/static/js/index.*", lambda route: None)
    page.goto("", wait_until="commit")
    beginning = page.locator("#skipviz-beginning")
    expect(beginning).to_be_attached()
    [seconds] = beginning.evaluate("(node) => node.getAnimations().map((one) => one.effect.getTiming().delay / 1000)")
    assert seconds <= 20
    beginning.evaluate("(node) => node.getAnimations()[0].finish()")
    assert beginning.evaluate("(node) => getComputedStyle(node).visibility") == "hidden"
