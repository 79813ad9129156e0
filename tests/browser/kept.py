"""Open pages that tests share: to open one costs more than most tests do."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod

import pytest
from pages import DESKTOP, NO_NEWCOMER, PATIENCE, RETRIES, FigurePage, LabPage, kept_by_browser
from playwright.sync_api import Error, TimeoutError, expect

FAILED = pytest.StashKey()
"""Whether a test has failed."""

SETTINGS = """() => ({
    place: location.pathname, theme: document.documentElement.dataset.svTheme, page: document.documentElement.dataset.svPage,
    view: [document.documentElement.dataset.svHide, document.documentElement.dataset.svProjector],
    speed: document.querySelector('[aria-label="Speed, steps a second"]').value,
    setup: document.querySelector("[data-testid=stSidebar]").dataset.collapsed,
    bars: document.querySelector(".sv-head-button").textContent,
    choices: [...document.querySelectorAll(".sv-head-bars .sv-menu input")].map((one) => one.checked),
    whole: document.querySelector(".sv-whole").open, table: document.querySelector(".sv-table").hidden,
    open: [...document.querySelectorAll(".sv-menu, .sv-share-panel, .sv-poster")].filter((one) => one.checkVisibility()).length,
    uploads: document.querySelectorAll("[data-testid=stFileUploader]").length,
    card: document.querySelectorAll("[role=dialog]").length, lists: document.querySelectorAll("[role=listbox]").length,
})"""
"""What of a page a test may leave otherwise than it found it, apart from the experiment and its run."""
LET_GO = """() => {
    document.activeElement?.blur();
    document.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    const escape = { key: "Escape", bubbles: true, cancelable: true };
    document.querySelector(".sv-lab").dispatchEvent(new KeyboardEvent("keydown", escape));
    document.dispatchEvent(new KeyboardEvent("keydown", escape)); // a selection was let go; a projector's view is left
    for (const toast of document.querySelectorAll(".sv-toast")) toast.hidden = true;
    if (!document.querySelector(".sv-table").hidden) document.querySelector(".sv-table-button").click();
    document.querySelector("[data-testid=stMain]").scrollTop = 0;
}"""


def listened(page, errors: list[str]):
    """Keep in `errors` what the page's scripts throw, in `complaints` what they log as an error, in `asked` what is requested."""
    page.problems, page.complaints, page.asked = errors, [], []
    page.on("pageerror", lambda error: errors.append(f"{error.message}\n{error.stack}"))
    page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: page.asked.append(request.url))
    return page


def stop_runs(context) -> None:
    """Stop every run that a browser context has."""
    for run in context.request.get("skipviz/runs", max_retries=RETRIES).json()["runs"]:
        if run["state"] in ("queued", "running", "paused"):
            context.request.post(f"skipviz/runs/{run['id']}/events", data={"kind": "stop"}, max_retries=RETRIES)


class Newcomers:
    """Keeps browser contexts, and empties each for the next test, which is a newcomer in it.

    All pages of one share a renderer that has compiled their scripts, which is else half of what it takes to open one.
    """

    def __init__(self, chromium, address: str) -> None:
        self._chromium, self._address = chromium, address
        self._kept: dict[str, list] = {}

    def lend(self, **options):
        """Return a context of these options, made now if none is free."""
        free = self._kept.setdefault(repr(options), [])
        if free:
            return free.pop()
        known = kept_by_browser(self._address, NO_NEWCOMER)
        options = {"base_url": self._address, "viewport": DESKTOP, "storage_state": known, **options}
        context = self._chromium.new_context(**options)
        context.set_default_timeout(1000 * PATIENCE)
        context.new_page().goto("_stcore/health")  # this first page stays, and with it the renderer
        return context

    def take_back(self, context, failed: bool, **options) -> None:
        """Stop what a context runs, close its pages and forget what it keeps; after a failure close it."""
        stop_runs(context)
        if failed:
            context.close()
            return
        stays, *pages = context.pages
        for page in pages:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        stays.evaluate("kept => { localStorage.clear(); Object.assign(localStorage, kept); }", NO_NEWCOMER)
        self._kept[repr(options)].append(context)

    def close(self) -> None:
        """Close all that are kept."""
        for free in self._kept.values():
            while free:
                free.pop().close()


class Keeper(ABC):
    """Keeps one page open, and opens another where the last test failed or left the page otherwise than it found it."""

    def __init__(self, newcomers: Newcomers, viewport: dict[str, int] = DESKTOP, **options) -> None:
        self._newcomers, self._viewport, self._options = newcomers, viewport, options
        self._context = None
        self.errors: list[str] = []

    def lend(self):
        """Return the page, opened now if none is."""
        if self._context is None:
            self._context = self._newcomers.lend(**self._options)
            self.errors = []
            try:
                page = listened(self._context.new_page(), self.errors)
                page.set_viewport_size(self._viewport)
                self._lent = self.opened(page)
            except BaseException:
                self.close(True)
                raise
        return self._lent

    def take_back(self, failed: bool) -> None:
        """Stop what runs and let go of what is chosen or open; a page that does not stand as it stood before is closed."""
        try:
            if failed or self.errors or not self._is_tidied():
                self.close(failed or bool(self.errors))
        except (AssertionError, Error):
            self.close(True)

    def _is_tidied(self) -> bool:
        page = self._lent.page
        stop_runs(self._context)
        for other in self._context.pages[1:]:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        if page.viewport_size != self._viewport:
            page.set_viewport_size(self._viewport)
        page.emulate_media(color_scheme="light")
        page.mouse.move(0, 0)
        return self.is_as_opened(self._lent)

    @abstractmethod
    def opened(self, page):
        """Open a page for its tests."""

    @abstractmethod
    def is_as_opened(self, lent) -> bool:
        """Return whether the page stands as it was opened, after a try to bring it there."""

    def close(self, failed: bool = False) -> None:
        """Close the page; the next test gets another."""
        if self._context is not None:
            self._newcomers.take_back(self._context, failed, **self._options)
            self._context = None


class LabKeeper(Keeper):
    """Keeps a lab: what stands on it is any test's, so each puts its own experiment there."""

    def lend(self) -> LabPage:
        lab = super().lend()
        lab.page.asked.clear()
        lab.page.complaints.clear()
        return lab

    def opened(self, page) -> LabPage:
        lab = LabPage(page).open()
        self._settings = page.evaluate(SETTINGS)
        return lab

    def is_as_opened(self, lab) -> bool:
        page = lab.page
        if "/lab" not in page.url:
            page.get_by_role("link", name="Lab", exact=True).click(timeout=10_000)
            lab.ready()
        page.evaluate(LET_GO)
        if page.get_by_label("Speed, steps a second").input_value() != self._settings["speed"]:
            lab.set_speed(int(self._settings["speed"]))
        return page.evaluate(SETTINGS) == self._settings


class FigureKeeper(Keeper):
    """Keeps the page of the three panels, with the shared run on it."""

    def opened(self, page) -> FigurePage:
        return FigurePage(page).open()

    def is_as_opened(self, figure) -> bool:
        page = figure.page
        page.evaluate("() => document.activeElement?.blur()")
        changed = page.locator(".valve.shut, .skip.off")
        while count := changed.count():
            changed.first.press("Space", timeout=10_000)
            expect(changed).not_to_have_count(count, timeout=10_000)
        if "repeat=" in page.url:
            figure.panel("right").get_by_label("Repeat fewer times").click(timeout=10_000)
        back, shared = page.get_by_label("Back to step 0, same seed"), figure.state.filter(has_text="Shared run")
        for _ in range(2):  # it may go by itself, just before it is pressed
            with contextlib.suppress(TimeoutError):
                if back.is_visible():
                    back.click(timeout=2000)
                shared.wait_for(timeout=5000)
                return "repeat=" not in page.url and not changed.count()
        return False


def lent(keeper: Keeper, request):
    """Lend a fixture's test the page, and take it back; an error in a page's script fails the test."""
    yield keeper.lend()
    errors = list(keeper.errors)
    keeper.take_back(request.node.stash.get(FAILED, True))
    assert errors == []
