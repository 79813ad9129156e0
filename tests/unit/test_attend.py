"""A skip to whose state its target attends: values, gradients, off and strengths, scripts, links, frames."""

import pytest
import torch
from scripts import check, short
from torch import nn

import skipviz
from skipviz import (
    Attention,
    Embedding,
    Experiment,
    Head,
    Identity,
    Layer,
    Linear,
    Network,
    Position,
    Skip,
    Task,
    Training,
    edit,
    link,
)
from skipviz.drawing import diagram
from skipviz.learning.build import build
from skipviz.network.paths import path_counts
from skipviz.tasks.comparison import network_differences
from skipviz.tasks.event import LayerEvent, SkipEvent

WIDTH, HEADS, WIDE = 8, 2, 12
NORM = {"op": {"kind": "identity"}, "norm": "layer"}


def multihead(width: int = WIDTH) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(width, HEADS, batch_first=True)


def copied(theirs: nn.MultiheadAttention, mine) -> nn.MultiheadAttention:
    """Return torch's attention with the weights of one here."""
    own = theirs.in_proj_weight, theirs.in_proj_bias, theirs.out_proj.weight, theirs.out_proj.bias
    with torch.no_grad():
        for left, right in zip(own, (mine.weight, mine.bias, mine.out_weight, mine.out_bias), strict=True):
            left.copy_(right)
    return theirs


def graph() -> Network:
    """Return an encoder and a decoder of one block each, Post-LN, of two inputs (Vaswani et al. 2017)."""
    attention = {"kind": "attention", "heads": HEADS}
    wide, narrow = {"op": {"kind": "linear", "width": WIDE}, "activation": "relu"}, {"op": {"kind": "linear", "width": WIDTH}}
    nodes, edges = [], []

    def node(name: str, *sources: str, **fields) -> str:
        nodes.append({"id": name, **fields})
        edges.extend({"source": source, "target": name, "port": port} for port, source in enumerate(sources))
        return name

    def sublayer(name: str, source: str, last: str) -> str:
        return node(f"{name}n", node(f"{name}s", last, source, op={"kind": "add"}), **NORM)

    e = sublayer("ea", "source", node("ea", "source", op=attention))
    memory = sublayer("ef", e, node("ef2", node("ef1", e, **wide), **narrow))
    d = sublayer("da", "target", node("da", "target", op=attention | {"causal": True}))
    cross = node("dx", node("dq", d, op={"kind": "identity"}), memory, op={"kind": "attend", "heads": HEADS})
    d = sublayer("dx", d, cross)
    out = sublayer("df", d, node("df2", node("df1", d, **wide), **narrow))
    inputs = {"target": (5, WIDTH), "source": (7, WIDTH)}
    return Network(inputs=inputs, nodes=nodes, edges=edges, output=out, head=Head(kind="positions", outputs=3))


def test_an_encoder_and_decoder_have_torchs_outputs_and_gradients():
    net = graph()
    (cross,) = [skip for skip in net.skips if skip.merge == "attend"]
    model = build(net)
    part = {name: model.layer_of(name) for name in ("ea", "ean", "ef1", "ef2", "efn", "da", "dan", "dxn", "df1", "df2", "dfn")}
    encoder = nn.TransformerEncoderLayer(WIDTH, HEADS, WIDE, dropout=0.0, batch_first=True)
    decoder = nn.TransformerDecoderLayer(WIDTH, HEADS, WIDE, dropout=0.0, batch_first=True)
    copied(encoder.self_attn, part["ea"].operation)
    copied(decoder.self_attn, part["da"].operation)
    copied(decoder.multihead_attn, model.skips[cross.id].attention)
    pairs = [(encoder, "linear1", "ef1"), (encoder, "linear2", "ef2"), (encoder, "norm1", "ean"), (encoder, "norm2", "efn")]
    pairs += [(decoder, "linear1", "df1"), (decoder, "linear2", "df2"), (decoder, "norm1", "dan"), (decoder, "norm2", "dxn")]
    pairs += [(decoder, "norm3", "dfn")]
    own = lambda name: part[name].operation if name[-1].isdigit() else part[name].norm  # noqa: E731
    with torch.no_grad():
        for module, name, mine in pairs:
            for left, right in zip(getattr(module, name).parameters(), own(mine).parameters(), strict=True):
                left.copy_(right.copy_(torch.randn_like(right)))
    target, source = (torch.randn(4, length, WIDTH, requires_grad=True) for length in (5, 7))
    hidden = nn.Transformer.generate_square_subsequent_mask(5)
    results = []
    for out in (model(target, source), model.head(decoder(target, encoder(source), tgt_mask=hidden))):
        weights = (
            [*model.skips[cross.id].attention.parameters(), *own("ef1").parameters(), *part["da"].operation.parameters()],
            [*decoder.multihead_attn.parameters(), *encoder.linear1.parameters(), *decoder.self_attn.parameters()],
        )[len(results)]
        results.append((out, *torch.autograd.grad(out.square().sum(), [target, source, *weights])))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    assert sum(p.numel() for p in model.parameters()) == net.parameter_count()
    head = sum(p.numel() for p in model.head.parameters())
    assert net.parameter_count() == head + sum(p.numel() for of in (encoder, decoder) for p in of.parameters())
    assert Network.kept(net.model_dump_json()) == net


LAYERS = [
    Layer(op=Embedding(vocabulary=5, width=WIDTH), init="normal"),
    Layer(op=Position(mode="learned")),
    Layer(op=Linear(width=WIDE), activation="tanh"),
    Layer(op=Linear(width=WIDTH)),
    Layer(op=Attention(heads=HEADS)),
]
SKIPS = [
    Skip(id="over", source=2, target=4),
    Skip(id="wide", source=3, target=4, merge="attend", heads=HEADS, strength=0.5),
    Skip(id="cross", source=1, target=5, merge="attend", heads=4),
    Skip(id="learned", source=3, target=5, merge="attend", heads=HEADS, learned=True, strength=0.25),
]
HEAD = Head(kind="positions", outputs=5)


def network(skips=tuple(SKIPS), **changes) -> Network:
    return edit.set_skips(Network(input=(6,), layers=LAYERS, skips=skips, head=HEAD), ("wide",), **changes)


def written(model, x, wide: float = 0.5):
    """Return the outputs of `network()` as torch computes them."""
    f, s = [model.layers[f"f{k}"] for k in range(1, 6)], {skip.id: model.skips[skip.id] for skip in model.network.skips}
    theirs = {name: copied(multihead(), s[name].attention) for name in ("wide", "learned")}
    theirs["cross"] = copied(nn.MultiheadAttention(WIDTH, 4, batch_first=True), s["cross"].attention)
    attended = lambda name, f, memory: theirs[name](f, memory, memory, need_weights=False)[0]  # noqa: E731
    h1 = f[0](x)
    h2 = f[1](h1)
    h3 = f[2](h2)
    f4 = f[3](h3)
    h4 = (1 - wide) * f4 + wide * attended("wide", f4, s["wide"].project(h3)) + h2
    f5 = attended("cross", f[4](h4), h1)
    h5 = f5 + s["learned"].strength * (attended("learned", f5, s["learned"].project(h3)) - f5)
    return model.head(h5), theirs


def test_strengths_adapters_and_several_of_one_state_are_those_written_out():
    net = network()
    assert sum(p.numel() for p in build(net).parameters()) == net.parameter_count()
    model, x = build(net), torch.randint(5, (4, 6))
    mine = model(x)
    mine.square().sum().backward()
    own = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    theirs, modules = written(model, x)
    torch.testing.assert_close(mine, theirs)
    theirs.square().sum().backward()
    for name, gradient in own.items():
        if ".attention." in name:
            skip, which = name.split(".")[1], name.rsplit(".", 1)[1]
            module = modules[skip]
            gradients = {
                "weight": module.in_proj_weight, "bias": module.in_proj_bias,
                "out_weight": module.out_proj.weight, "out_bias": module.out_proj.bias,
            }  # fmt: skip
            wanted = gradients[which].grad
        else:
            wanted = model.get_parameter(name).grad
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("off", [{"on": False}, {"strength": 0.0}])
def test_one_that_is_off_leaves_its_target_as_it_is(off):
    x = torch.randint(5, (4, 6))
    without = edit.remove_skips(network(), ("wide",))
    model, changed = build(without), build(network())
    changed.load_state_dict(model.state_dict(), strict=False)
    changed.set_network(network(**off))
    assert torch.equal(changed(x), model(x))
    assert path_counts(network(**off)) == path_counts(without)


def experiment(steps: int = 6, **training) -> Experiment:
    made = Training(batch_size=20, weight_decay=0.01, **training)
    return short(Experiment(variants={"net": network()}, task=task(), training=made), steps=steps)


def task() -> Task:
    return Task(name="sequences", rule="reverse", samples=60, length=6, vocabulary=5)


@pytest.mark.parametrize("training", [{}, {"precision": "bfloat16"}])
def test_a_script_takes_the_same_steps_and_a_link_gives_the_same_network(training):
    run = experiment(**training)
    assert link.decode(link.encode(run)) == run
    events = [
        SkipEvent(ids=("wide",), strength=1.0, step=1), SkipEvent(ids=("cross",), on=False, step=2),
        LayerEvent(ids=("f4",), on=False, step=3), SkipEvent(ids=("cross", "wide"), on=True, strength=-1.5, step=4),
        SkipEvent(ids=("learned",), on=False, step=5),
    ]  # fmt: skip
    assert "towards(" in check(run, events)


def test_frames_have_the_gradients_through_it_and_of_its_weights():
    frame = next(iter(skipviz.train(experiment()))).variants["net"]
    assert all(frame.skip_grad[1:])
    assert all(frame.skip_weight_grad[1:])


def test_its_mark_in_the_diagram_is_an_a():
    drawn = diagram.draw(network()).svg
    assert drawn.count('class="joint attend"') == 2
    assert ">A</text>" in drawn


TO = {"source": 1, "target": 2, "merge": "attend"}


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (lambda: network(heads=3), "3 heads need a width"),
        (lambda: Network(layers=[Layer(op=Linear(width=8))] * 2, skips=[Skip(**TO)]), "needs a sequence"),
    ],
)  # fmt: skip
def test_what_cannot_be_attended_to_is_refused_in_words(net, why):
    with pytest.raises(ValueError, match=why):
        net()


def blocks(count: int = 3, causal: bool = False, **first) -> Network:
    """Return Post-LN blocks of attention alone whose values a skip from the first block's joins (Zhou et al. 2024)."""
    layers, skips = LAYERS[:2], []
    for block in range(count):
        source = len(layers)
        layers = [*layers, Layer(op=Linear(width=WIDTH), scale=0.5 if block else None), Layer(op=Identity())]
        layers = [*layers, Layer(op=Linear(width=WIDTH)), Layer(op=Identity(), norm="layer")]
        skips += [Skip(id=f"v{block}", source=3, target=source + 1, strength=0.5, **first)] * bool(block)
        skips += [Skip(id=f"p{block}", source=source, target=source + 2, merge="mix", heads=HEADS, causal=causal)]
        skips += [Skip(id=f"r{block}", source=source, target=source + 3)]
    return Network(input=(6,), layers=layers, skips=skips, head=HEAD)


def values_of_first(model, x, count: int = 3, causal: bool = False):
    """Return the outputs of `blocks()` written out: V = 0.5 V_1 + 0.5 x W_V in every block but the first."""
    h, first = model.layers["f2"](model.layers["f1"](x)), None
    for block in range(count):
        values, out, norm = (model.layers[f"f{3 + 4 * block + k}"] for k in (0, 2, 3))
        attention = model.skips[f"p{block}"].attention
        v = nn.functional.linear(h, values.operation.weight, values.operation.bias)
        first, v = (v, v) if first is None else (first, 0.5 * first + 0.5 * v)
        q, k = nn.functional.linear(h, attention.weight, attention.bias).chunk(2, 2)
        q, k, v = (part.reshape(len(x), 6, HEADS, -1).transpose(1, 2) for part in (q, k, v))
        o = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)
        o = nn.functional.linear(o, out.operation.weight, out.operation.bias)
        h = nn.functional.layer_norm(h + o, (WIDTH,), norm.norm.weight, norm.norm.bias)
    return model.head(h)


@pytest.mark.parametrize("causal", [False, True])
def test_values_mixed_with_the_first_blocks_are_those_written_out(causal):
    net = blocks(causal=causal)
    model, x = build(net), torch.randint(5, (4, 6))
    assert sum(p.numel() for p in model.parameters()) == net.parameter_count()
    made = [model(x), values_of_first(model, x, causal=causal)]
    torch.testing.assert_close(*made)
    found = [torch.autograd.grad(y.square().sum(), list(model.parameters()), allow_unused=True) for y in made]
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_without_the_skips_each_block_is_a_self_attention_and_off_ones_leave_half_of_its_values():
    plain = blocks(1)
    model, x = build(plain), torch.randn(4, 6, WIDTH)
    whole, part = multihead(), model.skips["p0"].attention
    v, out = model.layers["f3"].operation, model.layers["f5"].operation
    with torch.no_grad():
        whole.in_proj_weight.copy_(torch.cat([part.weight, v.weight]))
        whole.in_proj_bias.copy_(torch.cat([part.bias, v.bias]))
        whole.out_proj.load_state_dict(out.state_dict())
    mine = out(part(v(x), x))
    torch.testing.assert_close(mine, whole(x, x, x, need_weights=False)[0])
    off, removed = build(edit.set_skips(blocks(), ("v1", "v2"), on=False)), build(edit.remove_skips(blocks(), ("v1", "v2")))
    tokens = torch.randint(5, (4, 6))
    assert torch.equal(off(tokens), removed(tokens))


def test_learned_shares_of_values_train_as_their_script_and_link_say():
    run = experiment().replaced(variants={"net": blocks(causal=True, learned=True)})
    assert link.decode(link.encode(run)) == run
    events = [
        SkipEvent(ids=("p1",), on=False, step=1), SkipEvent(ids=("v1",), on=False, step=2),
        SkipEvent(ids=("p1", "v1"), on=True, step=3), SkipEvent(ids=("p2",), strength=0.5, step=4),
    ]  # fmt: skip
    assert "Mixture(" in check(run, events)
    frame = next(iter(skipviz.train(run))).variants["net"]
    assert all(frame.skip_grad)


def beside(merged: bool) -> Network:
    """Return a decoder of tokens whose encoder is a branch; or a branch that itself attends to the trunk, and is added."""
    inner = {"kind": "attention", "heads": HEADS}
    nodes = [{"id": "words", "op": LAYERS[0].op, "init": "normal"}, {"id": "place", "op": LAYERS[1].op}]
    nodes += [{"id": "e1", "op": inner, "norm": "layer"}, {"id": "e2", "op": {"kind": "linear", "width": WIDTH}}]
    nodes += [{"id": f"d{k}", "op": inner | {"causal": True}, "norm": "layer"} for k in (1, 2, 3, 4)]
    nodes += [{"id": "cross", "op": {"kind": "attend", "heads": HEADS}}]
    pairs = [("x", "words"), ("words", "place"), ("place", "e1"), ("e1", "e2"), ("place", "d1"), ("d1", "d2")]
    if merged:
        nodes += [{"id": "sum", "op": {"kind": "add"}}]
        pairs += [("e2", "cross"), ("d2", "cross", 1), ("d2", "d3"), ("d3", "d4"), ("d4", "sum"), ("cross", "sum", 1)]
    else:
        pairs += [("d2", "cross"), ("e2", "cross", 1), ("cross", "d3"), ("d3", "d4")]
    edges = [{"id": f"e{k}", "source": a, "target": b, "port": sum(c)} for k, (a, b, *c) in enumerate(pairs)]
    return Network(inputs={"x": (6,)}, nodes=nodes, edges=edges, output="sum" if merged else "d4", head=HEAD)


@pytest.mark.parametrize("merged", [False, True])
def test_an_encoder_beside_the_trunk_trains_as_its_script_and_link_say(merged):
    net = beside(merged)
    assert any(node.op.kind == "attend" for node in net.branches) == merged
    model = build(net)
    assert sum(p.numel() for p in model.parameters()) == net.parameter_count()
    x = torch.randint(5, (3, 6))
    part = {name: model.layer_of(name) for name in ("words", "place", "e1", "e2", "d1", "d2", "d3", "d4")}
    h = part["place"](part["words"](x))
    e, d = part["e2"](part["e1"](h)), part["d2"](part["d1"](h))
    carrier = next(
        model.carrier(edge.id) for edge in (*net.skips, *net.edges) if getattr(model.carrier(edge.id), "attention", None)
    )
    theirs = copied(multihead(), carrier.attention)
    if merged:
        wanted = part["d4"](part["d3"](d)) + theirs(e, d, d, need_weights=False)[0]
    else:
        wanted = part["d4"](part["d3"](theirs(d, e, e, need_weights=False)[0]))
    torch.testing.assert_close(model(x), model.head(wanted))
    run = experiment().replaced(variants={"net": net})
    assert link.decode(link.encode(run)) == run
    assert "towards(" in check(run, [LayerEvent(ids=("d2",), on=False, step=2), *([] if merged else toggled(net))])
    frame = next(iter(skipviz.train(run))).variants["net"]
    assert all(frame.skip_grad)


def toggled(net: Network) -> list[SkipEvent]:
    (cross,) = [skip.id for skip in net.skips if skip.merge == "attend"]
    return [SkipEvent(ids=(cross,), on=False, step=1), SkipEvent(ids=(cross,), on=True, step=4)]


def test_a_comparison_tells_heads_apart():
    (apart,) = network_differences(network(), edit.set_skips(network(), ("cross",), heads=8))
    assert (apart.left, apart.right) == ("attend ×4", "attend ×8")
