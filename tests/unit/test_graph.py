"""Graphs against modules written out in torch: outputs and gradients with the same weights, counts, switches, refusals."""

from __future__ import annotations

import pytest
import torch
from chains import chains
from graphs import graphs
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from skipviz import (
    Adapter,
    Attention,
    Convolution,
    Edge,
    Embedding,
    Head,
    Join,
    Linear,
    Network,
    NetworkError,
    Node,
    Pool,
    Position,
    build,
)
from skipviz.learning.probe import gradients, record
from skipviz.network.chain import wiring_of
from skipviz.network.operation import OPERATIONS


def graph(nodes: dict, edges: str, output: str, inputs=None, head=None, changes=(), **more) -> Network:
    """Return a graph from layers or merges by id and edges as `a>b c>d`, of which several into one stand in their order."""
    parts = [Node(id=name, op=Join(kind=part)) if isinstance(part, str) else Node(id=name, **part) for name, part in nodes.items()]
    ports, lines = {}, []
    for edge in edges.split():
        source, target = edge.split(">")
        lines.append(Edge(source=source, target=target, port=ports.setdefault(target, 0), **dict(changes).get(edge, {})))
        ports[target] += 1
    head = head or Head(kind="classes", outputs=2)
    return Network(inputs=inputs or {"x": (4, 8, 8)}, nodes=parts, edges=lines, output=output, head=head, **more)


def conv(width: int, kernel: int = 3, **more) -> dict:
    return {"op": Convolution(width=width, kernel=kernel), **more}


def linear(width: int, **more) -> dict:
    return {"op": Linear(width=width), **more}


SQUEEZE = {
    "c": conv(4, activation="relu"),
    "squeeze": {"op": Pool(reduce="mean", kernel=8, stride=8)},
    "down": linear(2, activation="relu"),
    "up": linear(4, activation="sigmoid"),
    "scaled": "multiply",
    "sum": "add",
}
INCEPTION = {
    "one": conv(2, 1, activation="relu"),
    "before": conv(3, 1, activation="relu"),
    "three": conv(2, activation="relu"),
    "pooled": {"op": Pool(reduce="max", kernel=3, stride=1, padding=1)},
    "after": conv(2, 1),
    "arms": "concat",
    "joint": conv(4, 1),
    "sum": "add",
}
ATTENTION_GATE = {
    "enc": conv(4, activation="relu"),
    "deep": conv(4, activation="relu"),
    "wx": conv(2, 1),
    "wg": conv(2, 1),
    "asked": "add",
    "open": {"op": OPERATIONS["identity"](), "activation": "relu"},
    "psi": conv(1, 1, activation="sigmoid"),
    "gated": "multiply",
    "both": "concat",
    "dec": conv(3),
}
NESTED = {
    "a0": conv(3, activation="relu"),
    "a1": conv(3, activation="relu"),
    "a2": conv(3, activation="relu"),
    "i01": "concat",
    "b0": conv(3, activation="relu"),
    "i11": "concat",
    "b1": conv(3, activation="relu"),
    "i02": "concat",
    "c0": conv(3),
}
SHORTCUT = {
    "c1": conv(5, norm="batch", activation="relu"),
    "c2": conv(5, norm="batch"),
    "short": conv(5, 3, norm="batch"),
    "sum": "add",
}


def se(m, x):
    c = F.relu(m["c"](x))
    scale = torch.sigmoid(m["up"](F.relu(m["down"](c.mean((2, 3))))))
    return x + c * scale[:, :, None, None]


def inception(m, x):
    arms = [F.relu(m["one"](x)), F.relu(m["three"](F.relu(m["before"](x)))), m["after"](F.max_pool2d(x, 3, 1, 1))]
    return x + m["joint"](torch.cat(arms, 1))


def attention_gate(m, x):
    enc = F.relu(m["enc"](x))
    deep = F.relu(m["deep"](enc))
    share = torch.sigmoid(m["psi"](F.relu(m["wx"](enc) + m["wg"](deep))))
    return m["dec"](torch.cat([enc * share, deep], 1))


def nested(m, x):
    a0 = F.relu(m["a0"](x))
    a1 = F.relu(m["a1"](a0))
    a2 = F.relu(m["a2"](a1))
    b0 = F.relu(m["b0"](torch.cat([a0, a1], 1)))
    b1 = F.relu(m["b1"](torch.cat([a1, a2], 1)))
    return m["c0"](torch.cat([a0, b0, b1], 1))


def shortcut(m, x):
    return m["c2"](F.relu(m["c1"](x))) + m["short"](x)


CASES = {
    "squeeze-and-excitation": (SQUEEZE, "x>c c>squeeze squeeze>down down>up c>scaled up>scaled x>sum scaled>sum", "sum", se),
    "inception under a residual": (
        INCEPTION,
        "x>one x>before before>three x>pooled pooled>after one>arms three>arms after>arms arms>joint x>sum joint>sum",
        "sum",
        inception,
    ),
    "attention gate": (
        ATTENTION_GATE,
        "x>enc enc>deep enc>wx deep>wg wx>asked wg>asked asked>open open>psi enc>gated psi>gated gated>both deep>both both>dec",
        "dec",
        attention_gate,
    ),
    "nested skips": (
        NESTED,
        "x>a0 a0>a1 a1>a2 a0>i01 a1>i01 i01>b0 a1>i11 a2>i11 i11>b1 a0>i02 b0>i02 b1>i02 i02>c0",
        "c0",
        nested,
    ),
    "shortcut of three by three": (SHORTCUT, "x>c1 c1>c2 x>short c2>sum short>sum", "sum", shortcut),
}


class Written(nn.Module):
    """A reference that holds torch's own modules by the names of nodes."""

    def __init__(self, built, layers: dict) -> None:
        super().__init__()
        self.m = nn.ModuleDict()
        for name in layers:
            module = built.layer_of(name)
            parts = [_torchs(module.operation)] + ([nn.BatchNorm2d(len(module.norm.weight))] if module.norm is not None else [])
            self.m[name] = nn.Sequential(*parts)
        self.head = nn.Linear(*reversed(built.head.weight.shape))

    def copy(self, built) -> None:
        with torch.no_grad():
            for name, sequence in self.m.items():
                for mine, theirs in zip(sequence.parameters(), built.layer_of(name).parameters(), strict=True):
                    mine.copy_(theirs)
            for mine, theirs in zip(self.head.parameters(), built.head.parameters(), strict=True):
                mine.copy_(theirs)


def _torchs(operation) -> nn.Module:
    weight = operation.weight
    if weight.dim() == 2:
        return nn.Linear(weight.shape[1], weight.shape[0])
    return nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=weight.shape[2] // 2)


@pytest.mark.parametrize("name", CASES)
def test_a_graph_computes_what_torch_computes_of_the_same_network_written_out(name):
    nodes, edges, output, function = CASES[name]
    built = build(graph(nodes, edges, output)).double()
    layers = [part for part, node in nodes.items() if not isinstance(node, str) and list(built.layer_of(part).parameters())]
    written = Written(built, layers).double()
    written.copy(built)
    x = torch.randn(5, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mine, theirs = built(x), written.head(function(written.m, x).mean((2, 3)))
    assert torch.allclose(mine, theirs, atol=1e-12)
    by_name = {**{part: built.layer_of(part) for part in layers}, "head": built.head}
    ours = torch.autograd.grad(mine.square().sum(), [p for module in by_name.values() for p in module.parameters()])
    others = torch.autograd.grad(
        theirs.square().sum(), [p for part in (*written.m.values(), written.head) for p in part.parameters()]
    )
    assert all(torch.allclose(a, b, atol=1e-11) for a, b in zip(ours, others, strict=True))
    assert built.network.parameter_count() == sum(p.numel() for p in built.parameters())


@pytest.mark.parametrize("name", CASES)
def test_what_comes_back_along_the_edges_sums_to_the_gradient_of_each_state_and_recording_changes_no_bit(name):
    nodes, edges, output, _ = CASES[name]
    described = graph(nodes, edges, output)
    built = build(described).double()
    x = torch.randn(5, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    parameters = list(built.parameters())
    outputs, recording = record(built, x)
    found = gradients(outputs.square().sum(), parameters, recording)
    plain = built(x)
    assert torch.equal(plain, outputs)
    assert all(map(torch.equal, found.parameters, torch.autograd.grad(plain.square().sum(), parameters)))
    wiring = wiring_of(described)
    for state, gradient in found.by_node.items():
        back = [found.by_edge[edge.id] for edge in wiring.leaving[state]]
        if state != wiring.output:
            parts = [part[0] * part[1] if isinstance(part, tuple) else part for part in back]
            assert (sum(parts) - gradient).abs().max() <= 1e-12 * max(1, gradient.abs().max())


@given(graphs())
def test_recording_a_graph_changes_no_bit_and_a_bound_pass_gives_what_a_call_gives(described):
    built = build(described)
    built.masks.step = 0
    x = torch.randn(3, *described.input, generator=torch.Generator().manual_seed(1))
    parameters = list(built.parameters())
    outputs, recording = record(built, x)
    assert torch.equal(built(x), outputs)
    assert torch.equal(built.bound(described, True).run(x), outputs)
    found = gradients(outputs.square().sum(), parameters, recording).parameters
    plain = torch.autograd.grad(built(x.requires_grad_()).square().sum(), parameters, allow_unused=True)
    assert all(a is b or torch.equal(a, b) for a, b in zip(found, plain, strict=True))


@given(chains())
def test_a_chain_written_as_a_graph_is_that_chain_again(network):
    wiring = wiring_of(network)
    name = lambda text: text.replace(":", "-").strip("-")  # noqa: E731
    streams = {skip.id: skip.streams for skip in network.skips}
    nodes = [
        Node(id=name(node.id), op=node.op.replaced(heads=1, streams=streams.get(wiring.arriving[node.id][-1].id, 4)))
        if node.id in wiring.merges
        else Node(**{field: getattr(node, field) for field in type(node).model_fields})
        for node in wiring.order
    ]
    fields = ("port", "on", "strength", "gain", "adapter", "learned", "softmax")
    edges = [
        Edge(
            id=name(edge.id),
            source=name(edge.source),
            target=name(edge.target),
            **{field: getattr(edge, field) for field in fields},
        )
        for edge in wiring.edges
    ]
    inputs = {name(key): shape for key, shape in wiring.inputs.items()}
    found = Network(inputs=inputs, nodes=nodes, edges=edges, output=name(wiring.output), head=network.head)
    assert found.layers == network.layers
    assert not found.branches
    same = {skip.id: skip for skip in network.skips}
    assert {
        skip.id: skip.replaced(**{name: getattr(same[skip.id], name) for name in Join.model_fields if name != "kind"})
        for skip in found.skips
    } == same


SWITCHED = {
    "add": lambda c, d: c,
    "concat": lambda c, d: torch.cat([c, torch.zeros_like(d)], 1),
    "multiply": lambda c, d: c,
}


@pytest.mark.parametrize("merge", SWITCHED)
@pytest.mark.parametrize("change", [{"on": False}, {"strength": 0.0}])
def test_an_edge_that_is_off_adds_nothing_joins_zeros_and_multiplies_by_ones(merge, change):
    described = graph(
        {"c": conv(3), "d": conv(3), "join": merge}, "x>c x>d c>join d>join", "join", head=Head(kind="classes", outputs=3)
    )
    built = build(described)
    built.set_network(
        graph(
            {"c": conv(3), "d": conv(3), "join": merge},
            "x>c x>d c>join d>join",
            "join",
            head=Head(kind="classes", outputs=3),
            changes={"d>join": change},
        )
    )
    x = torch.randn(2, 4, 8, 8)
    expected = SWITCHED[merge](built.layer_of("c")(x), built.layer_of("d")(x)).mean((2, 3))
    assert torch.equal(built(x), built.head(expected))
    outputs = built(x)
    assert all(g is None for g in torch.autograd.grad(outputs.sum(), list(built.layer_of("d").parameters()), allow_unused=True))


@given(st.sampled_from([-4.0, -1.0, 0.5, 3.0]))
def test_the_strength_of_an_edge_is_a_factor_also_a_negative_one(strength):
    x = torch.randn(2, 4, 8, 8)
    for changed, of in (("c>sum", lambda c: x + strength * c), ("x>sum", lambda c: strength * x + c)):
        built = build(graph({"c": conv(4), "sum": "add"}, "x>sum c>sum x>c", "sum", changes={changed: {"strength": strength}}))
        assert torch.allclose(built(x), built.head(of(built.layer_of("c")(x)).mean((2, 3))), atol=1e-6)


def test_nodes_share_weights_that_count_once_and_get_both_gradients():
    blocks = {"first": linear(6, activation="tanh"), "second": linear(6, activation="tanh", shares="first")}
    built = build(graph(blocks, "x>first first>second", "second", {"x": (6,)}))
    weight, bias = built.layer_of("first").operation.parameters()
    assert built.network.parameter_count() == sum(p.numel() for p in built.parameters()) == 6 * 6 + 6 + 6 * 2 + 2
    x = torch.randn(3, 6)
    expected = torch.tanh(F.linear(torch.tanh(F.linear(x, weight, bias)), weight, bias))
    assert torch.allclose(built(x), built.head(expected))


def test_two_inputs_are_read_by_their_names_order():
    both = {"a": linear(3), "b": linear(3), "sum": "add"}
    built = build(graph(both, "left>a right>b a>sum b>sum", "sum", {"left": (2,), "right": (5,)}))
    left, right = torch.randn(4, 2), torch.randn(4, 5)
    assert torch.allclose(built(left, right), built.head(built.layer_of("a")(left) + built.layer_of("b")(right)))


def test_gpt_2_small_with_its_tied_head_has_as_many_parameters_as_published():
    length, width = 1024, 768
    nodes = {"tokens": {"op": Embedding(vocabulary=50257, width=width)}, "place": {"op": Position(mode="learned")}}
    edges, state = ["x>tokens", "tokens>place"], "place"
    for k in range(12):
        block = {
            f"attend{k}": {"op": Attention(heads=12, causal=True), "norm": "layer", "order": "norm-act-op"},
            f"sum{k}": "add",
            f"wide{k}": linear(4 * width, norm="layer", order="norm-act-op"),
            f"narrow{k}": linear(width, activation="gelu", order="norm-act-op"),
            f"out{k}": "add",
        }
        nodes |= block
        a, s, w, n, o = block
        edges += [f"{state}>{a}", f"{a}>{s}", f"{state}>{s}", f"{s}>{w}", f"{w}>{n}", f"{n}>{o}", f"{s}>{o}"]
        state = o
    nodes["last"] = {"op": OPERATIONS["identity"](), "norm": "layer"}
    head = Head(kind="positions", outputs=50257, bias=False)
    gpt = graph(nodes, " ".join([*edges, f"{state}>last"]), "last", {"x": (length,)}, head, tied="tokens")
    assert gpt.parameter_count() == 124_439_808
    assert len(wiring_of(gpt).trunk.skips) == 24


def test_a_tied_head_reads_with_the_embeddings_weight():
    nodes = {"tokens": {"op": Embedding(vocabulary=7, width=4)}, "last": linear(4)}
    head = Head(kind="positions", outputs=7, bias=False)
    built = build(graph(nodes, "x>tokens tokens>last", "last", {"x": (5,)}, head, tied="tokens"))
    assert built.network.parameter_count() == sum(p.numel() for p in built.parameters()) == 7 * 4 + 4 * 4 + 4
    assert built.head.weight is built.layer_of("tokens").operation.weight


REFUSED = {
    "a cycle": ({"a": linear(2), "b": "add"}, "x>b a>b b>a", "a", "a reads what it leads to: a graph has no cycle"),
    "no such node": ({"a": linear(2)}, "x>a y>a", "a", "edge e2: there is no node y"),
    "two edges into a layer": ({"a": linear(2), "b": linear(2)}, "x>a x>b a>b", "b", "2 edges lead into b, which reads one state"),
    "nothing leads in": ({"a": linear(2), "b": linear(2)}, "x>a", "a", "nothing leads into b"),
    "a gate of three": ({"a": linear(2), "s": "gate"}, "x>a x>s a>s x>s", "s", "h(1) has a gate already, and one is the limit"),
    "no output": ({"a": linear(2)}, "x>a", "x", "the output is a node, and there is none of the id x"),
    "unlike shares": (
        {"a": linear(2), "b": linear(2, norm="layer", shares="a")},
        "x>a a>b",
        "b",
        "b shares the weights of a, so it needs the same operation, norm and input",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_impossible_graph_is_refused_with_a_sentence(name):
    nodes, edges, output, words = REFUSED[name]
    with pytest.raises(ValueError) as error:  # noqa: PT011
        graph(nodes, edges, output, {"x": (2,)})
    assert words in str(error.value)


def test_a_merge_has_no_norm_of_its_own():
    with pytest.raises(ValueError, match="a merge has no norm; give it to the layer behind"):
        Node(id="s", op=Join(kind="add"), norm="layer")


def test_an_edge_adapts_what_it_carries():
    described = graph({"c": conv(6), "sum": "add"}, "x>c c>sum x>sum", "sum")
    built = build(described)
    assert described.shapes.skips[0].adapter == Adapter(spatial="none", channels="project")
    x = torch.randn(2, 4, 8, 8)
    assert torch.allclose(built(x), built.head((built.layer_of("c")(x) + built.skips["e3"](x)).mean((2, 3))), atol=1e-6)


def test_a_change_of_structure_needs_a_module_of_its_own():
    described = graph({"c": conv(4), "sum": "add"}, "x>c c>sum x>sum", "sum")
    with pytest.raises(NetworkError):
        build(described).set_network(graph({"c": conv(4, 1), "sum": "add"}, "x>c c>sum x>sum", "sum"))
