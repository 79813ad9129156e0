"""My runs and side by side, as two browsers see them."""

from __future__ import annotations

import json
import math
import re

import pytest
from blocked import block
from experiments import small, values
from pages import PHONE, LabPage, titles, wait_until
from playwright.sync_api import expect

from skipviz.network import edit

ENDED = ("finished", "stopped", "diverged", "failed")


class RunsPage:
    """The list of one's own runs."""

    def __init__(self, page) -> None:
        self.page = page
        self.rows = page.locator(".sv-run:visible")
        self.undo = page.locator(".sv-undo-toast").get_by_role("button", name="Undo")
        self.compare = page.get_by_role("button", name="Compare side by side")

    def open(self):
        self.page.goto("runs")
        expect(self.page.locator(".sv-runs-keeping")).to_contain_text("kept")
        return self

    def train(self, *experiments, wait: bool = True, before: int = 0) -> list[str]:
        """Start runs as this browser, one after the other, and return their ids, the page open; `before` were there before."""
        runs = self.begin(*experiments, wait=wait)
        self.open()
        expect(self.rows).to_have_count(before + len(runs))
        return runs

    def begin(self, *experiments, wait: bool = True) -> list[str]:
        """Start runs as this browser, one after the other, and return their ids; no page need be open."""
        self.page.request.get("", headers={"accept": "text/html"})
        runs = []
        for experiment in experiments:
            data = {"experiment": json.loads(experiment.to_json()), "speed": None if wait else 50}
            answer = self.page.request.post("skipviz/runs", data=data)
            assert answer.ok, answer.text()
            runs.append(answer.json()["run"])
            if wait:
                self.until(lambda: self.state(runs[-1]) in ENDED)
        return runs

    def until(self, condition) -> None:
        wait_until(self.page, condition)

    def state(self, run: str) -> str | None:
        """Return a run's state, or None where it is gone."""
        answer = self.page.request.get(f"skipviz/runs/{run}")
        return answer.json()["state"] if answer.ok else None

    def row(self, run: str):
        return self.page.locator(f'.sv-run[data-run="{run}"]')

    def title(self, run: str):
        return self.row(run).locator(".sv-run-title")

    def rename(self, run: str, text: str, key: str = "Enter") -> None:
        self.title(run).click()
        field = self.row(run).get_by_label("New name of this run")
        expect(field).to_be_focused()
        field.fill(text)
        field.press(key)


@pytest.fixture
def runs(visit):
    """My runs in a browser of its own."""
    return RunsPage(visit())


def test_a_newcomer_is_shown_the_way_to_the_lab_and_a_runs_name_is_written_in_place_and_lasts(runs):
    page = runs.open().page
    page.get_by_role("button", name="Train one in the lab").click()
    LabPage(page).ready()
    first, second = runs.begin(small(steps=40), small(steps=40, depth=4))
    page.get_by_role("link", name="My runs").click()
    expect(runs.rows).to_have_count(2)
    expect(runs.row(first).locator(".sv-history path")).to_have_count(1)
    expect(runs.row(second).locator(".sv-thumbnail")).to_be_visible()
    runs.rename(first, "Kept by Enter")
    runs.rename(second, "Lost by Escape", "Escape")
    expect(runs.title(first)).to_have_text("Kept by Enter")
    expect(runs.title(second)).to_have_text("Two spirals, 4 layers")
    runs.rename(second, "<img src=x onerror=alert(1)> 🦊 " + "x" * 1000)
    expect(runs.title(second)).to_contain_text("<img src=x onerror=alert(1)> 🦊 xxx")
    expect(runs.row(second).locator("img")).to_have_count(0)
    runs.until(lambda: titles(page)[second].startswith("<img") and titles(page)[first] == "Kept by Enter")
    page.reload()
    expect(runs.title(first)).to_have_text("Kept by Enter")
    expect(runs.title(second)).to_contain_text("<img src=x onerror=alert(1)> 🦊 xxx")
    page.get_by_label("Search my runs").fill("enter")
    expect(runs.rows).to_have_count(1)
    runs.row(first).get_by_role("link", name="Open").click()
    assert LabPage(page).ready().run() == first


def test_a_run_moves_in_the_list_and_a_deletion_can_be_called_back_and_else_is_done(runs):
    kept, gone = runs.begin(small(steps=20), small(steps=20))
    (going,) = runs.train(small(steps=100_000, record_every=10), wait=False, before=2)
    steps = runs.row(going).locator(".sv-run-state > span").nth(1)
    before = steps.inner_text()
    expect(runs.row(going).locator(".sv-state")).to_have_text("Running")
    expect(steps).not_to_have_text(before)
    runs.rename(going, "Renamed while it runs")
    expect(runs.title(going)).to_have_text("Renamed while it runs")

    runs.row(gone).get_by_label("Delete").click()
    expect(runs.rows).to_have_count(2)
    runs.undo.click()
    expect(runs.rows).to_have_count(3)
    expect(runs.title(gone)).to_be_focused()
    runs.row(kept).get_by_label("Delete").click()
    expect(runs.row(kept)).to_have_count(0)
    runs.open()
    expect(runs.row(kept)).to_be_visible()
    runs.row(gone).get_by_label("Delete").click()
    runs.until(lambda: runs.state(gone) is None)
    expect(runs.page.locator(".sv-undo-toast")).to_be_hidden()

    block(runs.page, "*/skipviz/cards?*")
    runs.open()
    expect(runs.rows).to_have_count(2)
    assert runs.state(kept) == "finished"
    expect(runs.row(kept).locator(".sv-history path"), "where our routes are cut off, too").to_have_count(1)


PLACES = """() => {
    const hosts = [...document.querySelectorAll(".sv-column-body .sv-diagram-host")];
    const [left, right] = hosts.map((host) => host.getBoundingClientRect());
    return [left.top === right.top, left.right < right.left];
}"""
"""Whether both columns begin at the same height, one beside the other."""


def test_two_runs_stand_under_one_slider_with_the_numbers_of_its_step(runs):
    experiment = small(steps=200, depth=6)
    plain = experiment.with_network(edit.switch_all(experiment.network, False)).replaced(
        training=experiment.training.replaced(learning_rate=0.01)
    )
    ids = runs.train(plain, experiment)
    page = runs.page
    for run in ids:
        runs.row(run).get_by_role("checkbox").check()
    runs.compare.click()
    columns = page.locator(".sv-pair-column")
    bars, drawn = page.locator(".sv-column-body .sv-bars"), page.locator(".sv-column-body .sv-diagram-host")
    expect(bars.locator(".main-svg").first).to_be_visible()
    expect(page.locator(".sv-aparts")).to_have_text("learning rate 0.01 / 0.001all 2 skips off / on")
    expect(page.get_by_label("Step shown")).to_have_count(1)
    page.get_by_label("Step shown").fill("120")
    for side, run in enumerate(ids):
        frame = next(one for one in page.request.get(f"skipviz/runs/{run}").json()["frames"] if one["step"] == 120)
        expect(columns.nth(side).locator(".sv-pair-step")).to_have_text("step 120")
        shown = columns.nth(side).locator(".sv-pair-numbers strong").first
        assert _number(shown.inner_text()) == pytest.approx(values(frame)["loss"], rel=0.01, abs=0.0006)
        # Of each network the last box's number and the first one's.
        first = bars.locator(".textpoint text").nth(2 * side + 1).text_content()
        assert _number(first) == pytest.approx(values(frame)["weight_grad"][0], rel=0.06, abs=0.0006)
        off = drawn.nth(side).locator("svg.sv-diagram .skip.off")
        expect(off).to_have_count(2 if run == ids[0] else 0)
        words = "0 of 2 skips on" if run == ids[0] else "2 skips"
        expect(columns.nth(side).locator(".sv-pair-head p")).to_contain_text(f"6 layers · {words} ·")
    for places in (columns.locator(".sv-letter"), page.locator(".sv-variant-line > .sv-letter")):
        expect(places).to_have_text(["A", "B"])
    expect(page.locator(".sv-variant-name")).to_have_text(["Two spirals, 6 layers"] * 2)
    expect(page.locator(".sv-plot-loss .main-svg, .sv-of-variant .sv-plot-heatmap .main-svg").first).to_be_visible()
    for width in (1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        wait_until(page, lambda: page.evaluate(PLACES) == [True, True])


INTO = """() => [...document.querySelectorAll(".sv-run > :is(.sv-run-numbers, .sv-run-state, .sv-run-when)")]
    .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"""
"""What of a row reaches out of its column."""


def test_rows_keep_their_numbers_apart_and_are_picked_by_a_finger(visit):
    runs = RunsPage(visit(is_mobile=True, has_touch=True))
    page = runs.page
    runs.train(small(steps=1200, record_every=1199))
    expect(runs.rows.locator(".sv-run-numbers")).to_contain_text("at step 1199")
    for width in (1440, 1280, 1100, 800, 390):
        page.set_viewport_size({"width": width, "height": 844})
        wait_until(page, lambda: page.evaluate(INTO) == [])
    pick = runs.rows.locator(".sv-run-pick")
    assert min(pick.bounding_box()[side] for side in ("width", "height")) >= 40
    assert min(pick.locator("input").bounding_box()[side] for side in ("width", "height")) >= 24
    box = pick.bounding_box()
    page.touchscreen.tap(box["x"] + 6, box["y"] + 34)
    expect(pick.locator("input")).to_be_checked()


def test_two_equal_runs_are_said_to_be_equal_from_the_first_letter_on(runs):
    ids = runs.train(small(steps=20), small(steps=20))
    page = runs.page
    page.goto(f"compare?runs={','.join(ids)}")
    words = page.locator(".sv-aparts")
    expect(words).to_contain_text("The same experiment")
    assert words.bounding_box()["x"] >= page.locator(".sv-compare h1").bounding_box()["x"]


def _number(text: str) -> float:
    """Return a number as the page writes it: `0.116` or `4.5·10⁻¹¹`."""
    mantissa, _, power = text.partition("·10")
    raised = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return float(mantissa) * math.pow(10, int(raised or 0))


def test_another_browser_sees_none_of_it_but_may_follow_a_link_to_both(visit):
    mine = RunsPage(visit())
    still, going = mine.begin(small(steps=30), small(steps=100_000), wait=False)
    mine.until(lambda: mine.state(still) in ENDED)
    theirs = RunsPage(visit())
    theirs.open()
    expect(theirs.page.locator(".sv-runs-empty:visible")).to_be_visible()
    expect(theirs.rows).to_have_count(0)
    theirs.page.goto(f"compare?runs={still},{going}")
    step = theirs.page.locator(".sv-pair-slider .sv-step")
    columns = theirs.page.locator(".sv-pair-column")
    expect(theirs.page.locator(".sv-column-body .sv-bars .main-svg").first).to_be_visible()
    before = int(step.inner_text())
    theirs.until(lambda: int(step.inner_text()) > before)
    expect(columns.first.locator(".sv-pair-step")).to_have_text(re.compile(r"step 29, its last"))
    answer = mine.page.request.post(f"skipviz/runs/{going}/events", data={"kind": "skip", "ids": ["s1-3"], "on": False})
    assert answer.ok
    expect(theirs.page.locator(".sv-aparts")).to_contain_text(re.compile(r"while training nothing / 1→3 off at \d+"))
    expect(theirs.page.locator(".sv-column-body .sv-diagram-host").nth(1).locator(".skip.off")).to_have_count(1)
    expect(columns.nth(1).locator(".sv-pair-head p")).to_contain_text("skips on")

    theirs.page.set_viewport_size(PHONE)
    theirs.page.locator(".sv-heatmaps-card").scroll_into_view_if_needed()
    expect(theirs.page.get_by_label("Step shown")).to_be_in_viewport()
    theirs.until(lambda: theirs.page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"])
    cut = "line => line.textContent && line.scrollWidth <= line.clientWidth && line.scrollHeight <= line.clientHeight + 1"
    theirs.until(lambda: theirs.page.locator(".sv-sentence .sv-sentence-line").evaluate(cut))
