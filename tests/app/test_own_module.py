"""The lab on a module that a script of this machine watches: shown, explained, and nobody's to change here."""

import json

import pytest
from engines import wait_for
from guests import Guest, frame_line, greeting_of, two_layers

from skipviz.engine import get_engine

OWNER = "a-browser-of-these-tests"


@pytest.fixture(scope="module")
def watched():
    return two_layers()


@pytest.fixture
def run(engine, watched):
    """A live run of a script, with all its frames; deleted afterwards, as every browser lists it."""
    with Guest(engine) as guest:
        run_id = guest.greet(greeting_of(watched))["run"]
        guest.say(*map(frame_line, watched.run.frames))
        wait_for(engine, lambda: len(engine.run(run_id).frames) == len(watched.run.frames))
        yield run_id
    wait_for(engine, lambda: engine.run(run_id).ended)
    get_engine().delete(run_id, OWNER)


def test_the_lab_shows_it_as_its_scripts_own(opened, run, watched):
    app = opened("lab", run=run)
    data = app.data()
    assert (data["run"], data["mine"], data["link"], data["metric"], data["estimate"], data["steps"]) == (
        run,
        False,
        "",
        "",
        None,
        1000,
    )
    assert data["watch"]
    assert data["network"]["watched"]
    assert data["network"]["note"] == ""
    assert [layer["path"] for layer in data["network"]["layers"]] == [layer.op.path for layer in watched.network.layers]
    words = " ".join([*(one.value for one in app.test.sidebar.markdown), *(one.value for one in app.test.sidebar.caption)])
    assert "Two layers" in words
    assert f"{watched.network.parameter_count():,} parameters" in words
    assert "Make it mine" not in words
    assert not app.test.sidebar.selectbox


@pytest.mark.parametrize(
    "command",
    [
        {"operation": "skips", "ids": ["s1"], "changes": {"on": False}},
        {"operation": "start", "speed": None},
        {"operation": "compare", "how": "usual"},
        {"operation": "insert_layer", "position": 1},
        {"operation": "rate", "learning_rate": 0.1},
    ],
)
def test_nothing_of_it_can_be_changed(opened, run, command):
    data = opened("lab", run=run).send(**command)
    assert data["message"][1] == "This is a module of somebody's own: only the script that trains it can change it"
    assert data["run"] == run


def test_from_it_one_comes_to_a_network_of_ones_own_and_back(opened, run):
    app = opened("lab", run=run)
    data = app.send("mine")
    assert (data["watch"], data["run"], data["network"]["watched"]) == (None, None, False)
    data = app.send("undo")
    assert (data["run"], data["network"]["watched"]) == (run, True)


def test_its_file_opens_as_a_sentence(opened, watched):
    data = opened("lab").send("open_file", text=watched.run.experiment.to_json())
    assert "without its code" in data["message"][1]
    assert not data["network"]["watched"]


def test_every_browser_finds_it_among_its_runs_and_opens_it(opened, run):
    app = opened("runs")
    (listed,) = [one for one in app.data()["runs"] if one["id"] == run]
    known = {name: listed[name] for name in ("title", "task", "state", "resumable")}
    assert known == {"title": "Two layers", "task": "your own network", "state": "running", "resumable": False}
    (card,) = [one for one in app.send("look", runs=[run])["cards"] if one["id"] == run]
    assert card["svg"].startswith("<svg")
    assert "goes on" in app.send("delete", runs=[run])["message"][1]


def test_two_of_them_stand_side_by_side(opened, run):
    data = opened("compare", runs=f"{run},{run}").data()
    assert [column["run"] for column in data["columns"]] == [run, run]
    assert json.dumps(data)


@pytest.mark.parametrize("trains", [False, True])
def test_side_by_side_it_is_what_it_is_in_the_lab(opened, run, monkeypatch, trains):
    monkeypatch.setattr(type(get_engine()), "trains", lambda self, experiment: trains)
    (column, _), lab = opened("compare", runs=f"{run},{run}").data()["columns"], opened("lab", run=run).data()
    assert (column["network"]["watched"], column["network"]["opened"]) == (not trains, trains)
    assert column["network"] == lab["network"]
