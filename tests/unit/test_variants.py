"""Networks that are compared in a lab: put beside each other, edited one at a time, drawn on equal rows, told apart in words."""

from itertools import pairwise

import pytest

from skipviz.drawing import aligned, diagram
from skipviz.learning.trainer import Trainer
from skipviz.network import edit, families
from skipviz.network.base import NetworkError
from skipviz.tasks.comparison import apart_words
from skipviz.tasks.event import message_from
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.forms.architecture import with_task, with_values
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.task import Task
from skipviz.tasks.variants import residual
from skipviz.web.content.page_data import editor_data
from skipviz.web.document.document import Document
from skipviz.web.document.edits import events_between
from skipviz.web.document.lab import Lab
from skipviz.web.document.reducer import reduced
from skipviz.web.session_state.editor import Editor

PLAIN = families.mlp(depth=8, width=6)
SKIPPED = families.mlp(depth=8, width=6, skip_every=2)


def alone(network) -> Document:
    task, training = Task(name="spiral", samples=100), Training(steps=6, batch_size=8)
    return Document(Experiment(variants={"network": network}, task=task, training=training))


def names(document: Document) -> list[str]:
    return [*document.experiment.variants]


def beside(document: Document, how: str, **more) -> Document:
    return reduced(document, {"op": "compare", "how": how, **more})


def on(network) -> list[bool]:
    return [skip.on for skip in network.skips]


def test_what_is_put_beside_a_network_stands_right_of_it_and_one_undo_takes_it_away():
    document = alone(SKIPPED)
    several = beside(beside(beside(document, "off"), "copy"), "family", name="highway")
    assert names(several) == ["network", "highway", "network-copy", "without-skips"]
    assert several.experiment.variants["network-copy"] == SKIPPED
    assert not any(on(several.experiment.variants["without-skips"]))
    assert {skip.merge for skip in several.experiment.variants["highway"].skips} == {"gate"}
    assert several.experiment.variants["network"] == SKIPPED
    with pytest.raises(NetworkError, match="4 networks are compared at most"):
        beside(several, "copy")
    assert several.back().back().back().experiment == document.experiment


@pytest.mark.parametrize(
    ("network", "how", "why"),
    [
        (SKIPPED, "residual", "all skips of this network are on"),
        (PLAIN, "off", "no skip that is on"),
        (families.mlp(depth=1, width=6), "residual", "no two states of this network have one shape"),
    ],
)
def test_a_comparison_with_what_is_there_already_is_refused_in_a_sentence(network, how, why):
    with pytest.raises(NetworkError, match=why):
        beside(alone(network), how)


def test_as_residual_gives_a_network_without_skips_new_ones_past_two_layers_of_one_shape():
    made = residual(PLAIN)
    assert [(skip.source, skip.target) for skip in made.skips] == [(1, 3), (3, 5), (5, 7)]
    assert residual(edit.switch_all(SKIPPED, False)) == SKIPPED
    weak = edit.set_skips(SKIPPED, [skip.id for skip in SKIPPED.skips], strength=0.0)
    assert all(skip.in_force for skip in residual(weak).skips)


def test_a_preset_beside_a_network_learns_the_same_task_or_says_why_it_cannot():
    several = beside(alone(PLAIN), "preset", name="vanishing-residual")
    assert names(several) == ["network", "vanishing-residual"]
    assert (several.experiment.task.name, several.experiment.task.samples) == ("spiral", 100)
    with pytest.raises(NetworkError, match="ResNet-20, on digits, does not learn two spirals: "):
        beside(alone(PLAIN), "preset", name="resnet-20-cifar")
    with pytest.raises(NetworkError, match="ResNet does not fit two spirals"):
        beside(alone(PLAIN), "family", name="resnet")


def test_a_command_changes_the_network_that_it_names_and_no_other():
    several = beside(alone(SKIPPED), "copy")
    command = {"op": "skips", "ids": ["s1-3"], "changes": {"on": False}, "variant": "network-copy"}
    after = reduced(several, command)
    assert on(after.experiment.variants["network"]) == [True, True, True]
    assert on(after.experiment.variants["network-copy"]) == [False, True, True]
    [event] = events_between(several.experiment, after.experiment)
    assert event.variant == "network-copy"
    assert reduced(after, command | {"changes": {"on": True}}).experiment == several.experiment
    with pytest.raises(LookupError):
        reduced(several, command | {"variant": "nobody"})


def test_networks_are_renamed_moved_and_taken_away():
    several = beside(alone(SKIPPED), "off")
    renamed = reduced(several, {"op": "rename_variant", "variant": "network", "name": "  mit Brücken! "})
    assert (names(renamed), renamed.experiment.labels) == (["network", "without-skips"], {"network": "mit Brücken!"})
    moved = reduced(renamed, {"op": "move_variant", "variant": "network", "place": 1})
    assert (names(moved), moved.experiment.label("network")) == (["without-skips", "network"], "mit Brücken!")
    assert names(reduced(moved, {"op": "remove_variant", "variant": "without-skips"})) == ["network"]
    assert reduced(moved, {"op": "remove_variant", "variant": "network"}).experiment.labels == {}
    assert reduced(moved, {"op": "rename_variant", "variant": "network", "name": "network"}).experiment.labels == {}
    copy = beside(renamed, "copy", variant="network").experiment
    assert [*map(copy.label, copy.variants)] == ["mit Brücken!", "mit Brücken!-copy", "without-skips"]
    for name, why in (("without-skips", "another network is called"), ("<>", "begins with a letter or a digit")):
        with pytest.raises(NetworkError, match=why):
            reduced(several, {"op": "rename_variant", "variant": "network", "name": name})
    with pytest.raises(NetworkError, match="one network has to stay"):
        reduced(alone(PLAIN), {"op": "remove_variant"})


def test_a_form_changes_the_network_that_it_shows_and_a_task_is_followed_by_all():
    several = beside(alone(SKIPPED), "copy").experiment
    form = recognised(several.alone("network-copy")).form.changed(depth=12)
    deeper = with_values(several, form, several.task, keep=True, variant="network-copy")
    assert [network.depth for network in deeper.variants.values()] == [8, 12]
    digits = with_task(deeper, recognised(deeper.alone("network-copy")), Task(name="moons"), variant="network-copy")
    assert digits.task.name == "moons"
    assert [network.depth for network in digits.variants.values()] == [8, 12]


def test_switching_a_skip_of_one_network_leaves_every_number_of_the_other_bit_for_bit():
    experiment = beside(alone(SKIPPED), "copy").experiment
    frames = {}
    for switched in (False, True):
        trainer = Trainer(experiment)
        trainer.advance(record=True)
        if switched:
            trainer.apply(message_from({"kind": "skip", "ids": ["s1-3"], "on": False, "variant": "network-copy"}))
        frames[switched] = [trainer.advance(record=True).to_data()["variants"] for _ in range(4)]
    for before, after in zip(frames[False], frames[True], strict=True):
        assert before["network"] == after["network"]
        assert before["network-copy"] != after["network-copy"]


@pytest.mark.parametrize(
    ("networks", "shared"),
    [
        ([PLAIN, SKIPPED], 8),
        ([families.mlp(24, 8), families.mlp(24, 8, skip_every=3), families.mlp(10, 8)], 10),
        ([families.mlp(120, 4), families.mlp(120, 4, skip_every=2)], 4),
        ([families.resnet(8), families.resnet(14)], 4),
    ],
)
def test_equal_layers_stand_on_equal_rows_and_all_drawings_are_equally_high(networks, shared):
    drawings = aligned.draw(networks, height=660)
    assert len({drawing.height for drawing in drawings}) == 1
    rows = [{row["id"]: (row["y"], row["h"]) for row in drawing.rows if row["kind"] == "box"} for drawing in drawings]
    for other in rows[1:]:
        common = rows[0].keys() & other.keys()
        assert len(common) >= shared
        for name in common:
            assert rows[0][name] == pytest.approx(other[name], abs=0.02)
    for drawing in drawings:
        boxes = sorted((row["y"] - row["h"] / 2, row["y"] + row["h"] / 2) for row in drawing.rows if row["kind"] == "box")
        assert all(upper[1] <= lower[0] + 0.02 for upper, lower in pairwise(boxes))


def test_one_network_alone_is_drawn_as_in_a_comparison_of_equal_ones():
    first, second = aligned.draw([SKIPPED, SKIPPED], height=660)
    assert first == second
    assert [row["id"] for row in first.rows] == [row["id"] for row in diagram.draw(SKIPPED, height=660).rows]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (SKIPPED, "the same network"),
        (edit.switch_all(SKIPPED, False), "the 3 skips are off; the same weights elsewhere"),
        (edit.set_skip(SKIPPED, "s1-3", on=False), "skip 1→3 is off; the same weights elsewhere"),
        (families.mlp(depth=6, width=6, skip_every=2), "layers 6 instead of 8, skips 2 add instead of 3 add"),
        (families.mlp(depth=8, width=6, skip_every=2, init="he"), "init He instead of torch's"),
    ],
)
def test_what_sets_a_network_apart_is_said_in_a_clause(other, words):
    assert apart_words(SKIPPED, other).replace("’", "'").startswith(words.replace("’", "'"))


class Unmeasured:
    """As much of an engine as a drawing asks for; it measures nothing."""

    warm = True
    step_took = probe = has_data = staticmethod(lambda *_, **__: None)


def shown_as_u(**networks) -> dict:
    """Return what the lab's page shows of networks once it is asked for their U."""
    task = Task(name="shapes", samples=40)
    editor = Editor(Lab(Experiment(variants=networks, task=task, training=Training(steps=2, batch_size=2))))
    editor.layout = "u"
    return editor_data(editor, Unmeasured(), "me", page="lab", compact=False)


def test_networks_that_all_have_a_u_stand_side_by_side_as_one_with_bars_on_common_rows():
    task = Task(name="shapes", samples=40)
    unet = families.unet(2, 4, padded=True, input=task.sample_shape(), head=task.head())
    data = shown_as_u(skips=unet, bare=edit.switch_all(unet, False))
    assert (data["u"]["on"], data["u"]["why"], data["u"]["diagram"]) == (True, "", data["columns"][0]["u"])
    assert [(one["u"]["shape"], one["diagram"]["shape"]) for one in data["columns"]] == [("u", "column")] * 2
    heights = [[(row["label"], row["y"]) for row in one["diagram"]["rows"] if row["kind"] == "box"] for one in data["columns"]]
    assert heights[0] == heights[1]
    flat = families.conv(2, 4, input=task.sample_shape(), head=task.head())
    data = shown_as_u(skips=unet, flat=flat)
    assert (data["u"]["on"], [one["u"] for one in data["columns"]]) == (False, [None, None])
    assert data["u"]["why"] == "B does not go down in scale and up again"
    assert shown_as_u(flat=flat, other=flat)["u"] is None
