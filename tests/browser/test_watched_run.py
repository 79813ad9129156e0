"""A script that watches its module, and the lab in a browser while it trains: live, again after a reload, as a list and a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PHONE, wait_until
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(server):
    """A script that trains on until the test ends, and its run's id; its run is deleted afterwards, as every browser lists it."""
    environment = {
        **os.environ,
        "SKIPVIZ_DATA_DIR": str(server.log.parent / "data"),
        "SKIPVIZ_WATCH": "1",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(ROOT / "tests" / "watched_script.py"), "1000000"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        address, run = re.search(r"live at (\S+)\?run=(\S+)", process.stderr.readline()).groups()
        assert address == f"{server.address}lab"
        yield process, run
    finally:
        process.kill()
        process.wait()


def test_a_module_is_watched_live_from_its_script_found_again_and_kept(script, visit, chromium, tmp_path):
    process, run = script
    page = visit()
    page.goto(f"lab?run={run}")
    said, count = page.locator(".sv-watch-words"), page.locator(".sv-transport .sv-step")
    expect(said).to_have_text("Live: a script on this machine trains this module.")
    shown = int(count.inner_text())
    wait_until(page, lambda: int(count.inner_text()) > shown + 3)
    assert page.locator(".sv-main:visible, .sv-segment:visible, .sv-diagram .valve:visible, .sv-picture-card:visible").count() == 0
    page.locator('.sv-diagram [data-layer="blocks.0.inner"]').click()
    inspector = page.locator(".sv-inspector")
    expect(inspector.locator(".sv-path")).to_have_text("blocks.0.inner")
    expect(inspector).to_contain_text(re.compile(r"‖∂L/∂θ‖ \d"))
    expect(inspector.locator("input, select, [role=switch]")).to_have_count(0)

    page.reload()
    expect(said).to_contain_text("Live")
    shown = int(count.inner_text())
    wait_until(page, lambda: int(count.inner_text()) > shown)

    phone = visit(viewport=PHONE)
    phone.goto("runs")
    row = phone.locator(f'.sv-run[data-run="{run}"]')
    expect(row).to_contain_text("Residual")
    expect(row).to_contain_text("your own network")
    row.get_by_role("link", name="Open").click()
    expect(phone.locator(".sv-watch-words")).to_contain_text("Live")

    process.kill()
    expect(page.locator(".sv-transport .sv-state")).to_have_text("its script ended without a word")
    expect(said).to_contain_text("Recorded while its own script trained it")
    path = tmp_path / "replay.html"
    path.write_bytes(page.request.get(f"skipviz/runs/{run}.html").body())
    replay = chromium.new_page()
    problems = []
    replay.on("pageerror", lambda error: problems.append(error.message))
    replay.goto(path.as_uri())
    expect(replay.locator("svg.sv-diagram")).to_be_visible()
    replay.get_by_role("button", name="Play", exact=True).click()
    wait_until(replay, lambda: int(replay.locator(".sv-step").inner_text()) > 0)
    assert problems == []
    replay.close()
    assert page.request.delete(f"skipviz/runs/{run}", headers={"content-type": "application/json"}).ok
