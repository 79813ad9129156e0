"""Whatever a browser sends over the page's line as commands: the page is drawn, and what is refused is told in a sentence."""

from __future__ import annotations

import copy
import os

import pytest
from hostile import JSON, PHASES, is_one_sentence, mended
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skipviz.sharing import link
from skipviz.tasks import presets

CASES = int(os.environ.get("SKIPVIZ_HOSTILE", "400")) // 60
"""Of each page; each has up to twenty commands."""
RUN = "a-run-that-nobody-has"
EVERY_PAGE = [
    {"op": "view", "hide": ["edit"], "projector": True, "height": 700},
    {"op": "code", "address": "https://example.org/lab"},
    {"op": "file", "suffix": "json", "run": ""},
    {"op": "file", "suffix": "csv", "run": RUN},
    {"op": "file_taken"},
    {"op": "compact"},
    {"op": "measure"},
    {"op": "tell", "run": RUN, "message": {"kind": "skip", "ids": ["s1"], "on": False}},
    {"op": "resume", "run": RUN},
    {"op": "open", "layer": 2, "panel": "left", "side": 0, "run": RUN},
    {"op": "open", "parts": ["b1"], "shown": ["b2"], "all": [1, "b1"]},
]
START = {"op": "start", "speed": 10.0, "paused": True}
PAGES = {
    "lab": [
        *EVERY_PAGE,
        START | {"run": RUN, "ghost": True},
        {"op": "reset"},
        {"op": "undo"},
        {"op": "redo"},
        {"op": "zoom", "factor": 2.0},
        {"op": "layout", "name": "u"},
        {"op": "rate", "learning_rate": 0.01},
        {"op": "open_file", "text": '{"variants": {}}'},
        {"op": "classroom", "on": True},
        {"op": "mine", "run": RUN, "link": link.encode(presets.get("figure-4-9-left"))},
        {"op": "skips", "ids": ["s1"], "changes": {"on": False, "strength": 0.5, "merge": "concat", "source": 1}},
        {"op": "skips", "ids": ["s1"], "changes": {"adapter": "project", "gain": 0.0, "target": 3}},
        {"op": "layers", "ids": ["f2"], "changes": {"gain": 0, "width": 8, "activation": "relu", "norm": "batch"}},
        {"op": "layers", "ids": ["f2"], "changes": {"on": False, "order": "pre", "init": "he", "dropout": 0.1}},
        {"op": "add_skip", "source": 0, "target": 3},
        {"op": "insert_layer", "position": 2},
        {"op": "remove_skips", "ids": ["s1"]},
        {"op": "remove_layers", "ids": ["f2"]},
    ],
    "figure": [
        *EVERY_PAGE,
        START | {"runs": {"left": RUN}, "panels": []},
        {"op": "reset"},
        {"op": "repeat", "panel": "right", "change": 1},
        {"op": "skips", "panel": "left", "ids": ["s1"], "changes": {"on": False, "strength": 0.5}},
        {"op": "layers", "panel": "left", "ids": ["f5"], "changes": {"gain": 0}},
    ],
    "runs": [
        *EVERY_PAGE,
        {"op": "rename", "run": RUN, "title": "another"},
        {"op": "delete", "runs": [RUN]},
        {"op": "open_run", "run": RUN},
        {"op": "open_pair", "runs": [RUN, RUN]},
        {"op": "look", "runs": [RUN]},
    ],
    "sweep": [
        *EVERY_PAGE,
        {"op": "base", "name": "vit-digits"},
        {"op": "start", "axes": [["depth", "1, 2"], ["skips", "off"]], "steps": "1"},
        {"op": "stop", "job": RUN},
        {"op": "resume", "job": RUN},
        {"op": "open_lab", "job": RUN, "cell": 1},
        {"op": "look"},
    ],
    "evidence": [
        *EVERY_PAGE,
        {"op": "claim", "name": "vanishing"},
        {"op": "run", "claim": "backward_bug", "controls": {"blocks": "12", "gain": 0}},
        {"op": "stop", "job": RUN},
        {"op": "open_lab", "claim": "lesions", "controls": {"blocks": 4, "off": "each"}},
        {"op": "look"},
    ],
    "gallery": [*EVERY_PAGE, {"op": "open_preset", "name": "resnet-20-cifar"}],
    "guide": [*EVERY_PAGE],
    "compare": [*EVERY_PAGE, {"op": "swap"}, {"op": "variant", "side": 1, "variant": "plain"}, {"op": "open_run", "run": RUN}],
}
QUERIES = {"compare": {"runs": f"{RUN},{RUN}"}}
LOST_PAGES = [None, 0, [], {}, ["lab"], "nowhere", "../lab"]
"""What is the name of no page."""


@st.composite
def commands(draw, page: str):
    """Return what a page's line brings: commands that are nearly right, with numbers that mostly rise."""
    sent = []
    for number in range(1, draw(st.integers(2, 21))):
        command = draw(mended(PAGES[page]))
        if isinstance(command, dict) and draw(st.integers(0, 9)):
            command.setdefault("n", number)
        sent.append(command)
    return sent if draw(st.integers(0, 19)) else copy.deepcopy(draw(JSON))


@pytest.mark.parametrize("page", PAGES)
def test_any_commands_leave_a_page_that_is_drawn(page, opened):
    @settings(max_examples=CASES, phases=PHASES, suppress_health_check=list(HealthCheck))
    @given(commands(page))
    def take(sent):
        app = opened(page, **QUERIES.get(page, {}))
        told = app.bring(sent)
        words = [part for part in told.get("message") or () if part]
        assert [part[:1000] for part in words if not is_one_sentence(part)] == []
        app.run()

    take()


@pytest.mark.parametrize("name", LOST_PAGES)
def test_what_names_no_page_leads_nowhere(name, opened):
    assert opened("figure").send("go", page=name)["page"] == "figure"


def test_runs_that_name_no_panel_start_nothing(opened):
    told = opened("figure").send("start", runs=["left"], panels=[])
    assert told["message"] == ["Not done.", "The page sent what is no command."]
    assert {panel["run"] for panel in told["panels"]} == {None}
