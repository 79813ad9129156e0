"""The sidebar's fields for numbers: nonsense is answered with a sentence, and nothing is lost."""

from __future__ import annotations

import pytest

from skipviz.sharing import link

FIELDS = ("Batch size", "Steps", "Seed", "Weight decay", "Every")
NONSENSE = (None, -5.0, 1e99)


@pytest.mark.parametrize("label", FIELDS)
def test_nonsense_in_a_field_gives_a_sentence_and_changes_nothing(lab, label):
    before, shown = lab.data()["link"], lab.widget("number_input", label).value
    for typed in NONSENSE if label == "Weight decay" else (*NONSENSE, 2.5):
        data = lab.choose("number_input", label, typed)
        assert data["message"][0] == "Not changed."
        assert data["message"][1].startswith(f"{label}: a ")
        assert (data["link"], data["undo"]) == (before, 0)
        assert lab.widget("number_input", label).value == shown
    assert lab.run()["message"] is None


def test_the_same_nonsense_twice_is_answered_twice(lab):
    first = lab.choose("number_input", "Steps", -5.0)
    second = lab.choose("number_input", "Steps", -5.0)
    assert first["message"] == second["message"]
    assert first != second


@pytest.mark.parametrize("pattern", ["residual", "nested"])
def test_a_spacing_that_leaves_no_skip_is_refused_and_the_skips_stay(lab, pattern):
    if pattern != "residual":
        lab.choose("selectbox", "Skips", pattern)
    before, shown = lab.data()["network"]["skips_total"], lab.widget("number_input", "Every").value
    data = lab.choose("number_input", "Every", 24.0)
    assert data["message"] == ["Not done.", "A skip over 24 layers does not fit into these 24: choose fewer."]
    assert data["network"]["skips_total"] == before > 0
    assert lab.widget("number_input", "Every").value == shown


def test_a_familys_field_answers_nonsense_too(lab):
    lab.choose("selectbox", "Family", "densenet")
    before = lab.data()["link"]
    for typed in (*NONSENSE, 2.5):
        assert lab.choose("number_input", "Growth rate", typed)["message"][0] == "Not changed."
    assert lab.data()["link"] == before


@pytest.mark.parametrize(
    ("label", "typed", "field"), [("Steps", 1e3, "steps"), ("Seed", 7.0, "seed"), ("Weight decay", 0.25, "weight_decay")]
)
def test_a_number_is_taken_however_it_is_written(lab, label, typed, field):
    data = lab.choose("number_input", label, typed)
    assert data["message"] is None
    assert getattr(link.decode(data["link"]).training, field) == typed
    assert data["undo"] == 1


@pytest.mark.parametrize(
    ("label", "typed", "field", "taken"),
    [("Warm-up", 20.0, "warmup_steps", 20), ("Clip norm", 0.5, "clip_norm", 0.5), ("Clip value", 2.0, "clip_value", 2.0)],
)
def test_what_a_training_may_have_beside_is_taken_and_left_out_again_by_zero(lab, label, typed, field, taken):
    plain = lab.data()["link"]
    assert getattr(link.decode(lab.choose("number_input", label, typed)["link"]).training, field) == taken
    assert lab.choose("number_input", label, 0.0)["link"] == plain
    assert lab.choose("number_input", label, -1.0)["message"][0] == "Not changed."


def test_the_settings_of_the_loss_are_offered_where_they_act_and_kept_on_another_task(lab):
    plain = lab.data()["link"]
    assert link.decode(lab.choose("selectbox", "Class weights", "balanced")["link"]).training.class_weights == "balanced"
    data = lab.choose("number_input", "Label smoothing", 0.1)
    assert link.decode(data["link"]).training.label_smoothing == 0.1
    assert lab.choose("number_input", "Label smoothing", 1.0)["message"][0] == "Not changed."
    training = link.decode(lab.choose("selectbox", "Task", "shapes")["link"]).training
    assert (training.class_weights, training.label_smoothing) == ("balanced", 0)
    assert "Label smoothing" not in [one.label for one in lab.test.number_input]
    data = lab.choose("selectbox", "Loss", "dice")
    assert data["message"][1].startswith("Class weights act on a cross-entropy, and Dice alone has none")
    assert link.decode(lab.choose("selectbox", "Loss", "cross_entropy+dice")["link"]).training.loss == "cross_entropy+dice"
    training = link.decode(lab.choose("selectbox", "Task", "regression")["link"]).training
    assert training == link.decode(plain).training
    assert not {"Loss", "Class weights"} & {one.label for one in lab.test.selectbox}
