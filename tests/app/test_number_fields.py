"""The sidebar's fields for numbers: what cannot be taken is kept with a sentence beneath, and nothing is lost."""

from __future__ import annotations

import pytest
from typed_numbers import TYPED

from skipviz.sharing import link
from skipviz.web.sidebar.typed_number import plain, typed_number

FIELDS = ("Batch size", "Steps", "Seed", "Weight decay", "Every")
NONSENSE = ("", "-5", "1e99", "five")


def beneath(lab) -> list[str]:
    """Return the sentences beneath fields that say what they take or how a number was read."""
    return [found.value for found in lab.test.sidebar.caption if "It stays" in found.value or "was read as" in found.value]


@pytest.mark.parametrize("label", FIELDS)
def test_nonsense_stays_in_its_field_with_its_bounds_beneath_and_changes_nothing(lab, label):
    before, shown = lab.data()["link"], lab.widget("text_input", label).value
    for typed in NONSENSE if label == "Weight decay" else (*NONSENSE, "2,5"):
        data = lab.choose("text_input", label, typed)
        assert data["message"][0] == "Not changed."
        assert data["message"][1].startswith(f"{label}: a ")
        assert (data["link"], data["undo"]) == (before, 0)
        assert lab.widget("text_input", label).value == typed
        assert beneath(lab) == [f"{data['message'][1]} It stays {shown}."]
    assert lab.run()["message"] is None
    assert lab.widget("text_input", label).value == typed
    assert lab.choose("text_input", label, shown)["link"] == before
    assert beneath(lab) == []


@pytest.mark.parametrize(
    ("label", "typed", "bounds"),
    [
        ("Steps", "1000000000", "Steps: a whole number from 1 to 1,000,000."),
        ("Batch size", "100000", "Batch size: a whole number from 1 to 4,096."),
        ("Seed", "-1", "Seed: a whole number from 0 to 2,147,483,647."),
        ("Weight decay", "1,5", "Weight decay: a number from 0 to 1."),
        ("Init factor", "0", "Init factor: a number from 0.0001 to 100."),
    ],
)
def test_a_field_says_its_bounds(lab, label, typed, bounds):
    assert lab.choose("text_input", label, typed)["message"] == ["Not changed.", bounds]


def test_what_could_not_be_taken_gives_way_where_the_number_changes_otherwise(lab):
    before = lab.widget("text_input", "Steps").value
    lab.choose("text_input", "Steps", "500")
    lab.choose("text_input", "Steps", "-5")
    lab.send("undo")
    assert lab.widget("text_input", "Steps").value == before
    assert beneath(lab) == []


def test_nonsense_after_nonsense_is_answered_too(lab):
    lab.choose("text_input", "Steps", "-5")
    number, sentence = lab.told()["message"]
    lab.choose("text_input", "Steps", "-6")
    assert lab.told()["message"] == [number + 1, sentence]


@pytest.mark.parametrize(
    ("label", "typed", "field", "taken", "said"),
    [
        ("Steps", "1,000", "steps", 1000, ["1,000 was read as 1000."]),
        ("Steps", "1.250", "steps", 1250, ["1.250 was read as 1250."]),
        ("Steps", "1 000", "steps", 1000, []),
        ("Clip norm", "1,250", "clip_norm", 1.25, ["1,250 was read as 1.25."]),
        ("Weight decay", "0,01", "weight_decay", 0.01, []),
    ],
)
def test_what_can_be_read_in_two_ways_is_said(lab, label, typed, field, taken, said):
    assert getattr(link.decode(lab.choose("text_input", label, typed)["link"]).training, field) == taken
    assert lab.widget("text_input", label).value == f"{taken:g}"
    assert beneath(lab) == said


@pytest.mark.parametrize(("text", "whole", "other"), TYPED)
def test_numbers_are_read_as_people_type_them(text, whole, other):
    assert (typed_number(text, True), typed_number(text, False)) == (whole, other)


@pytest.mark.parametrize("value", [0, 40000, 2**31 - 1, 1e6, 0.1, 1e-5, 0.123456789, -2.5, 1e-10])
def test_what_a_field_shows_is_read_as_the_same_again(value):
    assert typed_number(plain(value), isinstance(value, int)) == value


@pytest.mark.parametrize("pattern", ["residual", "nested"])
def test_a_spacing_that_leaves_no_skip_is_refused_and_the_skips_stay(lab, pattern):
    if pattern != "residual":
        lab.choose("selectbox", "Skips", pattern)
    before, shown = lab.data()["network"]["skips_total"], lab.widget("text_input", "Every").value
    data = lab.choose("text_input", "Every", "24")
    assert data["message"] == ["Not done.", "A skip over 24 layers does not fit into these 24: choose fewer."]
    assert data["network"]["skips_total"] == before > 0
    assert lab.widget("text_input", "Every").value == shown


def test_a_familys_field_answers_nonsense_too(lab):
    lab.choose("selectbox", "Family", "densenet")
    before = lab.data()["link"]
    for typed in (*NONSENSE, "2.5"):
        assert lab.choose("text_input", "Growth rate", typed)["message"][0] == "Not changed."
    assert lab.data()["link"] == before


@pytest.mark.parametrize(
    ("label", "typed", "field"), [("Steps", "1e3", "steps"), ("Seed", "7", "seed"), ("Weight decay", "0.25", "weight_decay")]
)
def test_a_number_is_taken_however_it_is_written(lab, label, typed, field):
    data = lab.choose("text_input", label, typed)
    assert data["message"] is None
    assert getattr(link.decode(data["link"]).training, field) == float(typed)
    assert data["undo"] == 1


@pytest.mark.parametrize(
    ("label", "typed", "field", "taken"),
    [("Warm-up", "20", "warmup_steps", 20), ("Clip norm", "0,5", "clip_norm", 0.5), ("Clip value", "2", "clip_value", 2.0)],
)
def test_what_a_training_may_have_beside_is_taken_and_left_out_again_by_zero(lab, label, typed, field, taken):
    plain = lab.data()["link"]
    assert getattr(link.decode(lab.choose("text_input", label, typed)["link"]).training, field) == taken
    assert lab.choose("text_input", label, "0")["link"] == plain
    assert lab.choose("text_input", label, "-1")["message"][0] == "Not changed."


def test_the_settings_of_the_loss_are_offered_where_they_act_and_kept_on_another_task(lab):
    plain = lab.choose("slider", "Depth", 2)["link"]  # so that measuring it on images takes little time
    assert link.decode(lab.choose("selectbox", "Class weights", "balanced")["link"]).training.class_weights == "balanced"
    data = lab.choose("text_input", "Label smoothing", "0,1")
    assert link.decode(data["link"]).training.label_smoothing == 0.1
    assert lab.choose("text_input", "Label smoothing", "1")["message"][0] == "Not changed."
    training = link.decode(lab.choose("selectbox", "Task", "shapes")["link"]).training
    assert (training.class_weights, training.label_smoothing) == ("balanced", 0)
    assert "Label smoothing" not in [one.label for one in lab.test.text_input]
    data = lab.choose("selectbox", "Loss", "dice")
    assert data["message"][1].startswith("Class weights act on a cross-entropy, and Dice alone has none")
    assert link.decode(lab.choose("selectbox", "Loss", "cross_entropy+dice")["link"]).training.loss == "cross_entropy+dice"
    training = link.decode(lab.choose("selectbox", "Task", "regression")["link"]).training
    assert training == link.decode(plain).training
    assert "Class weights" not in [one.label for one in lab.test.selectbox]
    assert link.decode(lab.choose("selectbox", "Loss", "huber")["link"]).training.loss == "huber"
    assert link.decode(lab.choose("selectbox", "Task", "moons")["link"]).training == link.decode(plain).training
    assert "Loss" not in [one.label for one in lab.test.selectbox]
