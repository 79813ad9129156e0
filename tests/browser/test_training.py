"""A run as a person steers it: pause, step, stop, restart, look back, leave and come back, and what ends badly."""

from __future__ import annotations

import os
import re
import signal

import psutil
from experiments import explosive, small, values
from pages import LabPage
from playwright.sync_api import expect


def _numbers(frames: list[dict]) -> dict[int, dict]:
    return {frame["step"]: {key: values(frame)[key] for key in ("loss", "weight_grad", "state_grad")} for frame in frames}


def test_a_run_is_paused_stepped_resumed_stopped_and_restarted_with_the_same_numbers(kept):
    lab, page = kept.put(small(record_every=1)), kept.page
    first = lab.start()
    lab.wait_for_step(20)
    lab.press("Pause")
    lab.expect_state("Paused")
    at = lab.until(lambda: lab.data()["state"] == "paused" and lab.data()["step"])
    page.get_by_label("One step").click()
    lab.until(lambda: lab.data()["step"] == at + 1)
    expect(page.locator(".sv-transport .sv-step")).to_have_text(str(at))
    page.get_by_label("One step").click()
    lab.until(lambda: lab.data()["step"] == at + 2)
    lab.expect_state("Paused")
    lab.press("Resume")
    lab.wait_for_step(at + 20)
    page.get_by_label("Stop").click()
    lab.expect_state("Stopped")
    lab.press("Resume")
    lab.wait_for_step(at + 40)
    page.get_by_label("Stop").click()
    lab.expect_state("Stopped")

    page.get_by_label("Back to step 0, same seed").click()
    lab.press("Start")
    second = lab.until(lambda: lab.run() != first and lab.run())
    lab.wait_for_step(at + 20)
    before, after = _numbers(lab.frames(first)), _numbers(lab.frames(second))
    common = before.keys() & after.keys()
    assert len(common) > at
    assert all(before[step] == after[step] for step in common)


def test_looking_back_redraws_that_step_while_the_run_goes_on(kept):
    lab, page = kept.put(small(width=8, record_every=1)), kept.page
    lab.start()
    lab.wait_for_step(120)
    lab.slider.fill("10")
    lab.expect_state(re.compile(r"^Live is at \d+\s›$"))
    expect(page.locator(".sv-transport .sv-step")).to_have_text("10")
    loss = values(next(frame for frame in lab.frames() if frame["step"] == 10))["loss"]
    expect(page.locator(".sv-title", has_text="Loss")).to_contain_text(f"{loss:.3g}")
    measured = max(frame["step"] for frame in lab.frames() if frame["step"] <= 10 and "held_out" in values(frame))
    expect(page.locator(".sv-loss-card .sv-metric")).to_have_text(re.compile(rf"held out at step {measured}$"))
    pictured = max(frame["step"] for frame in lab.frames() if frame["step"] <= 10 and "picture" in values(frame))
    expect(page.locator(".sv-picture-card")).to_contain_text(f"at step {pictured}")
    assert all("held_out" in values(frame) for frame in lab.frames() if "picture" in values(frame))
    at_ten = lab.band_widths()
    lab.slider.fill("100")
    lab.until(lambda: lab.band_widths() != at_ten)
    lab.slider.fill("10")
    lab.until(lambda: lab.band_widths() == at_ten)

    live = int(re.search(r"\d+", lab.state.inner_text())[0])
    lab.until(lambda: int(re.search(r"\d+", lab.state.inner_text())[0]) > live)
    assert lab.step() == 10
    lab.state.click()
    lab.expect_running()
    lab.wait_for_step(live)


def test_looking_back_shows_the_switches_as_they_stood_then(kept):
    lab, page = kept.put(small(width=8, record_every=1)), kept.page
    lab.start()
    lab.wait_for_step(60)
    lab.click_skip("s1-3")
    expect(lab.marks).to_have_count(1)
    off = page.locator("svg.sv-diagram .edge.skip.off")
    expect(off).to_have_count(1)
    lab.slider.fill("10")
    expect(off).to_have_count(0)
    lab.state.click()
    expect(off).to_have_count(1)


def test_a_press_on_the_heatmap_goes_to_that_step(kept):
    lab, page = kept.put(small(steps=200)), kept.page
    lab.set_speed(9)
    lab.start()
    lab.expect_state("Finished")
    expect(page.locator(".sv-plot-heatmap .main-svg").first).to_be_visible()
    box = page.locator(".sv-plot-heatmap").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lab.expect_state("Live is at 199 ›")
    assert 60 < lab.step() < 140


def test_a_finished_run_goes_on_after_a_switch_and_is_back_after_a_drag_is_undone(kept):
    lab, page = kept.put(small(steps=30)), kept.page
    lab.set_speed(9)
    run = lab.start()
    lab.expect_state("Finished")
    lab.plain.click()
    expect(lab.toast).to_contain_text("goes on from step 30 to 60")
    counted = page.locator(".sv-transport .sv-count")
    expect(counted).to_contain_text("60 / 60")
    lab.expect_state("Finished")
    expect(page.get_by_label("Step 30: on to 60 steps")).to_have_count(1)
    lab.drag(1, 4)
    expect(lab.toast).to_contain_text("ended at step 60")
    lab.expect_state("Ready")
    expect(lab.undo).to_be_enabled()
    lab.undo.click()
    expect(lab.toast).to_contain_text("is back at step 60")
    expect(counted).to_contain_text("60 / 60")
    assert lab.run() == run


def test_a_page_reloaded_in_the_middle_of_a_run_finds_the_run_its_history_and_its_controls(kept):
    lab, page = kept.put(small(record_every=1)), kept.page
    run = lab.start()
    lab.wait_for_step(40)
    lab.click_skip("s1-3")
    event = lab.event_frame()["step"]
    lab.wait_for_step(event + 5)
    page.reload()
    lab.ready()
    assert lab.run() == run
    lab.expect_running()
    lab.wait_for_step(event + 10)
    expect(lab.marks).to_have_count(1)
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(1)
    lab.slider.fill("5")
    expect(page.locator(".sv-transport .sv-step")).to_have_text("5")
    lab.state.click()
    lab.press("Pause")
    lab.expect_state("Paused")
    assert lab.until(lambda: lab.data()["state"] == "paused")


def test_a_killed_worker_ends_its_run_with_a_sentence_and_restart_works(kept, server):
    lab = kept.put(small())
    others = set(psutil.Process(server.pid).children(recursive=True))
    run = lab.start()
    lab.wait_for_step(20)
    workers = [process for process in psutil.Process(server.pid).children(recursive=True) if process not in others]
    busiest = max(workers, key=lambda process: sum(process.cpu_times()[:2]))
    os.kill(busiest.pid, signal.SIGKILL)
    lab.expect_state(re.compile(r"^Failed: .{10,}"))
    assert lab.data(run)["state"] == "failed"
    lab.press("Restart")
    lab.expect_running()
    lab.wait_for_step(20)


def test_a_diverging_run_says_at_which_step_and_layer_and_the_page_lives_on(kept):
    lab, page = kept.put(explosive()), kept.page
    lab.start()
    lab.expect_state(re.compile(r"Diverged at step \d+ in f\(\d+\)"))
    expect(page.locator("svg.sv-diagram .diverged")).to_have_count(1)
    lab.slider.fill("0")
    expect(page.locator(".sv-transport .sv-step")).to_have_text("0")
    lab.choose_task("XOR")
    lab.expect_state("Ready")
    expect(lab.main).to_have_text("Start")


def test_speed_and_learning_rate_change_the_running_network(kept):
    lab, page = kept.put(small()), kept.page
    lab.set_speed(2)
    lab.start()
    lab.wait_for_step(3)
    page.get_by_role("slider", name="Learning rate").fill("-2")
    frame = lab.event_frame()
    assert abs(frame["events"][0]["learning_rate"] - 0.01) < 1e-9
    assert lab.until(lambda: lab.experiment().training.learning_rate == frame["events"][0]["learning_rate"])
    lab.set_speed(9)
    lab.wait_for_step(frame["step"] + 200)
    # A frame at rest and that of the step after it tell of the same event, the later one in place of the other.
    last = {frame["step"]: frame.get("events", []) for frame in lab.frames()}
    told = [event for events in last.values() for event in events]
    assert len(told) == 1, "a slider that is moved once tells the run once"


def test_what_is_pressed_while_a_run_is_being_started_is_no_error_and_acts_on_it(page):
    lab = LabPage(page).open(small(steps=1_000_000))
    held = []
    page.route("**/skipviz/labs/*", lambda route: route.continue_() if held else held.append(route))
    lab.main.click()
    lab.until(lambda: held)
    lab.main.click()
    lab.click_skip(lab.skip_ids()[0])
    held[0].continue_()
    lab.event_frame()
    lab.expect_running()
    assert not [address for address in page.asked if "skipviz/runs/?" in address]
