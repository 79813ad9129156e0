"""Events fold into the experiment that they act on, and a message that is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipviz import Experiment, NetworkError, edit, families, presets
from skipviz.tasks.event import Control, LayerEvent, RateEvent, SkipEvent, applied, message_from

PLAIN, RESIDUAL = families.mlp(depth=4, width=8), families.mlp(depth=4, width=8, skip_every=2)
PAIR = Experiment(variants={"plain": PLAIN, "residual": RESIDUAL})


def test_a_skip_event_acts_in_every_variant_that_has_the_skip():
    after = applied(PAIR, SkipEvent(ids=("s1-3",), on=False, strength=0.5))
    assert after.variants["plain"] == PLAIN
    assert after.variants["residual"] == edit.set_skip(RESIDUAL, "s1-3", on=False, strength=0.5)


def test_an_event_for_one_variant_leaves_the_others_alone():
    after = applied(PAIR, LayerEvent(ids=("f2",), gain=0.0, variant="plain"))
    assert after.variants["plain"].layer("f2").gain == 0.0
    assert after.variants["residual"] == RESIDUAL


def test_the_inverse_event_gives_an_equal_experiment():
    off = applied(PAIR, SkipEvent(ids=("s1-3",), on=False))
    assert off != PAIR
    assert applied(off, SkipEvent(ids=("s1-3",), on=True)) == PAIR


def test_a_rate_event_sets_the_learning_rate():
    assert applied(PAIR, RateEvent(learning_rate=0.1)).training.learning_rate == 0.1


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (SkipEvent(ids=("s9",), on=False), "there is no skip s9"),
        (LayerEvent(ids=("f9",), on=False), "there is no layer f9"),
        (SkipEvent(ids=("s1-3",), on=False, variant="other"), "there is no variant other"),
        (SkipEvent(ids=("s1-3",), on=False, variant="plain"), "there is no skip s1-3"),
        (LayerEvent(ids=("f1",), on=False), "f\\(1\\) cannot be off"),
    ],
)
def test_an_event_that_cannot_act_is_refused_with_its_sentence(event, words):
    with pytest.raises(NetworkError, match=words):
        applied(PAIR, event)


@pytest.mark.parametrize(
    "message",
    [
        SkipEvent(ids=("a", "b"), on=True, step=7),
        LayerEvent(ids=("f1",), gain=0.25, variant="x"),
        RateEvent(learning_rate=0.5),
        Control(kind="speed", steps_per_second=2.0),
        Control(kind="pause"),
    ],
)
def test_a_message_survives_its_journey_as_json(message):
    assert message_from(message.model_dump(mode="json", exclude_defaults=True)) == message


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "skip", "ids": []}, "ids"),
        ({"kind": "skip", "ids": ["<script>"]}, "ids"),
        ({"kind": "skip", "ids": ["a"], "strength": 5}, "strength"),
        ({"kind": "layer", "ids": ["a"], "gain": float("nan")}, "gain"),
        ({"kind": "layer", "ids": ["a"], "strength": 1}, "strength"),
        ({"kind": "rate", "learning_rate": -0.1}, "learning_rate"),
        ({"kind": "rate"}, "learning_rate"),
        ({"kind": "speed", "steps_per_second": -1}, "steps_per_second"),
        ({"kind": "step", "line\nbreak\x00": 1}, "line�break�"),
        ({"kind": "step", "x" * 5000: 1}, "x{80}: there is no such field"),
        ({"kind": "skip", "ids": ["a"], "variant": "a\nb"}, "variant"),
    ],
)
def test_a_bad_message_is_refused_by_the_fields_name(data, field):
    with pytest.raises(NetworkError, match=field) as caught:
        message_from(data)
    assert "\n" not in str(caught.value).encode().decode()


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_no_message_at_all_is_refused(data):
    with pytest.raises(NetworkError):
        message_from(data)


def test_events_fit_every_preset():
    for name in presets.names():
        experiment = presets.get(name)
        for skip in experiment.network.skips[:1]:
            assert applied(experiment, SkipEvent(ids=(skip.id,), strength=0.5)).network.skips[0].strength == 0.5
