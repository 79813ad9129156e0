"""A class on one page: followers see what its owner does, lessons leave controls out, the link's code is large."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from experiments import small
from pages import PHONE, LabPage
from playwright.sync_api import expect

from skipviz.sharing.code import matrix


def _shared(lab: LabPage, kind: str) -> str:
    """Open Share, choose a kind of link, and return it once its code is drawn."""
    page = lab.page
    page.get_by_role("button", name="Share", exact=True).click()
    panel = page.get_by_role("dialog", name="Share")
    panel.locator("label", has_text=kind).first.click()
    if kind == "Classroom":
        panel.get_by_role("button", name="Open a classroom").click()
    expect(panel.locator(".sv-qr")).to_be_visible()
    return panel.locator(".sv-address").input_value()


def test_followers_see_the_owners_toggles_resets_edits_and_next_run(kept, visit):
    owner = kept.put(small())
    address = _shared(owner, "Classroom")
    owner.page.keyboard.press("Escape")
    expect(owner.page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    page = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    page.goto(address)
    follower = LabPage(page).ready()
    line = page.locator(".sv-watch")
    expect(line).to_contain_text("The lesson has not started; this page follows by itself.")
    owner.click_skip("s1-3")
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(1)
    owner.start()
    expect(line).to_contain_text("You are following a live lesson.")
    follower.wait_for_step(owner.step())
    owner.plain.click()
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(2)
    owner.press("Pause")
    follower.expect_state("Paused")
    owner.until(lambda: owner.step() == follower.step())
    owner.layer("f4").focus()
    owner.page.keyboard.press("Delete")
    expect(follower.inspector).to_contain_text("5 layers")
    expect(line).to_contain_text("The lesson goes on: here is its next network, not started yet.")
    owner.press("Start")
    follower.expect_running()
    follower.wait_for_step(5)
    expect(page.locator("svg.sv-diagram [data-layer]")).to_have_count(5)
    owner.page.get_by_role("button", name="Share", exact=True).click()
    owner.page.get_by_role("button", name="End the classroom").click()
    expect(line).to_contain_text("The lesson has ended.")
    line.get_by_role("button", name="Make it mine").tap()
    expect(follower.main).to_have_text("Start")
    follower.expect_network(lambda network: network.depth == 5 and not any(skip.on for skip in network.skips))


def test_a_reloaded_owner_leads_on_and_a_follower_cannot_post(visit):
    owner = LabPage(visit()).open(small())
    address = _shared(owner, "Classroom")
    owner.page.keyboard.press("Escape")
    run = owner.start()
    page = visit()
    page.goto(address)
    follower = LabPage(page).ready()
    follower.wait_for_step(5)
    owner.page.reload()
    owner.ready().expect_running()
    expect(owner.main).to_be_enabled()
    owner.plain.click()
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(2)
    assert page.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"}).status == 403


def test_the_code_drawn_is_the_links_and_fills_the_screen_on_demand(kept):
    lab = kept.put(small())
    address = _shared(lab, "This experiment")
    page = lab.page
    page.get_by_role("button", name="Show it large").click()
    poster = page.get_by_role("dialog", name="The link, large")
    size = poster.locator(".sv-qr").bounding_box()["height"]
    assert size > 0.6 * page.viewport_size["height"]
    drawn = poster.locator(".sv-qr path").evaluate(
        """path => {
            const size = path.ownerSVGElement.viewBox.baseVal.width - 8;
            const inside = (x, y) => path.isPointInFill(new DOMPoint(x + 4.5, y + 4.5));
            return [...Array(size).keys()].map((y) => [...Array(size).keys()].map((x) => Number(inside(x, y))).join(""));
        }"""
    )
    assert drawn == list(matrix(address))
    page.keyboard.press("Escape")
    expect(poster).to_be_hidden()
    expect(page.get_by_role("button", name="Show it large")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Share")).to_be_hidden()


def test_the_copy_button_copies_the_link(kept):
    lab, page = kept.put(small()), kept.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    address = _shared(lab, "This experiment")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == address


def test_a_lessons_link_leaves_groups_out_on_every_page_until_all_are_shown(kept, visit):
    lab = kept.put(small())
    _shared(lab, "This experiment")
    lab.page.get_by_text("A lesson's link").click()
    for words in ("Set-up", "Speed and learning rate", "Gradient over time", "Editing"):
        lab.page.get_by_role("checkbox", name=words).check()
    address = lab.page.locator(".sv-address").input_value()
    page = visit()
    page.goto(address)
    lesson = LabPage(page).ready()
    expect(page.get_by_role("combobox", name="Family")).to_have_count(0)
    expect(page.locator(".sv-sliders")).to_be_hidden()
    expect(page.locator(".sv-heatmap-card.sv-single")).to_be_hidden()
    lesson.layer("f4").click()
    expect(lesson.toast).to_contain_text("Not in this lesson.")
    lesson.click_skip("s1-3")
    lesson.expect_network(lambda network: not network.skip("s1-3").on)
    page.get_by_role("link", name="Gallery").click()
    expect(page.locator(".sv-cards")).to_be_visible()
    lesson.until(lambda: parse_qs(urlsplit(page.url).query).get("hide") == ["setup,speed,edit,heatmap"])
    assert "/gallery" in page.url
    page.get_by_role("link", name="Lab").click()
    lesson.ready()
    page.get_by_role("button", name="Show all controls").first.click()
    expect(page.get_by_role("combobox", name="Family")).to_be_visible()
    expect(page.locator(".sv-heatmap-card.sv-single")).to_be_visible()
    lesson.until(lambda: "hide" not in page.url)
