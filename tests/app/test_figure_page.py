"""The script of Figure 4.9's page: three panels, what repeating and switching do, and the way to the lab."""

from __future__ import annotations

import pytest
from engines import wait_for

from skipviz.tasks.twin import TWIN, twin_of


@pytest.fixture
def figure(opened):
    """The page, as it opens."""
    return opened("figure")


def _to_all(figure, operation: str, **fields) -> dict:
    """Send a command to each panel, and return what the page is told then."""
    return [figure.send(operation, panel=panel, **fields) for panel in ("left", "center", "right")][-1]


def _panel(data: dict, name: str) -> dict:
    return next(panel for panel in data["panels"] if panel["id"] == name)


def test_three_panels_open_drawn_and_measured_with_their_twins(figure):
    data = figure.data()
    assert [panel["id"] for panel in data["panels"]] == ["left", "center", "right"]
    assert [panel["repeat"] for panel in data["panels"]] == [1, 1, 6]
    for panel in data["panels"]:
        frames = panel["probe"]["frame"]["variants"]
        assert list(frames) == [panel["variant"], panel["twin"]["name"]] == [panel["id"], TWIN]
        assert [len(frame["weight_grad"]) for frame in frames.values()] == [panel["network"]["depth"]] * 2
    lacks = {panel["id"]: panel["twin"]["lacks"] for panel in data["panels"]}
    zeros = "without skips, zeros in their place"
    assert lacks == {"left": zeros, "center": zeros, "right": "without skips and branch scale"}


def test_repeating_keeps_what_was_switched(figure):
    network = _panel(figure.data(), "left")["network"]
    skip, layer = network["skips"][1]["id"], network["layers"][4]["id"]
    figure.send("skips", panel="left", ids=[skip], changes={"on": False}, live=False)
    figure.send("layers", panel="left", ids=[layer], changes={"gain": 0}, live=False)
    for change, depth in ((1, 16), (1, 24), (-1, 16)):
        network = _panel(figure.send("repeat", panel="left", change=change), "left")["network"]
        assert len(network["layers"]) == depth
        assert [index for index, one in enumerate(network["skips"]) if not one.get("on", True)] == [1]
        assert [index for index, one in enumerate(network["layers"]) if one.get("gain", 1) == 0] == [4]


def test_repeating_stacks_the_unit_up_to_a_bound(figure):
    assert _panel(figure.send("repeat", panel="right", change=1), "right")["network"]["depth"] == 28
    assert _panel(figure.send("repeat", panel="left", change=-1), "left")["network"]["depth"] == 8


@pytest.mark.parametrize(
    ("panel", "near", "address", "depth"), [("right", "1.1.175", "1.1.200", 800), ("left", "2.1.6", "3.1.6", 24)]
)
def test_a_panel_is_repeated_as_often_as_it_may_and_the_address_says_so(opened, panel, near, address, depth):
    page = opened("figure", repeat=near)
    for _ in range(2):
        told = _panel(page.send("repeat", panel=panel, change=1), panel)
    assert told["repeat"] == told["most"]
    assert told["network"]["depth"] == depth
    assert address in page.test.query_params["repeat"]


@pytest.mark.parametrize(
    ("address", "repeats"), [("2.1.25", [2, 1, 25]), ("3.3.200", [3, 3, 200]), ("2..x.9", [2, 1, 6]), ("0.99.201", [1, 1, 6])]
)
def test_a_reload_finds_each_panel_as_often_repeated_before_any_run(opened, address, repeats):
    reloaded = opened("figure", repeat=address)
    assert [panel["repeat"] for panel in reloaded.data()["panels"]] == repeats


def test_what_is_switched_is_switched_in_the_twin_only_where_it_has_it(figure, engine):
    figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0})
    run = _panel(figure.send("skips", panel="left", ids=["s2"], changes={"on": False}), "left")["run"]
    assert run
    editor = figure.test.session_state.figure_state.editors["left"].experiment
    assert editor.variants[TWIN] == twin_of(editor.network)
    assert [layer.gain for layer in editor.variants[TWIN].layers] == [1, 1, 1, 1, 0, 1, 1, 1]
    _to_all(figure, "reset")


def test_a_change_after_the_end_starts_that_panel_anew_and_alone(figure, engine):
    first = _panel(figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0}), "left")["run"]
    engine.post(first, "a-browser-of-these-tests", {"kind": "stop"})
    wait_for(engine, lambda: engine.run(first).ended)
    data = figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0.5})
    assert _panel(data, "left")["run"] not in (None, first)
    assert _panel(data, "right")["run"] is None
    _to_all(figure, "reset")


def test_one_panel_is_reset_alone(figure):
    runs = {panel["id"]: panel["run"] for panel in _to_all(figure, "start", paused=True)["panels"]}
    left = figure.send("reset", panel="left")
    assert {panel["id"]: panel["run"] for panel in left["panels"]} == {**runs, "left": None}
    _to_all(figure, "reset")


def test_the_first_page_starts_no_run_for_a_visitor_but_shows_all_of_them_one_shared_run(figure, opened, engine):
    shared = {panel["id"]: panel["shared"] for panel in figure.data()["panels"]}
    assert None not in shared.values()
    assert {panel["id"]: panel["shared"] for panel in opened("figure").data()["panels"]} == shared
    assert {engine.run(run).owner for run in shared.values()} == {""}
    assert {panel["run"] for panel in figure.data()["panels"]} == {None}


def test_the_first_change_starts_a_run_of_ones_own_of_that_panel_alone(figure, engine):
    data = figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0})
    left, right = _panel(data, "left"), _panel(data, "right")
    assert left["shared"] is None
    assert engine.run(left["run"]).experiment.network.layers[4].gain == 0
    engine.post(left["run"], "a-browser-of-these-tests", {"kind": "pause"})  # else it may end before the next change comes
    assert (right["run"], right["shared"]) == (None, _panel(figure.data(), "right")["shared"])
    again = figure.send("skips", panel="left", ids=["s2"], changes={"on": False})
    assert _panel(again, "left")["run"] == left["run"]
    assert _panel(again, "left")["network"]["skips_on"] == 3
    assert _panel(again, "right")["network"]["skips_on"] == 12
    _to_all(figure, "reset")


def test_after_a_reset_what_was_changed_stands_measured_and_the_rest_is_shared_again(figure):
    figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0})
    data = figure.send("reset", panel="left")
    left = _panel(data, "left")
    assert (left["run"], left["shared"]) == (None, None)
    assert left["probe"]["frame"]["variants"]["left"]["weight_grad"][4] == 0
    undone = figure.send("layers", panel="left", ids=["f5"], changes={"gain": 1})
    assert _panel(undone, "left")["shared"]


def test_a_first_change_that_may_not_start_a_run_is_kept_and_says_why(figure, engine, monkeypatch):
    monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update={"run_steps": 10}))
    data = figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0})
    assert data["message"][0] == "Not started."
    assert "a run may take 10 on this server" in data["message"][1]
    assert _panel(data, "left")["network"]["layers"][4]["gain"] == 0


def test_a_start_of_all_runs_three_and_a_reset_of_all_leaves_them(figure):
    data = _to_all(figure, "start", paused=True)
    runs = {panel["run"] for panel in data["panels"]}
    assert len(runs) == 3
    assert None not in runs
    assert {panel["run"] for panel in _to_all(figure, "reset")["panels"]} == {None}


@pytest.mark.parametrize(
    "command", [{"operation": "layers", "panel": "left", "ids": ["nosuch"], "changes": {"gain": 0}}, {"operation": "nosuch"}]
)
def test_a_command_that_is_none_gives_a_sentence(figure, command):
    data = figure.send(**command)
    assert data["message"][0] == "Not done."
    assert len(data["message"][1]) > 10


def test_the_lab_is_one_command_away(figure):
    figure.send("go", page="lab")
    assert figure.data()["page"] == "lab"


def test_a_page_without_memory_for_its_shared_runs_says_so_beside_what_is_measured(opened, monkeypatch):
    from skipviz.engine.capacity import room
    from skipviz.web.screens import figure_page
    from skipviz.web.session_state.shared_demo import SharedDemo

    monkeypatch.setattr(room, "free_mb", lambda: 4.0)
    monkeypatch.setattr(figure_page, "shared_demo", SharedDemo())
    data = opened("figure").data()
    assert [panel["shared"] for panel in data["panels"]] == [None, None, None]
    assert all(panel["probe"] for panel in data["panels"])
    assert data["absent"].startswith("The shared run could not start: this experiment needs about ")
