"""How parts were switched in a run, as viewers are told: at every step what its events make of the experiment."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from skipviz.network import families
from skipviz.storage import Run
from skipviz.tasks.event import applied, message_from
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.switch_history import SWITCHED
from skipviz.tasks.task import Task

DEEP, SHALLOW = families.mlp(depth=6, width=4, skip_every=2), families.mlp(depth=4, width=4, skip_every=2)
EXPERIMENT = Experiment(variants={"deep": DEEP, "shallow": SHALLOW}, task=Task(name="spiral"))
IDS = {"skip": [skip.id for skip in DEEP.skips], "layer": [layer.id for layer in DEEP.layers]}


@st.composite
def _events(draw) -> list[dict]:
    """Events of a run in the order in which they act, of one variant or of all that have the parts."""
    found, step = [], 0
    for _ in range(draw(st.integers(0, 8))):
        step += draw(st.integers(0, 2))
        kind = draw(st.sampled_from(["skip", "layer", "rate"]))
        if kind == "rate":
            found.append({"kind": "rate", "learning_rate": 0.1, "step": step})
            continue
        variant = draw(st.sampled_from([None, "deep"]))
        ids = draw(st.lists(st.sampled_from(IDS[kind]), min_size=1, unique=True))
        values = {"gain": draw(st.sampled_from([0.0, 0.5, 1.0]))}
        values |= {"on": draw(st.booleans()), "strength": draw(st.sampled_from([0.0, -1.0, 1.0]))} if kind == "skip" else {}
        changed = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, unique=True))
        event = {"kind": kind, "ids": ids, "step": step} | {name: values[name] for name in changed}
        found.append(event | ({"variant": variant} if variant else {}))
    return found


def _looked_up(entries: list[dict], step: int, variant: str, kind: str) -> dict:
    """Return what the browser finds of a network's parts at a step: what was left up to it, else what was found after it."""
    then: dict[str, dict] = {}
    own = [one for one in entries if (one["variant"], one["kind"]) == (variant, kind)]
    for one in reversed([one for one in own if one["step"] > step]):
        for identifier in one["ids"]:
            then.setdefault(identifier, {}).update(one["before"])
    for one in own:
        if one["step"] <= step:
            for identifier in one["ids"]:
                then.setdefault(identifier, {}).update(one["after"])
    return then


def _run(events: list[dict]) -> Run:
    now = EXPERIMENT
    for event in events:
        now = applied(now, message_from(event))
    return Run("r", "me", now, began=EXPERIMENT, events=list(events), header_json=b"{}")


@settings(max_examples=300, deadline=None)
@given(events=_events())
def test_at_every_step_parts_stand_as_the_events_up_to_it_make_them_whatever_of_them_is_shown_now(events):
    run = _run(events)
    entries, latest = run.switches(), run.experiment.variants
    for step in {0, *(event["step"] for event in events), 99}:
        experiment = EXPERIMENT
        for event in events:
            if event["step"] <= step:
                experiment = applied(experiment, message_from(event))
        for name, network in experiment.variants.items():
            for kind in ("skip", "layer"):
                found = _looked_up(entries, step, name, kind)
                now, then = ({part.id: part for part in getattr(one, f"{kind}s")} for one in (latest[name], network))
                for identifier, part in then.items():
                    stands = {field: getattr(now[identifier], field) for field in SWITCHED[kind]} | found.get(identifier, {})
                    assert stands == {field: getattr(part, field) for field in SWITCHED[kind]}


@settings(max_examples=100, deadline=None)
@given(events=_events(), cuts=st.lists(st.integers(0, 8), max_size=3))
def test_a_viewer_that_takes_news_as_they_come_has_what_one_has_that_comes_at_the_end(events, cuts):
    run, known, after = _run(events), [], 0
    run.events = []
    for seen, event in enumerate([*events, {"kind": "rate", "learning_rate": 0.2, "step": 99}], start=1):
        run.events.append(event)
        run.add_frame(b'{"step":%d,"variants":{},"events":[{}]}' % event["step"], keep=True)
        if seen in cuts or event["step"] == 99:
            after, body = run.update(after)
            message = json.loads(body)
            begin = message["frames"][0]["step"]
            known = [one for one in known if one["step"] < begin] + message.get("switches", [])
            assert message["edits"] == 2 * len(run.events) + len(run.waiting)
    assert known == json.loads(run.snapshot()[1])["switches"]


def test_a_run_that_begins_again_before_an_event_tells_of_it_once_it_has_acted_again():
    off = {"kind": "skip", "ids": IDS["skip"][:1], "on": False, "step": 7, "variant": "deep"}
    run = _run([off])
    assert [entry["after"] for entry in run.switches()] == [{"on": False}]
    run.rewind(5, 0)
    assert (run.switches(), run.edits) == ([], 1)
    run.waiting.clear()
    run.events.append({**off, "step": 6})
    assert [(entry["step"], entry["before"]) for entry in run.switches()] == [(6, {"on": True})]
