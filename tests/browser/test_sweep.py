"""The page of sweeps: cells fill while they are computed, a press or Enter opens one in the lab, a stop and a resumption."""

import re

from pages import PHONE, wait_until
from playwright.sync_api import expect

FIRST, VALUES = "First field", "Values of the first field, with commas between"


def begun(page, values: str, steps: int):
    """Start a sweep over depth and skips, and return the page's cells."""
    page.get_by_label(VALUES).fill(values)
    page.get_by_label("Steps of each cell").fill(str(steps))
    page.get_by_role("button", name="Start", exact=True).click()
    return page.locator(".sv-sweep-grid button")


def test_cells_fill_are_read_out_and_open_in_the_lab(visit):
    page = visit()
    page.goto("sweep")
    expect(page.get_by_text("No sweep yet")).to_be_visible()
    expect(page.get_by_label(FIRST, exact=True)).to_have_value("depth")
    cells = begun(page, "2, 6", 20)
    expect(cells).to_have_count(4)
    state = page.locator(".sv-sweep-head [role=status]")
    expect(state).to_have_text(re.compile(r"^Finished: 4 of 4 cells, in [\d.]+ s\.$"))
    expect(cells.nth(1)).to_have_attribute("aria-label", re.compile(r"^Depth 6, Skips off: 0\.\d+$"))
    page.get_by_label("Quantity").select_option("ratio_init")
    expect(page.locator(".sv-sweep-whole")).to_contain_text("by powers of ten")
    assert page.locator(".sv-sweep-cells .heatmaplayer image").count() == 1
    assert page.locator(".sv-sweep-lines .scatterlayer .trace").count() == 2
    page.set_viewport_size({"width": 1024, "height": 768})
    wait_until(page, lambda: page.locator(".sv-sweep-rows").evaluate("rows => rows.scrollWidth <= rows.clientWidth"))
    cells.nth(0).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("Depth 2, Skips off")
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV").click()
    assert table.value.path().read_text().startswith("cell,depth,skips,final_loss,")
    cells.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".sv-summary")).to_contain_text("6 layers")
    page.get_by_role("link", name="Sweep", exact=True).click()
    expect(cells).to_have_count(4)


def test_a_sweep_is_stopped_resumed_and_found_again_on_a_phone_too(visit):
    page = visit(viewport=PHONE)
    page.goto("sweep")
    begun(page, "1, 200", 400)
    done = page.locator(".sv-sweep-table tbody tr.finished")
    wait_until(page, lambda: done.count() >= 2)
    page.get_by_role("button", name="Stop", exact=True).click()
    state = page.locator(".sv-sweep-head [role=status]")
    expect(state).to_have_text("Stopped at 2 of 4 cells.")
    page.reload()
    expect(page.get_by_label(VALUES)).to_have_value("1, 200")
    expect(page.get_by_label("Steps of each cell")).to_have_value("400")
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text(re.compile(r"^Computes: 2 of 4 cells"))
    assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(state).to_have_text("Stopped at 2 of 4 cells.")
