"""Transformers whose blocks mix their values with the first block's: the paper's equations, counts, form and script."""

import pytest
import torch
from scripts import check, short
from torch.nn import functional as F

from skipviz import Experiment, Head, NetworkError, Task, Training, families, link
from skipviz.learning.build import build
from skipviz.tasks.event import SkipEvent

WIDTH, HEADS = 8, 2


def network(depth: int = 3, **options):
    head = Head(kind="state", outputs=WIDTH)
    return families.transformer(depth, WIDTH, HEADS, 12, positions="none", input=(5, WIDTH), head=head, **options)


def written(model, x, depth: int, norm: str, causal: bool):
    """Return V_n = λ1·V_1 + λ2·(h W_V) under every block's own attention, from the weights of a model."""
    boxes, skips = iter(model.in_order()), {skip.id: model.skips[skip.id] for skip in model.network.skips}
    mixes = iter([skips[skip.id].attention for skip in model.network.skips if skip.merge == "mix"])
    values = [skip for skip in model.network.skips if skip.merge == "add" and skip.strength == 0.5]
    first, left = None, iter(values)
    affine = lambda box, h: F.linear(h, box.operation.weight, box.operation.bias)  # noqa: E731
    normed = lambda box, h: F.layer_norm(h, (WIDTH,), box.norm.weight, box.norm.bias)  # noqa: E731
    for _ in range(depth):
        read = normed(next(boxes), x) if norm == "pre" else x
        box, mix = next(boxes), next(mixes)
        own = affine(box, read)
        if first is None:
            first = v = own
        else:
            skip = next(left)
            shares = (skips[skip.id].strength, box.scale) if skip.learned else (0.5, 0.5)
            v = shares[0] * first + shares[1] * own
        next(boxes)
        q, k = F.linear(read, mix.weight, mix.bias).chunk(2, 2)
        q, k, v = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (q, k, v))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)
        x = x + affine(next(boxes), attended)
        x = normed(next(boxes), x) if norm == "post" else x
        wide = next(boxes)
        if norm == "post":
            x = x + affine(next(boxes), affine(wide, x).relu())
            x = normed(next(boxes), x)
        else:
            x = x + affine(next(boxes), affine(wide, normed(wide, x)).relu())
    return normed(next(boxes), x) if norm == "pre" else x


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("values", ["first", "learned"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_outputs_and_gradients_are_those_of_the_papers_equation(norm, values, causal):
    net = network(norm=norm, values=values, causal=causal)
    model, x = build(net), torch.randn(4, 5, WIDTH)
    made = [model(x), written(model, x, 3, norm, causal)]
    torch.testing.assert_close(*made, rtol=1e-4, atol=1e-5)
    found = [torch.autograd.grad(y.sin().sum(), list(model.parameters())) for y in made]
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_half_of_the_first_values_cost_nothing_and_learned_shares_two_numbers_a_block(norm):
    own, first, learned = (network(depth=6, norm=norm, values=values).parameter_count() for values in ("own", "first", "learned"))
    assert first == own
    assert learned == own + 2 * 5


def test_it_trains_as_its_script_and_link_say_while_a_block_takes_its_own_values_again():
    task = Task(name="sequences")
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    net = families.transformer(3, 8, 2, 12, "pre", values="learned", **reads)
    run = short(Experiment(variants={"values": net}, task=task, training=Training(optimizer="adamw", weight_decay=0.1)))
    values = tuple(skip.id for skip in net.skips if skip.learned)
    assert len(values) == 2
    check(run, [SkipEvent(ids=values[1:], on=False, step=2), SkipEvent(ids=values[1:], on=True, step=5)])
    assert link.decode(link.encode(run)) == run


def test_blocks_that_share_weights_are_refused():
    with pytest.raises(NetworkError, match="values of their own"):
        network(values="first", shared=True)
