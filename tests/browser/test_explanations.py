"""The "?" at every heading, under a finger and by keys: large enough, open with its text, closed by Escape, focus back."""

from __future__ import annotations

from experiments import small
from playwright.sync_api import expect

BOXES = """buttons => buttons.filter((one) => one.checkVisibility()).map((one) => {
    const { width, height } = one.getBoundingClientRect();
    return [one.ariaLabel, Math.min(width, height)];
})"""
INSIDE = """card => {
    const { left, top, right, bottom } = card.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}"""


def _button(page, title: str):
    return page.get_by_role("button", name=f"Explain: {title}", exact=True)


def test_each_heading_explains_itself_by_keys_and_escape_leads_back(kept):
    lab, page = kept, kept.page
    lab.put(small(steps=20, record_every=1))
    lab.set_speed(9)
    lab.start()
    lab.expect_state("Finished")
    lab.click_skip("s1-3")
    card = page.get_by_role("dialog")
    titles = (
        "Gain",
        "Share at fork",
        "Update ÷ weight",
        "Gradient, layer × step",
        "Loss",
        "Held-out metric",
        "Whole gradient",
        "Skip",
    )
    for title in titles:
        _button(page, title).focus()
        page.keyboard.press("Enter")
        expect(card).to_have_accessible_name(title)
        expect(card).to_be_focused()
        expect(card.locator(".sv-formula")).not_to_be_empty()
        assert card.evaluate(INSIDE)
        page.keyboard.press("Escape")
        expect(card).to_have_count(0)
        expect(_button(page, title)).to_be_focused()
    expect(lab.inspector).to_contain_text("h(1) → h(3)")  # Escape closed the card only
    page.get_by_role("button", name="Weight gradient").click()
    page.get_by_label("states ‖∂L/∂h‖").check()
    _button(page, "Hollow bars").and_(page.locator(".sv-menu *")).click()
    expect(card).to_have_accessible_name("Hollow bars")
    page.keyboard.press("Escape")
    _button(page, "Gradient in the bars").click()
    expect(card).to_have_accessible_name("State gradient")
    page.keyboard.press("Escape")
    weights = page.get_by_label("weights ‖∂L/∂θ‖")
    if not weights.is_visible():
        page.locator(".sv-head-button").click()
    weights.check()
    assert [name for name, least in page.locator(".sv-explain").evaluate_all(BOXES) if least < 24] == []


def test_the_whole_gradient_is_folded_until_it_is_clipped_or_asked_for(kept):
    whole = kept.page.locator(".sv-plot-total")
    kept.put(small(clip_norm=0.5, steps=20, record_every=1))
    kept.set_speed(9)
    kept.start()
    expect(whole.locator(".main-svg").first).to_be_visible()
    kept.put(small())
    expect(whole).to_be_hidden()
    kept.page.locator(".sv-whole summary strong").click()
    expect(whole.locator(".main-svg").first).to_be_visible()


def test_a_finger_has_forty_pixels_and_a_tap_elsewhere_closes(pocket):
    phone = pocket.put(small()).page
    boxes = phone.locator(".sv-explain").evaluate_all(BOXES)
    assert len(boxes) >= 8
    assert [name for name, least in boxes if least < 40] == []
    card = phone.get_by_role("dialog")
    for title in ("Gain", "Loss", "Picture"):
        _button(phone, title).tap()
        expect(card).to_have_count(1)
        assert card.evaluate(INSIDE)
    phone.locator(".sv-state").tap(force=True)
    expect(card).to_have_count(0)
