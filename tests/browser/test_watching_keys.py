"""What the keyboard reaches where one only watches, and where a lesson leaves controls out."""

from __future__ import annotations

import pytest
from experiments import small
from pages import PHONE, LabPage
from playwright.sync_api import expect

REACHED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((node) => node.tabIndex >= 0 && !node.disabled && node.getClientRects().length)
    .filter((node) => getComputedStyle(node).visibility !== "hidden")
    .filter((node) => node.closest(".sv-root, [data-testid=stSidebar], [data-testid=stHeader]"))
    .map((node) => node.getAttribute("aria-label") || node.textContent.trim())"""
STEERING = {"Start", "Pause", "Resume", "Restart", "One step", "Stop", "Back to step 0, same seed", "Plain", "Residual"}
STEERING |= {"Undo (Ctrl+Z)", "Redo (Ctrl+Shift+Z)", "Speed, steps a second", "Learning rate"}


def test_a_watcher_reaches_no_control_of_the_run_and_looks_back_until_it_ends(kept, visit):
    owner = kept.put(small(steps=100_000))
    run = owner.start()
    owner.wait_for_step(30)
    page = visit()
    page.goto(f"lab?run={run}")
    watcher = LabPage(page).ready()
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator(".sv-table input").first).to_be_disabled()
    reached = page.evaluate(REACHED)
    assert "Make it mine" in reached
    assert "Step shown" in reached
    assert STEERING & set(reached) == set()
    assert not any(words.startswith(("Layer f", "Skip h")) for words in reached if words.endswith(" on"))
    assert page.locator(".sv-table input:enabled, .sv-table button").count() == 0
    skip = watcher.skip("s1-3")
    expect(skip).to_have_attribute("aria-disabled", "true")
    skip.focus()
    for key in ("Space", "Delete", "Control+z"):
        page.keyboard.press(key)
        expect(watcher.toast).to_contain_text("Make it mine", ignore_case=True)
    watcher.slider.fill("10")
    expect(page.locator(".sv-transport .sv-step")).to_have_text("10")
    watcher.state.click()
    watcher.wait_for_step(owner.step())
    owner.page.get_by_label("Stop").click()
    watcher.expect_state("Stopped")
    expect(page.locator(".sv-watch")).to_contain_text("You are watching a recorded run")
    assert owner.data(run)["events"] == []


@pytest.mark.parametrize(
    ("hide", "gone", "kept"),
    [
        ("setup,edit,speed", {"Undo (Ctrl+Z)", "Speed, steps a second", "Learning rate", "Family", "Depth"}, {"Share", "Table"}),
        ("share,pages,table,columns,heatmap,loss,picture", {"Share", "Export", "Table", "Gallery", "My runs"}, {"Undo (Ctrl+Z)"}),
    ],
)
def test_what_a_lesson_leaves_out_is_reached_by_no_key_and_undo_still_takes_back(visit, hide, gone, kept):
    page = visit()
    lab = LabPage(page).open(small(), hide=hide)
    lab.skip("s1-3").press("Space")
    lab.expect_network(lambda network: not network.skip("s1-3").on)
    kept = kept | {"Start", "Plain", "Residual", "Show all controls"}
    lab.until(lambda: kept <= set(page.evaluate(REACHED)))
    assert gone & set(page.evaluate(REACHED)) == set()
    for part in ("heatmap", "loss", "picture"):
        expect(page.locator(f".sv-{part}-card")).to_be_visible(visible=part not in hide)
    lab.skip("s3-5").focus()
    page.keyboard.press("Control+z")
    lab.expect_network(lambda network: network.skip("s1-3").on)


def test_a_phone_that_reads_a_projectors_code_sees_its_own_view(visit):
    page = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    lab = LabPage(page).open(small(), projector="1")
    expect(page.locator("html")).not_to_have_attribute("data-sv-projector", "")
    lab.until(lambda: page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"])
