"""The guided tour, by keys alone: every step's state is brought about, and its card never lies over what it speaks of."""

from __future__ import annotations

import re

from pages import DESKTOP, PHONE, FigurePage, LabPage, wait_until
from playwright.sync_api import expect

from skipviz.web.content.tour import HELD, STEPS

OVER = """() => {
    const [card, ring] = [".sv-tour", ".sv-tour-ring"].map((name) => document.querySelector(name).getBoundingClientRect());
    const apart = card.left >= ring.right || ring.left >= card.right || card.top >= ring.bottom || ring.top >= card.bottom;
    const seen = card.left >= 0 && card.top >= 0 && card.right <= innerWidth && card.bottom <= innerHeight;
    return ring.width > 8 && apart && seen;
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
    page = visit(storage_state=None)
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
