"""The guided tour, by keys alone: every step's state is brought about, and its card lies over all but what it speaks of."""

from __future__ import annotations

import re

from experiments import small
from pages import DESKTOP, PHONE, FigurePage, LabPage, wait_until
from playwright.sync_api import expect

from skipviz.web.content.tour import HELD, STEPS

OVER = """() => {
    const node = document.querySelector(".sv-tour");
    const [card, ring] = [node, document.querySelector(".sv-tour-ring")].map((one) => one.getBoundingClientRect());
    const corners = [[card.left + 8, card.top + 8], [card.right - 8, card.bottom - 8]];
    const uncovered = corners.every(([x, y]) => node.contains(document.elementFromPoint(x, y)));
    const apart = card.left >= ring.right || ring.left >= card.right || card.top >= ring.bottom || ring.top >= card.bottom;
    const seen = card.left >= 0 && card.top >= 0 && card.right <= innerWidth && card.bottom <= innerHeight;
    return ring.width > 8 && apart && seen && uncovered;
}"""


class Tour:
    """The card."""

    def __init__(self, page) -> None:
        self.page = page
        self.card = page.get_by_role("dialog", name=re.compile(r"^Tour, step"))
        self.next = self.card.get_by_role("button", name=re.compile("^(Next|Done)$"))

    def at(self, number: int, text: str, of: int = len(STEPS)) -> None:
        """Wait until a step is shown, its state is there, and its card stands beside its control with the focus in it."""
        expect(self.card).to_have_accessible_name(f"Tour, step {number} of {of}")
        expect(self.card.locator("#sv-tour-text")).to_have_text(text)
        expect(self.card.get_by_role("status")).to_have_text("")
        wait_until(self.page, lambda: self.page.evaluate(OVER), lambda: f"; step {number} {self.page.viewport_size}")
        expect(self.next).to_be_focused()

    def press(self, key: str = "Enter") -> None:
        self.page.keyboard.press(key)


def test_a_newcomer_is_offered_the_tour_once_and_goes_through_it_by_keys(visit):
    page = visit()
    page.context.pages[0].evaluate("() => localStorage.clear()")
    figure, lab, tour = FigurePage(page).open(), LabPage(page), Tour(page)
    offer = page.get_by_role("region", name="A tour")
    offer.get_by_role("button", name="Take the tour").focus()
    tour.press()
    tour.at(1, STEPS[0].text)
    lab.expect_state("Paused")
    assert HELD <= lab.step() < 2 * HELD
    tour.press()
    tour.at(2, STEPS[1].text)
    page.keyboard.press("Escape")
    expect(tour.card).to_have_count(0)
    resume = page.get_by_role("button", name="Resume the tour, step 2 of 6")
    resume.focus()
    tour.press()
    tour.at(2, STEPS[1].text)
    tour.press()
    tour.at(3, STEPS[2].text)
    expect(lab.residual).to_have_attribute("aria-pressed", "true")
    assert [event["kind"] for event in lab.event_frame()["events"]] == ["skip"]
    tour.card.get_by_role("button", name="Explain: Hollow bars").focus()
    tour.press()
    expect(page.get_by_role("dialog", name="Hollow bars")).to_be_focused()
    page.keyboard.press("Escape")
    tour.next.focus()
    tour.press()
    tour.at(4, STEPS[3].text)
    expect(figure.panel("left").locator('[data-valve="f5"]')).to_have_class(re.compile("shut"))
    figure.until(lambda: "runs=" in page.url)
    page.reload()
    tour.at(4, STEPS[3].text)
    tour.press()
    page.set_viewport_size(PHONE)
    tour.at(5, STEPS[4].text)
    expect(page.get_by_role("button", name="U by scale")).to_have_attribute("aria-pressed", "true")
    tour.press()
    tour.at(6, STEPS[5].text)
    page.set_viewport_size(DESKTOP)
    tour.press()
    expect(tour.card).to_have_count(0)
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    page.get_by_role("link", name="Figure 4.9").click()
    expect(page.get_by_role("button", name="Take the tour, six steps")).to_be_visible()
    page.goto("")
    expect(page.get_by_role("button", name="Take the tour, six steps")).to_be_visible()
    expect(offer).to_have_count(0)


def test_a_lecturers_link_carries_a_tour_of_their_own_that_says_text_and_sets_states(kept, visit):
    lab, page = kept.put(small()), kept.page
    page.get_by_role("button", name="Share", exact=True).click()
    panel = page.get_by_role("dialog", name="Share")
    panel.get_by_text("A tour of your own").click()
    texts = ["<b>Look</b> at the loss.", "Now all skips are off."]
    for text, target, skips in ((texts[0], "loss", ""), (texts[1], "skips", "off")):
        panel.get_by_role("button", name="Add a step").click()
        panel.get_by_label("What the step says").last.fill(text)
        panel.get_by_label("What the step shows").last.select_option(target)
        panel.get_by_label("What the step opens").last.select_option(label="Opens what is here now")
        panel.get_by_label("What the step switches").last.select_option(skips)
    panel.get_by_label("Step to train to").first.fill("10")
    panel.get_by_label("Layers whose valves are shut").last.fill("2, f(3)")
    address = lab.until(lambda: "tour=" in (text := panel.locator(".sv-address").input_value()) and text)
    panel.get_by_role("button", name="Preview").click()
    tour = Tour(page)
    expect(tour.card.locator("#sv-tour-text")).to_have_text(texts[0])
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    page.get_by_role("button", name="Share", exact=True).click()
    page.evaluate("() => sessionStorage.clear()")
    panel.get_by_role("button", name="Remove").first.click()
    panel.get_by_role("button", name="Remove").first.click()
    lab.until(lambda: "tour=" not in panel.locator(".sv-address").input_value())

    pupil = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    pupil.goto(address)
    other, taken = LabPage(pupil), Tour(pupil)
    taken.at(1, texts[0], 2)
    other.expect_state("Paused")
    assert other.step() >= 10
    taken.press()
    taken.at(2, texts[1], 2)
    assert not any(skip.on for skip in other.expect_network(lambda network: not network.skips[0].on).skips)
    shut = other.expect_network(lambda network: network.layers[1].gain == 0)
    assert [layer.gain for layer in shut.layers[:4]] == [1, 0, 0, 1]
    taken.press()
    expect(taken.card).to_have_count(0)
    expect(pupil.get_by_role("button", name="Take this lesson’s tour")).to_be_visible()
    assert "tour=" in pupil.url
    damaged = visit()
    damaged.goto("lab?tour=nonsense")
    expect(damaged.locator(".sv-toast:visible")).to_have_text(
        "This link’s tour does not open. This tour is damaged: it was cut short or changed on its way."
    )
    expect(Tour(damaged).card).to_have_count(0)
