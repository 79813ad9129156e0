"""Measures the page in a real browser: run by hand, prints JSON.

`python tests/bench/bench_page.py` starts the app on a free port with one warm engine and one headless Chromium, and
reports, for each network: milliseconds from Start to the first frame drawn, from a toggle to its frame drawn (median
and 95th percentile), redraws a second while training as fast as it goes, milliseconds of the processor that one takes in
the browser, and the server's memory with the page open; and for the first page until a cold browser has painted something.
Everything, browser included, shares this machine's cores.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from chromium import launch

from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

ROOT = Path(__file__).resolve().parents[2]
STARTS, TOGGLES, COLD = 6, 20, 5

START = """() => new Promise((done) => {
  const begun = performance.now();
  document.querySelector('.sv-main').click();
  const look = () => document.querySelector('.sv-time').disabled ? requestAnimationFrame(look) : done(performance.now() - begun);
  look();
})"""
TOGGLE = """() => new Promise((done) => {
  const marks = document.querySelectorAll('.sv-mark').length;
  const [plain, residual] = document.querySelectorAll('.sv-segment button');
  const begun = performance.now();
  (residual.getAttribute('aria-pressed') === 'true' ? plain : residual).click();
  const seen = () => document.querySelectorAll('.sv-mark').length > marks;
  const look = () => seen() ? done(performance.now() - begun) : requestAnimationFrame(look);
  look();
})"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
REDRAWS = """() => new Promise((done) => {
  let count = 0, shown = '';
  const begun = performance.now(), step = document.querySelector('.sv-step');
  const look = () => {
    if (step.textContent !== shown) { shown = step.textContent; count += 1; }
    performance.now() - begun > 4000 ? done(count / 4) : requestAnimationFrame(look);
  };
  look();
})"""


def experiments() -> dict[str, Experiment]:
    """Return the networks measured."""
    long = Training(steps=8_000)
    sixty = Experiment(variants={"network": families.mlp(depth=60, skip_every=2)}, task=Task(name="spiral"), training=long)
    return {
        "24 layers": presets.get("vanishing-plain").replaced(training=long),
        "60 layers": sixty,
        "300 layers": presets.get("residual-300").replaced(training=long),
    }


def serve(folder: str) -> tuple[subprocess.Popen, str, float]:
    """Start the app, which keeps its runs in `folder`; return its process, its address and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1"]
    kept = {**os.environ, "SKIPVIZ_DATA_DIR": folder}
    process = subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return process, address, time.monotonic() - begun
        except OSError:
            time.sleep(0.02)


def first_picture(playwright, address: str) -> int:
    """Return the milliseconds until the first page paints something in a browser that has just been started, a median."""
    found = []
    for _ in range(COLD):
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address, wait_until="commit")
        found.append(page.wait_for_function(PAINTED, timeout=120_000).json_value())
        browser.close()
    return round(statistics.median(found))


def browser_seconds() -> float:
    """Return the processor's seconds that the browsers of this process have taken."""
    browsers = [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]
    return sum(sum(one.cpu_times()[:2]) for one in browsers)


def measure(browser, address: str, text: str) -> dict:
    """Return the figures of one network in a page of its own."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{address}/lab?x={text}")
    page.wait_for_selector(".sv-bars .main-svg")
    page.wait_for_function("() => document.querySelector('.sv-sentence').textContent.includes('gradient')")
    starts, toggles = [], []
    for _ in range(STARTS):
        starts.append(page.evaluate(START))
        page.get_by_role("button", name="Back to step 0, same seed").click()
        page.wait_for_function("() => document.querySelector('.sv-state').dataset.kind === 'ready'")
        page.wait_for_timeout(700)
    page.evaluate(START)
    for _ in range(TOGGLES):
        page.wait_for_timeout(900)
        toggles.append(page.evaluate(TOGGLE))
    slider = page.locator("input[aria-label='Speed, steps a second']")
    slider.evaluate("(s) => { s.value = s.max; s.dispatchEvent(new Event('input')); }")
    page.wait_for_timeout(800)
    before = browser_seconds()
    redraws = page.evaluate(REDRAWS)
    each = (browser_seconds() - before) / (4 * redraws)
    page.get_by_role("button", name="Stop").click()
    page.context.close()
    return {
        "start_ms": round(statistics.median(starts)),
        "toggle_ms_median": round(statistics.median(toggles)),
        "toggle_ms_p95": round(sorted(toggles)[int(0.95 * (len(toggles) - 1))]),
        "redraws_a_second": round(redraws, 1),
        "redraw_cpu_ms": round(1000 * each, 1),
    }


def main() -> None:
    """Run all measurements and print them."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    process, address, up = serve(folder.name)
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            first = browser.new_page()
            begun = time.monotonic()
            first.goto(address)
            first.wait_for_selector(".sv-panel svg.sv-diagram")
            usable = time.monotonic() - begun
            first.wait_for_timeout(4000)
            memory = psutil.Process(process.pid).memory_info().rss / 2**20
            # The run that all visitors share trains until then, on the same cores.
            first.get_by_text("Shared run, recorded").first.wait_for(timeout=120_000)
            first.close()
            painted = first_picture(playwright, address)
            figures = {name: measure(browser, address, link.encode(one)) for name, one in experiments().items()}
            browser.close()
    finally:
        process.terminate()
        process.wait(20)
    machine = f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}"
    facts = {
        "machine": machine,
        "server_up_s": round(up, 1),
        "usable_s": round(usable, 1),
        "first_picture_ms": painted,
        "server_rss_mb": round(memory),
    }
    print(json.dumps({**facts, "pages": figures}, indent=2))


if __name__ == "__main__":
    main()
