"""Networks side by side in the lab: put beside each other, switched, trained on, taken along, watched from a phone."""

from __future__ import annotations

import pytest
from experiments import four, small, unlike_four
from pages import PHONE, LabPage
from playwright.sync_api import expect

from skipviz.network import edit

WHOLE = """() => [".sv-sentence-line", ".sv-buttons"].map((part) => document.querySelector(part))
    .every((node) => node.scrollWidth <= node.clientWidth)"""
"""Whether nothing of the sentence is cut and nothing beside Start sticks out."""
TABS = """() => [...document.querySelectorAll(".sv-variant-name")].map((node) => node.getBoundingClientRect().toJSON())"""
WHOLE_NAMES = """() => [...document.querySelectorAll(".sv-variant-name")]
    .every((node) => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight)"""
SMALL = """() => [...document.querySelectorAll(".sv-variant-name, .sv-columns .sv-head-button, .sv-time")].filter((node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return [-11, 11].some((off) => !node.contains(document.elementFromPoint(x + width / 2, y + height / 2 + off)));
}).map((node) => node.className)"""
"""What a finger misses by 11 px."""


CUT = """() => [...document.querySelectorAll(".sv-sentence-line, .sv-sentence-why, .sv-differs, .sv-columns-bars-head .sv-quiet")]
    .filter((node) => node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)
    .map((node) => node.textContent)"""
"""What of the words over the networks is cut off."""
TICKS = """() => [...document.querySelectorAll(".sv-columns-bars .xtick text")]
    .map((tick) => tick.getBoundingClientRect()).sort((a, b) => a.left - b.left)
    .filter((tick, at, all) => at && tick.left < all[at - 1].right).length"""
"""How many numbers of the axis lie over others."""
LONE = """() => [...document.querySelectorAll(".sv-curves-card .sv-explain")].filter((mark) => {
    const range = document.createRange();
    range.setStart(mark.closest(".sv-title"), 0);
    range.setEndBefore(mark);
    const last = [...range.getClientRects()].filter((word) => word.width > 1).at(-1);
    return last.bottom < mark.getBoundingClientRect().top + 4;
}).length"""
"""How many marks that explain begin a line, without the words they explain."""
CROSSED = """() => {
    const right = (node) => node.getBoundingClientRect().right;
    const bars = document.querySelector(".sv-columns-bars").getBoundingClientRect();
    const hosts = [...document.querySelectorAll(".sv-column-body > .sv-diagram-host")].filter((host) => right(host) <= bars.right);
    return Math.max(...hosts.flatMap((host) => [host, ...host.querySelectorAll("text")]).map(right)) - bars.left;
}"""
"""How far what is drawn of the networks at their left reaches into the bars, px."""


class Comparison:
    """A lab that shows several networks."""

    def __init__(self, lab: LabPage) -> None:
        self.lab, self.page = lab, lab.page
        self.heads = lab.page.locator(".sv-variant-head")
        self.names = lab.page.locator(".sv-variant-name")
        self.drawings = lab.page.locator(".sv-column-body .sv-diagram-host")

    def put_beside(self, words: str) -> None:
        """Choose `words` in the menu of the button Compare."""
        count = max(1, self.heads.count())
        self.page.get_by_role("button", name="Compare", exact=True).click()
        self.page.locator(".sv-compare-menu").get_by_role("button", name=words).click()
        expect(self.heads).to_have_count(count + 1)
        self.lab.settle()

    def is_off(self, place: int, skip: str) -> bool:
        """Return whether a skip of one network is drawn as one that is off."""
        return "off" in self.drawings.nth(place).locator(f'[data-skip="{skip}"]').get_attribute("class").split()

    def switch(self, place: int, skip: str) -> None:
        """Switch a skip of one network by keyboard."""
        self.drawings.nth(place).locator(f'[data-skip="{skip}"]').focus()
        self.page.keyboard.press("Space")


@pytest.mark.parametrize("depth", [24, 300])
def test_four_networks_say_what_sets_them_apart_and_stand_with_their_bars_on_the_screen(kept, depth):
    kept.drop(unlike_four(depth))
    several = Comparison(kept)
    scroll, bars = (kept.page.locator(f".sv-columns {part}") for part in (".sv-column-scroll", ".sv-bars"))
    for width in (1024, 1280, 1440):
        kept.page.set_viewport_size({"width": width, "height": 900})
        kept.until(lambda: scroll.evaluate("node => node.clientWidth && node.scrollWidth <= node.clientWidth + 1"))
        kept.until(lambda: kept.page.evaluate(CUT) == [])
        assert kept.page.evaluate(CROSSED) <= 0
        assert (kept.page.evaluate(TICKS), kept.page.evaluate(LONE)) == (0, 0)
        assert bars.bounding_box()["width"] >= 95
    expect(several.heads.last).to_contain_text("activation tanh instead of ReLU, init He instead of torch’s")
    expect(kept.page.locator(".sv-columns-bars-head")).not_to_contain_text("no norm", use_inner_text=True)


def test_four_networks_and_their_bars_share_a_narrow_screen_by_scrolling_together(kept):
    kept.put(small(steps=1_000_000, record_every=25))
    several = Comparison(kept)
    for _ in range(3):
        several.put_beside("Duplicate")
    kept.page.set_viewport_size({"width": 1024, "height": 768})
    kept.until(lambda: kept.page.evaluate(WHOLE))
    scroll, head, bars = (
        kept.page.locator(f".sv-columns {part}") for part in (".sv-column-scroll", ".sv-columns-bars-head", ".sv-bars")
    )
    expect(bars.locator(".barlayer .point").first).to_be_attached()
    assert bars.bounding_box()["width"] >= 100
    scroll.evaluate("node => node.scrollTo(node.scrollWidth, 0)")
    whole, words, drawn = (part.bounding_box() for part in (scroll, head, bars))
    for part in (words, drawn):
        assert whole["x"] <= part["x"]
        assert part["x"] + part["width"] <= whole["x"] + whole["width"]
    kept.page.set_viewport_size({"width": 1440, "height": 900})
    several.drawings.first.locator(".box").first.focus()
    kept.page.keyboard.press("p")
    kept.until(lambda: "projector=1" in kept.page.url)
    kept.until(lambda: scroll.evaluate("node => node.scrollWidth <= node.clientWidth + 1"))
    kept.page.keyboard.press("Escape")
    kept.until(lambda: "projector" not in kept.page.url)


def test_a_comparison_is_made_switched_trained_moved_undone_and_found_again(kept):
    experiment = small()
    kept.put(experiment)
    several = Comparison(kept)
    several.put_beside("Without skips")
    assert several.names.all_inner_texts()[1] == "without-skips"
    skips = [skip.id for skip in experiment.network.skips]
    kept.until(lambda: all(several.is_off(1, skip) for skip in skips))
    expect(kept.page.locator(".sv-sentence")).to_contain_text(f"B: the {len(skips)} skips are off; the same weights elsewhere")
    run = kept.start()
    kept.frame_where(lambda frame: frame["step"] >= 2)
    several.switch(1, skips[0])
    kept.until(lambda: not several.is_off(1, skips[0]))
    frame = kept.event_frame()
    expect(kept.page.locator(".sv-legend .sv-key.tick")).to_be_hidden()  # a comparison draws no values before an event
    assert [event["variant"] for event in frame["events"]] == ["without-skips"]
    assert not several.is_off(0, skips[0])
    kept.until(lambda: [skip.on for skip in kept.experiment().variants["without-skips"].skips] == [True, False])
    expect(kept.page.get_by_text("Network B", exact=True)).to_be_visible()
    bars = kept.page.locator(".sv-columns .sv-bars .barlayer .point path").evaluate_all(
        "(paths) => paths.flatMap((path) => path.getAttribute('d').match(/M/g) ?? []).length"  # those of one colour are one path
    )
    assert bars >= 2 * experiment.network.depth
    kept.press("Pause")
    tinted = several.drawings.nth(1).locator(".unlike-layer rect")
    expect(tinted).to_have_count(1)
    expect(several.heads.nth(1)).to_contain_text(f"skip {experiment.network.skips[1].source}→")
    kept.page.locator(".sv-time").fill("0")
    expect(tinted).to_have_count(2)
    expect(several.heads.nth(1)).to_contain_text(f"the {len(skips)} skips are off")
    several.drawings.nth(1).locator(f'[data-skip="{skips[0]}"]').focus()
    expect(kept.page.get_by_role("tooltip").filter(has_text="Off: it has no part")).to_contain_text("Click: on")
    kept.page.locator(".sv-time").press("End")
    several.heads.nth(1).get_by_role("button", name="What can be done to this network").click()
    several.heads.nth(1).get_by_role("button", name="Move to the left").click()
    expect(several.names.first).to_have_text("without-skips")
    several.heads.nth(1).get_by_role("button", name="What can be done to this network").click()
    several.heads.nth(1).get_by_role("button", name="Rename").click()
    several.heads.nth(1).get_by_label("Name of this network").fill("With skips")
    several.heads.nth(1).get_by_label("Name of this network").press("Enter")
    kept.until(lambda: kept.experiment().labels == {"network": "With skips"})
    expect(several.names.nth(1)).to_have_text("With skips")
    assert kept.run() == run
    kept.undo.click()
    expect(several.names.nth(1)).to_have_text("network")
    assert kept.run() == run
    kept.page.reload()
    kept.ready()
    expect(several.heads).to_have_count(2)
    assert kept.run() == run
    kept.undo.click()
    expect(several.names.nth(1)).to_have_text("without-skips")
    several.heads.nth(1).get_by_role("button", name="What can be done to this network").click()
    several.heads.nth(1).get_by_role("button", name="Remove").click()
    expect(several.heads).to_have_count(0)
    expect(kept.toast).to_contain_text("Your run")
    assert edit.switch_all(kept.experiment().network, True) == edit.switch_all(experiment.network, True)


def test_a_comparison_is_started_by_the_second_button_and_watched_on_a_phone_one_network_at_a_time(kept, visit):
    kept.put(small())
    kept.page.get_by_role("button", name="Compare without skips").click()
    several = Comparison(kept)
    expect(several.heads).to_have_count(2)
    run = kept.run()
    kept.frame_where(lambda frame: len(frame["variants"]) == 2)
    phone = LabPage(visit(viewport=PHONE, is_mobile=True, has_touch=True))
    phone.page.goto(f"lab?run={run}")
    watched = Comparison(phone)
    expect(watched.heads).to_have_count(2)
    expect(watched.drawings.nth(0)).to_be_visible()
    expect(watched.drawings.nth(1)).to_be_hidden()
    watched.names.nth(1).tap()
    expect(watched.drawings.nth(1)).to_be_visible()
    expect(watched.drawings.nth(0)).to_be_hidden()
    skip = small().network.skips[0].id
    several.switch(0, skip)
    phone.until(lambda: watched.is_off(0, skip))
    assert watched.is_off(1, skip)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_phone_has_four_networks_as_tabs_in_one_line_and_what_differs_under_them(pocket):
    pocket.drop(four())
    several = Comparison(pocket)
    expect(several.heads).to_have_count(4)
    for place in (0, 3):
        several.names.nth(place).tap()
        expect(several.drawings.nth(place)).to_be_visible()
        pocket.until(lambda place=place: several.names.nth(place).evaluate("name => name.scrollWidth <= name.clientWidth"))
        tabs = pocket.page.evaluate(TABS)
        assert max(tab["top"] for tab in tabs) - min(tab["top"] for tab in tabs) <= 2
        assert several.heads.nth(place).locator(".sv-differs").bounding_box()["width"] >= 300
        pocket.until(lambda: pocket.page.evaluate(SMALL) == [])


@pytest.mark.parametrize("count", [2, 4])
def test_names_that_end_unlike_are_read_whole_on_the_tabs_of_a_phone(pocket, count):
    names = [f"with-skips-and-layer-norm-seed{k}" for k in range(count)]
    pocket.drop(small().replaced(variants={name: small().network for name in names}))
    tabs = Comparison(pocket).names
    expect(tabs).to_have_text(names)
    pocket.until(lambda: pocket.page.evaluate(WHOLE_NAMES))
    tabs.last.tap()
    expect(pocket.page.locator("[data-chosen=true] .sv-variant-name")).to_have_text(names[-1])
    pocket.until(lambda: pocket.page.evaluate(WHOLE_NAMES) and pocket.page.evaluate(SMALL) == [])
    pocket.page.get_by_role("button", name="What can be done to this network").tap()
    for words in ("Rename", "Move to the left"):
        expect(pocket.page.get_by_role("button", name=words)).to_be_in_viewport(ratio=1)
