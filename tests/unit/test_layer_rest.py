"""A layer is off only where something takes its place: for edits, for `Network(...)` and for events alike."""

from __future__ import annotations

import pytest
from chains import chains
from hypothesis import given
from hypothesis import strategies as st
from networks import networks
from pydantic import ValidationError

from skipviz import Experiment, Head, Layer, Linear, Network, NetworkError, Pool, Skip, Task, edit, families, link
from skipviz.learning.trainer import Trainer
from skipviz.network.base import sentence
from skipviz.network.chain import wiring_of
from skipviz.network.rest import residual_branches, stand_ins, unfit
from skipviz.tasks.event import LayerEvent, SkipEvent, applied
from skipviz.tasks.twin import twin_of
from skipviz.web.document.edits import events_between

RESIDUAL = families.mlp(depth=6, width=8, skip_every=2)
NARROWING = Network(
    input=(2,), layers=[Layer(op=Linear(width=width)) for width in (2, 8, 2)], skips=[Skip(id="s", source=0, target=2)]
)
"""f(2) widens under a residual skip, f(3) narrows under none."""


def refusal(make) -> str | None:
    """Return the sentence with which a network is refused, or None."""
    try:
        make()
    except NetworkError as error:
        return str(error)
    except ValidationError as error:
        return sentence(error)
    return None


def made(network: Network) -> Network:
    """Return the network that `Network(...)` makes of all its fields."""
    return Network(**{name: getattr(network, name) for name in Network.model_fields})


def with_layer_off(network: Network, place: int) -> Network:
    layers = [layer.model_copy(update={"on": layer.on and k != place}) for k, layer in enumerate(network.layers)]
    return Network(input=network.input, layers=layers, skips=network.skips, head=network.head)


def unguarded(network: Network) -> Network:
    """Return the network with all its layers off, as an earlier version let one be made."""
    layers = tuple(layer.model_copy(update={"on": False}) for layer in network.layers)
    return network.model_copy(update={"layers": layers})


@given(networks() | chains(), st.data())
def test_an_edit_gives_a_layer_that_is_off_exactly_where_a_network_can_be_made_with_it_off(network, data):
    assert made(network) == network
    place = data.draw(st.integers(0, network.depth - 1))
    asked = network.layers[place].id
    assert refusal(lambda: edit.set_layer(network, asked, on=False)) == refusal(lambda: with_layer_off(network, place))


@given(networks() | chains(), st.data())
def test_what_switching_a_skip_gives_is_a_network_that_can_be_made_or_is_refused_with_the_same_sentence(network, data):
    assert network.skips == () or made(edit.awake(edit.bare(network)))
    for skip in network.skips:
        change = data.draw(st.sampled_from(({"on": False}, {"strength": 0.0}, {"on": True, "strength": 1.0})))
        skips = [other.replaced(**change) if other == skip else other for other in network.skips]
        anew = {**{name: getattr(network, name) for name in Network.model_fields}, "skips": skips}
        assert refusal(lambda: edit.set_skip(network, skip.id, **change)) == refusal(lambda: Network(**anew))  # noqa: B023


@given(chains())
def test_nothing_could_take_a_layers_place_where_it_changes_the_shape_in_no_residual_branch(network):
    off = network.model_copy(update={"layers": tuple(layer.replaced(on=False) for layer in network.layers)})
    wiring = wiring_of(off)
    shapes, under = wiring.shapes.nodes, residual_branches(wiring)
    assert unfit(off) == [
        layer.id for layer in off.layers if shapes[layer.id].input != shapes[layer.id].output and layer.id not in under
    ]


def test_a_layer_lies_in_a_residual_branch_where_an_add_or_gate_passes_it():
    network = RESIDUAL.replaced(skips=(Skip(id="a", source=1, target=3), Skip(id="c", source=3, target=5, merge="concat")))
    assert residual_branches(wiring_of(network)) == {"f2", "f3"}
    off = edit.set_skip(network, "a", on=False)
    assert not residual_branches(wiring_of(off))
    gated = edit.set_skip(network, "a", merge="gate")
    assert "f2" in residual_branches(wiring_of(gated))


def test_a_plain_layer_that_changes_the_shape_cannot_be_switched_off():
    with pytest.raises(NetworkError, match="f\\(1\\) cannot be off"):
        edit.set_layer(RESIDUAL, "f1", on=False)
    assert not edit.set_layer(RESIDUAL, "f6", on=False).layer("f6").on


def test_a_layer_that_changes_the_shape_can_be_switched_off_under_a_residual_skip():
    network = Network(
        input=(1, 8, 8), layers=[Layer(op=Pool())], skips=[Skip(source=0, target=1)], head=Head(kind="pixels", outputs=1)
    )
    assert not edit.set_layer(network, "f1", on=False).layer("f1").on


def test_the_last_skip_over_a_layer_that_is_off_stays_until_the_layer_is_on():
    rests = edit.set_layer(NARROWING, "f2", on=False)
    for ask in (
        lambda: edit.set_skip(rests, "s", on=False),
        lambda: edit.switch_all(rests, False),
        lambda: edit.remove_skip(rests, "s"),
    ):
        with pytest.raises(NetworkError, match="f\\(2\\) cannot be off: no residual skip in force passes it"):
            ask()
    experiment = Experiment(variants={"net": rests})
    with pytest.raises(NetworkError, match="f\\(2\\) cannot be off"):
        applied(experiment, SkipEvent(ids=("s",), strength=0.0))


def test_events_between_two_networks_that_can_be_pass_through_none_that_cannot():
    bare = Experiment(variants={"net": edit.switch_all(NARROWING, False)})
    rests = bare.with_network(edit.set_layer(NARROWING, "f2", on=False))
    for before, after in ((bare, rests), (rests, bare)):
        reached = before
        for event in events_between(before, after):
            reached = applied(reached, event)
        assert reached == after


def test_a_twin_without_skips_has_a_layer_on_that_only_a_skip_let_be_off():
    rests = edit.set_layers(NARROWING, ["f1", "f2"], on=False)
    assert [layer.on for layer in twin_of(rests).layers] == [False, True, True]


def test_what_an_earlier_version_wrote_down_opens_as_it_was_trains_and_takes_switches():
    network = unguarded(families.conv(3, 4, input=(1, 8, 8), head=Head(outputs=10)))
    experiment = Experiment(variants={"net": network}, task=Task(name="digits"))
    for opened in (link.decode(link.encode(experiment)), Experiment.kept(experiment.to_json())):
        assert opened == experiment
        assert stand_ins(wiring_of(opened.network))[opened.network.layers[0].id] == "zeros"
    with pytest.raises(ValidationError, match="f\\(1\\) cannot be off"):
        made(network)
    trainer = Trainer(experiment)
    trainer.apply(LayerEvent(ids=("f2",), on=True))
    frame = trainer.advance(record=True).variants["net"]
    assert frame.weight_grad[0] == 0
    assert frame.loss > 0
    assert refusal(lambda: edit.set_layer(network, "f1", on=True)) is None
    assert refusal(lambda: edit.set_layer(network, "f1", activation="tanh")).startswith("f(1) cannot be off")
