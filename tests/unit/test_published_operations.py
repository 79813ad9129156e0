"""Each operation of the published networks gives torch's own numbers."""

import pytest
import torch
from reference import assert_same_function
from torch import nn
from torch.nn import functional as F

from skipviz import (
    Attention,
    Convolution,
    Crop,
    Embedding,
    Head,
    Layer,
    Linear,
    Network,
    NetworkError,
    Pool,
    Position,
    Skip,
    Upsampling,
    edit,
    families,
)
from skipviz.learning.build import build
from skipviz.learning.operation.attention import attention_weights
from skipviz.learning.operation.position import sinusoids
from skipviz.learning.parameters import FlatParameters
from skipviz.learning.probe import gradients, measured, record
from skipviz.learning.recording import Recording


def states(model, x: torch.Tensor) -> list[torch.Tensor]:
    recording = Recording()
    model(x, recording=recording)
    return recording.states


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_attention_is_torchs_multi_head_attention(causal, bias):
    network = Network(
        input=(7, 12), layers=[Layer(op=Attention(heads=3, causal=causal, bias=bias))], head=Head(kind="state", outputs=12)
    )
    model = build(network)

    class Reference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(12, 3, bias=bias, batch_first=True)

        def forward(self, x):
            mask = nn.Transformer.generate_square_subsequent_mask(7) if causal else None
            return self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]

    reference = Reference()
    operation = model.layers[0].operation
    mine = [part for part in (operation.weight, operation.bias, operation.out_weight, operation.out_bias) if part is not None]
    parameters = list(zip(mine, reference.parameters(), strict=True))
    with torch.no_grad():
        for left, right in parameters:
            right.copy_(left)
    x = torch.randn(4, 7, 12)
    assert_same_function(model, reference, parameters, x)
    weights = attention_weights(*operation.read(x)[:2], causal)
    assert torch.allclose(weights.sum(3), torch.ones(4, 3, 7), atol=1e-6)
    assert (torch.count_nonzero(weights.triu(1)) == 0) == causal


def test_an_embedding_is_torchs_and_scales_by_the_root_of_its_width():
    for scaled, factor in ((False, 1.0), (True, 2.0)):
        layers = [Layer(op=Embedding(vocabulary=9, width=4, scaled=scaled))]
        model = build(Network(input=(5,), layers=layers, head=Head(outputs=2)))
        tokens = torch.randint(9, (3, 5))
        assert torch.equal(states(model, tokens)[1], F.embedding(tokens, model.layers[0].operation.weight) * factor)


def test_positions_are_the_papers_waves():
    table = sinusoids(20, 6)
    for position in (0, 1, 19):
        for i in range(3):
            angle = torch.tensor(position / 10000 ** (2 * i / 6))
            assert table[position, 2 * i] == pytest.approx(angle.sin().item(), abs=1e-6)
            assert table[position, 2 * i + 1] == pytest.approx(angle.cos().item(), abs=1e-6)


def test_learned_positions_are_added_to_each_position():
    network = Network(input=(3, 4), layers=[Layer(op=Position(mode="learned"))], head=Head(kind="state", outputs=4))
    model, x = build(network), torch.randn(2, 3, 4)
    assert torch.equal(model(x), x + model.layers[0].operation.weight)
    assert network.parameter_count() == 12


@pytest.mark.parametrize("side", [5, 6, 7, 8])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 2, 0), (2, 3, 1)])
def test_a_pool_that_reaches_over_the_edge_is_torchs(side, kernel, stride, padding):
    op = Pool(kernel=kernel, stride=stride, padding=padding, ceil=True)
    model, x = build(Network(input=(2, side, 9), layers=[Layer(op=op)], head=Head(outputs=2))), torch.randn(3, 2, side, 9)
    expected = nn.MaxPool2d(kernel, stride, padding, ceil_mode=True)(x)
    assert op.output_shape((2, side, 9)) == tuple(expected.shape[1:])
    assert torch.equal(states(model, x)[1], expected)


def test_a_crop_cuts_the_centre_or_from_an_offset():
    x = torch.randn(1, 2, 7, 8)
    for offset, top, left in ((None, 2, 2), (1, 1, 1)):
        network = Network(input=(2, 7, 8), layers=[Layer(op=Crop(size=(3, 4), offset=offset))], head=Head(kind="state", outputs=2))
        assert torch.equal(build(network)(x), x[:, :, top : top + 3, left : left + 4])


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_bilinear_weights_interpolate_each_channel_by_itself(factor):
    op = Upsampling(width=3, factor=factor, mode="transposed", kernel=2 * factor, bias=False)
    network = Network(input=(3, 6, 6), layers=[Layer(op=op, init="bilinear")], head=Head(kind="state", outputs=3))
    x = torch.randn(2, 3, 6, 6)
    expected = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    inside = slice(factor, -factor)
    assert torch.allclose(build(network)(x)[..., inside, inside], expected[..., inside, inside], atol=1e-5)


def test_tokens_have_no_gradient_and_no_size_in_a_frame():
    layers = [Layer(op=Embedding(vocabulary=5, width=4)), Layer(op=Position()), Layer(op=Attention(heads=2))]
    network = Network(input=(6,), layers=layers, skips=[Skip(source=2, target=3)], head=Head(kind="positions", outputs=5))
    model = build(network)
    flat = FlatParameters(model)
    outputs, recording = record(model, torch.randint(5, (3, 6)))
    found = gradients(outputs.square().sum(), flat.parameters, recording)
    frame = measured(network, flat, found, flat.flatten(found.parameters), recording)
    for numbers in (frame.state_grad, frame.trunk_grad, frame.state_rms):
        assert numbers[0] is None
        assert all(value > 0 for value in numbers[1:])
    assert frame.nonfinite == []


def test_a_state_head_gives_the_last_state_and_has_no_parameters():
    network = Network(input=(3,), layers=[Layer(op=Linear(width=4))], head=Head(kind="state", outputs=4))
    assert network.parameter_count() == 16
    model, x = build(network), torch.randn(2, 3)
    assert torch.equal(model(x), states(model, x)[1])


TOKENS = {"input": (5,), "head": Head(outputs=2)}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"layers": [Layer(op=Linear(width=5)), Layer(op=Embedding(vocabulary=3, width=4))], **TOKENS},
            "only the first layer reads",
        ),
        (
            {"layers": [Layer(op=Embedding(vocabulary=3, width=4))] * 2, "skips": [Skip(source=0, target=1)], **TOKENS},
            "only the first layer reads tokens",
        ),
        ({"layers": [Layer(op=Embedding(vocabulary=3, width=4), norm="layer", order="norm-act-op")], **TOKENS}, "no norm"),
        (
            {"layers": [Layer(op=Embedding(vocabulary=3, width=4))], "skips": [Skip(source=0, target=1)], **TOKENS},
            "start from h(1)",
        ),
        ({"layers": [Layer(op=Attention())], **TOKENS}, "attention needs a sequence"),
        ({"layers": [Layer(op=Attention(heads=4))], "input": (5, 6)}, "4 heads need a width that they divide, not 6"),
        ({"layers": [Layer(op=Attention(heads=1))], "input": (5000, 2)}, "at most 4,096 positions"),
        ({"layers": [Layer(op=Crop(size=(9, 2)))], "input": (1, 8, 8)}, "9×2 pixels cannot be cut out of 8×8"),
        ({"layers": [Layer(op=Crop(size=(4, 4), offset=5))], "input": (1, 8, 8)}, "cannot be cut out"),
        ({"layers": [Layer(op=Linear(width=3))], "head": Head(kind="state", outputs=2)}, "3 channels and 2 outputs are wanted"),
    ],
)
def test_what_cannot_be_is_refused_in_words(fields, words):
    with pytest.raises(ValueError, match=r"^[\s\S]+$") as caught:
        Network(**fields)
    assert words in str(caught.value)


def test_only_a_transposed_up_scaling_starts_bilinear():
    network = Network(input=(1, 4, 4), layers=[Layer(op=Convolution(width=1))], head=Head(outputs=2))
    with pytest.raises(NetworkError, match="only a transposed up-scaling"):
        edit.set_layer(network, "f1", init="bilinear")


def test_a_frame_says_how_far_each_gate_is_open():
    network = edit.set_skip(families.highway(4, 6, gate_bias=-1.0, input=(5,)), "s1-2", on=False)
    model = build(network)
    flat = FlatParameters(model)
    outputs, recording = record(model, torch.randn(64, 5))
    found = gradients(outputs.square().sum(), flat.parameters, recording)
    frame = measured(network, flat, found, flat.flatten(found.parameters), recording)
    h = recording.states[2]
    expected = torch.sigmoid(F.linear(h, model.skips[1].gate.weight, model.skips[1].gate.bias)).mean().item()
    assert frame.gate_opening[0] is None
    assert frame.gate_opening[1] == pytest.approx(expected, rel=1e-6)
    assert 0 < frame.gate_opening[2] < 0.5


def test_a_network_without_gates_says_nothing_of_them():
    network = families.mlp(4, 6, 2)
    model = build(network)
    flat = FlatParameters(model)
    outputs, recording = record(model, torch.randn(8, 2))
    found = gradients(outputs.square().sum(), flat.parameters, recording)
    assert measured(network, flat, found, flat.flatten(found.parameters), recording).gate_opening is None
