"""Every family on every task: its input and head follow, or what takes its place can learn the task."""

from __future__ import annotations

import json

import pytest

from skipviz.network import edit, families
from skipviz.network.base import NetworkError
from skipviz.network.network import Head
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment, ExperimentError, experiment_from_json
from skipviz.tasks.forms import FORMS as ALL
from skipviz.tasks.forms.architecture import afresh, with_family, with_own, with_task, with_values
from skipviz.tasks.forms.family_detection import TITLES, recognised
from skipviz.tasks.forms.form_values import built, fits, size_words, usual_values, values_of
from skipviz.tasks.own import Own
from skipviz.tasks.task import KINDS, Task
from skipviz.web.session_state.larger_images_fix import SIZES, larger_images
from skipviz.web.session_state.suggested_fix import suggested_fix_of

FORMS = {family: form for family, form in ALL.items() if not form.free}
TASKS = [Task(name=name) for name in KINDS]
OWN = {
    kind: Task(
        name="table" if kind in ("classes", "numbers") else "pictures",
        own=Own(
            digest="0" * 64,
            file="things",
            kind=kind,
            target="kind",
            samples=50,
            shape=(7,) if kind in ("classes", "numbers") else (3, 32, 32),
            classes=tuple("abcdefghij") if kind in ("classes", "labels", "pixel_classes") else (),
        ),
    )
    for kind in ("classes", "numbers", "labels", "masks", "pixel_classes")
}
"""Data of one's own, of every kind."""


def first(family: str) -> Experiment:
    """Return a family's usual network on its own task."""
    if family in FORMS:
        task = Task(name=FORMS[family].tasks[0])
        return Experiment(variants={"net": built(usual_values(family), task)}, task=task)
    task = Task(name="digits")
    network = getattr(families, family)(depth=6, width=8, skip_every=2, input=task.input_for(family == "conv"), head=task.head())
    return Experiment(variants={"net": network}, task=task)


@pytest.mark.parametrize("family", TITLES)
def test_every_task_and_back_again_gives_a_network_that_learns_it_and_has_a_form(family):
    begun = first(family)
    for task in TASKS:
        there = with_task(begun, recognised(begun), task)
        assert task.mismatch(there.network) is None
        assert recognised(there).family is not None
        if family in FORMS and fits(family, task):
            assert recognised(there).form.family == family
        back = with_task(there, recognised(there), begun.task)
        assert recognised(back).family is not None


@pytest.mark.parametrize("family", FORMS)
def test_a_familys_settings_come_back_with_its_task(family):
    begun = first(family)
    for name in FORMS[family].tasks:
        there = with_task(begun, recognised(begun), Task(name=name))
        back = with_task(there, recognised(there), begun.task)
        assert recognised(back).form == recognised(begun).form


@pytest.mark.parametrize("kind", OWN)
def test_every_familys_network_goes_on_to_data_of_ones_own(kind):
    for family in TITLES:
        begun = first(family)
        there = with_own(begun, recognised(begun), OWN[kind])
        assert OWN[kind].mismatch(there.network) is None
        if family in FORMS and fits(family, OWN[kind]):
            assert recognised(there).form.family == family


@pytest.mark.parametrize("family", TITLES)
def test_a_family_is_chosen_on_every_task_that_it_fits(family):
    for task in (*TASKS, *OWN.values()):
        if not (fits(family, task) if family in FORMS else family in task.kind.families):
            continue
        usual = task.kind.families[0]
        begun = with_task(first("mlp"), recognised(first("mlp")), task) if task.own is None else None
        begun = begun or with_own(first(usual), recognised(first(usual)), task)
        chosen = with_family(begun, recognised(begun), family, task)
        assert recognised(chosen).family == family
        assert task.mismatch(chosen.network) is None


@pytest.mark.parametrize("family", TITLES)
def test_a_network_that_was_opened_for_a_task_it_does_not_fit_comes_with_one_that_does(family):
    begun = first(family)
    for task in (*TASKS, *OWN.values()):
        if task.mismatch(begun.network) is None:
            continue
        opened = {"variants": {"net": begun.network.model_dump(mode="json")}, "task": task.model_dump(mode="json")}
        with pytest.raises(ExperimentError) as refused:
            experiment_from_json(json.dumps(opened))
        offer = suggested_fix_of(refused.value.mismatch, begun)
        assert offer.sentence.startswith("The network that was opened does not fit its task: ")
        assert offer.words.startswith(("Give the network ", "Take a usual ", "Take usual "))
        assert task.mismatch(offer.experiment.network) is None
        if offer.words.startswith("Take"):
            assert recognised(offer.experiment).family == task.kind.families[0]


@pytest.mark.parametrize("family", FORMS)
def test_both_sizes_are_said_on_every_task(family):
    for task in (*TASKS, *OWN.values()):
        if fits(family, task):
            network = built(usual_values(family, task), task)
            words = size_words(usual_values(family, task), network)
            assert f"{network.parameter_count():,} parameters" in words
            if FORMS[family].published:
                assert ("Drawn here for" in words and "At the paper's size (" in words) or network.input == (3, 32, 32)


def test_a_network_drawn_as_published_says_only_that():
    form = usual_values("resnet")
    words = size_words(form, built(form, OWN["labels"]))
    assert words == "As published (ResNet-20 on 3×32×32): 269,722 parameters."


def test_a_resnext_is_named_with_its_groups_and_their_width():
    values = FORMS["resnet"].defaults() | {"layout": "imagenet", "block": "bottleneck", "depth": 50, "width": 64, "groups": 32}
    form = values_of("resnet", values | {"shortcut": "project"})
    assert "(ResNeXt-50 32×4d on 3×224×224): 25,028,904 parameters" in size_words(form, built(form, OWN["labels"]))


@pytest.mark.parametrize("family", ["unet", "fcn"])
@pytest.mark.parametrize("size", SIZES)
def test_images_of_every_size_keep_an_architecture_that_finds_masks(family, size):
    begun = first(family)
    task = Task(name="shapes", image_size=size)
    there = with_task(begun, recognised(begun), task)
    assert recognised(there).form.family == family
    assert task.mismatch(there.network) is None


def test_a_causal_task_brings_its_mask_and_takes_it_away_again():
    begun = first("transformer")
    text = with_task(begun, recognised(begun), Task(name="text"))
    assert recognised(text).form.settings()["causal"] == "on"
    assert recognised(with_task(text, recognised(text), Task(name="sequences"))).form.settings()["causal"] == "off"
    masked = usual_values("transformer").changed(causal="on")
    kept = with_values(begun, masked, Task(name="sequences"), keep=False)
    longer = with_task(kept, recognised(kept), Task(name="sequences", length=12))
    assert recognised(longer).form.settings()["causal"] == "on"


def test_a_network_changed_by_hand_keeps_its_layers_and_skips_on_another_task():
    begun = first("unet")
    edited = begun.with_network(edit.add_skip(begun.network, 1, 2))
    there = with_task(edited, recognised(edited), Task(name="membranes", image_size=64))
    assert there.network.layers == edited.network.layers
    assert there.network.skips == edited.network.skips
    assert there.network.input == (1, 64, 64)
    points = with_task(edited, recognised(edited), Task(name="moons"))
    assert recognised(points).family == "mlp"


def test_an_architecture_too_deep_for_its_images_comes_with_the_smallest_that_fit():
    begun = first("unet")
    deep = recognised(begun).form.changed(scales=3).changed(edges="valid")

    def make(task: Task) -> Experiment:
        return with_values(begun, deep, task, keep=True)

    with pytest.raises(NetworkError):
        make(begun.task)
    offer = larger_images(begun, make)
    assert offer.words == "Use images of 96 pixels"
    assert recognised(offer.experiment).form == deep
    assert larger_images(presets.get("vanishing-plain"), make) is None


def test_a_head_of_its_own_is_named():
    begun = first("mlp")
    flat = begun.with_network(begun.network.replaced(head=Head(outputs=10, bias=False)))
    assert recognised(flat).sentence() == "Changed by hand: MLP with a head of its own."


def test_what_has_no_name_is_said_by_its_place():
    begun = first("resnet")
    third = begun.network.layers[2]
    wide = begun.with_network(edit.set_layer(begun.network, third.id, op=third.op.replaced(kernel=5)))
    assert recognised(wide).sentence() == "Changed by hand: ResNet with f(3) set otherwise."
    biased = begun.network.skips[0].adapter.replaced(offset=1, spatial="auto")
    assert recognised(begun.with_network(edit.set_skip(begun.network, "s1-3", adapter=biased))).form == usual_values("resnet")


def _several():
    task = Task(name="digits")
    makers = {"conv": families.conv, "resnet": families.resnet, "wide": families.conv}
    depths, input = {"conv": 8, "resnet": 20, "wide": 6}, task.input_for(True)
    variants = {name: make(depth=depths[name], input=input, head=task.head()) for name, make in makers.items()}
    return Experiment(variants=variants, task=task)


def _deeper(experiment):
    return with_values(experiment, recognised(experiment).form.changed(depth=9), experiment.task, keep=True)


EDITS = {
    "a setting of its stack": _deeper,
    "another family": lambda one: with_family(one, recognised(one), "resnet", one.task),
    "a published family's setting": lambda one: with_values(one, usual_values("resnet", one.task), one.task, keep=True),
    "afresh": lambda one: afresh(one, usual_values("resnet", one.task)),
    "a task's setting": lambda one: with_task(one, recognised(one), one.task.replaced(samples=200)),
}


@pytest.mark.parametrize("edit_", EDITS)
def test_an_edit_in_the_sidebar_changes_the_first_variant_and_keeps_the_others(edit_):
    before = _several()
    after = EDITS[edit_](before)
    assert list(after.variants) == ["conv", "resnet", "wide"]
    assert [after.variants[name] for name in ("resnet", "wide")] == [before.variants[name] for name in ("resnet", "wide")]
    assert after != before


@pytest.mark.parametrize("task", [*TASKS, *OWN.values()], ids=lambda task: f"{task.name} {task.own.kind if task.own else ''}")
def test_every_variant_follows_to_every_task(task):
    before = _several()
    after = (with_own if task.own else with_task)(before, recognised(before), task)
    assert list(after.variants) == ["conv", "resnet", "wide"]
    assert [task.mismatch(network) for network in after.variants.values()] == [None] * 3
    if task.kind.families == before.task.kind.families:
        assert [network.depth for network in after.variants.values()] == [network.depth for network in before.variants.values()]
