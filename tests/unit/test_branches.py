"""Networks with branches in experiments: links, scripts, training, switches, edits, frames."""

from __future__ import annotations

import re

import pytest
import torch
from scripts import assert_same, losses_of, short, trained
from test_graph import CASES, graph, linear

import skipviz
from skipviz import (
    Adapter,
    Convolution,
    Embedding,
    Experiment,
    Head,
    Network,
    NetworkError,
    Pool,
    Task,
    Training,
    build,
    families,
)
from skipviz.description import described
from skipviz.drawing import diagram, thumbnail, words
from skipviz.drawing.network_data import MOST_BOXES, network_data
from skipviz.drawing.udiagram import draw_u, has_u
from skipviz.engine.capacity.duration import multiplications, shape_of, step_seconds
from skipviz.engine.capacity.limits import memory_mb
from skipviz.learning.probe import gradients, record
from skipviz.learning.trainer import Trainer
from skipviz.network import edit
from skipviz.network.branch import feeding
from skipviz.network.paths import in_use, path_counts
from skipviz.sharing.script.experiment import network_source, script
from skipviz.tasks.event import LayerEvent, SkipEvent
from skipviz.tasks.forms.family_detection import recognised

DIGITS = Head(kind="classes", outputs=10)


def experiment(network: Network, task: str = "digits", **training) -> Experiment:
    return Experiment(variants={"network": network}, task=Task(name=task), training=Training(learning_rate=0.02, **training))


def case(name: str) -> Network:
    """Return a network of the reference cases behind a convolution, for digits."""
    nodes, edges, output, _ = CASES[name]
    stem = {"stem": {"op": Convolution(width=4, kernel=3), "activation": "relu"}}
    return graph(stem | nodes, "image>stem " + re.sub(r"\bx>", "stem>", edges), output, {"image": (1, 8, 8)}, DIGITS)


SHARED = {
    "first": linear(8),
    "second": linear(8, activation="tanh"),
    "third": linear(8, activation="tanh", shares="second"),
    "side": linear(8, activation="tanh", shares="second"),
    "sum": "add",
}
ONE_LEFT = {
    **dict.fromkeys(("c", "d", "r2", "r1", "r3", "t", "t2", "t3"), linear(8, activation="tanh")),
    **dict.fromkeys(("sum", "again", "out"), "add"),
}
ONE_LEFT_EDGES = "x>c c>d c>sum d>sum sum>r2 c>r1 sum>r3 r2>again r1>again r3>again c>t t>t2 t2>t3 t3>out again>out"
"""Of what is added nothing is left but `c`, which is read between the readers of the sum."""
ADAPTING = {
    "wide": {"op": Convolution(width=6, kernel=3, stride=2), "activation": "relu"},
    "trunk": {"op": Convolution(width=5, kernel=3), "norm": "batch", "activation": "relu"},
    "a": {"op": Convolution(width=4, kernel=3), "activation": "tanh"},
    "b": {"op": Convolution(width=3, kernel=3, stride=2), "drop_path": 0.25},
    "c": {"op": Pool(reduce="mean", kernel=2, stride=2)},
    "sum": "add",
    "gated": "gate",
    "product": "multiply",
    "beside": "concat",
    "late": {"op": Convolution(width=7, kernel=1), "norm": "batch", "order": "norm-act-op"},
    "twice": "add",
    "joined": "gate",
    "end": {"op": Convolution(width=3, kernel=3), "activation": "relu"},
    "out": "concat",
    "last": {"op": Convolution(width=4, kernel=1)},
}
ADAPTED_EDGES = (
    "image>stem stem>wide wide>trunk stem>a a>b stem>c b>sum a>sum c>sum sum>gated stem>gated gated>product a>product "
    "product>beside image>beside c>beside stem>beside beside>late late>twice a>twice trunk>joined twice>joined "
    "joined>end end>out late>out stem>out out>last"
)
ADAPTERS = {
    "b>sum": {"gain": 0.3},
    "a>sum": {"adapter": Adapter(spatial="stride", channels="project", norm="batch"), "strength": 0.5, "gain": 0.7},
    "c>sum": {"adapter": Adapter(channels="project", bias=False, init="he")},
    "sum>gated": {"strength": 2.0},
    "stem>gated": {"adapter": Adapter(spatial="resize", channels="project"), "gain": 0.3, "strength": 0.6},
    "a>product": {"adapter": Adapter(spatial="crop", channels="project", offset=1), "gain": 0.9, "strength": 0.4},
    "image>beside": {"adapter": Adapter(spatial="stride", channels="project", width=2), "strength": -0.5},
    "c>beside": {"gain": 0.1},
    "stem>beside": {"on": False},
    "beside>late": {"gain": 0.6, "strength": 1.5},
    "twice>joined": {"gain": 0.8, "strength": 0.9},
    "late>out": {"adapter": Adapter(channels="project", width=3, norm="batch")},
    "stem>out": {"adapter": Adapter(spatial="stride")},
}


def adapting() -> Network:
    """Return a network in which branches of unlike shapes merge in every way, each state adapted to the first."""
    stem = {"stem": {"op": Convolution(width=4, kernel=3), "activation": "relu"}}
    return graph(stem | ADAPTING, ADAPTED_EDGES, "last", {"image": (1, 8, 8)}, DIGITS, changes=ADAPTERS.items())


TOKENS = {"tokens": {"op": Embedding(vocabulary=10, width=6)}, "mixed": linear(6, activation="tanh")}
NETWORKS = {
    **{name: lambda name=name: experiment(case(name)) for name in CASES},
    "SE-ResNet": lambda: experiment(families.resnet(8, reduction=4, input=(1, 8, 8)), optimizer="momentum"),
    "SE-ResNet of version 2 with drop-path": lambda: experiment(
        families.resnet(38, version=2, reduction=8, drop_path=0.2, input=(1, 8, 8)), optimizer="sgd"
    ),
    "shared weights": lambda: experiment(
        graph(SHARED, "x>first first>second second>third first>side side>sum third>sum", "sum", {"x": (2,)}), "spiral"
    ),
    "a layer that is off under a branch's sum": lambda: experiment(edit.set_layer(case("attention gate"), "deep", on=False)),
    "a sum of one state": lambda: experiment(
        graph(ONE_LEFT, ONE_LEFT_EDGES, "out", {"x": (2,)}, changes=[("d>sum", {"on": False})]), "spiral"
    ),
    "merges that adapt beside the trunk": lambda: experiment(adapting(), clip_norm=0.5),
    "tied head": lambda: experiment(
        graph(TOKENS, "x>tokens tokens>mixed", "mixed", {"x": (8,)}, Head(kind="positions", outputs=10, bias=False), tied="tokens"),
        "sequences",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_branches_is_the_same_in_link_file_and_script(name):
    made = short(NETWORKS[name](), 5)
    assert skipviz.link.decode(skipviz.link.encode(made)) == made
    assert Experiment.model_validate_json(made.to_json()) == made
    ours, held_out = trained(made)
    theirs, ending = losses_of(script(made))
    assert_same(theirs, ours)
    assert ending == pytest.approx(held_out)
    assert ours[0] != ours[-1]


@pytest.mark.parametrize("name", [*NETWORKS, "Attention U-Net", "U-Net++"])
def test_a_written_class_gives_the_same_bits_and_gradients_as_the_module_with_branches(name):
    network, space = made_of(name).network, {}
    exec(network_source(network), space)
    written, built = space["Network"](), build(network)
    x = torch.randn(4, *network.input, generator=torch.Generator().manual_seed(1))
    x = x.mul(3).abs().long() if network.takes_tokens else x.requires_grad_()
    for training in (True, False):
        outputs = []
        for module in (written, built):
            torch.manual_seed(0)  # both leave their drop-path to torch's own generator
            outputs.append(module.train(training)(x))
        assert torch.equal(*outputs)
        found = [gradients_of(y, module, x) for y, module in zip(outputs, (written, built), strict=True)]
        assert found[0] == found[1]


@pytest.mark.parametrize("name", ["type", "a-b", "bfloat16"])
def test_boxes_and_edges_of_any_name_have_modules_of_their_own_in_a_script(name):
    nodes = {**dict.fromkeys(("c", "d", "e", "f", "a.b", name), linear(3)), "sum": "add", "end": "add"}
    network = graph(nodes, f"x>c c>d d>e e>f f>end c>a.b c>{name} a.b>sum {name}>sum sum>end", "end", {"x": (2,)})
    edges = [edge.replaced(id=edge.source, adapter=Adapter(channels="project")) for edge in network.edges if edge.target == "sum"]
    network = network.replaced(edges=[*(edge for edge in network.edges if edge.target != "sum"), *edges])
    space = {}
    exec(network_source(network), space)
    x = torch.randn(4, 2)
    assert torch.equal(space["Network"]()(x), build(network)(x))


def test_a_box_of_a_branch_is_off_only_where_something_takes_its_place():
    network = case("attention gate")
    for identifier in ("wx", "wg", "deep"):  # beside each other under a sum
        assert edit.set_layer(network, identifier, on=False) != network
    with pytest.raises(NetworkError, match="psi cannot be off: no residual skip in force passes it and it changes the shape"):
        edit.set_layer(network, "psi", on=False)


def test_a_gradient_that_passes_a_box_which_is_off_is_not_taken_for_rounding():
    nodes = {"c": linear(4), "side": linear(4), "product": "multiply"}
    network = graph(nodes, "x>c c>side c>product side>product", "product", {"x": (2,)})
    off = edit.set_layer(network, "side", on=False)
    frame = next(iter(skipviz.train(experiment(off, "spiral", steps=1)))).variants["network"]
    assert frame.edge_grad[0] > 0
    assert frame.rounding is None


def gradients_of(outputs: torch.Tensor, module: torch.nn.Module, x: torch.Tensor) -> list:
    """Return the gradients of input and parameters, these in an order that does not depend on how they are called."""
    parameters = list(module.parameters())
    found = torch.autograd.grad(outputs.square().sum(), [x, *parameters] if x.requires_grad else parameters, allow_unused=True)
    return sorted("none" if gradient is None else f"{[*gradient.shape]} {gradient.numpy().tobytes().hex()}" for gradient in found)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_branch_that_is_switched_off_in_a_run_rests_and_the_script_does_the_same(optimizer):
    network = families.resnet(8, reduction=4, input=(1, 8, 8))
    squeezes = tuple(skip.id for skip in network.skips if skip.via)
    made = short(experiment(network, optimizer=optimizer, weight_decay=0.01), 7)
    events = [
        SkipEvent(step=2, ids=squeezes[:2], on=False),
        SkipEvent(step=4, ids=squeezes[:1], on=True, strength=0.5),
        LayerEvent(step=5, ids=(network.branches[7].id,), on=False),
    ]
    ours, _ = trained(made, events)
    theirs, _ = losses_of(script(made, events))
    assert_same(theirs, ours)
    run = skipviz.train(made, events[:1])
    frames = [frame.variants["network"] for frame in run]
    rests = {node.id for skip in network.skips if skip.id in squeezes[:2] for node in feeding(network, skip.via)}
    places = [k for k, node in enumerate(network.branches) if node.id in rests]
    assert all(frames[-1].branch_grad[k] in (0, None) for k in places)
    assert any(frames[0].branch_grad[k] for k in places)
    weights, begun = run.model("network").state_dict(), build(network, made.training.seed).state_dict()
    moved = {name for name, value in weights.items() if not torch.equal(value, begun[name])}
    assert any(name.startswith("branches.") for name in moved)


def test_what_is_off_is_a_network_without_that_branch_and_its_parts_are_not_in_use():
    network = families.resnet(8, reduction=4, input=(3, 8, 8))
    squeezes = [skip.id for skip in network.skips if skip.via]
    off = edit.set_skips(network, squeezes, on=False)
    plain = families.resnet(8, input=(3, 8, 8))
    assert not any(in_use(off).branches)
    assert all(in_use(network).branches)
    removed = edit.remove_skips(network, squeezes)
    assert not removed.branches
    assert not removed.edges
    assert removed.parameter_count() == plain.parameter_count()
    x, built = torch.randn(4, 3, 8, 8), build(off).eval()
    assert torch.equal(built(x), build(removed).eval()(x))


def test_frames_measure_the_nodes_and_edges_of_branches_as_autograd_does():
    made = experiment(case("attention gate"))
    network, training = made.network, made.training.replaced(steps=1)
    frame = next(iter(skipviz.train(made.replaced(training=training)))).variants["network"]
    parameters = sum(shape.parameters for shape in network.shapes.branches)
    assert parameters
    assert len(frame.branch_grad) == len(frame.branch_state_grad) == len(network.branches)
    assert len(frame.edge_grad) == len(network.edges)
    model = build(network).double()
    x = torch.randn(6, 1, 8, 8, dtype=torch.float64)
    outputs, recording = record(model, x)
    found = gradients(outputs.square().sum(), list(model.parameters()), recording)
    for node in network.branches:
        assert found.by_node.get(node.id) is not None or node.is_merge or node.id not in found.by_node
    whole = {name: p.grad for name, p in model.named_parameters()}
    model(x).square().sum().backward()
    assert whole
    assert all(torch.allclose(a, p.grad) for a, p in zip(found.parameters, model.parameters(), strict=True))


def test_boxes_of_branches_have_counts_means_and_gradients_without_skips_as_layers_have():
    made = experiment(case("attention gate"))
    network, trainer = made.network, Trainer(made)
    [(x, y)] = trainer.batches_of_step()
    model = build(network, made.training.seed)
    torch.nn.functional.cross_entropy(model(x), y).backward()
    frame = trainer.advance(record=True, baseline=True).variants["network"]
    boxes = [*model.beside()][: len(network.branches)]
    weights = [[p for p in box.parameters() if p.dim() > 1] for box in boxes]
    means = [sum(p.grad.abs().sum() for p in own) / sum(p.numel() for p in own) if own else None for own in weights]
    assert sum(mean is not None for mean in means) >= 2
    assert frame.branch_grad_mean == [None if mean is None else pytest.approx(mean.item(), rel=1e-5) for mean in means]
    assert trainer.header()["variants"]["network"]["branch_count"] == [sum(p.numel() for p in box.parameters()) for box in boxes]
    bare = Trainer(made.with_network(edit.bare(network))).advance(record=True).variants["network"]
    assert (frame.ghost_branch, frame.ghost) == (bare.branch_grad, bare.weight_grad)


def test_layers_are_inserted_and_removed_under_a_branch():
    network = families.resnet(8, reduction=4, input=(3, 8, 8))
    longer = edit.insert_layer(network, 3)
    assert [edge.source for edge in longer.edges] == [edge.source for edge in network.edges]
    assert {node.id for node in longer.branches} == {node.id for node in network.branches}
    squeezed = next(skip for skip in network.skips if skip.via)
    shorter = edit.remove_layer(network, network.layers[squeezed.target - 1].id)
    assert squeezed.id not in {skip.id for skip in shorter.skips}
    assert len(shorter.branches) == len(network.branches) - 3
    stacked = edit.repeated(case("squeeze-and-excitation").replaced(input=(4, 8, 8), head=Head(outputs=10)), 1)
    assert stacked.branches


REFUSED = {
    "reads what is behind it": ("b1 reads b2, which stands behind it", [("b1", "b2"), ("b2", "f1")], "b1"),
    "no such node": ("skip s1: there is no branch with a node b9", [("b1", "f1"), ("b2", "b1")], "b9"),
    "too late": ("skip s1: b2 needs h(2), so it joins a later state", [("b1", "f2"), ("b2", "b1")], "b2"),
    "nothing leads in": ("nothing leads into b2", [("b1", "f1")], "b2"),
    "an edge into the trunk": ("edge e3: there is no branch with a node f2", [("b1", "f1"), ("b2", "b1"), ("f2", "b1")], "b2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_impossible_branches_are_refused_with_a_sentence(name):
    words, edges, via = REFUSED[name]
    layer = {"op": {"kind": "linear", "width": 4}}
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Network(
            layers=[layer, layer],
            branches=[layer, layer],
            edges=[{"source": source, "target": target} for target, source in edges],
            skips=[{"source": 1, "target": 2, "via": via}],
        )
    assert words in str(error.value)


def test_a_skip_from_a_branch_that_is_not_there_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="skip s1: there is no branch with a node b9"):
        Network(layers=[{"op": {"kind": "linear", "width": 4}}] * 2, skips=[{"source": 1, "target": 2, "via": "b9"}])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_forms_know_of_any_network_with_branches_whether_it_is_a_familys(name):
    made = NETWORKS[name]()
    found = recognised(made)
    assert (found.form is not None) == (name in ("SE-ResNet", "SE-ResNet of version 2 with drop-path"))


def test_a_task_of_one_input_refuses_a_network_of_two():
    both = {"a": linear(3), "b": linear(3), "sum": "add"}
    two = graph(both, "left>a right>b a>sum b>sum", "sum", {"left": (2,), "right": (5,)})
    with pytest.raises(ValueError, match=r"Two spirals gives the input alone, and this network reads the input and right \(5\)"):
        experiment(two, "spiral")


@pytest.mark.parametrize("name", [*NETWORKS, "Attention U-Net", "U-Net++"])
def test_every_network_with_branches_is_drawn_described_estimated_and_shown(name):
    made = made_of(name)
    network = made.network
    drawing = diagram.draw(network, page="lab", height=600).to_data()
    assert all(skip["boxes"] for skip in network_data(network)["skips"] if next(s for s in network.skips if s.id == skip["id"]).via)
    for skip in network.skips:
        assert not skip.via or words.branch(network, skip.via)
        assert skip.id in drawing["svg"] or drawing["collapsed"]
    assert thumbnail.thumbnail(network)
    assert f"{network.parameter_count():,}" in described(made)
    assert memory_mb(made) > 0
    assert not has_u(network) or draw_u(network, height=600).to_data()
    assert sum(path_counts(network)) > 1 or not network.skips


UNETS = {"Attention U-Net": {"gates": True}, "U-Net++": {"nested": True, "depth": 3}}


def made_of(name: str) -> Experiment:
    return unet(**UNETS[name]) if name in UNETS else NETWORKS[name]()


def unet(**fields) -> Experiment:
    task = Task(name="shapes")
    fields = {"depth": 2, "width": 4, **fields}
    return experiment(families.unet(padded=True, input=task.sample_shape(), head=task.head(), **fields), "shapes")


@pytest.mark.parametrize("name", UNETS)
def test_unets_with_branches_are_the_same_in_a_script(name):
    made = short(unet(**UNETS[name]), 3)
    assert_same(losses_of(script(made))[0], trained(made)[0])


def test_published_counts():
    assert families.resnet(50, reduction=16).parameter_count() == 28_088_024
    assert families.resnet(18, reduction=16).parameter_count() == sum(
        p.numel() for p in build(families.resnet(18, reduction=16)).parameters()
    )
    assert families.unet(4, 32, padded=True, nested=True, input=(3, 96, 96), head=1).parameter_count() == 9_042_177


REFUSED_UNETS = {
    "sizes that do not divide": (
        {"gates": True, "input": (1, 30, 32), "uneven": "crop"},
        "with attention gates the sides of an image divide by 4, and 30×32 do not: pad up",
    ),
    "valid": ({"nested": True, "padded": False}, "attention gates and nested skips are of padded convolutions"),
    "both": ({"nested": True, "gates": True}, "attention gates or nested skips, not both"),
}


@pytest.mark.parametrize("name", REFUSED_UNETS)
def test_unets_that_cannot_be_are_refused(name):
    fields, said = REFUSED_UNETS[name]
    with pytest.raises(NetworkError, match=said):
        families.unet(**{"depth": 2, "width": 4, "padded": True, "input": (1, 32, 32), **fields})


def test_a_page_lists_the_nearest_boxes_of_a_long_branch_and_no_more():
    count = 3 * MOST_BOXES
    layer = {"op": {"kind": "linear", "width": 4}}
    reads = ["f1", *(f"b{k}" for k in range(1, count))]
    network = Network(
        layers=[layer, layer],
        branches=[layer] * count,
        edges=[{"source": source, "target": f"b{k}"} for k, source in enumerate(reads, start=1)],
        skips=[{"source": 1, "target": 2, "via": f"b{count}"}],
    )
    boxes = network_data(network)["skips"][0]["boxes"]
    assert [network.branches[place].id for place in boxes] == [f"b{k}" for k in range(count - MOST_BOXES + 1, count + 1)]
    assert len(feeding(network, f"b{count}")) == count


def test_branches_cost_time_and_memory():
    squeezed, plain = (unet(width=8, gates=gates) for gates in (True, False))
    assert multiplications(squeezed.network) > multiplications(plain.network)
    assert memory_mb(squeezed) > memory_mb(plain)
    assert step_seconds(squeezed) > step_seconds(plain)
    off = squeezed.network.replaced(
        branches=[node if node.is_merge else node.replaced(gain=0.5) for node in squeezed.network.branches]
    )
    assert shape_of(squeezed) == shape_of(squeezed.with_network(off))
