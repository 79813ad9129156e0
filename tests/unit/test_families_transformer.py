"""Transformers have the published layers and parameters, two skips a block, and refuse what is none."""

import pytest
import torch
from scripts import check, short

from skipviz import Experiment, NetworkError, Task, Training, edit, families
from skipviz.learning.build import build
from skipviz.network.network import Head
from skipviz.sharing import packing


def test_a_layer_of_the_base_model_has_the_published_number_of_parameters():
    """d = 512, 8 heads, ff = 2048: torch's `nn.TransformerEncoderLayer(512, 8)` has as many."""
    one, two = (families.transformer(depth, 512, 8, 2048, input=(10, 512)).parameter_count() for depth in (1, 2))
    assert two - one == 3_152_384
    assert sum(p.numel() for p in torch.nn.TransformerEncoderLayer(512, 8).parameters()) == 3_152_384


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_torch_builds_as_many_of_the_base_models_six_layers(norm):
    network = families.transformer(6, 512, 8, 2048, norm, positions="none", input=(10, 512), head=Head(kind="state", outputs=512))
    with torch.device("meta"):
        built = sum(p.numel() for p in build(network).parameters())
    last_norm = 2 * 512 if norm == "pre" else 0
    assert built == network.parameter_count() == 6 * 3_152_384 + last_norm


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_both_residuals_of_every_block_are_skips(norm):
    network = families.transformer(3, norm=norm, positions="none", input=(8, 64))
    first = [(0, 1), (2, 4), (5, 6), (7, 9), (10, 11), (12, 14)]
    second = [(0, 1), (1, 3), (3, 4), (4, 6), (6, 7), (7, 9)]
    assert [(skip.source, skip.target) for skip in network.skips] == (first if norm == "post" else second)
    assert {skip.merge for skip in network.skips} == {"add"}
    assert all(shape.parameters == 0 for shape in network.shapes.skips)


def test_without_residuals_the_layers_stay():
    residual, bare = families.transformer(2), families.transformer(2, residual=False)
    assert bare.skips == ()
    assert bare.layers == residual.layers


def test_the_deepest_has_a_hundred_blocks():
    assert len(families.transformer(100).skips) == 200
    assert families.transformer(100).depth == 502


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
def test_a_language_model_runs_forward_and_backward(norm, positions):
    head = Head(kind="positions", outputs=11)
    network = families.transformer(2, 8, 2, 16, norm, True, 11, positions, input=(5,), head=head)
    assert network.takes_tokens
    model, tokens = build(network), torch.randint(11, (3, 5))
    outputs = model(tokens)
    assert outputs.shape == (3, 5, 11)
    outputs.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_causal_model_reads_nothing_that_comes_later():
    head = Head(kind="positions", outputs=7)
    model = build(families.transformer(2, 8, 2, vocabulary=7, causal=True, input=(6,), head=head))
    tokens = torch.randint(7, (1, 6))
    other = tokens.clone()
    other[0, 4:] = (tokens[0, 4:] + 1) % 7
    assert torch.equal(model(tokens)[0, :4], model(other)[0, :4])
    assert not torch.equal(model(tokens)[0, 4:], model(other)[0, 4:])


def test_toggling_a_residual_keeps_shapes_and_counts():
    network = families.transformer(2, vocabulary=9)
    for skip in network.skips:
        assert edit.set_skip(network, skip.id, on=False).shapes == network.shapes


def test_a_layer_goes_in_behind_the_embedding_and_none_before_it():
    network = families.transformer(1, 8, 2, vocabulary=9)
    inserted = edit.insert_layer(network, 1)
    assert [layer.op.kind for layer in inserted.layers[:3]] == ["embedding", "position", "position"]
    with pytest.raises(NetworkError, match="only the first layer reads tokens"):
        edit.insert_layer(network, 0)
    with pytest.raises(NetworkError, match="start from h"):
        edit.add_skip(network, 0, 3)


def test_a_language_model_packs_and_unpacks():
    network = families.transformer(6, 32, 4, vocabulary=65, causal=True, norm="pre", head=Head(kind="positions", outputs=65))
    data = {"variants": {"a": network.model_dump(mode="json", exclude_defaults=True)}}
    assert packing.unpacked(packing.packed(data)) == data


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": 0}, "depth is between 1 and 100, not 0"),
        ({"depth": 101}, "depth is between 1 and 100, not 101"),
        ({"width": 10, "heads": 4}, "4 heads need a width that they divide, not 10"),
        ({"norm": "middle"}, "norm's place is one of post, pre"),
        ({"positions": "gps"}, "positions is one of"),
        ({"vocabulary": 9, "input": (8, 8)}, "(length,) tokens"),
        ({"input": (8,)}, "(length, features)"),
        ({"vocabulary": -1, "input": (8,)}, "vocabulary"),
    ],
)
def test_what_is_no_transformer_is_refused_in_words(options, words):
    with pytest.raises(NetworkError) as caught:
        families.transformer(**options)
    assert words in str(caught.value)


def test_blocks_that_share_weights_have_those_of_one_and_learn_as_one():
    own, shared = (families.transformer(4, 8, 2, vocabulary=10, shared=shared, input=(6,), head=10) for shared in (False, True))
    one = families.transformer(1, 8, 2, vocabulary=10, input=(6,), head=10)
    assert shared.parameter_count() == one.parameter_count() < own.parameter_count()
    model = build(shared)
    assert sum(p.numel() for p in model.parameters()) == shared.parameter_count()
    x = torch.randint(0, 10, (3, 6))
    written = build(own)
    with torch.no_grad():
        for layer in own.layers:
            owner = shared.layer(layer.id).shares or layer.id
            written.layer_of(layer.id).load_state_dict(model.layer_of(owner).state_dict())
        written.head.load_state_dict(model.head.state_dict())
    torch.testing.assert_close(model(x), written(x))
    model(x).square().sum().backward()
    written(x).square().sum().backward()
    places = [layer.id for layer in own.layers if (shared.layer(layer.id).shares or layer.id) == "f3"]
    assert len(places) == 4
    for name, parameter in model.layer_of("f3").named_parameters():
        summed = sum(dict(written.layer_of(place).named_parameters())[name].grad for place in places)
        torch.testing.assert_close(parameter.grad, summed)


def test_a_tied_head_counts_the_embedding_once_and_dropout_is_refused_where_weights_are_shared():
    head = Head(kind="positions", outputs=10)
    tied, own = (families.transformer(2, 8, 2, vocabulary=10, tied=tied, input=(6,), head=head) for tied in (True, False))
    assert tied.parameter_count() == own.parameter_count() - 80
    with pytest.raises(NetworkError, match="no dropout of their own"):
        families.transformer(2, 8, 2, shared=True, dropout=0.1)


def test_gpt_2_small_is_the_family_at_its_settings():
    head = Head(kind="positions", outputs=50257, bias=False)
    size = {"depth": 12, "width": 768, "heads": 12, "vocabulary": 50257, "input": (1024,), "head": head}
    gpt = families.transformer(norm="pre", causal=True, positions="learned", activation="gelu", tied=True, **size)
    assert gpt.parameter_count() == 124_439_808


@pytest.mark.parametrize("name", ["memory", "sequences"])
def test_a_head_that_uses_the_embeddings_weight_trains_as_its_script_does(name):
    task = Task(name=name, length=8, samples=60)
    vocabulary, size = task.token_count(), task.sample_shape()[-1:]
    network = families.transformer(1, 8, 2, 8, "pre", tied=True, vocabulary=vocabulary, input=size, head=task.head())
    own = network.replaced(tied="")
    assert own.parameter_count() - network.parameter_count() == 8 * vocabulary
    check(short(Experiment(variants={"net": network}, task=task, training=Training(batch_size=16)), steps=4))
