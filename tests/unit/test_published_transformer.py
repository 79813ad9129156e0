"""Encoder blocks against `torch.nn.TransformerEncoderLayer`, both norms: the same outputs and gradients with the same weights."""

import pytest
import torch
from reference import assert_same_function, stirred
from torch import nn

from skipviz import families
from skipviz.learning.build import build
from skipviz.network.network import Head


class OrderedDropout(nn.Dropout):
    """torch's dropout, whose random numbers come in the order of the elements, however they lie in memory."""

    def forward(self, x):
        return super().forward(x.contiguous())


class Reference(nn.Module):
    """torch's own encoder, masked if `causal`, with dropout before each sum only."""

    def __init__(
        self, depth: int, width: int, heads: int, wide: int, pre: bool, causal: bool, activation: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, heads, wide, dropout, activation, batch_first=True, norm_first=pre)
        layer.dropout.p = layer.self_attn.dropout = 0.0
        layer.dropout1, layer.dropout2 = OrderedDropout(dropout), OrderedDropout(dropout)
        self.encoder = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width) if pre else None, enable_nested_tensor=False)
        self.causal = causal

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return self.encoder(x, mask)


def paired(model, reference: Reference, pre: bool) -> list:
    """Return all parameters of both, paired, and give the reference the model's values."""
    layers = iter(model.layers)
    pairs = []

    def pair(*both):
        pairs.extend(zip(*both, strict=True))

    for block in reference.encoder.layers:
        attention = next(layers)
        pair(attention.operation.parameters(), block.self_attn.parameters())
        first = attention if pre else next(layers)
        pair(first.norm.parameters(), block.norm1.parameters())
        wide, narrow = next(layers), next(layers)
        pair(wide.operation.parameters(), block.linear1.parameters())
        pair(narrow.operation.parameters(), block.linear2.parameters())
        second = wide if pre else next(layers)
        pair(second.norm.parameters(), block.norm2.parameters())
    if pre:
        pair(next(layers).norm.parameters(), reference.encoder.norm.parameters())
    with torch.no_grad():
        for mine, theirs in pairs:
            theirs.copy_(mine)
    return pairs


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("causal", [False, True], ids=["full", "causal"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_an_encoder_is_torchs(norm, causal, activation):
    head = Head(kind="state", outputs=12)
    network = families.transformer(2, 12, 3, 20, norm, causal, positions="none", activation=activation, input=(7, 12), head=head)
    model = stirred(build(network))
    reference = Reference(2, 12, 3, 20, norm == "pre", causal, activation)
    x = torch.randn(4, 7, 12, generator=torch.Generator().manual_seed(5))
    assert_same_function(model, reference, paired(model, reference, norm == "pre"), x)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_base_models_layer_is_torchs(norm):
    head = Head(kind="state", outputs=512)
    network = families.transformer(1, 512, 8, 2048, norm, positions="none", input=(5, 512), head=head)
    model = build(network)
    reference = Reference(1, 512, 8, 2048, norm == "pre", False, "relu")
    x = torch.randn(2, 5, 512, generator=torch.Generator().manual_seed(5))
    assert_same_function(model, reference, paired(model, reference, norm == "pre"), x)


def with_the_same_random_numbers(*_) -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_residual_dropout_is_torchs_with_the_same_random_numbers_and_gone_in_evaluation(norm):
    head = Head(kind="state", outputs=12)
    network = families.transformer(2, 12, 3, 20, norm, positions="none", dropout=0.1, input=(7, 12), head=head)
    model, reference = stirred(build(network)), Reference(2, 12, 3, 20, norm == "pre", False, "relu", 0.1)
    pairs = paired(model, reference, norm == "pre")
    for module in (model, reference):
        module.register_forward_pre_hook(with_the_same_random_numbers)
    x = torch.randn(4, 7, 12, generator=torch.Generator().manual_seed(5))
    assert_same_function(model, reference, pairs, x)
    trained = model(x)
    assert_same_function(model.eval(), reference.eval(), pairs, x)
    assert not torch.allclose(model(x), trained, rtol=0.01)
