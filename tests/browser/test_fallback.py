"""Where a host passes Streamlit's own paths only: frames come as the page's data, and every control still acts."""

from __future__ import annotations

import re

from experiments import small
from pages import FigurePage, LabPage
from playwright.sync_api import expect

from skipviz.web import bundle


def _cut_off(page):
    """Block our routes; plotly.js comes from its public address, here out of the installed package."""
    page.route("**/skipviz/**", lambda route: route.abort())
    headers = {"access-control-allow-origin": "*"}
    script = bundle.plotly_file().read_bytes()
    page.route("https://cdn.plot.ly/**", lambda route: route.fulfill(body=script, content_type="text/javascript", headers=headers))
    return page


def test_with_our_routes_blocked_the_lab_trains_is_steered_and_finds_its_run_again(page):
    lab = LabPage(_cut_off(page)).open(small())
    run = lab.start()
    lab.wait_for_step(20)
    expect(page.get_by_text("live numbers come through it")).to_be_visible()
    lab.click_skip("s1-3")
    assert lab.event_frame()["events"][0]["ids"] == ["s1-3"]
    expect(lab.marks).to_have_count(1)
    lab.set_speed(3)
    lab.press("Pause")
    lab.until(lambda: lab.data(run)["state"] == "paused")
    assert lab.data(run)["speed"] == 10
    step = lab.data(run)["step"]
    page.get_by_label("One step").click()
    lab.until(lambda: lab.data(run)["step"] == step + 1)
    lab.wait_for_step(step)
    page.reload()
    lab.ready().expect_state("Paused")
    lab.wait_for_step(step)
    expect(lab.marks).to_have_count(1)
    lab.press("Resume")
    lab.wait_for_step(step + 5)
    lab.press("Pause")
    lab.until(lambda: lab.data(run)["state"] == "paused")
    frames = [frame["step"] for frame in lab.frames(run)]
    assert frames == sorted(set(frames))


def test_with_our_routes_blocked_a_follower_goes_along(visit):
    owner = LabPage(visit()).open(small())
    owner.page.get_by_role("button", name="Share", exact=True).click()
    owner.page.locator(".sv-kinds label", has_text="Classroom").click()
    owner.page.get_by_role("button", name="Open a classroom").click()
    field = owner.page.get_by_label("Link to this classroom")
    owner.until(lambda: "follow=" in field.input_value())
    page = _cut_off(visit())
    page.goto(field.input_value())
    follower = LabPage(page).ready()
    owner.page.keyboard.press("Escape")
    owner.start()
    follower.wait_for_step(5)
    owner.plain.click()
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(2)


def test_with_our_routes_blocked_the_figure_trains_and_a_click_switches_a_skip(page):
    figure = FigurePage(_cut_off(page)).open()
    figure.press("Start")
    figure.wait_for_step(5)
    figure.expect_state(re.compile("Running"))
    panel = figure.panel("right")
    panel.locator("[data-skip]").first.press("Space")
    expect(panel.locator(".skip.off")).not_to_have_count(0)
