"""Edges of branches are switched, weighed and gained like skips: in edits, events, live runs, scripts, undo."""

from __future__ import annotations

import pytest
import torch
from scripts import check, short
from test_branches import CASES, case, experiment
from torch.nn import functional as F

import skipviz
from skipviz import NetworkError, build, families
from skipviz.drawing.network_data import network_data
from skipviz.learning.trainer import Trainer
from skipviz.network import edit
from skipviz.sharing import link
from skipviz.tasks.event import LayerEvent, SkipEvent, applied
from skipviz.web.document.document import Document
from skipviz.web.document.edits import events_between, network_after
from skipviz.web.document.reducer import reduced


def edge_into(network, target: str, source: str) -> str:
    """Return the id of a branch's edge."""
    return next(edge.id for edge in network.edges if (edge.source, edge.target) == (source, target))


GATE = case("attention gate")
ASKED = edge_into(GATE, "asked", "wx")


def gate_without(model, x, asked: bool = True) -> torch.Tensor:
    """Return what the attention gate's network computes, in plain torch; without `asked`, its query's part is left out."""
    weights = dict(model.named_parameters())

    def conv(room: str, name: str, h: torch.Tensor) -> torch.Tensor:
        kernel = weights[f"{room}.{name}.operation.weight"]
        return F.conv2d(h, kernel, weights[f"{room}.{name}.operation.bias"], padding=kernel.shape[-1] // 2)

    rooms = {name.split(".")[1]: name.split(".")[0] for name in weights if "." in name}
    layer = lambda name, h: conv(rooms[name], name, h)  # noqa: E731
    enc = F.relu(layer("enc", F.relu(layer("stem", x))))
    deep = F.relu(layer("deep", enc))
    summed = layer("wg", deep)
    share = torch.sigmoid(layer("psi", F.relu(layer("wx", enc) + summed if asked else summed)))
    decoded = layer("dec", torch.cat([enc * share, deep], 1))
    return F.linear(decoded.mean((2, 3)), weights["head.weight"], weights["head.bias"])


def test_an_edge_that_is_off_or_of_strength_0_is_a_network_without_it_and_moves_no_weight():
    x, network = torch.randn(3, 1, 8, 8), GATE
    whole = build(network)
    assert torch.allclose(whole(x), gate_without(whole, x), atol=1e-6)
    for change in ({"on": False}, {"strength": 0.0}):
        off = build(edit.set_skip(network, ASKED, **change))
        assert all(torch.equal(a, b) for a, b in zip(off.parameters(), whole.parameters(), strict=True))
        assert torch.allclose(off(x), gate_without(off, x, asked=False), atol=1e-6)
        assert not torch.allclose(off(x), whole(x), atol=1e-6)
        off(x).square().sum().backward()
        frozen = off.get_parameter("branches.wx.operation.weight").grad
        assert frozen is None or not frozen.any()


def test_off_and_strength_0_are_the_same_bits_at_every_edge_of_every_case():
    for name in CASES:
        network = case(name)
        x = torch.randn(2, *network.input)
        assert network.edges
        for edge in network.edges:
            off, zero = (edit.set_skip(network, edge.id, **change) for change in ({"on": False}, {"strength": 0.0}))
            assert torch.equal(build(off)(x), build(zero)(x)), edge.id


def test_an_edge_that_is_not_there_or_cannot_be_so_is_refused_with_a_sentence():
    with pytest.raises(NetworkError, match="there is no skip wx"):
        edit.set_skip(GATE, "wx", on=False)
    with pytest.raises(NetworkError, match="strength"):
        edit.set_skip(GATE, ASKED, strength=9)
    rests = edit.set_layer(GATE, "wx", on=False)
    with pytest.raises(NetworkError, match="wx cannot be off: no residual skip in force passes it"):
        edit.set_skip(rests, edge_into(GATE, "asked", "wg"), on=False)


def test_parts_of_branches_are_not_removed_by_themselves():
    with pytest.raises(NetworkError, match="wx stands beside the trunk: it goes with the skip"):
        edit.remove_layer(GATE, "wx")
    with pytest.raises(NetworkError, match=f"{ASKED} leads into a branch's box, which goes with the skip"):
        edit.remove_skip(GATE, ASKED)


def test_an_event_for_an_edge_acts_in_every_variant_that_has_it():
    bare = edit.remove_skips(GATE, [skip.id for skip in GATE.skips if skip.via])
    pair = experiment(GATE).replaced(variants={"gate": GATE, "bare": bare})
    after = applied(pair, SkipEvent(ids=(ASKED,), strength=0.5, gain=0.0))
    assert after.variants == {"gate": edit.set_skip(GATE, ASKED, strength=0.5, gain=0.0), "bare": bare}
    assert applied(after, SkipEvent(ids=(ASKED,), strength=1.0, gain=1.0)) == pair


LIVE = {
    **{name: lambda name=name: case(name) for name in CASES},
    "SE-ResNet": lambda: families.resnet(8, reduction=4, input=(1, 8, 8)),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_run_whose_edges_are_switched_and_its_script_train_alike_bit_for_bit(name):
    network = LIVE[name]()
    ids = [edge.id for edge in network.edges]
    events = [
        SkipEvent(step=1, ids=(ids[-2 % len(ids)],), on=False),
        SkipEvent(step=2, ids=(ids[0],), strength=0.5),
        SkipEvent(step=3, ids=(ids[-2 % len(ids)],), on=True, gain=0.25),
        SkipEvent(step=4, ids=(ids[-1],), strength=0.0),
        SkipEvent(step=5, ids=tuple(ids), on=True, strength=1.0, gain=1.0),
    ]
    check(short(experiment(network, optimizer="momentum", weight_decay=0.01), 7), events)


def test_a_learned_strength_of_an_edge_is_set_by_an_event_in_run_and_script():
    network = edit.set_skip(GATE, ASKED, learned=True, rate=3.0)
    source = check(short(experiment(network, optimizer="adam"), 5), [SkipEvent(step=2, ids=(ASKED,), strength=-0.5)])
    assert ".value.data.fill_(-0.5)" in source


def test_a_run_goes_on_from_a_checkpoint_with_its_edges_as_they_were_switched():
    made = short(experiment(GATE, optimizer="adam"), 6)
    whole, first, second = Trainer(made), Trainer(made), Trainer(made)
    for trainer in (whole, first):
        trainer.advance(record=True)
        trainer.apply(SkipEvent(ids=(ASKED,), on=False))
        trainer.advance(record=True)
    second.load_state(first.state_bytes())
    for _ in range(3):
        left, right = whole.advance(record=True), second.advance(record=True)
        left.seconds = right.seconds = 0
        assert left.to_data() == right.to_data()
    assert second.experiment.network.edge(ASKED).on is False


def test_an_edge_that_is_off_carries_no_gradient_and_the_frame_says_so():
    made = short(experiment(GATE), 3)
    frames = list(skipviz.train(made, [SkipEvent(step=1, ids=(ASKED,), on=False)]))
    place = [edge.id for edge in GATE.edges].index(ASKED)
    grads = [frame.variants["network"].edge_grad[place] for frame in frames]
    assert grads[0] > 0
    assert grads[1:] == [0.0, 0.0]


def test_a_live_run_follows_edges_and_boxes_of_branches_through_the_document_and_back():
    document = Document(experiment(GATE))
    for command, event in (
        ({"op": "skips", "ids": [ASKED], "changes": {"on": False}}, SkipEvent(ids=(ASKED,), on=False, variant="network")),
        ({"op": "layers", "ids": ["open"], "changes": {"gain": 0.5}}, LayerEvent(ids=("open",), gain=0.5, variant="network")),
    ):
        before, document = document, reduced(document, command)
        assert events_between(before.experiment, document.experiment) == [event]
    for event in (
        LayerEvent(ids=("open",), gain=1.0, variant="network"),
        SkipEvent(ids=(ASKED,), on=True, variant="network"),
    ):
        before, document = document, document.back()
        assert events_between(before.experiment, document.experiment) == [event]
    assert document.experiment.network == GATE


def test_no_live_run_follows_a_change_of_what_a_branch_is_made_of():
    made = experiment(GATE)
    for changed in (edit.set_layer(GATE, "wx", activation="tanh"), edit.set_skip(GATE, ASKED, learned=True)):
        assert events_between(made, made.with_network(changed)) is None


def test_an_edges_adapter_and_a_boxs_operation_are_set_at_rest():
    other = edge_into(GATE, "asked", "wg")
    projected = network_after(GATE, {"op": "skips", "ids": [other], "changes": {"adapter": "project"}})
    assert projected.edge(other).adapter.channels == "project"
    assert projected.parameter_count() == GATE.parameter_count() + 2 * 2 + 2
    wider = network_after(GATE, {"op": "layers", "ids": ["wx"], "changes": {"kernel": 3}})
    assert wider.parameter_count() == GATE.parameter_count() + 4 * 2 * (9 - 1)
    normed = network_after(GATE, {"op": "layers", "ids": ["wx"], "changes": {"norm": "batch", "activation": "tanh"}})
    assert (normed.branches[0].norm, normed.branches[0].activation) == ("batch", "tanh")
    for ids, changes, words in (
        (["gated"], {"width": 3}, "nothing is called width"),
        (["gated"], {"norm": "batch"}, "a merge has no norm"),
    ):
        with pytest.raises(NetworkError, match=words):
            network_after(GATE, {"op": "layers", "ids": ids, "changes": changes})


def test_a_page_is_told_of_boxes_and_edges_of_branches_what_it_is_told_of_layers_and_skips():
    told = network_data(edit.set_skip(GATE, ASKED, strength=0.5))
    assert [box["name"] for box in told["branches"]] == ["1×1·2", "1×1·2", "add", "ReLU", "1×1·1", "multiply"]
    assert told["branches"][4]["says"] == "conv 1, sigmoid"
    assert [box["parameters"] for box in told["branches"]] == [shape.parameters for shape in GATE.shapes.branches]
    edge = next(edge for edge in told["edges"] if edge["id"] == ASKED)
    assert (edge["name"], edge["to"], edge["strength"], edge["merges"], edge["adapters"]) == ("1×1·2 → add", "asked", 0.5, True, [])
    other = next(one for one in told["edges"] if one["id"] == edge_into(GATE, "asked", "wg"))
    assert [name for name, _ in other["adapters"]][:2] == ["none", "project"]
    into = next(one for one in told["edges"] if one["to"] == "wg")
    assert (into["name"], into["merges"], into["adapters"]) == ("h(3) → 1×1·2", False, [])


def test_a_link_holds_how_edges_are_switched():
    made = applied(experiment(GATE), SkipEvent(ids=(ASKED,), on=False, strength=-1.5, gain=0.5))
    assert link.decode(link.encode(made)) == made
