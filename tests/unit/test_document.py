"""A person's experiment with undo and redo, the page's commands on its network, and what a live run is told."""

import pytest

from skipviz.drawing.network_data import network_data
from skipviz.network import Convolution, Head, Identity, Layer, Network, Skip, edit, families
from skipviz.network.base import NetworkError
from skipviz.tasks.event import ClipEvent, LayerEvent, RateEvent, SkipEvent, applied
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.document.document import UNDO_LIMIT, Document
from skipviz.web.document.edits import events_between, network_after


def _experiment(**training) -> Experiment:
    network = families.mlp(depth=6, width=8, skip_every=2)
    return Experiment(variants={"net": network}, task=Task(name="spiral"), training=Training(**training))


def _after(experiment: Experiment, **command) -> Experiment:
    return experiment.with_network(network_after(experiment.network, command))


def _put(document: Document, **command) -> Document:
    return document.put(_after(document.experiment, **command))


def _events(before: Document, after: Document) -> list | None:
    return events_between(before.experiment, after.experiment)


def test_undo_and_redo_walk_through_all_edits():
    stations = [Document(_experiment())]
    for k in range(1, 4):
        stations.append(_put(stations[-1], op="insert_layer", position=k))
    states = [station.experiment for station in stations]
    document, back = stations[-1], []
    for _ in range(3):
        document = document.back()
        back.append(document.experiment)
    assert back == states[2::-1]
    for expected in states[1:]:
        document = document.forth()
        assert document.experiment == expected


def test_undo_with_nothing_to_undo_changes_nothing():
    document = Document(_experiment())
    assert document.back() is document.forth() is document


def test_an_edit_that_changes_nothing_needs_no_undo():
    assert Document(_experiment()).put(_experiment()).undo == ()


def test_a_new_edit_forgets_what_was_undone():
    document = _put(Document(_experiment()), op="insert_layer", position=1).back()
    assert len(document.redo) == 1
    assert _put(document, op="remove_layers", ids=["f2"]).redo == ()


def test_undo_is_bounded():
    document = Document(_experiment())
    for step in range(UNDO_LIMIT + 5):
        document = document.put(_experiment(steps=step + 1))
    assert len(document.undo) == UNDO_LIMIT


def test_undo_of_a_toggle_gives_the_event_that_toggles_back():
    off = _put(Document(_experiment()), op="skips", ids=["s1-3"], changes={"on": False})
    on = off.back()
    assert _events(off, on) == [SkipEvent(ids=("s1-3",), variant="net", on=True)]
    assert _events(on, on.forth()) == [SkipEvent(ids=("s1-3",), variant="net", on=False)]


def test_undo_of_a_structural_edit_gives_no_events():
    longer = _put(Document(_experiment()), op="insert_layer", position=1)
    assert _events(longer, longer.back()) is None


def test_equal_changes_of_several_parts_are_one_event():
    before = _experiment()
    after = before.with_network(edit.switch_all(before.network, False))
    assert events_between(before, after) == [SkipEvent(ids=("s1-3", "s3-5"), variant="net", on=False)]


def test_a_change_that_is_the_same_in_each_of_several_variants_is_one_event_for_all():
    before = Experiment(
        variants={name: families.mlp(depth=6, width=8, skip_every=skips) for name, skips in (("plain", 0), ("residual", 2))},
        task=Task(name="spiral"),
    )
    shut = {name: edit.set_layer(network, "f4", gain=0.0) for name, network in before.variants.items()}
    shut["residual"] = edit.set_skip(shut["residual"], "s1-3", on=False)
    assert events_between(before, before.replaced(variants=shut)) == [
        LayerEvent(ids=("f4",), gain=0.0),
        SkipEvent(ids=("s1-3",), variant="residual", on=False),
    ]


def test_different_changes_of_several_parts_are_events_of_their_own():
    before = _experiment()
    network = edit.set_skip(edit.set_skip(before.network, "s1-3", strength=0.5), "s3-5", on=False)
    after = before.with_network(edit.set_layer(network, "f4", gain=0.0, on=False))
    after = after.replaced(training=after.training.replaced(learning_rate=0.1, clip_norm=1.0))
    assert events_between(before, after) == [
        RateEvent(learning_rate=0.1),
        ClipEvent(clip_norm=1.0),
        SkipEvent(ids=("s1-3",), variant="net", strength=0.5),
        SkipEvent(ids=("s3-5",), variant="net", on=False),
        LayerEvent(ids=("f4",), variant="net", on=False, gain=0.0),
    ]


def test_events_between_two_experiments_lead_from_the_one_to_the_other():
    before = _experiment()
    network = edit.set_skips(before.network, ("s1-3", "s3-5"), strength=1.5, gain=0.25)
    after = before.with_network(edit.set_layer(network, "f2", gain=0.5))
    for event in events_between(before, after):
        before = applied(before, event)
    assert before == after


@pytest.mark.parametrize(
    "change",
    [
        lambda experiment: _after(experiment, op="insert_layer", position=2),
        lambda experiment: _after(experiment, op="remove_skips", ids=["s1-3"]),
        lambda experiment: _after(experiment, op="skips", ids=["s1-3"], changes={"merge": "concat"}),
        lambda experiment: _after(experiment, op="layers", ids=["f2"], changes={"activation": "tanh"}),
        lambda experiment: experiment.replaced(training=experiment.training.replaced(seed=1)),
        lambda experiment: experiment.replaced(task=experiment.task.replaced(noise=0.3)),
        lambda experiment: experiment.replaced(variants={"other": experiment.network}),
    ],
    ids=["layer", "skip", "merge", "activation", "seed", "task", "variant"],
)
def test_no_events_lead_to_another_structure_task_or_training(change):
    before = _experiment()
    assert events_between(before, change(before)) is None


def test_a_width_changes_the_layers_named_and_no_other():
    network = network_after(_experiment().network, {"op": "layers", "ids": ["f6"], "changes": {"width": 5}})
    assert [layer.op.width for layer in network.layers] == [8, 8, 8, 8, 8, 5]


def test_any_field_of_a_layer_and_of_its_operation_is_changed_where_there_is_one():
    convolutions = families.conv(2, 8, 1, norm="batch", input=(1, 8, 8), head=10)
    changes = {"kernel": 5, "edges": "reflect", "padding": 2, "init_factor": 2.0, "bias": False}
    after = network_after(convolutions, {"op": "layers", "ids": ["f2"], "changes": changes})
    before, layer = convolutions.layers[0], after.layers[1]
    assert after.layers[0] == before
    assert {name: getattr(layer.op, name, None) for name in changes} | {"init_factor": layer.init_factor} == changes
    mixed = edit.set_layers(convolutions, ("f1",), op=Identity(), norm="none")
    wider = network_after(mixed, {"op": "layers", "ids": ["f1", "f2"], "changes": {"width": 5}})
    assert [getattr(layer.op, "width", None) for layer in wider.layers] == [None, 5]


def test_positions_and_kernel_of_an_adapter_are_set_apart_and_what_fits_is_offered():
    halved = Layer(op=Convolution(width=4, stride=2))
    network = Network(input=(1, 8, 8), layers=(halved,), skips=(Skip(id="s", source=0, target=1),), head=Head(outputs=10))
    (offered,) = network_data(network)["skips"]
    assert [name for name, _ in offered["spatials"]] == [
        "stride", "crop", "resize", "average-pool", "max-pool", "nearest", "bilinear",
    ]  # fmt: skip
    assert offered["adapters"] == [
        ["pad", "pad"], ["project", "1×1"], ["project 3", "3×3"], ["project 5", "5×5"], ["project 7", "7×7"],
    ]  # fmt: skip
    for changes in ({"spatial": "average-pool"}, {"adapter": "project 3"}):
        network = network_after(network, {"op": "skips", "ids": ["s"], "changes": changes})
    (told,) = network_data(network)["skips"]
    assert (told["spatial"], told["adapter"], told["adapter_label"]) == ("average-pool", "project 3", "average pool · 3×3")
    assert told["parameters"] == 9 * 4 + 4
    with pytest.raises(NetworkError, match="padding only adds"):
        network_after(network, {"op": "skips", "ids": ["s"], "changes": {"spatial": "pad"}})
    plain = network_after(network, {"op": "skips", "ids": ["s"], "changes": {"adapter": "pad"}})
    assert plain.shapes.skips[0].adapter.label() == "average pool · pad"


def test_a_changed_merge_chooses_its_adapter_anew():
    network = _experiment().network
    network = network_after(network, {"op": "skips", "ids": ["s1-3"], "changes": {"adapter": "project"}})
    assert network.skip("s1-3").adapter.channels == "project"
    network = network_after(network, {"op": "skips", "ids": ["s1-3"], "changes": {"merge": "concat"}})
    assert network.skip("s1-3").adapter.channels == "auto"


def test_a_skip_to_where_a_gate_lands_becomes_a_concat():
    network = families.mlp(depth=6, width=8)
    network = edit.add_skip(network, 1, 4, merge="gate")
    assert network_after(network, {"op": "add_skip", "source": 2, "target": 4}).skips[-1].merge == "concat"


@pytest.mark.parametrize(
    "command",
    [
        {"op": "add_skip", "source": 3, "target": 3},
        {"op": "add_skip", "source": 4, "target": 2},
        {"op": "skips", "ids": ["s1-3"], "changes": {"id": "x"}},
        {"op": "skips", "ids": ["s1-3"], "changes": {"strength": 5}},
        {"op": "layers", "ids": ["nosuch"], "changes": {"gain": 0}},
        {"op": "layers", "ids": ["f1"], "changes": {"width": 0}},
        {"op": "layers", "ids": ["f1"], "changes": {"kernel": 5}},
        {"op": "layers", "ids": ["f1"], "changes": {"kind": "conv"}},
        {"op": "layers", "ids": ["f1"], "changes": {"id": "x"}},
        {"op": "remove_layers", "ids": ["f1", "f2", "f3", "f4", "f5", "f6"]},
    ],
)
def test_an_impossible_command_says_why(command):
    with pytest.raises(NetworkError, match=r"\w+ \w+ \w+"):
        network_after(_experiment().network, command)
