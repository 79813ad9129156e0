"""DenseFormer's depth-weighted averages: the equations of the paper, its counts, training and script."""

import pytest
import torch
from scripts import check, short
from torch import nn

from skipviz import Experiment, Head, NetworkError, Task, Training, families, link
from skipviz.learning.build import build
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.forms import FORMS
from skipviz.tasks.forms.family_detection import recognised


def network(depth: int = 4, **options):
    return families.transformer(depth, 8, 2, 12, positions="none", input=(5, 8), head=Head(kind="state", outputs=8), **options)


class Averages(nn.Module):
    """The paper's DWA as its authors write it: one weight for each of the outputs up to now, at first 1 for the last and 0 else."""

    def __init__(self, blocks: int, dilation: int, period: int) -> None:
        super().__init__()
        counts = [(k + dilation) // dilation if k % period == 0 else 0 for k in range(1, blocks + 1)]
        self.weights = nn.ParameterList([torch.eye(count or 1, dtype=torch.float64)[-1] for count in counts])
        self.dilation, self.period = dilation, period

    def forward(self, blocks, x):
        outputs = [x]
        for k, block in enumerate(blocks, start=1):
            outputs.append(x := block(x))
            if k % self.period == 0:
                group = torch.stack(outputs[k % self.dilation :: self.dilation])
                x = torch.tensordot(self.weights[k - 1], group, dims=1)
        return x


def _blocks(model, depth: int, norm: str, averaged_at: list[int]):
    """Return the blocks of a built network as functions, without their averages."""
    layers, place, found = model.in_order(), 0, []
    for k in range(1, depth + 1):
        own = layers[place : place + (5 if norm == "post" else 3)]
        place += len(own) + (k in averaged_at)
        if norm == "post":
            a, n, f, g, m = own
            found.append(lambda x, a=a, n=n, f=f, g=g, m=m: m(g(f(n(x + a(x)))) + n(x + a(x))))
        else:
            a, f, g = own
            found.append(lambda x, a=a, f=f, g=g: (x + a(x)) + g(f(x + a(x))))
    return found, layers[place:]


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize(("dilation", "period"), [(1, 1), (2, 1), (3, 2), (2, 3)])
def test_outputs_and_gradients_are_those_of_the_papers_average(norm, dilation, period):
    net = network(norm=norm, averaged=True, dilation=dilation, period=period)
    model, averages, x = build(net).double(), Averages(4, dilation, period), torch.randn(3, 5, 8, dtype=torch.float64)
    at = [k for k in range(1, 5) if k % period == 0]
    blocks, last = _blocks(model, 4, norm, at)
    mine, theirs = [], []
    boxes = [box for box in model.in_order() if box.scale is not None]
    strengths = [skip.strength for skip in model.skips if skip.strength is not None]
    assert len(strengths) + len(boxes) == sum(len(averages.weights[k - 1]) for k in at)
    generator = torch.Generator().manual_seed(1)
    left = iter(strengths)
    for k, box in zip(at, boxes, strict=True):
        weights = averages.weights[k - 1]
        assert weights.tolist() == [0.0] * (len(weights) - 1) + [1.0]
        parts = [next(left) for _ in range(len(weights) - 1)] + [box.scale]
        assert [part.item() for part in parts] == weights.tolist()
        weights.data += torch.randn(len(weights), generator=generator, dtype=torch.float64) / 3
        for part, value in zip(parts, weights.tolist(), strict=True):
            part.data.fill_(value)
        mine += parts
        theirs.append(weights)
    y = averages(blocks, x)
    for layer in last:
        y = layer(y)
    torch.testing.assert_close(model(x), y)
    own = torch.autograd.grad(model(x).square().sum(), mine)
    torch.testing.assert_close(torch.stack(own), torch.cat(torch.autograd.grad(y.square().sum(), theirs)))


def test_it_starts_as_the_transformer_without_averages_and_counts_its_weights():
    """48 blocks have 48·51/2 weights: fewer than two thousand beside hundreds of millions, as the paper says."""
    plain, averaged = build(network(depth=3)), build(network(depth=3, averaged=True))
    x = torch.randn(3, 5, 8)
    own = iter(part for part in averaged.in_order() if part.scale is None)
    for one in plain.in_order():
        next(own).load_state_dict(one.state_dict())
    torch.testing.assert_close(averaged(x), plain(x))
    counts = [families.transformer(48, 8, 2, 8, averaged=on, input=(5, 8)).parameter_count() for on in (False, True)]
    assert counts[1] - counts[0] == 48 * 51 // 2
    counts = [families.transformer(48, 8, 2, 8, averaged=True, dilation=4, period=5, input=(5, 8)).parameter_count(), counts[0]]
    assert counts[0] - counts[1] == sum(k // 4 + 1 for k in range(5, 49, 5))


def test_it_trains_to_the_same_losses_as_its_script_while_an_average_is_switched_off():
    task = Task(name="sequences")
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    net = families.transformer(3, 8, 2, 12, "pre", averaged=True, **reads)
    run = short(Experiment(variants={"dense": net}, task=task, training=Training(optimizer="adamw", weight_decay=0.1)))
    learned = tuple(skip.id for skip in net.skips if skip.learned)
    assert len(learned) == 1 + 2 + 3
    check(run, [SkipEvent(ids=learned[1:3], on=False, step=2), SkipEvent(ids=learned[1:3], on=True, step=5)])
    assert link.decode(link.encode(run)) == run


def test_blocks_that_share_weights_are_refused():
    with pytest.raises(NetworkError, match="weights of its own"):
        network(averaged=True, shared=True)


@pytest.mark.parametrize("values", [{}, {"period": 2}, {"dilation": 3}, {"period": 2, "dilation": 4, "values": "learned"}])
def test_the_form_makes_them_with_dilation_and_period_and_reads_them_off_the_network(values):
    values, task, form = {"depth": 5, "averaged": "on", **values}, Task(name="sequences"), FORMS["transformer"]
    made = form.make(task, **form.defaults() | values)
    same = {name: value for name, value in values.items() if name != "averaged"}
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    assert made == families.transformer(width=32, feed_forward=64, norm="pre", averaged=True, **same, **reads)
    found = recognised(Experiment(variants={"dense": made}, task=task)).form
    assert found.settings() == form.defaults() | values
