"""Transformers of an encoder and a decoder: torch's own outputs, gradients and counts, training, script and link."""

import pytest
import torch
from scripts import check, short
from torch import nn

import skipviz
from skipviz import Experiment, Head, NetworkError, Task, Training, edit, families, link
from skipviz.learning.build import build
from skipviz.tasks.event import SkipEvent

WIDTH, HEADS, WIDE = 8, 2, 12


def network(depth: int = 2, encoder: int = 2, **options):
    head, sizes = Head(kind="state", outputs=WIDTH), {"positions": "none", "input": (5, WIDTH)}
    return families.transformer(depth, WIDTH, HEADS, WIDE, encoder=encoder, head=head, **sizes, **options)


def theirs(model, norm: str, depth: int, encoder: int) -> tuple[nn.Transformer, list]:
    """Return torch's Transformer with the weights of one here, and its parameters beside those of that."""
    first = norm == "pre"
    made = nn.Transformer(WIDTH, HEADS, encoder, depth, WIDE, dropout=0.0, batch_first=True, norm_first=first)
    if not first:
        made.encoder.norm = made.decoder.norm = None
    boxes = {part.id: model.layer_of(part.id) for part in (*model.network.layers, *model.network.branches) if part.op.kind != "add"}
    beside = [boxes[node.id] for node in model.network.branches if node.id in boxes]
    trunk = [boxes[layer.id] for layer in model.network.layers]
    crosses = [model.skips[skip.id].attention for skip in model.network.skips if skip.merge == "attend"]
    pairs = []
    for layers, stack, end in ((beside, made.encoder, made.encoder.norm), (trunk, made.decoder, made.decoder.norm)):
        attentions = [box.operation for box in layers if hasattr(box.operation, "out_weight")]
        linears = [box.operation for box in layers if box.operation._parameters.keys() == {"weight", "bias"}]
        norms = iter([box.norm for box in layers if box.norm is not None])
        for block, layer in enumerate(stack.layers):
            parts = [
                (layer.self_attn, attentions[block]),
                *([(layer.multihead_attn, crosses[block])] if stack is made.decoder else []),
            ]
            for attention, mine in parts:
                own = attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias
                pairs += zip(own, (mine.weight, mine.bias, mine.out_weight, mine.out_bias), strict=True)
            for linear, mine in zip((layer.linear1, layer.linear2), linears[2 * block : 2 * block + 2], strict=True):
                pairs += zip(linear.parameters(), mine.parameters(), strict=True)
            for name in ("norm1", "norm2", "norm3")[: 2 + (stack is made.decoder)]:
                pairs += zip(getattr(layer, name).parameters(), next(norms).parameters(), strict=True)
        pairs += zip(end.parameters(), next(norms).parameters(), strict=True) if first else []
    with torch.no_grad():
        for left, right in pairs:
            left.copy_(right.add_(0.1 * torch.randn_like(right)))
    assert len(pairs) == len(list(made.parameters())) == len(list(model.parameters()))
    return made, pairs


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_outputs_and_gradients_are_those_of_torchs_transformer(norm, causal):
    model, x = build(network(norm=norm, causal=causal)), torch.randn(3, 5, WIDTH)
    other, pairs = theirs(model, norm, 2, 2)
    mask = nn.Transformer.generate_square_subsequent_mask(5) if causal else None
    made = [model(x), other(x, x, tgt_mask=mask)]
    torch.testing.assert_close(*made, rtol=1e-4, atol=1e-5)
    found = [torch.autograd.grad(y.sin().sum(), [pair[side] for pair in pairs]) for y, side in zip(made, (1, 0), strict=True)]
    for mine, wanted in zip(*found, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-3, atol=1e-5)


def test_the_base_model_has_the_published_number_of_parameters():
    """Six and six blocks of 512: torch's `nn.Transformer()` has 44,140,544, of which 2,048 are two norms at the ends."""
    head, shape = Head(kind="state", outputs=512), {"positions": "none", "input": (10, 512)}
    counts = {
        norm: families.transformer(6, 512, 8, 2048, norm, encoder=6, head=head, **shape).parameter_count()
        for norm in ("post", "pre")
    }
    assert counts == {"post": 44_140_544 - 2048, "pre": 44_140_544}


def test_one_that_is_off_leaves_the_encoder_out():
    net = network()
    crosses = [skip.id for skip in net.skips if skip.merge == "attend"]
    model = build(edit.set_skips(net, crosses, on=False))
    x = torch.randn(3, 5, WIDTH)
    model(x).sum().backward()
    assert all(p.grad is None or not p.grad.any() for box in model.branches for p in box.parameters())


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_it_trains_as_its_script_and_link_say_while_an_attention_to_the_encoder_is_off(norm):
    task = Task(name="sequences")
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    net = families.transformer(2, 8, 2, 12, norm, encoder=2, causal=True, **reads)
    run = short(Experiment(variants={"both": net}, task=task, training=Training(optimizer="adamw", weight_decay=0.1)))
    crosses = tuple(skip.id for skip in net.skips if skip.merge == "attend")
    assert len(crosses) == 2
    check(run, [SkipEvent(ids=crosses[1:], on=False, step=2), SkipEvent(ids=crosses[1:], on=True, strength=0.5, step=5)])
    assert link.decode(link.encode(run)) == run
    frame = next(iter(skipviz.train(run))).variants["both"]
    assert all(frame.skip_grad)


@pytest.mark.parametrize("options", [{"dropout": 0.1}, {"scale": 0.5}, {"shared": True}])
def test_what_an_encoder_cannot_have_is_refused(options):
    with pytest.raises(NetworkError, match="with an encoder"):
        network(**options)
