"""Where a host passes Streamlit's own paths only, for several people: classes, links, copies, files, the pages around the lab."""

from __future__ import annotations

from blocked import cut_off
from experiments import small
from own_data import table_file
from pages import FigurePage, LabPage
from playwright.sync_api import TimeoutError, expect


def test_with_our_routes_blocked_a_class_follows_edits_and_the_next_run_and_makes_it_its_own(visit):
    owner = LabPage(cut_off(visit())).open(small())
    owner.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.page.get_by_role("button", name="Share", exact=True).click()
    owner.page.locator(".sv-kinds label", has_text="Classroom").click()
    owner.page.get_by_role("button", name="Open a classroom").click()
    expect(owner.page.locator(".sv-share-panel .sv-qr")).to_be_visible()
    owner.page.get_by_role("button", name="Copy").click()
    expect(owner.page.get_by_text("Copied.")).to_be_visible()
    address = owner.page.evaluate("() => navigator.clipboard.readText()")
    owner.page.keyboard.press("Escape")
    page = cut_off(visit())
    page.goto(address)
    follower = LabPage(page).ready()
    line = page.locator(".sv-watch")
    expect(line).to_contain_text("The lesson has not started; this page follows by itself.")
    owner.start()
    follower.wait_for_step(5)
    owner.skip("s1-3").press("Enter")
    owner.inspector.get_by_role("slider", name="Strength").fill("0.5")
    expect(page.locator("svg.sv-diagram")).to_contain_text("×0.5")
    owner.layer("f4").press("Delete")
    expect(follower.inspector).to_contain_text("5 layers")
    owner.press("Start")
    follower.expect_running()
    follower.wait_for_step(5)
    owner.page.get_by_role("button", name="Share", exact=True).click()
    owner.page.get_by_role("button", name="End the classroom").click()
    expect(line).to_contain_text("The lesson has ended.")
    line.get_by_role("button", name="Make it mine").click()
    expect(line).to_be_hidden()
    follower.start()
    follower.wait_for_step(5)
    owner.wait_for_step(owner.step() + 5)


def test_with_our_routes_blocked_the_pages_around_the_lab_work_and_a_table_is_read(page):
    figure = FigurePage(cut_off(page)).open()
    expect(figure.state).to_contain_text("Shared run")
    figure.wait_for_step(5)
    page.get_by_role("link", name="Gallery").click()
    page.get_by_label("Search the gallery").fill("300 layers")
    page.locator(".sv-preset:visible").first.click()
    expect(page.locator(".sv-summary")).to_contain_text("300 layers")
    page.goto("lab")
    lab = LabPage(page).ready()
    lab.choose_task("Your own table…")
    file = {"name": "things.csv", "mimeType": "text/csv", "buffer": table_file()}

    def is_read() -> bool:  # one that a rerun of the script finds on its way is given again
        page.locator("input[type=file]").set_input_files(file)
        try:
            page.get_by_text("Tell price from 8 inputs made of things.csv").wait_for(timeout=10_000)
        except TimeoutError:
            return False
        return True

    lab.until(is_read)
    lab.set_speed(9)
    lab.start()
    lab.wait_for_step(20)
