"""The script of Figure 4.9's page: three panels, what repeating and switching do, and the way to the lab."""

from __future__ import annotations

import pytest


@pytest.fixture
def figure(opened):
    """The page, as it opens."""
    return opened("figure")


def _panel(data: dict, name: str) -> dict:
    return next(panel for panel in data["panels"] if panel["id"] == name)


def test_three_panels_open_drawn_and_measured_with_their_ghosts(figure):
    data = figure.data()
    assert [panel["id"] for panel in data["panels"]] == ["left", "center", "right"]
    assert [panel["repeat"] for panel in data["panels"]] == [1, 1, 6]
    for panel in data["panels"]:
        frame = panel["probe"]["frame"]["variants"][panel["variant"]]
        assert len(frame["weight_grad"]) == len(frame["ghost"]) == panel["network"]["depth"]


def test_repeating_stacks_the_unit_up_to_a_bound(figure):
    assert _panel(figure.send("repeat", panel="right", change=1), "right")["network"]["depth"] == 28
    assert _panel(figure.send("repeat", panel="left", change=-1), "left")["network"]["depth"] == 8
    for _ in range(40):
        data = figure.send("repeat", panel="right", change=1)
    panel = _panel(data, "right")
    assert panel["repeat"] == panel["most"]
    assert panel["network"]["depth"] == 400


def test_a_valve_and_a_skip_are_switched_in_their_panel_alone(figure):
    figure.send("layers", panel="left", ids=["f5"], changes={"gain": 0})
    data = figure.send("skips", panel="left", ids=["s2"], changes={"on": False})
    left = _panel(data, "left")
    assert left["probe"]["frame"]["variants"]["left"]["weight_grad"][4] == 0
    assert left["network"]["skips_on"] == 3
    assert _panel(data, "right")["network"]["skips_on"] == 12


def test_start_runs_all_three_and_reset_leaves_them(figure):
    data = figure.send("start", paused=True)
    runs = {panel["run"] for panel in data["panels"]}
    assert len(runs) == 3
    assert None not in runs
    assert {panel["run"] for panel in figure.send("reset")["panels"]} == {None}


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
