"""The gallery: found by words, opened in the lab with one click."""

from pages import PHONE, wait_until
from playwright.sync_api import expect

from skipviz.tasks import presets

OUTSIDE = """() => [...document.querySelectorAll(".sv-preset-beside")].filter((link) => {
    const [inner, outer] = [link, link.parentNode.querySelector(".sv-preset")].map((node) => node.getBoundingClientRect());
    return inner.bottom > outer.bottom || inner.right > outer.right || inner.top < outer.top;
}).length"""
"""How many links to a comparison do not lie in their cards."""
CUT = """input => {
    input.value = input.placeholder;
    const cut = input.scrollWidth > input.clientWidth;
    input.value = "";
    return cut;
}"""
"""Whether an empty field cuts what it says can be searched for."""


def test_a_preset_is_found_by_words_and_opens_in_the_lab(server, visit):
    page = visit()
    page.goto(f"{server.address}gallery")
    cards = page.locator(".sv-preset:visible")
    expect(cards.first).to_be_visible()
    expect(cards).to_have_count(len(presets.names()))
    shown = cards.evaluate_all(
        "cards => cards.map(card => [card.innerText, card.querySelectorAll('svg.sv-thumbnail .face').length])"
    )
    for preset, (words, boxes) in zip(map(presets.preset, presets.names()), shown, strict=True):
        assert all(part in words for part in (preset.title, preset.do, preset.see, preset.source))
        assert boxes >= 4
    first = presets.preset(presets.names()[0])
    expect(cards.first).to_have_accessible_name(f"{first.title} {first.do} {first.see}")
    page.get_by_label("Search the gallery").fill("300 layers")
    expect(cards).to_have_count(1)
    page.get_by_label("Search the gallery").fill("no network is called this")
    expect(page.get_by_text("Nothing in the gallery is called that")).to_be_visible()
    page.get_by_label("Search the gallery").fill("residual 300")
    cards.first.click()
    expect(page.locator(".sv-summary")).to_contain_text("300 layers")


def test_a_preset_opens_beside_itself_with_its_skips_the_other_way(server, visit):
    page = visit()
    page.goto(f"{server.address}gallery")
    page.get_by_role("button", name="Residual, 24 layers: compare without skips").click()
    expect(page.locator(".sv-variant-name")).to_have_text(["network", "without-skips"])
    expect(page.locator(".sv-sentence")).to_contain_text("B: the 11 skips are off; the same weights elsewhere")


def test_on_a_phone_every_link_lies_in_its_card_and_the_search_says_whole_what_it_finds(visit):
    page = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    page.goto("gallery")
    expect(page.locator(".sv-preset-beside").first).to_be_visible()
    wait_until(page, lambda: page.evaluate(OUTSIDE) == 0)
    assert not page.get_by_label("Search the gallery").evaluate(CUT)
