"""A class opens the lab: real pages and scripted sessions at once. By hand: `PYTHONPATH=.:tests python tests/load/browsers.py`.

The first pages load and start before the crowd comes, the others while it is there. Toggles are timed in those pages
whose run is on, from the click to the frame that shows it. Browser, crowd and server share this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from chromium import launch
from playwright.sync_api import sync_playwright
from servers import Server
from sessions import Session, crowd

from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Training

PATIENCE = 120_000
"""Milliseconds that a page may take for anything."""
TOGGLE = """() => new Promise((done) => {
  const marks = document.querySelectorAll('.sv-mark').length;
  const [plain, residual] = document.querySelectorAll('.sv-segment button');
  const begun = performance.now();
  (residual.getAttribute('aria-pressed') === 'true' ? plain : residual).click();
  const seen = () => document.querySelectorAll('.sv-mark').length > marks;
  const late = () => performance.now() - begun > 30000;
  const look = () => seen() || late() ? done(performance.now() - begun) : requestAnimationFrame(look);
  look();
})"""
LONG = link.encode(presets.get("vanishing-plain").replaced(training=Training(steps=1_000_000)))
"""What everybody trains: long enough to be there as long as the class is."""
TOLD = "() => ['running', 'queued', 'finished'].includes(document.querySelector('.sv-state').dataset.kind)"


@dataclass
class Class:
    """What everybody got; times in seconds."""

    loads: list[float] = field(default_factory=list)
    toggles: list[float] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    """What each real page said of its run, once it had pressed Start."""
    sessions: list[Session] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Pupil:
    """One real page in a browser profile of its own."""

    def __init__(self, browser, address: str, found: Class) -> None:
        self._page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        self._page.set_default_timeout(PATIENCE)
        self._page.on("pageerror", lambda error: found.failures.append(f"a page's script: {error.message}"))
        self._address, self._found = address, found

    def come(self) -> None:
        """Load the lab, which is timed, and press Start."""
        began = time.perf_counter()
        self._page.goto(f"{self._address}lab?x={LONG}")
        self._page.wait_for_selector(".sv-bars .main-svg")
        self._found.loads.append(time.perf_counter() - began)
        self._page.click(".sv-main")
        self._page.wait_for_function(TOLD)
        self._found.states.append(self._page.locator(".sv-state").inner_text())

    @property
    def runs(self) -> bool:
        return self._page.locator(".sv-state").get_attribute("data-kind") == "running"

    def toggle(self) -> None:
        """Switch all skips, which is timed."""
        self._page.wait_for_timeout(300)
        taken = self._page.evaluate(TOGGLE) / 1000
        self._found.toggles.append(taken)
        if taken > 30:
            self._found.failures.append("a toggle was not shown within 30 seconds")


def measured(server: Server, browser, pages: int, sessions: int, together: int, toggles: int) -> Class:
    """Return what `pages` real pages and `sessions` scripted ones got, `together` of these at once."""
    found = Class()
    pupils = [Pupil(browser, server.address, found) for _ in range(pages)]
    early = pupils[: max(1, pages // 2)]
    for pupil in early:
        pupil.come()

    def arrive() -> None:
        for one in asyncio.run(crowd(server.port, sessions, together)):
            if isinstance(one, Session):
                found.sessions.append(one)
            else:
                found.failures.append(repr(one))

    arriving = threading.Thread(target=arrive)
    arriving.start()
    for pupil in pupils[len(early) :]:
        pupil.come()
    lucky = [pupil for pupil in early if pupil.runs]
    for number in range(toggles):
        lucky[number % len(lucky)].toggle()
    arriving.join()
    return found


def times(seconds: list[float]) -> dict:
    """Return median, 95th percentile and number of some times, in ms."""
    ordered = sorted(1000 * one for one in seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median_ms": round(statistics.median(ordered)), "p95_ms": round(p95), "n": len(ordered)}


def main() -> None:
    """Measure by hand and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--together", type=int, default=50)
    parser.add_argument("--toggles", type=int, default=40)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "log.txt", SKIPVIZ_MAX_QUEUED="500")
        browser = launch(playwright)
        try:
            server.wait_until_warm()
            found = measured(server, browser, asked.pages, asked.sessions, asked.together, asked.toggles)
        finally:
            browser.close()
            server.close()
    queued = [one for one in found.sessions if one.told["state"] == "queued"]
    facts = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load before {load:.1f}",
        "page_load": times(found.loads),
        "toggle": times(found.toggles),
        "pages_told": found.states,
        "session_served": times([one.served for one in found.sessions]),
        "session_start_told": times([one.started for one in found.sessions]),
        "session_rerun": times([one.done for one in found.sessions]),
        "sessions": {"served": len(found.sessions), "of": asked.sessions, "queued": len(queued)},
        "queued_without_place": sum("ahead" not in one.told for one in queued),
        "failures": found.failures[:5],
    }
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
