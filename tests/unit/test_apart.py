"""Which parts of compared networks differ, and how they differed at the earlier steps of a run."""

from __future__ import annotations

from skipviz import Experiment, Layer, Linear, families
from skipviz.network import edit
from skipviz.storage import Run
from skipviz.tasks.apart import apart
from skipviz.tasks.event import SkipEvent, applied
from skipviz.web.content.differences import history

NETWORK = families.mlp(depth=6, width=8, skip_every=2)
FIRST, LAST = (skip.id for skip in NETWORK.skips)


def test_a_copy_is_said_to_be_the_same_network():
    assert [one["differs"] for one in apart({"a": NETWORK, "b": NETWORK}).values()] == ["", "the same network"]


def unlike(**networks) -> dict[str, list[str]]:
    return {name: found["unlike"] for name, found in apart(networks).items()}


def test_parts_that_not_every_network_has_alike_are_told_of_each_and_switches_are_left_to_events():
    assert unlike(a=NETWORK, b=edit.switch_all(NETWORK, False)) == {"a": [], "b": []}
    wide = edit.set_layer(NETWORK, "f2", activation="tanh")
    gated = edit.set_skips(NETWORK, [LAST], merge="gate")
    assert unlike(a=NETWORK, b=wide, c=gated) == {key: ["f2", LAST] for key in "abc"}
    assert unlike(a=NETWORK, b=edit.remove_skip(NETWORK, FIRST)) == {"a": [FIRST], "b": []}


def test_a_layer_more_is_unlike_and_what_it_moves_to_other_places_is_not():
    longer = edit.insert_layer(NETWORK, 1, Layer(op=Linear(width=8)))
    new = [layer.id for layer in longer.layers if layer.id not in {one.id for one in NETWORK.layers}]
    found = unlike(a=NETWORK, b=longer)
    assert (found["a"], found["b"]) == ([], new)


def test_words_of_an_earlier_step_are_of_the_networks_at_that_step():
    began = Experiment(variants={"a": NETWORK, "b": NETWORK})
    events = [SkipEvent(ids=[FIRST], on=False, variant="b", step=4), SkipEvent(ids=[LAST], on=False, variant="b", step=9)]
    run = Run("r", "me", began, began=began)
    assert history(run, began.variants) == []
    for event in events:
        run.experiment = applied(run.experiment, event)
        run.events.append(event.model_dump(mode="json", exclude_none=True))
        found = history(run, began.variants)
    assert [entry["step"] for entry in found] == [0, 4, 9]
    assert [entry["differs"]["b"].partition(";")[0] for entry in found] == [
        "the same network", "skip 1→3 is off", "the 2 skips are off",
    ]  # fmt: skip
    assert {entry["differs"]["a"] for entry in found} == {""}
    assert history(run, began.variants) is history(run, began.variants)
    assert [entry["differs"]["a"].partition(";")[0] for entry in history(run, ["b", "a"])][1] == "skip 1→3 is on"
    assert history(run, ["a", "renamed"]) == []
    del run.events[1:]
    assert [entry["step"] for entry in history(run, began.variants)] == [0, 4]


def test_two_events_of_one_step_are_one_entry_and_a_rate_is_none():
    began = Experiment(variants={"a": NETWORK, "b": NETWORK})
    run = Run("r", "me", began, began=began)
    run.events += [{"kind": "skip", "ids": [name], "on": False, "variant": "b", "step": 4} for name in (FIRST, LAST)]
    run.events += [{"kind": "rate", "learning_rate": 0.5, "step": 6}]
    assert [entry["step"] for entry in history(run, began.variants)] == [0, 4]
