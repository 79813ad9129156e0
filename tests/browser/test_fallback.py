"""Where a host passes Streamlit's own paths only: frames come as the page's data, and every control still acts."""

from __future__ import annotations

import json
import re

import pytest
from blocked import cut_off
from experiments import small
from pages import FigurePage, LabPage, titles, wait_until
from playwright.sync_api import expect

from skipviz import experiment_from_json
from skipviz.sharing import link


def test_with_our_routes_blocked_the_lab_trains_is_steered_and_finds_its_run_again(page):
    lab = LabPage(cut_off(page))
    page.goto(f"lab?x={link.encode(small())}")
    expect(page.get_by_text("live numbers and files come through it")).to_be_visible()
    run = lab.ready().start()
    lab.wait_for_step(20)
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


def test_with_our_routes_blocked_the_figure_trains_and_a_click_switches_a_skip(page):
    figure = FigurePage(cut_off(page)).open()
    figure.press("Start")
    figure.wait_for_step(5)
    figure.expect_running()
    panel = figure.panel("right")
    panel.locator("[data-skip]").first.press("Space")
    expect(panel.locator(".skip.off")).not_to_have_count(0)


@pytest.fixture
def panel_of():
    """A function that opens the export panel of a lab."""

    def opened(lab):
        lab.page.get_by_role("button", name="Export", exact=True).click()
        return lab.page.get_by_role("dialog", name="Export")

    return opened


def test_with_our_routes_blocked_files_come_through_the_page_as_the_routes_give_them(page, panel_of, tmp_path):
    lab = LabPage(cut_off(page)).open(small(steps=30))
    expect(page.locator("html")).to_have_attribute("data-sv-reach", "blocked")
    panel = panel_of(lab)
    with page.expect_download() as given:
        panel.get_by_text("JSON", exact=True).click()
    assert experiment_from_json(given.value.path().read_bytes()) == lab.experiment()
    page.keyboard.press("Escape")
    lab.set_speed(9)
    run = lab.start()
    lab.expect_state("Finished")
    panel = panel_of(lab)
    expect(panel.locator("code")).to_be_hidden()
    for words, suffix in (("CSV", "csv"), ("Parquet", "parquet"), ("PyTorch script", "py"), ("Replay, one HTML file", "html")):
        with page.expect_download() as given:
            panel.get_by_text(words, exact=True).click()
        name = given.value.suggested_filename
        assert name.endswith(f"-{run}.{suffix}")
        expect(panel.get_by_role("status")).to_have_text(f"Saved as {name}.")
        answer = page.request.get(f"skipviz/runs/{run}.{suffix}")
        assert f'filename="{name}"' in answer.headers["content-disposition"]
        assert given.value.path().read_bytes() == answer.body()


def test_with_our_routes_blocked_two_runs_go_on_side_by_side_and_my_runs_obey(page):
    body = {"experiment": json.loads(small(steps=5000).to_json()), "speed": 20}
    page.goto("runs")
    expect(page.locator(".sv-runs-empty")).to_be_visible()
    runs = [page.request.post("skipviz/runs", data=body).json()["run"] for _ in range(2)]
    cut_off(page)
    page.goto(f"compare?runs={','.join(runs)}")
    expect(page.get_by_text("live numbers and files come through it")).to_be_visible()
    shown = page.locator(".sv-pair-step").first
    page.wait_for_function("() => /step [1-9]/.test(document.querySelector('.sv-pair-step')?.textContent)")
    before = shown.inner_text()
    expect(shown).not_to_have_text(before)
    for run in runs:
        page.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"})
    page.goto("runs")
    rows = page.locator(".sv-run:visible")
    expect(rows).to_have_count(2)
    expect(page.locator(".sv-run .sv-state", has_text="Stopped")).to_have_count(2)
    expect(page.locator(".sv-run svg")).not_to_have_count(0)
    first = page.locator(f'.sv-run[data-run="{runs[0]}"]')
    first.locator(".sv-run-title").click()
    field = first.get_by_label("New name of this run")
    field.fill("through the page")
    field.press("Enter")
    expect(first.locator(".sv-run-title")).to_have_text("through the page")
    wait_until(page, lambda: titles(page)[runs[0]] == "through the page")
    page.reload()
    expect(first.locator(".sv-run-title")).to_have_text("through the page")
    first.get_by_role("button", name=re.compile("Delete")).click()
    expect(rows).to_have_count(1)
    page.locator(".sv-undo-toast").get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    first.get_by_role("button", name=re.compile("Delete")).click()
    expect(rows).to_have_count(1)
    expect(page.locator(".sv-undo-toast")).to_be_hidden()
    wait_until(page, lambda: runs[0] not in titles(page))
    page.reload()
    expect(rows).to_have_count(1)
    assert page.request.get(f"skipviz/runs/{runs[0]}").status == 404
