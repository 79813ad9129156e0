"""`python -m skipviz open` on a person's own file, in a real browser: toggled, scaled, trained, compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kept import listened, stop_runs
from pages import DESKTOP, NO_NEWCOMER, PATIENCE, LabPage, kept_by_browser
from playwright.sync_api import expect
from ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SWITCHED_OFF = "id => document.querySelector(`svg.sv-diagram [data-skip='${id}']`).classList.contains('off')"


@pytest.fixture
def opened(tmp_path, chromium):
    """A function that opens a person's file as they do, from its folder, and returns the lab; Ctrl-C ends each at last."""
    started, contexts, errors = [], [], []

    def open_lab(*arguments: str) -> LabPage:
        command = [sys.executable, "-m", "skipviz", "open", *arguments, "--port", str(free_port()), "--no-browser"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SKIPVIZ_DATA_DIR": str(tmp_path / "data")}
        log = (tmp_path / "log.txt").open("w+")
        process = subprocess.Popen(command, cwd=ROOT / "tests" / "own", env=environment, stdout=log, stderr=subprocess.STDOUT)
        started.append(process)
        address = _address(process, tmp_path / "log.txt")
        known = kept_by_browser(address, NO_NEWCOMER)
        contexts.append(chromium.new_context(base_url=address, viewport=DESKTOP, storage_state=known))
        contexts[-1].set_default_timeout(1000 * PATIENCE)
        lab = LabPage(listened(contexts[-1].new_page(), errors))
        lab.page.goto("lab")
        return lab.ready()

    yield open_lab
    for context in contexts:
        stop_runs(context)
        context.close()
    for process in started:
        process.send_signal(signal.SIGINT)
    assert [process.wait(PATIENCE) for process in started] == [0] * len(started)
    assert errors == []


def _address(process: subprocess.Popen, log: Path) -> str:
    """Return the address that the command prints once the lab is there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"is open at (http://127\.0\.0\.1:\d+/)lab", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the lab did not open: {log.read_text()[-3000:]}")


def test_a_unet_of_ones_own_is_switched_and_scaled_while_it_trains(opened):
    lab = opened("train.py:make_unet", "--data", "train.py:masks")
    page = lab.page
    expect(page.locator(".sv-loss-card .sv-metric")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("train.py:make_unet")
    outer, inner = lab.skip_ids()
    lab.start()
    before = lab.frame_where(lambda frame: frame["step"] >= 10)["variants"]["model"]
    assert min(before["skip_grad"]) > 0
    assert not {"held_out", "held_out_loss", "metric"} & before.keys()
    assert before["ghost"] != before["weight_grad"]
    lab.click_skip(outer)
    off = lab.event_frame()
    assert off["events"] == [{"kind": "skip", "ids": [outer], "on": False, "variant": "model", "step": off["step"]}]
    assert min(off["variants"]["model"]["skip_grad"]) == 0 < max(off["variants"]["model"]["skip_grad"])
    lab.until(lambda: page.evaluate(SWITCHED_OFF, outer))
    lab.click_skip(inner)
    lab.click_skip(inner)
    lab.inspector.get_by_label("Strength").fill("-3")
    scaled = lab.frame_where(lambda frame: any(event.get("strength") == -3 for event in frame.get("events", ())))
    assert scaled["variants"]["model"]["loss"] > 0
    expect(lab.inspector.get_by_label("Merge")).to_have_count(0)
    lab.press("Pause")
    lab.expect_state("Paused")


def test_a_gpt_of_ones_own_is_compared_with_itself_without_skips(opened):
    lab = opened("train.py:make_gpt", "--data", "train.py:text", "--held-out", "train.py:text_held_out")
    skips = len(lab.skip_ids())
    assert skips == 4
    expect(lab.page.get_by_test_id("stSidebar")).to_contain_text("Held out: train.py:text_held_out")
    card = lab.page.locator(".sv-loss-card")
    expect(card).to_contain_text(re.compile(r"Loss [\d.]+, held out [\d.]+"))
    expect(card).to_contain_text(re.compile(r"Accuracy [\d.]+ % held out at step 0"))
    lab.page.get_by_role("button", name="Compare without skips").click()
    expect(lab.page.locator(".sv-variant-head")).to_have_count(2)
    frame = lab.frame_where(lambda frame: frame["step"] >= 10 and len(frame["variants"]) == 2)
    with_skips, without = frame["variants"]["model"], frame["variants"]["without-skips"]
    assert min(with_skips["skip_grad"]) > 0
    assert without["skip_grad"] == [0] * skips
    assert with_skips["loss"] != without["loss"]
    measured = lab.frame_where(lambda frame: all("held_out_loss" in values for values in frame["variants"].values()))
    assert all(0 <= values["held_out"] <= 1 for values in measured["variants"].values())
    lab.page.locator('svg.sv-diagram [data-layer="blocks.0.attention"]:visible').first.click()
    lab.inspector.get_by_role("switch", name="Layer on").click()
    off = lab.frame_where(lambda frame: any(event["kind"] == "layer" for event in frame.get("events", ())))
    assert [frame["variants"]["model"]["weight_grad"].count(0) for frame in (frame, off)] == [0, 1]
    listed = lab.page.request.get("skipviz/runs").json()["runs"]
    assert [run["title"] for run in listed] == ["train.py:make_gpt"]
