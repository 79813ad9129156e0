"""A watched module in real notebooks: it is drawn live while a cell trains, and its picture stays in the saved file."""

from __future__ import annotations

import json
import re

import pytest
from notebooks import TRAIN, WATCH, NotebookServer, jupyter_notebook, marimo_notebook
from pages import wait_until
from playwright.sync_api import expect

JUPYTERS = re.compile(r"/(static/lab|lab/extensions/@jupyter[\w-]*)/")
WIDE = {"width": 1500, "height": 1000}


@pytest.fixture
def opened(chromium):
    """A function that opens an address; a failing script fails the test, unless it is one of JupyterLab's own alone."""
    contexts, problems = [], []

    def page_of(address: str):
        contexts.append(chromium.new_context(viewport=WIDE))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: is_jupyters(error.stack) or problems.append(f"{error.message}\n{error.stack}"))
        page.goto(address)
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert problems == []


def is_jupyters(stack: str) -> bool:
    """Return whether an error has gone through scripts of JupyterLab and of its widgets' manager alone, by their addresses."""
    frames = [line for line in stack.splitlines() if line.lstrip().startswith("at ") and "://" in line]  # but the browser's own
    return bool(frames) and all(JUPYTERS.search(frame) for frame in frames)


@pytest.mark.parametrize(
    ("script", "called", "ours"),
    [
        ("static/lab/main.js", "setTimeout(() => [1].map(() => null.kernel))", False),
        ("lab/extensions/@jupyter-widgets/jupyterlab-manager/static/1.js", "Promise.reject(new Error('no kernel'))", False),
        ("static/lab/main.js", "setTimeout(() => widget())", True),
        ("lab/extensions/anywidget/static/2.js", "setTimeout(() => null.model)", True),
        ("static/lab/main.js", "setTimeout(() => { throw 'bare' })", True),
    ],
)
def test_an_error_is_jupyterlabs_where_none_of_our_scripts_is_in_its_stack(chromium, script, called, ours):
    context, found = chromium.new_context(), []
    page = context.new_page()
    page.on("pageerror", lambda error: found.append(error.stack))
    texts = {"": "", "widget.js": "function widget() { null.frames }", script: called}
    page.route("**/*", lambda route: route.fulfill(body=texts[route.request.url.removeprefix("http://notebook.test/")]))
    page.goto("http://notebook.test/")
    for name in ("widget.js", script):
        page.add_script_tag(url=f"http://notebook.test/{name}")
    wait_until(page, lambda: found)
    context.close()
    assert [is_jupyters(stack) for stack in found] == [not ours]


def step_shown(page) -> int:
    return int(page.locator(".skipviz-live .sv-step").inner_text())


def sees_it_train(page, folder) -> None:
    """See a diagram whose steps go on by themselves, then let the training end and see it at rest."""
    expect(page.locator(".skipviz-live svg.sv-diagram [data-skip]")).to_have_count(2)
    expect(page.locator(".skipviz-live .sv-state")).to_have_text("Live")
    first = step_shown(page)
    wait_until(page, lambda: step_shown(page) > first + 5)
    expect(page.locator(".skipviz-live .sv-bars .main-svg").first).to_be_visible()
    expect(page.locator(".skipviz-live .sv-plot-loss .main-svg").first).to_be_visible()
    expect(page.locator(".skipviz-live h1")).to_have_text("<b>two</b> blocks")
    (folder / "enough").touch()
    expect(page.locator(".skipviz-live .sv-state")).to_have_text("Recorded")


def outputs_of(path) -> list[dict]:
    """Return what stands under the second cell of a saved notebook, nothing while it is being written."""
    text = path.read_text()
    return json.loads(text)["cells"][1]["outputs"] if text else []


def test_in_jupyterlab_it_is_live_and_its_picture_outlasts_the_kernel(opened, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyter")
    saved = folder / "watch.ipynb"
    saved.write_text(jupyter_notebook(WATCH, "watched", f"{TRAIN}\nprint(steps, 'steps')"))
    options = ["--no-browser", "--allow-root", "--port={port}", "--IdentityProvider.token=", "--ServerApp.port_retries=0"]
    server = NotebookServer(folder, ["jupyterlab", *options], "api/status")
    try:
        page = opened(f"{server.address}lab/tree/watch.ipynb")
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
        page.get_by_text("Run", exact=True).first.click()
        page.get_by_text("Run All Cells", exact=True).click()
        sees_it_train(page, folder)
        expect(page.locator(".skipviz-still")).to_be_hidden()
        steps = int(page.locator(".jp-OutputArea-output", has_text=re.compile(r"^\d+ steps\s*$")).inner_text().split()[0])
        assert step_shown(page) == steps - 1
        page.get_by_role("button", name="Back to the first frame").click()
        expect(page.locator(".skipviz-live .sv-step")).to_have_text("0")

        page.keyboard.press("Control+s")
        wait_until(page, lambda: len(outputs_of(saved)) == 2)
        assert f"step {steps - 1}" in "".join(outputs_of(saved)[0]["data"]["text/plain"])

        (folder / "copy.ipynb").write_text(saved.read_text())
        page = opened(f"{server.address}lab/workspaces/other/tree/copy.ipynb")
        picture = page.locator(".skipviz-still img")
        expect(picture).to_be_visible()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 600
        expect(page.get_by_text("model not found")).to_be_hidden()
        expect(page.locator(".skipviz-live")).to_have_count(0)
    finally:
        server.close()


def test_in_marimo_it_is_live(opened, tmp_path_factory):
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "watch.py").write_text(marimo_notebook(f"{WATCH}\nwatched", TRAIN))
    server = NotebookServer(folder, ["marimo", "run", "watch.py", "--headless", "--no-token", "--port={port}"], "health")
    try:
        sees_it_train(opened(server.address), folder)
    finally:
        server.close()
