"""The sidebar's published architectures: chosen, reshaped, undone, and the task each brings along."""

from __future__ import annotations

import pytest

from skipviz.web.forms import FORMS


@pytest.mark.parametrize("family", FORMS)
def test_a_family_is_chosen_drawn_and_measured_on_a_task_that_it_fits(lab, family):
    data = lab.choose("selectbox", "Family", family)
    assert data["task"] in {"digits", "shapes", "two spirals"}
    gradients = data["probe"]["frame"]["variants"][data["variant"]]["weight_grad"]
    assert len(gradients) == data["network"]["depth"]
    assert data["network"]["skips_on"] == data["network"]["skips_total"] > 0
    assert lab.widget("selectbox", "Family").value == family


def test_a_task_that_a_family_does_not_fit_gives_way_with_a_sentence(lab):
    data = lab.choose("selectbox", "Family", "unet")
    assert data["message"] == ["U-Net does not fit two spirals.", "The task is now shapes."]


def test_a_setting_reshapes_the_architecture_and_undo_brings_back_its_settings(lab):
    lab.choose("selectbox", "Family", "resnet")
    data = lab.choose("selectbox", "Depth", 32)
    assert data["network"]["skips_total"] == 15
    assert lab.send("undo")["network"]["skips_total"] == 9
    assert lab.widget("selectbox", "Depth").value == 20


def test_reshaping_keeps_the_switches_of_skips_that_stay(lab):
    data = lab.choose("selectbox", "Family", "transformer")
    first = data["network"]["skips"][0]
    lab.send("skips", ids=[first["id"]], changes={"on": False})
    data = lab.choose("number_input", "Blocks", 6)
    assert [skip["on"] for skip in data["network"]["skips"]] == [False] + [True] * 11


def test_an_edited_architecture_is_ones_own_and_a_plain_stack_can_be_chosen_again(lab):
    data = lab.choose("selectbox", "Family", "resnet")
    lab.send("remove_skips", ids=[data["network"]["skips"][0]["id"]])
    assert lab.widget("selectbox", "Family").value == "own"
    lab.send("undo")
    data = lab.choose("selectbox", "Family", "mlp")
    assert {layer["kind"] for layer in data["network"]["layers"]} == {"linear"}


def test_the_papers_own_size_is_said_beside_the_one_drawn(lab):
    lab.choose("selectbox", "Family", "resnet")
    captions = [caption.value for caption in lab.test.sidebar.caption]
    assert any("269,722" in caption and "1×8×8" in caption for caption in captions)
