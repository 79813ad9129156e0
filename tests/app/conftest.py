"""Streamlit's own test client on both pages; what a page tells its component can be read, and commands be sent to it."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from fork_servers import warm_fork_servers  # noqa: F401  (a fixture)
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from skipviz.engine import Engine
from skipviz.engine import process_engine as engine_module
from skipviz.settings import Settings
from skipviz.web.document.labs import Labs

MAIN = Path(__file__).parents[2] / "skipviz" / "web" / "main.py"


def _alone(page: str) -> None:
    """Run one page's script; a switch of pages, by which the whole app would come to it, drops the address' query."""
    from importlib import import_module

    import_module(f"skipviz.web.screens.{page}_page").page()


class App:
    """One session. `data()` is what the component was told last; `send` does what its browser part does."""

    def __init__(self, page: str, query: dict) -> None:
        whole = page == "figure"
        self.test = AppTest.from_file(str(MAIN)) if whole else AppTest.from_function(_alone, args=(page,))
        self.test.default_timeout = 60
        self.test.query_params.update(query)
        self._page = page
        self._sent = self._taken = 0
        self.run()

    def run(self):
        """Run the script once, which may raise nothing, and return what the component was told."""
        before = _component(self.test._tree)
        self._taken = (self.told()["message"] or [0])[0] if before else 0
        self.test.run()
        assert not self.test.exception
        return self.data()

    def data(self) -> dict:
        """Return the component's data, with the sentence only that the last run of the script has brought."""
        told = self.told()
        number, sentence = told["message"] or (0, None)
        return {**told, "message": sentence if number > self._taken else None}

    def told(self) -> dict:
        """Return the component's data as they are sent."""
        told = json.loads(_component(self.test._tree).proto.json)
        return told[0] if isinstance(told, list) else told

    def follow(self, page: str) -> dict:
        """Take the page that the whole app has switched to for the one that commands go to, and return its data."""
        data = self.data()
        assert data["page"] == page
        self._page, self._sent = page, data["done"]
        return data

    def network(self) -> dict:
        """Return the lab's network as its component was told."""
        return self.data()["network"]

    def send(self, operation: str, **fields) -> dict:
        """Send one command as the browser does, and return what the component is told then."""
        self._sent += 1
        return self.bring([{"op": operation, "n": self._sent, **fields}])

    def bring(self, commands) -> dict:
        """Let the page's line bring `commands`, whatever they are, and return what the component is told then."""
        self.test.session_state[self._page] = {"commands": commands}
        return self.run()

    def widget(self, kind: str, label: str):
        """Return the sidebar's widget of that kind and label."""
        return next(found for found in getattr(self.test.sidebar, kind) if found.label == label)

    def choose(self, kind: str, label: str, value) -> dict:
        """Set a widget of the sidebar, and return what the component is told then."""
        self.widget(kind, label).set_value(value)
        return self.run()


def _component(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            found = _component(child)
            if found is not None:
                return found
        elif child.type == "bidi_component":
            return child
    return None


@pytest.fixture(scope="package", autouse=True)
def components():
    """Search the installed packages for components once, as a server does, not for every session of the test client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="package")
def engine(tmp_path_factory):
    """An engine of these tests' own: pages begin runs that nobody stops."""
    started = Engine(Settings(max_running=2, data_dir=tmp_path_factory.mktemp("app"))).start()
    assert started.wait_until_warm(180)
    started.submit = functools.partial(_submitted, started.submit)
    yield started
    started.close()


def _submitted(submit, experiment, *more, demo: bool = False, **options) -> str:
    """Let the first page's shared runs end after a few steps: who tests a page asks which runs they are, not what they learn."""
    if demo:
        experiment = experiment.replaced(training=experiment.training.replaced(steps=6))
    return submit(experiment, *more, demo=demo, **options)


@pytest.fixture(autouse=True)
def its_own(engine, monkeypatch):
    """That engine is the process's during a test, and no longer: other tests' may come after these."""
    monkeypatch.setattr(engine_module, "_engine", engine)


@pytest.fixture
def opened(engine, monkeypatch, tmp_path):
    """A function that opens a page, such as `figure` or `lab`, in a session of its own with the address' query."""
    monkeypatch.setattr("skipviz.web.session_state.session.owner_from", lambda cookies: "a-browser-of-these-tests")
    monkeypatch.setattr("skipviz.web.content.page_data.PROBE_SECONDS", 30.0)  # a page asks again, a test waits
    monkeypatch.setattr("skipviz.web.content.kept_documents._folder", lambda: tmp_path / "labs")
    labs = Labs()
    for module in ("screens.opening", "screens.lab_page", "session_state.session", "session_state.watching", "component.feed"):
        monkeypatch.setattr(f"skipviz.web.{module}.labs", labs)
    return lambda page, **query: App(page, query)


@pytest.fixture
def lab(opened):
    """The lab, as it opens."""
    return opened("lab")
