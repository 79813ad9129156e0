"""The ResNet for tables is the one written out here, has its parameters, trains and is refused (Gorishniy et al. 2021)."""

import pytest
import torch
from reference import assert_same_function, parameter_count, stirred, weights_copied
from scripts import check, short
from torch import Tensor, nn

from skipviz import Experiment, NetworkError, Task, Training, families
from skipviz.learning.build import build


class Block(nn.Module):
    """x + dropout(W₂ dropout(ReLU(W₁ BN(x)))), each dropout a given mask of what stays, over its share."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm, self.into, self.back = nn.BatchNorm1d(width), nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.masks = 1.0, 1.0

    def forward(self, x: Tensor) -> Tensor:
        inner, outer = self.masks
        return x + outer * self.back(inner * torch.relu(self.into(self.norm(x))))


class Reference(nn.Module):
    """A linear layer, blocks, and before the head batch norm and ReLU."""

    def __init__(self, columns: int, depth: int, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(columns, width)
        self.blocks = nn.ModuleList(Block(width, hidden) for _ in range(depth))
        self.norm, self.head = nn.BatchNorm1d(width), nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.head(torch.relu(self.norm(x)))


def copied(model, reference: Reference) -> list:
    """Give the reference the model's parameters; return the pairs."""
    first, *inner, last = model.layers
    pairs = [(first, reference.first), (last, reference.norm), (model.head, reference.head)]
    for into, back, block in zip(inner[::2], inner[1::2], reference.blocks, strict=True):
        pairs += [(into.operation, block.into), (into.norm, block.norm), (back, block.back)]
    return weights_copied(pairs)


def test_the_authors_example_has_the_parameters_of_its_equations():
    """8·192 + 192, two blocks of 2·192 + (192·384 + 384) + (384·192 + 192), 2·192, and 192 + 1."""
    assert families.tabular_resnet().parameter_count() == 1_728 + 2 * (384 + 74_112 + 73_920) + 384 + 193 == 299_137
    assert parameter_count(Reference(8, 2, 192, 384, 1)) == 299_137
    assert parameter_count(build(families.tabular_resnet())) == 299_137


@pytest.mark.parametrize("depth", [1, 3])
def test_it_is_the_written_out_network_while_training_and_after(depth):
    model = stirred(build(families.tabular_resnet(depth, 6, 10, dropout=0.0, input=(5,), head=3)))
    reference = Reference(5, depth, 6, 10, 3)
    parameters = copied(model, reference)
    x = torch.randn(16, 5, generator=torch.Generator().manual_seed(3))
    for mode in (True, False):
        assert_same_function(model.train(mode), reference.train(mode), parameters, x)


def test_dropout_acts_behind_the_activation_and_on_what_a_block_adds():
    network = families.tabular_resnet(2, 6, 10, dropout=0.3, residual_dropout=0.2, input=(5,), head=3)
    model, reference = stirred(build(network)), Reference(5, 2, 6, 10, 3)
    parameters, model.masks.step = copied(model, reference), 7
    _, *inner, _ = network.layers
    ones = {10: torch.ones(16, 10), 6: torch.ones(16, 6)}
    drawn = [model.masks.dropped(ones[layer.op.width], layer.dropout, layer.id) for layer in inner]
    for block, inside, added in zip(reference.blocks, drawn[::2], drawn[1::2], strict=True):
        assert (inside == 0).any()
        assert (added == 0).any()
        block.masks = inside, added
    assert_same_function(model, reference, parameters, torch.randn(16, 5, generator=torch.Generator().manual_seed(3)))


def test_its_plain_twin_has_the_same_parameters_and_no_skips():
    residual, plain = (families.tabular_resnet(3, plain=plain) for plain in (False, True))
    assert [(skip.source, skip.target, skip.merge) for skip in residual.skips] == [(1, 3, "add"), (3, 5, "add"), (5, 7, "add")]
    assert plain.skips == ()
    assert plain.parameter_count() == residual.parameter_count()


def test_a_small_one_trains_as_its_script_does():
    network = families.tabular_resnet(2, 8, 12, residual_dropout=0.1, input=(2,), head=2)
    task = Task(name="spiral", samples=80)
    check(short(Experiment(variants={"net": network}, task=task, training=Training(batch_size=16)), steps=4))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 0}, "the number of blocks is between 1 and 100, not 0"),
        ({"hidden": 0}, "width: input should be greater than or equal to 1"),
        ({"dropout": 1}, "dropout: input should be less than or equal to 0.9"),
    ],
)
def test_what_is_no_tabular_resnet_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(NetworkError, match=sentence):
        families.tabular_resnet(**options)
