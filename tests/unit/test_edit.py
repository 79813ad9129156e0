"""Edits give a new network, keep ids with their parts, and refuse what cannot be."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import networks

from skipviz import Adapter, Layer, Linear, Network, NetworkError, Skip, edit, families
from skipviz.network.network import MAX_LAYERS

RESIDUAL = families.mlp(depth=6, width=8, skip_every=2)


def ends(network: Network) -> dict[str, tuple[int, int]]:
    return {skip.id: (skip.source, skip.target) for skip in network.skips}


def names(network: Network) -> list[str]:
    return [layer.id for layer in network.layers]


def test_switching_every_skip_off_and_on_again_gives_an_equal_network():
    off = edit.switch_all(RESIDUAL, False)
    assert not any(skip.on for skip in off.skips)
    assert off != RESIDUAL
    assert edit.switch_all(off, True) == RESIDUAL


def test_a_change_to_one_skip_leaves_all_others_alone():
    edited = edit.set_skip(RESIDUAL, "s3-5", strength=0.5, on=False)
    assert edited.skip("s3-5").strength == 0.5
    assert edited.skip("s1-3") == RESIDUAL.skip("s1-3")
    assert edited.layers == RESIDUAL.layers


def test_an_added_skip_gets_an_id_of_its_own_and_its_adapter_from_the_shapes():
    edited = edit.add_skip(RESIDUAL, 0, 4)
    assert edited.skips[-1].id == "s0-4"
    assert edited.shapes.skips[-1].adapter.channels == "project"
    moved = edit.set_skip(edited, "s0-4", source=2)
    assert len({skip.id for skip in edit.add_skip(moved, 0, 4).skips}) == 4


def test_adding_and_removing_a_skip_gives_an_equal_network():
    assert edit.remove_skip(edit.add_skip(RESIDUAL, 2, 6, "concat"), "s2-6") == RESIDUAL


@pytest.mark.parametrize(
    ("source", "target", "merge", "words"),
    [
        (4, 2, "add", "a skip only runs forward: h\\(4\\) → h\\(2\\) would go back; start from h\\(2\\)"),
        (2, 2, "add", "would go nowhere"),
        (1, 9, "add", "there is no state h\\(9\\): the last is h\\(6\\)"),
        (1, 3, "add", "there is a skip h\\(1\\) → h\\(3\\) already"),
        (2, 3, "gate", "a gate and an add cannot both land at h\\(3\\)"),
        (-1, 3, "add", "source"),
        (2, 4, "divide", "merge"),
    ],
)
def test_an_impossible_skip_is_refused_with_its_sentence(source, target, merge, words):
    with pytest.raises(NetworkError, match=words) as caught:
        edit.add_skip(RESIDUAL, source, target, merge)
    assert "\n" not in str(caught.value)


def test_an_adapter_that_joins_no_shapes_is_refused():
    with pytest.raises(NetworkError, match="add needs equal channels"):
        edit.add_skip(RESIDUAL, 0, 4, adapter=Adapter(channels="none"))


@pytest.mark.parametrize("changes", [{"strength": 4.5}, {"strength": float("nan")}, {"gain": -0.1}, {"colour": "red"}])
def test_a_field_out_of_its_bounds_is_refused_by_name(changes):
    with pytest.raises(NetworkError, match=next(iter(changes))):
        edit.set_skip(RESIDUAL, "s1-3", **changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda: edit.set_skip(RESIDUAL, "s9", on=False),
        lambda: edit.remove_skip(RESIDUAL, "s9"),
        lambda: edit.set_layer(RESIDUAL, "f9", gain=0.0),
        lambda: edit.remove_layer(RESIDUAL, "f9"),
    ],
)
def test_a_part_that_is_not_there_cannot_be_edited(change):
    with pytest.raises(NetworkError, match="there is no"):
        change()


def test_an_inserted_layer_is_a_twin_with_a_new_id_and_moves_the_skips_above_it():
    edited = edit.insert_layer(RESIDUAL, 3)
    assert names(edited) == ["f1", "f2", "f3", "f7", "f4", "f5", "f6"]
    assert edited.layer("f7").op == RESIDUAL.layer("f3").op
    assert ends(RESIDUAL) == {"s1-3": (1, 3), "s3-5": (3, 5)}
    assert ends(edited) == {"s1-3": (1, 3), "s3-5": (3, 6)}


def test_a_twin_of_a_switched_off_layer_is_on_and_passes_its_gradient():
    killed = edit.set_layer(RESIDUAL, "f3", on=False, gain=0.0)
    twin = edit.insert_layer(killed, 3).layer("f7")
    assert (twin.on, twin.gain) == (True, 1.0)


def test_a_layer_can_be_inserted_before_the_first_and_after_the_last():
    assert names(edit.insert_layer(RESIDUAL, 0))[0] == "f7"
    assert names(edit.insert_layer(RESIDUAL, 6))[-1] == "f7"
    with pytest.raises(NetworkError, match="there is no state h\\(7\\)"):
        edit.insert_layer(RESIDUAL, 7)


def test_a_removed_layer_moves_the_skips_above_it_down():
    edited = edit.remove_layer(RESIDUAL, "f2")
    assert names(edited) == ["f1", "f3", "f4", "f5", "f6"]
    assert ends(edited) == {"s1-3": (1, 2), "s3-5": (2, 4)}


def test_a_skip_over_nothing_but_the_removed_layer_goes_with_it():
    network = RESIDUAL.replaced(skips=(Skip(id="a", source=2, target=3), Skip(id="b", source=1, target=3)))
    assert ends(edit.remove_layer(network, "f3")) == {"b": (1, 2)}


def test_of_two_skips_that_fall_together_the_first_stays():
    network = RESIDUAL.replaced(skips=(Skip(id="a", source=1, target=3), Skip(id="b", source=1, target=4)))
    assert ends(edit.remove_layer(network, "f4")) == {"a": (1, 3)}


def test_the_last_layer_stays():
    with pytest.raises(NetworkError, match="keeps at least one layer"):
        edit.remove_layer(families.mlp(depth=1), "f1")


@given(networks(), st.data())
def test_inserting_a_layer_and_removing_it_gives_an_equal_network(network, data):
    position = data.draw(st.integers(0, network.depth))
    layer = Layer(op=Linear(width=network.shapes.states[position][0]))
    try:
        edited = edit.insert_layer(network, position, layer)
    except NetworkError:
        assume(False)
    (new,) = set(names(edited)) - set(names(network))
    assert edit.remove_layer(edited, new) == network


@given(networks(), st.data())
def test_every_edit_keeps_the_ids_of_what_it_does_not_touch(network, data):
    position = data.draw(st.integers(1, network.depth))
    removed = network.layers[position - 1].id
    try:
        edited = edit.remove_layer(network, removed)
    except NetworkError:
        assume(False)
    kept = [layer for layer in network.layers if layer.id != removed]
    assert list(edited.layers) == kept
    assert {skip.id for skip in edited.skips} <= {skip.id for skip in network.skips}


def test_a_repeated_unit_is_stacked_with_ids_of_its_repeat():
    unit = Network(input=(8,), layers=[Layer(op=Linear(width=8))] * 2, skips=[Skip(source=0, target=2)])
    stacked = edit.repeated(unit, 3)
    assert names(stacked) == ["u1.f1", "u1.f2", "u2.f1", "u2.f2", "u3.f1", "u3.f2"]
    assert ends(stacked) == {"u1.s1": (0, 2), "u2.s1": (2, 4), "u3.s1": (4, 6)}
    assert edit.repeated(unit, 1) == unit


@pytest.mark.parametrize("count", [0, -1, MAX_LAYERS, 10**12])
def test_a_stack_too_high_or_empty_is_refused_at_once(count):
    with pytest.raises(NetworkError, match="6 layers repeat between 1 and 416 times"):
        edit.repeated(RESIDUAL, count)


def test_a_switched_network_is_the_one_that_is_made_so_from_the_start():
    network = families.resnet(depth=20)
    skips, layers = [skip.id for skip in network.skips], [layer.id for layer in network.layers][1:]
    for edited in (
        edit.set_skips(network, skips[::2], on=False, strength=0.5),
        edit.set_skips(network, skips, gain=0.25),
        edit.set_layers(network, layers[::3], gain=0.5),
        edit.set_layers(edit.set_skips(network, skips[:1], strength=2.0), layers[:2], on=False),
    ):
        again = Network.model_validate(edited.model_dump(mode="json"))
        assert again == edited
        assert again.shapes == edited.shapes


@given(networks(), st.data())
def test_layers_removed_together_are_as_if_removed_one_after_the_other(network, data):
    assume(network.depth > 1)
    names = data.draw(st.lists(st.sampled_from([layer.id for layer in network.layers]), max_size=network.depth - 1, unique=True))
    try:
        one_by_one = network
        for name in names:
            one_by_one = edit.remove_layer(one_by_one, name)
    except NetworkError:
        assume(False)
    assert edit.remove_layers(network, names) == one_by_one
