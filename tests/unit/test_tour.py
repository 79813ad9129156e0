"""A tour: its controls are on the pages, its bounds hold, a link carries it and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipviz import link, presets
from skipviz.drawing import modules
from skipviz.sharing import tour
from skipviz.sharing.tour import MAX_STEPS, MAX_TEXT, TARGETS, Step, TourError
from skipviz.web.content import bundle
from skipviz.web.content.tour import STEPS

DRAWN = "\n".join(path.read_text(encoding="utf-8") for path in (modules.ASSETS / "js").rglob("*.js"))
DRAWING = "\n".join(path.read_text(encoding="utf-8") for path in (modules.ASSETS.parent / "skipviz" / "drawing").glob("*.py"))
HELLO = {"text": "Look here.", "target": "loss"}
MANY = [link.encode(presets.get(name)) for name in presets.names()[:4]]


@pytest.mark.parametrize("name", TARGETS)
def test_every_control_of_the_table_is_made_by_the_pages(name):
    target = TARGETS[name]
    classes, parts = re.findall(r"\.(sv-[\w-]+)", target.selector), re.findall(r"\[(data-\w+)=", target.selector)
    assert classes or parts
    assert all(re.search(rf'(class: |")[^"]*{one}\b', DRAWN) for one in classes if one != "sv-diagram")
    assert all(part.replace("-", "_") in DRAWING for part in parts)
    assert target.page in ("lab", "figure")
    assert (target.panel != "") == (target.page == "figure")


def test_our_own_tour_is_one_that_a_link_could_carry_and_is_sent_with_both_of_its_pages():
    assert len(STEPS) == 6
    fields = ("text", "target", "experiment", "layout", "train", "skips", "shut", "opened")
    known = [{name: getattr(step, name) for name in fields} for step in STEPS]
    assert [step.text for step in tour.checked(known)] == [step.text for step in STEPS]
    for page in ("lab", "figure"):
        sent = bundle.shared_data(page)["tour"]
        assert [step["text"] for step in sent["steps"]] == [step.text for step in STEPS]
        assert set(sent["targets"]) == set(TARGETS)
        opened = [link.decode(step["experiment"]) for step in sent["steps"] if step["experiment"]]
        assert opened == [presets.get(step.experiment) for step in STEPS if step.experiment]
    assert "tour" not in bundle.shared_data("guide")


def test_a_link_carries_a_tour_to_the_same_steps():
    steps = [
        HELLO,
        {"text": "<b>Bold?</b> Ünïcode →", "target": "skips", "experiment": MANY[0], "train": 40, "skips": False},
        {"text": "Here too.", "target": "left-valve", "shut": ["f5"], "skips": True},
        {"text": "Open it again.", "target": "gain", "opened": ["f5", "f7"]},
        {"text": "As a U.", "target": "diagram", "experiment": "figure-4-9-center", "layout": "u"},
    ]
    text = tour.encode(steps)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert tour.decode(text) == tour.checked(steps)
    assert tour.decode(text)[1] == Step("<b>Bold?</b> Ünïcode →", "skips", MANY[0], "", 40, False)
    assert tour.decode(text)[2].shut == ("f5",)
    assert tour.decode(text)[3].opened == ("f5", "f7")
    assert tour.decode(text)[4].layout == "u"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([], "a tour has at least one step"),
        (None, "a tour has at least one step"),
        ([HELLO] * (MAX_STEPS + 1), "this tour has 11 steps and a tour has at most 10"),
        ([HELLO, {**HELLO, "text": "x" * (MAX_TEXT + 1)}], "step 2 has 201 characters of text and a step has at most 200"),
        ([{**HELLO, "text": "  "}], "step 1 has no text"),
        ([{**HELLO, "target": ".sv-share, script"}], "step 1 shows a control that no page has"),
        ([{**HELLO, "target": ["loss"]}], "step 1 shows a control that no page has"),
        ([{**HELLO, "terms": ["gain"]}], "step 1 is not written as steps are"),
        ([{**HELLO, "train": 1e9}], "step 1 trains to a step that is not between 0 and 100,000"),
        ([{**HELLO, "train": True}], "step 1 trains to a step that is not between 0 and 100,000"),
        ([{**HELLO, "skips": 1}], "step 1 sets what no step sets"),
        ([{**HELLO, "layout": "<u>"}], "step 1 sets what no step sets"),
        ([{**HELLO, "shut": ["f1"] * 41}], "step 1 shuts what are not the valves of up to 40 layers"),
        ([{**HELLO, "opened": "f1"}], "step 1 opens what are not the valves of up to 40 layers"),
        ([{**HELLO, "target": "left", "train": 3}], "step 1 shows the figure, which opens no other experiment"),
        ([{**HELLO, "experiment": "2.nonsense"}], "an experiment of this tour does not open: this link is damaged"),
        ([{**HELLO, "experiment": one} for one in MANY], "this tour opens 4 experiments and a tour opens at most 3"),
    ],
)
def test_what_is_no_tour_is_refused_with_one_sentence(steps, why):
    with pytest.raises(TourError, match=re.escape(why)) as refused:
        tour.encode(steps)
    assert "\n" not in str(refused.value)


def test_a_damaged_or_hostile_text_is_refused():
    text = tour.encode([HELLO])
    for wrong in (text[:-3], "", "<img>", text[:6] + ("A" if text[6] != "A" else "B") + text[7:]):
        with pytest.raises(TourError, match="this tour is damaged"):
            tour.decode(wrong)
    for content in (b"7", b'[["a"]]', b'[["a","loss",{"z":1}]]', b'{"a":1}', b"[" * 100_000, b"\xff"):
        with pytest.raises(TourError):
            tour.decode(link.sealed(content))
    with pytest.raises(TourError, match="unpacks to more"):
        tour.decode(link.sealed(b" " * 2_100_000))
    with pytest.raises(TourError, match="has at most 4,000"):
        tour.decode("A" * 4001)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=4)))
def test_whatever_a_link_holds_is_a_tour_or_a_sentence(content):
    try:
        steps = tour.decode(link.sealed(json.dumps(content).encode()))
    except TourError:
        return
    assert 1 <= len(steps) <= MAX_STEPS
