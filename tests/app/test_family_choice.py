"""The sidebar's published architectures: chosen, reshaped, undone, and the task each brings along."""

from __future__ import annotations

import pytest

from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.forms import FORMS
from skipviz.tasks.forms.form import NORM_WORDS
from skipviz.tasks.forms.form_values import built, usual_values
from skipviz.tasks.task import Task


@pytest.mark.parametrize("family", [family for family, form in FORMS.items() if not form.free])
def test_a_family_is_chosen_drawn_and_measured_on_a_task_that_it_fits(lab, family):
    data = lab.choose("selectbox", "Family", family)
    assert data["task"] in {"digits", "shapes", "sequences", "two spirals"}
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
    data = lab.choose("text_input", "Blocks", "6")
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


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (usual_values("resnet").changed(block="bottleneck", depth=29, width=5, version="v2"), {"Depth": 29, "First width": 5}),
        (usual_values("unet").changed(scales=3, convolutions=3, merge="add", short=2), {"Down-scalings": 3, "Short skips": 2}),
        (usual_values("transformer").changed(depth=7, averaged="on", causal="on"), {"Blocks": 7, "Average of blocks": "on"}),
        (usual_values("tabular_resnet").changed(hidden=40, residual_dropout=0.2), {"Hidden width": 40, "End dropout": 0.2}),
        (usual_values("highway").changed(gate_bias=-3.5, layers="conv", depth=6), {"Gate bias": -3.5, "Layers": "conv"}),
    ],
    ids=lambda value: getattr(value, "family", "shown"),
)  # fmt: skip
def test_a_link_opens_with_the_form_that_its_network_has(opened, form, shown):
    lab = opened("lab", x=linked(form))
    assert lab.widget("selectbox", "Family").value == form.family
    kinds = (lab.test.sidebar.selectbox, lab.test.sidebar.text_input)
    widgets = {widget.label: _as_shown(widget.value) for kind in kinds for widget in kind}
    assert {label: widgets[label] for label in shown} == {label: _as_shown(value) for label, value in shown.items()}


def _as_shown(value):
    return value if isinstance(value, str) else f"{value:g}"


def linked(form) -> str:
    task = Task(name=FORMS[form.family].tasks[0])
    return link.encode(Experiment(variants={"net": built(form, task)}, task=task))


def test_a_field_of_a_form_that_a_link_brought_keeps_the_switches(opened):
    lab = opened("lab", x=linked(usual_values("transformer").changed(depth=3)))
    lab.send("skips", ids=[lab.network()["skips"][0]["id"]], changes={"on": False, "strength": 0.5})
    data = lab.choose("text_input", "Blocks", "5")
    assert [skip["on"] for skip in data["network"]["skips"]] == [False] + [True] * 9
    assert data["network"]["skips"][0]["strength"] == 0.5


def test_a_network_changed_by_hand_says_how_and_starts_afresh_with_one_click(lab):
    lab.choose("selectbox", "Family", "resnet")
    before = lab.choose("selectbox", "Depth", 26)
    lab.send("layers", ids=["f4"], changes={"activation": "gelu"})
    captions = [caption.value for caption in lab.test.sidebar.caption]
    assert "Changed by hand: ResNet with activation of f(4) GELU instead of ReLU." in captions
    assert not [widget for widget in lab.test.sidebar.selectbox if widget.label == "Shortcut"]
    next(button for button in lab.test.sidebar.button if button.label == "Start ResNet afresh").click()
    assert lab.run()["link"] == before["link"]
    assert lab.widget("selectbox", "Depth").value == 26


def test_a_setting_without_effect_stays_as_chosen(lab):
    lab.choose("selectbox", "Family", "resnet")
    lab.choose("selectbox", "Skips", "plain")
    lab.choose("selectbox", "Version", "v2")
    lab.choose("selectbox", "Depth", 8)
    data = lab.choose("selectbox", "Shortcut", "project-all")
    assert data["message"] is None
    assert lab.widget("selectbox", "Shortcut").value == "project-all"


def test_the_deepest_published_resnet_is_picked_like_any_other_and_drawn_folded(lab):
    lab.choose("selectbox", "Family", "resnet")
    lab.choose("text_input", "First width", "1")  # so that measuring it takes little time
    data = lab.choose("selectbox", "Depth", 1202)
    assert data["message"] is None
    assert (data["network"]["depth"], data["network"]["skips_total"]) == (1801, 600)
    assert data["diagram"]["collapsed"]
    assert data["diagram"]["height"] < 900
    assert data["estimate"]["seconds"] > 0.1
    assert data["estimate"]["memory_mb"] > 150
    assert any("19,421,274" in caption.value for caption in lab.test.sidebar.caption)


def test_fixup_takes_norm_and_scale_along(lab):
    lab.choose("selectbox", "Family", "resnet")
    data = lab.choose("selectbox", "Init", "fixup")
    assert data["message"] is None
    assert {layer["norm"] for layer in data["network"]["layers"]} == {"none"}
    assert lab.widget("selectbox", "Norm").options == ["none"]


def test_every_norm_is_offered_and_one_that_does_not_fit_is_refused_in_words(lab):
    assert list(lab.widget("selectbox", "Norm").options) == list(NORM_WORDS.values())
    assert lab.choose("selectbox", "Norm", "rms")["message"] is None
    refused = lab.choose("selectbox", "Norm", "instance")
    assert "instance norm needs more than one pixel or position" in refused["message"][1]
    assert {layer["norm"] for layer in refused["network"]["layers"]} == {"rms"}


def test_images_too_small_for_an_architecture_are_made_larger_with_one_click(lab):
    lab.choose("selectbox", "Family", "unet")
    lab.choose("text_input", "Down-scalings", "3")
    data = lab.choose("selectbox", "Edges", "valid")
    assert data["message"][0] == "Not done."
    assert lab.widget("selectbox", "Edges").value == "padded"
    next(button for button in lab.test.button if button.label == "Use images of 96 pixels").click()
    lab.run()
    assert lab.widget("selectbox", "Edges").value == "valid"
    assert lab.test.sidebar.select_slider[0].value == 96


def test_odd_sides_are_padded_up_or_cropped_and_the_outputs_size_is_said_where_it_is_not_the_images(lab):
    lab.choose("selectbox", "Family", "unet")
    lab.choose("text_input", "Down-scalings", "4")
    data = lab.choose("select_slider", "Image", 24)
    assert lab.widget("selectbox", "Odd sides").value == "pad"
    assert link.decode(data["link"]).network.shapes.output == (1, 24, 24)
    assert not _said_of_output(lab)
    data = lab.choose("selectbox", "Odd sides", "crop")
    assert data["message"] is None
    assert link.decode(data["link"]).network.shapes.output == (1, 16, 16)
    assert _said_of_output(lab) == ["The output has 16×16 pixels and the image 24×24; next sizes that fit: 16×16 and 32×32."]
    lab.choose("select_slider", "Image", 32)
    assert not _said_of_output(lab)
    assert lab.widget("selectbox", "Odd sides").value == "crop"


def _said_of_output(lab) -> list[str]:
    return [caption.value for caption in lab.test.sidebar.caption if caption.value.startswith("The output has")]


def test_an_architecture_that_follows_its_task_says_what_changed(lab):
    lab.choose("selectbox", "Family", "fcn")
    data = lab.choose("select_slider", "Image", 48)
    assert data["message"] == ["FCN follows the task.", "Stages 4 instead of 5."]


def test_a_task_of_unusual_images_opens_with_its_size(opened):
    lab = opened("lab", x=link.encode(presets.get("unet-2015")))
    assert lab.test.sidebar.select_slider[0].value == 220
    assert lab.widget("selectbox", "Edges").value == "valid"


def test_the_scale_of_a_stacks_branches_follows_their_number(lab):
    lab.choose("selectbox", "Branch scale", "root")
    data = lab.choose("slider", "Depth", 10)
    network = link.decode(data["link"]).network
    assert {layer.scale for layer in network.layers} == {None, 0.5}
    assert lab.widget("selectbox", "Branch scale").value == "root"
