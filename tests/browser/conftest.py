"""A running server, a real Chromium, and pages whose scripts may not fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import launch
from kept import FAILED, FigureKeeper, LabKeeper, Newcomers, lent, listened, stop_runs
from pages import DESKTOP, NO_NEWCOMER, PATIENCE, PHONE, LabPage, kept_by_browser
from servers import Server

FRAMES_PER_SECOND = "10"
"""How often pages are told of a run: who tests what they do has no eye that sees the difference, and the pages share two cores."""
FOR_SHORT_LIVES = "--js-flags=--no-opt --no-maglev --min-semi-space-size=32"
"""What a page's scripts do is over before it has paid to compile them again for speed, or to collect garbage every megabyte."""
AGENT = "Mozilla/5.0 (Linux; Android 14) Mobi"
"""Says that it is a phone's, so that the first drawing is the one that stays."""


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that all browser tests share, warm."""
    started = Server(tmp_path_factory.mktemp("server") / "log.txt", SKIPVIZ_FRAMES_PER_SECOND=FRAMES_PER_SECOND)
    try:
        started.wait_until_warm()
        yield started
    finally:
        started.close()


@pytest.fixture(scope="session")
def chromium(playwright):
    """The browser of nearly all tests."""
    browser = launch(playwright, "--process-per-site", FOR_SHORT_LIVES)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def _newcomers(server, chromium):
    keeper = Newcomers(chromium, server.address)
    yield keeper
    keeper.close()


@pytest.fixture
def visit(server, chromium, _newcomers, request):
    """A function that returns a fresh page, by default in a context (a browser with cookies) of its own.

    Afterwards every run that these browsers have is stopped, and an error in a page's script fails the test. `page.problems`
    holds those errors, `page.complaints` what was logged as an error, `page.asked` the addresses that were requested.
    """
    contexts, newcomers, errors = [], [], []

    def opened(context=None, viewport=None, **options):
        if context is None and options.keys() <= {"is_mobile", "has_touch"}:
            context = _newcomers.lend(**options)
            newcomers.append((context, options))
        elif context is None:
            known = kept_by_browser(options.get("base_url", server.address), NO_NEWCOMER)
            options = {"base_url": server.address, "viewport": DESKTOP, "storage_state": known, **options}
            context = chromium.new_context(**options)
            context.set_default_timeout(1000 * PATIENCE)
            contexts.append(context)
        page = listened(context.new_page(), errors)
        if viewport is not None:
            page.set_viewport_size(viewport)
        return page

    yield opened
    for context in contexts:
        stop_runs(context)
        context.close()
    failed = bool(errors) or request.node.stash.get(FAILED, True)
    for context, options in newcomers:
        _newcomers.take_back(context, failed, **options)
    assert errors == []


@pytest.fixture
def page(visit):
    """A fresh page, 1440×900."""
    return visit()


@pytest.fixture
def lab(page):
    """The lab as it opens for a newcomer."""
    return LabPage(page).open()


@pytest.fixture(scope="session")
def _desktop(_newcomers):
    keeper = LabKeeper(_newcomers)
    yield keeper
    keeper.close()


@pytest.fixture(scope="session")
def _pocket(_newcomers):
    keeper = LabKeeper(_newcomers, PHONE, is_mobile=True, has_touch=True, user_agent=AGENT)
    yield keeper
    keeper.close()


@pytest.fixture(scope="module")
def _figure(_newcomers):
    keeper = FigureKeeper(_newcomers)
    yield keeper
    keeper.close()


@pytest.fixture
def figure(_figure, request):
    """The page of Figure 4.9 as it opens for a newcomer, open already; while nobody is there its recording would play on."""
    yield from lent(_figure, request)


@pytest.fixture
def kept(_desktop, request):
    """A lab, 1440×900, that is open already: `put` an experiment onto it."""
    yield from lent(_desktop, request)


@pytest.fixture
def pocket(_pocket, request):
    """A lab on a phone, 390×844, that is open already: `put` an experiment onto it."""
    yield from lent(_pocket, request)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture of every open page where a test failed, in the folder that SKIPVIZ_TEST_PICTURES names."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    folder = os.environ.get("SKIPVIZ_TEST_PICTURES")
    if folder and report.when == "call" and report.failed:
        found = {id(value): value for value in item.funcargs.values() if hasattr(value, "screenshot")}
        found |= {id(value.page): value.page for value in item.funcargs.values() if hasattr(value, "page")}
        contexts = {id(page.context): page.context for page in found.values()}
        for number, page in enumerate(page for context in contexts.values() for page in context.pages):
            page.screenshot(path=Path(folder) / f"{item.name}-{number}.png")
    return report
