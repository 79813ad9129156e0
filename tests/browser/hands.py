"""The same few gestures in browsers of other makers: Firefox through Playwright's BiDi, WebKit through its own WebDriver.

Playwright's page objects drive Chromium; here only what both drivers can do is used, so that one story is told to each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager

from pages import DESKTOP, PATIENCE
from ports import free_port

# A ResizeObserver whose news come with the next drawing is announced as an error and is none.
_KEEP_ERRORS = """
window.scriptErrors = [];
window.addEventListener("error", (event) => {
  if (!String(event.message).includes("ResizeObserver loop")) window.scriptErrors.push(String(event.message));
});
window.addEventListener("unhandledrejection", (event) => window.scriptErrors.push(String(event.reason)));
"""
# Streamlit mounts the page's part into the document itself or into a shadow root, as its version likes.
_FIND = """
const found = (root) => {
  const direct = root.querySelector(SELECTOR);
  if (direct) return direct;
  for (const node of root.querySelectorAll("*")) {
    const inner = node.shadowRoot && found(node.shadowRoot);
    if (inner) return inner;
  }
  return null;
};
const node = found(document);
"""


class Callbacks(ABC):
    """What a person does with mouse and eyes; `evaluate(script)` runs the body of a function and returns its value."""

    name = ""

    @abstractmethod
    def goto(self, address: str) -> None: ...

    @abstractmethod
    def evaluate(self, script: str): ...

    @abstractmethod
    def press_at(self, x: float, y: float) -> None: ...

    @abstractmethod
    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None: ...

    def open(self, address: str) -> None:
        """Open an address and keep what its scripts throw from then on."""
        self.goto(address)
        self.evaluate(_KEEP_ERRORS)

    def errors(self) -> list[str]:
        """Return what the page's scripts have thrown."""
        return self.evaluate("return window.scriptErrors || [];")

    def of(self, selector: str, expression: str):
        """Return `expression` of the first element `node` that meets a CSS selector, through shadow roots; None without one."""
        return self.evaluate(f"{_FIND.replace('SELECTOR', repr(selector))} return node ? ({expression}) : null;")

    def text(self, selector: str) -> str:
        """Return an element's text, '' where there is none."""
        return (self.of(selector, "node.textContent") or "").strip()

    def until(self, condition, what: str):
        """Wait until `condition()` holds and return what it returned."""
        end = time.monotonic() + PATIENCE
        while not (result := condition()):
            assert time.monotonic() < end, f"{self.name}: {what} did not come true; state {self.text('.sv-state')!r}"
            time.sleep(0.1)
        return result

    def place(self, selector: str) -> tuple[float, float]:
        """Wait for an element and return its middle on the screen, scrolled into sight; of a line, the middle of its way."""
        middle = """(() => {
            node.scrollIntoView({block: "nearest"});
            if (node.getPointAtLength && node.tagName === "path") {
                const point = node.getPointAtLength(node.getTotalLength() / 2).matrixTransform(node.getScreenCTM());
                return [point.x, point.y];
            }
            const box = node.getBoundingClientRect();
            return box.width ? [box.x + box.width / 2, box.y + box.height / 2] : null;
        })()"""
        return tuple(self.until(lambda: self.of(selector, middle), selector))

    def press(self, selector: str) -> None:
        """Press the middle of an element."""
        self.press_at(*self.place(selector))


class FirefoxHands(Callbacks):
    """Debian's Firefox, driven by Playwright over WebDriver BiDi."""

    name = "firefox"

    def __init__(self, page) -> None:
        self._page = page

    def goto(self, address: str) -> None:
        self._page.goto(address)

    def evaluate(self, script: str):
        return self._page.evaluate(f"() => {{ {script} }}")

    def press_at(self, x: float, y: float) -> None:
        self._page.mouse.click(x, y)

    def drag(self, start, end) -> None:
        mouse = self._page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        mouse.up()


class WebKitHands(Callbacks):
    """WebKitGTK's MiniBrowser, driven by Selenium."""

    name = "webkit"

    def __init__(self, driver) -> None:
        self._driver = driver

    def goto(self, address: str) -> None:
        self._driver.get(address)

    def evaluate(self, script: str):
        return self._driver.execute_script(script)

    def press_at(self, x: float, y: float) -> None:
        self.drag((x, y), (x, y))

    def drag(self, start, end) -> None:
        from selenium.webdriver.common.action_chains import ActionBuilder

        actions = ActionBuilder(self._driver)
        mouse = actions.pointer_action
        mouse.move_to_location(*map(round, start)).pointer_down()
        if start != end:
            mouse.move_to_location(round((start[0] + end[0]) / 2), round((start[1] + end[1]) / 2))
            mouse.move_to_location(*map(round, end))
        mouse.pointer_up()
        actions.perform()


FIREFOX, WEBKIT = shutil.which("firefox-esr"), shutil.which("WebKitWebDriver")
_MINI_BROWSERS = [f"/usr/lib/x86_64-linux-gnu/webkit2gtk-4.{minor}/MiniBrowser" for minor in (1, 0)]


@contextmanager
def firefox(playwright):
    """Open a fresh Firefox and close it again."""
    browser = playwright.firefox.launch(channel="moz-firefox", executable_path=FIREFOX)
    try:
        yield FirefoxHands(browser.new_page(viewport=DESKTOP))
    finally:
        browser.close()


@contextmanager
def webkit(folder):
    """Open a fresh WebKit on a virtual screen of its own and close both again."""
    from selenium import webdriver
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        options = Options()
        options.binary_location = next(path for path in _MINI_BROWSERS if os.path.exists(path))
        options.add_argument("--automation")
        options.set_capability("browserName", "MiniBrowser")
        environment = {**os.environ, "DISPLAY": display, "HOME": str(folder), "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        driver = webdriver.WebKitGTK(options=options, service=Service(WEBKIT, port=free_port(), env=environment))
        try:
            driver.set_window_size(DESKTOP["width"], DESKTOP["height"])
            driver.set_script_timeout(PATIENCE)
            yield WebKitHands(driver)
        finally:
            driver.quit()
    finally:
        screen.terminate()
        screen.wait(10)
