"""The Vision Transformer is torch's own encoder over patches and a class token, and has the published parameters."""

import pytest
import torch
from reference import parameter_count, stirred, weights_copied
from scripts import check, short
from torch import Tensor, nn

from skipviz import Experiment, NetworkError, Task, Training, families
from skipviz.learning.build import build


class Reference(nn.Module):
    """A convolution makes patches, a class token stands before them, torch's encoder follows, the head reads the token."""

    def __init__(self, side: int, patch: int, width: int, depth: int, heads: int, wide: int, token: bool) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width)) if token else None
        self.places = nn.Parameter(torch.zeros((side // patch) ** 2 + token, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, wide, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(depth)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cut(x).flatten(2).mT
        if self.token is not None:
            x = torch.cat([self.token.repeat(len(x), 1, 1), x], 1)
        x = x + self.places
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x.mean(1) if self.token is None else x[:, 0])


def copied(model, reference: Reference) -> list:
    """Give the reference the model's parameters; return the pairs."""
    cut, lay, places, *inner = model.layers
    pairs = weights_copied([(cut, reference.cut), (inner[3 * len(reference.blocks)], reference.norm), (model.head, reference.head)])
    singles = [(places.operation.weight, reference.places)]
    if reference.token is not None:
        singles.append((lay.operation.weight, reference.token))
    for block, (attend, wide, narrow) in zip(
        reference.blocks, zip(inner[::3], inner[1::3], inner[2::3], strict=False), strict=True
    ):
        attention = attend.operation
        singles += [(attention.weight, block.self_attn.in_proj_weight), (attention.bias, block.self_attn.in_proj_bias)]
        singles += [(attention.out_weight, block.self_attn.out_proj.weight), (attention.out_bias, block.self_attn.out_proj.bias)]
        pairs += weights_copied([(attend.norm, block.norm1), (wide.norm, block.norm2)])
        pairs += weights_copied([(wide.operation, block.linear1), (narrow, block.linear2)])
    with torch.no_grad():
        for left, right in singles:
            right.copy_(left.reshape(right.shape))
    return [*pairs, *singles]


def test_vit_b_16_has_the_published_parameters():
    assert families.vit().parameter_count() == 86_567_656
    assert [skip.target - skip.source for skip in families.vit().skips] == [1, 2] * 12


@pytest.mark.parametrize("token", [True, False])
def test_it_is_torchs_own_encoder_of_patches(token):
    network = families.vit(2, 8, 2, 4, 12, class_token=token, input=(1, 8, 8), head=3)
    model = stirred(build(network))
    reference = Reference(8, 4, 8, 2, 2, 12, token)
    parameters = [(left, right) for left, right in copied(model, reference)]
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    assert parameter_count(reference) == network.parameter_count()
    assert torch.allclose(model(x), reference(x), atol=1e-5)
    loss = [(module(x) ** 2).sum() for module in (model, reference)]
    mine = torch.autograd.grad(loss[0], [left for left, _ in parameters])
    theirs = torch.autograd.grad(loss[1], [right for _, right in parameters])
    for left, right in zip(mine, theirs, strict=True):
        assert torch.allclose(left.reshape(right.shape), right, rtol=1e-3, atol=1e-5)


def test_a_small_one_trains_as_its_script_does():
    network = families.vit(1, 8, 2, 2, 8, input=(1, 8, 8), head=10)
    check(short(Experiment(variants={"net": network}, task=Task(name="digits"), training=Training(batch_size=16)), steps=3))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: families.vit(patch=15), "patches of 15 × 15 pixels do not divide an image of 224×224"),
        (lambda: families.vit(patch=0), "the side of a patch is between 1 and 4,096, not 0"),
        (lambda: families.vit(input=(8, 8)), "the input is an image"),
        (lambda: families.transformer(class_token=True), "a class token stands before an image's patches"),
        (lambda: families.transformer(patch=2, vocabulary=9), "tokens or patches of an image, not both"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(NetworkError, match=sentence):
        call()
