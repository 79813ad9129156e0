"""The page of Figure 4.9: three panels that say something before anything is trained, and train together."""

from __future__ import annotations

import re

from experiments import values
from pages import FigurePage
from playwright.sync_api import expect

HELD = """
    window.held = new Set();
    const { set, ...rest } = Object.getOwnPropertyDescriptor(EventSource.prototype, "onmessage");
    function unlessHeld(listener) {
        set.call(this, (event) => held.has(JSON.parse(event.data).run) || listener(event));
    }
    Object.defineProperty(EventSource.prototype, "onmessage", { ...rest, set: unlessHeld });
"""
"""Keeps from the page what comes of the runs in `held`, as where one's line is slow."""
PANELS = ("left", "center", "right")
STEPS_SHOWN = """
    window.stepsShown = [];
    const look = () => {
        const step = Number(document.querySelector(".sv-transport .sv-step")?.textContent ?? 0);
        if (step !== (stepsShown.at(-1) ?? 0)) stepsShown.push(step);
        requestAnimationFrame(look);
    };
    look();
"""
"""Keeps the steps that a page shows one after the other: its recording may be over before a test looks."""
ONE_BY_ONE = """
    const { set, ...rest } = Object.getOwnPropertyDescriptor(EventSource.prototype, "onmessage");
    let due = 0;
    function later(listener) {
        set.call(this, (event) => {
            due = Math.max(due + 250, performance.now());
            setTimeout(() => listener(event), due - performance.now());
        });
    }
    Object.defineProperty(EventSource.prototype, "onmessage", { ...rest, set: later });
"""
"""Brings a stream's messages to the page a quarter of a second apart, as a slow line may."""


def _drawn(panel, place=".sv-bars") -> dict[str, int]:
    """Return how many numbers each visible trace of the panel's plot holds."""
    return panel.locator(f"{place} .js-plotly-plot").evaluate(
        """plot => Object.fromEntries(
            plot.data.filter((trace) => trace.visible !== false).map((trace) => [trace.meta, trace.y.length])
        )"""
    )


def test_bars_and_the_twins_hollow_ones_stand_beside_every_panel_before_anything_is_trained(figure):
    for name in PANELS:
        for trace in ("bars", "baseline"):
            figure.until(lambda name=name, trace=trace: _drawn(figure.panel(name)).get(trace, 0) >= 4)
        expect(figure.panel(name).locator(".sv-twin")).to_contain_text("Twin without skips")
        expect(figure.panel(name).get_by_role("button", name="Start")).to_be_enabled()


def test_two_visitors_find_the_page_alive_with_one_shared_run_that_neither_controls(figure, visit):
    figure.expect_state(re.compile("Shared run"))
    figure.until(lambda: figure.step() > 0)
    other = FigurePage(visit()).open()
    other.expect_state(re.compile("Shared run"))
    assert other.runs() == figure.runs()
    for page in (figure, other):
        for run in page.runs():
            assert page.run_data(run)["mine"] is False


def test_the_recording_of_the_shared_run_plays_by_itself_and_has_a_time_slider(figure, visit):
    for run in figure.runs():
        figure.until(lambda run=run: figure.run_data(run)["step"] >= 100)
        figure.until(lambda run=run: figure.run_data(run)["state"] == "finished")
    page = visit()
    page.add_init_script(STEPS_SHOWN)
    page.add_init_script(ONE_BY_ONE)
    late = FigurePage(page).open()
    late.expect_state("Shared run, recorded")
    expect(late.panel("left").locator(".sv-whose")).to_contain_text("Recording of the shared run, step")
    late.until(lambda: _drawn(late.panel("right"), ".sv-panel-loss").get("smooth 1", 0) > 5)
    shown = late.until(lambda: len(found := late.page.evaluate("stepsShown")) >= 5 and found)
    assert shown[:5] == sorted(shown[:5])
    assert shown[-1] <= 300
    late.slider.fill("30")
    late.until(lambda: abs(late.step() - 30) <= 3)
    late.page.get_by_label("Play the recording").click()
    late.page.get_by_label("Pause").click()
    late.slider.fill("120")
    late.until(lambda: abs(late.step() - 120) <= 3)
    late.page.get_by_label("Play the recording").click()
    late.until(lambda: late.step() > 140)


def test_start_trains_all_three_panels(figure):
    figure.start_held()
    figure.wait_for_step(10)
    for run in figure.runs():
        assert figure.until(lambda run=run: figure.run_data(run)["step"] >= 5)
    figure.press("Pause")
    for run in figure.runs():
        figure.until(lambda run=run: figure.run_data(run)["state"] in ("paused", "finished"))
    figure.page.get_by_label("Back to step 0, same seed").click()
    figure.expect_state(re.compile("Shared run"))


def test_the_panel_that_is_least_far_speaks_for_all(page):
    page.add_init_script(HELD)
    figure = FigurePage(page).open()
    shared = figure.runs()
    figure.press("Start")
    figure.until(lambda: not set(figure.runs()) & set(shared))
    left, center, _ = figure.runs()
    figure.wait_for_step(5)
    page.evaluate("run => held.add(run)", center)
    behind = figure.step()
    figure.until(lambda: figure.run_data(left)["step"] > behind + 30)
    page.evaluate("run => held.add(run)", left)
    assert behind <= figure.step() <= behind + 10
    figure.expect_running()


def test_each_panel_says_whose_run_it_shows_and_starts_and_pauses_alone(figure):
    left, center = figure.panel("left"), figure.panel("center")
    shared = figure.runs()
    left.get_by_role("button", name="Start").click()
    expect(left.locator(".sv-whose")).to_contain_text(re.compile(r"^Your run: .*step \d+ of 300"))
    own = figure.until(lambda: (runs := figure.runs())[0] != shared[0] and runs)
    assert own[1:] == shared[1:]
    left.get_by_role("button", name="Pause").click()
    expect(left.locator(".sv-whose")).to_contain_text("Your run: paused")
    figure.until(lambda: figure.run_data(own[0])["state"] == "paused")
    assert list(figure.run_data(own[0])["frames"][0]["variants"]) == ["left", "without-skips"]
    whose = center.locator(".sv-whose")
    figure.until(lambda: figure.run_data(own[1])["state"] == "finished" and "step 119" in whose.inner_text())
    expect(whose).to_contain_text(re.compile("Recording of the shared run|Shared run, live"))


def test_what_is_said_of_a_line_moves_with_the_training(figure):
    figure.press("Start")
    figure.panel("left").locator('[data-skip="s2"]').focus()
    said = figure.panel("left").locator(".sv-tooltip")
    expect(said).to_contain_text("gradient back through it")
    before = said.inner_text()
    figure.until(lambda: said.is_visible() and said.inner_text() != before)


def test_the_valve_beside_f5_kills_its_gradient_and_the_layers_below_still_learn(figure):
    left = figure.panel("left")
    left.locator('[data-valve="f5"]').click()
    expect(left.locator('[data-valve="f5"]')).to_have_class(re.compile(r"\bshut\b"))
    figure.expect_running()
    run = figure.runs()[0]
    assert figure.run_data(run)["mine"] is True
    frames = figure.until(lambda: figure.run_data(run)["frames"])
    gradient = values(frames[0])["weight_grad"]
    assert gradient[4] == 0
    assert min(gradient[:3]) > 0
    assert values(frames[0])["loss"] is not None


def test_a_valve_shut_while_it_trains_acts_on_the_running_network(figure):
    figure.start_held()
    figure.expect_running()
    figure.wait_for_step(5)
    figure.panel("left").locator('[data-valve="f5"]').click()
    run = figure.runs()[0]
    frame = figure.until(lambda: next((frame for frame in figure.run_data(run)["frames"] if frame.get("events")), None))
    assert values(frame)["weight_grad"][4] == 0
    assert min(values(frame)["weight_grad"][:3]) > 0


def test_a_click_on_a_red_line_switches_it_and_the_gradient_at_initialisation_follows(figure):
    left = figure.panel("left")
    before = left.locator(".band").evaluate_all("bands => bands.map((band) => band.style.strokeWidth)")
    left.locator('[data-skip="s2"]').focus()
    figure.page.keyboard.press(" ")
    expect(left.locator(".skip.off")).to_have_count(1)
    figure.until(lambda: left.locator(".band").evaluate_all("bands => bands.map((band) => band.style.strokeWidth)") != before)


def test_the_right_panel_repeats_more_often_and_unfolds(figure):
    right = figure.panel("right")
    expect(right.locator("output")).to_have_text("×6")
    boxes = right.locator("svg.sv-diagram [data-layer]")
    expect(boxes).to_have_count(4)
    assert len(boxes.first.get_attribute("data-layer").split()) == 6
    right.get_by_label("Repeat more times").click()
    expect(right.locator("output")).to_have_text("×7")
    expect(right.locator(".sv-whose")).to_contain_text("Your run")
    shared = figure.panel("left").locator(".sv-whose")
    expect(shared).not_to_contain_text("Your run")
    figure.until(lambda: "repeat=1.1.7" in figure.page.url)
    right.get_by_role("button", name="unfold", exact=True).click()
    expect(right.locator('[data-layer="u1.f1"]')).to_be_visible()
    expect(right.locator('[data-layer="u7.f4"]')).to_be_visible()
    right.get_by_role("button", name="fold", exact=True).click()
    expect(right.locator('[data-layer="u1.f1"]')).to_have_count(0)


def test_the_lab_is_one_click_away_and_the_figure_is_as_it_was_when_one_comes_back(figure):
    left = figure.panel("left")
    left.locator('[data-valve="f5"]').click()
    expect(left.locator('[data-valve="f5"]')).to_have_class(re.compile(r"\bshut\b"))
    figure.expect_running()
    figure.page.get_by_role("link", name="Lab").click()
    expect(figure.page.locator(".sv-lab svg.sv-diagram")).to_be_visible()
    figure.page.get_by_role("link", name="Figure 4.9").click()
    expect(left.locator('[data-valve="f5"]')).to_have_class(re.compile(r"\bshut\b"))


def test_a_reload_in_the_middle_finds_the_three_runs_again(figure):
    figure.start_held()
    figure.expect_running()
    figure.wait_for_step(5)
    runs = figure.runs()
    figure.until(lambda: all(run in figure.page.url for run in runs))
    figure.page.reload()
    figure.wait_for_step(6)
    assert figure.runs() == runs
    expect(figure.main).to_be_enabled()


def test_a_switch_pressed_just_before_the_page_is_left_stays_switched(figure):
    figure.start_held()
    figure.wait_for_step(5)
    page, valve = figure.page, figure.panel("left").locator('[data-valve="f5"]')
    valve.click()
    page.get_by_role("link", name="Lab").click()
    expect(page.locator(".sv-lab svg.sv-diagram")).to_be_visible()
    page.get_by_role("link", name="Figure 4.9").click()
    expect(valve).to_have_class(re.compile(r"\bshut\b"))
