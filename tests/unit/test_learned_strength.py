"""A strength that a skip learns: values, gradients, updates at a rate of its own, events, and all that writes it down."""

import pytest
import torch
from scripts import check, short
from torch import nn

import skipviz
from skipviz import Convolution, Experiment, Head, Layer, Linear, Network, NetworkError, Skip, Task, Training, edit, families, link
from skipviz.learning.build import build
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent

LAYERS = [
    Layer(op=Linear(width=6), activation="tanh"),
    Layer(op=Linear(width=6), activation="prelu"),
    Layer(op=Linear(width=6, bias=False), norm="batch"),
    Layer(op=Linear(width=5), activation="relu"),
    Layer(op=Linear(width=6), activation="gelu"),
]
SKIPS = [
    Skip(id="add", source=1, target=3, strength=0.5, learned=True, rate=3),
    Skip(id="product", source=0, target=2, merge="multiply", strength=-0.5, learned=True),
    Skip(id="part", source=1, target=4, merge="concat", strength=1.0, learned=True, rate=0.1),
    Skip(id="gate", source=2, target=5, merge="gate", strength=0.75, learned=True, gain=0.5),
    Skip(id="fixed", source=0, target=3, strength=0.5),
]
NET = Network(layers=LAYERS, skips=SKIPS, head=Head(outputs=2))
LEARNED = {skip.id: skip.strength for skip in SKIPS if skip.learned}


def experiment(**training) -> Experiment:
    training = Training(**{"optimizer": "adamw", "weight_decay": 0.1, "learning_rate": 0.01, "batch_size": 20, **training})
    variants = {"learned": NET, "fixed": edit.set_skips(NET, tuple(LEARNED), learned=False, rate=1.0)}
    return short(Experiment(variants=variants, task=Task(name="moons", samples=60), training=training))


def written_out(model, x):
    """Return the outputs of `NET` with the equations of its merges."""
    f, skips = model.layers, model.skips
    s = {name: skips.get(name).strength for name in LEARNED}
    h1 = f["f1"](x)
    h2 = f["f2"](h1) * (1 + s["product"] * (skips.get("product").project(x) - 1))
    h3 = f["f3"](h2) + s["add"] * h1 + 0.5 * skips.get("fixed").project(x)
    h4 = f["f4"](h3)
    gate = skips.get("gate")
    through = 0.5 * h2 + 0.5 * h2.detach()  # the gain
    share = torch.sigmoid(gate.gate(h2))
    share = 0.5 * share + 0.5 * share.detach()
    f5 = f["f5"](torch.cat([h4, s["part"] * h1], 1))
    return model.head(f5 + s["gate"] * (1 - share) * (through - f5))


def test_values_and_gradients_are_those_of_the_equations():
    model, x = build(NET).double(), torch.randn(9, 2, dtype=torch.float64)
    assert sum(p.numel() for p in model.parameters()) == NET.parameter_count()
    assert {name: model.skips.get(name).strength.item() for name in LEARNED} == LEARNED
    parameters = [*model.parameters()]
    made = [model(x), written_out(model, x)]
    torch.testing.assert_close(*made)
    mine, theirs = (torch.autograd.grad(y.square().sum(), parameters) for y in made)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", LEARNED)
def test_a_strengths_gradient_is_a_finite_difference(name):
    torch.manual_seed(0)
    model, x, step = build(edit.set_skip(NET, "gate", gain=1.0)).double(), torch.randn(9, 2, dtype=torch.float64), 1e-6
    strength, start = model.skips.get(name).strength, LEARNED[name]
    (found,) = torch.autograd.grad(model(x).square().sum(), strength)
    values = []
    for moved in (step, -step):
        strength.data.fill_(start + moved)
        values.append(model(x).square().sum().item())
    assert found.item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)
    assert found.item() != 0


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_each_strength_takes_torchs_own_steps_at_its_rate_and_does_not_decay(optimizer):
    run = experiment(optimizer=optimizer, schedule="cosine")
    trainer, theirs = Trainer(run), build(NET)
    rates = {f"skips.{skip.id}.strength": skip.rate for skip in SKIPS if skip.learned}
    named = dict(theirs.named_parameters())
    slopes = [p for name, p in named.items() if "activation" in name]
    others = [p for name, p in named.items() if "activation" not in name and name not in rates]
    groups = [(others, 1.0, 0.1), (slopes, 1.0, 0.0), *(([named[name]], rate, 0.0) for name, rate in rates.items())]
    made = {"sgd": torch.optim.SGD, "momentum": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    more = {"momentum": 0.9} if optimizer == "momentum" else {}
    updater = made([{"params": parts, "weight_decay": decay} for parts, _, decay in groups], lr=1.0, **more)
    for step in range(6):
        rate = skipviz.tasks.schedule.learning_rate(run.training, step)
        for group, (_, multiple, _) in zip(updater.param_groups, groups, strict=True):
            group["lr"] = rate * multiple
        chosen = trainer.batches.indices(step)
        updater.zero_grad()
        nn.functional.cross_entropy(theirs(trainer._x[chosen]), trainer._y[chosen]).backward()
        updater.step()
        trainer.advance(record=False)
    for name, mine in trainer.weights("learned").items():
        torch.testing.assert_close(mine, theirs.state_dict()[name], msg=name)
        assert name not in rates or mine.item() != LEARNED[name.split(".")[1]]


def test_a_frame_has_the_strengths_before_its_update_and_the_norm_of_their_gradients():
    trainer = Trainer(experiment())
    names = [skip.id for skip in SKIPS]
    for _ in range(3):
        before = trainer.weights("learned")
        now = {name: before[f"skips.{name}.strength"].item() for name in LEARNED}
        frame = trainer.advance(record=True)
        assert dict(zip(names, frame.variants["learned"].strength, strict=True)) == {**now, "fixed": None}
        assert frame.variants["learned"].skip_weight_grad[names.index("add")] > 0  # it has no other parameter
        assert "strength" not in frame.to_data()["variants"]["fixed"]


def test_recording_changes_no_bit():
    runs = [Trainer(experiment()) for _ in range(2)]
    for step in range(6):
        runs[0].advance(record=True, baseline=True)
        runs[1].advance(record=step == 5)
    for name, value in runs[0].weights("learned").items():
        assert torch.equal(value, runs[1].weights("learned")[name]), name


def test_one_that_is_off_learns_nothing_and_one_that_starts_at_zero_carries():
    run = experiment()
    trainer = Trainer(run)
    trainer.apply(SkipEvent(ids=("add",), on=False, variant="learned"))
    for _ in range(3):
        frame = trainer.advance(record=True)
    assert trainer.weights("learned")["skips.add.strength"].item() == 0.5
    assert frame.variants["learned"].strength[0] == 0.5
    zero = Trainer(run.replaced(variants={"learned": edit.set_skip(NET, "add", strength=0.0)}))
    assert zero.advance(record=True).variants["learned"].skip_weight_grad[0] > 0
    assert zero.weights("learned")["skips.add.strength"].item() != 0


def test_an_event_sets_a_learned_strength_though_it_says_what_the_network_began_with():
    trainer = Trainer(experiment())
    for _ in range(3):
        trainer.advance(record=False)
    assert trainer.weights("learned")["skips.add.strength"].item() != 0.5
    trainer.apply(SkipEvent(ids=("add", "fixed"), strength=0.5, variant="learned"))
    assert trainer.advance(record=True).variants["learned"].strength[0] == 0.5
    assert trainer.weights("learned")["skips.add.strength"].item() != 0.5


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"optimizer": "momentum", "clip_norm": 0.1, "schedule": "one_cycle"},
        {"optimizer": "adam", "precision": "bfloat16", "accumulation": 2},
        {"optimizer": "sgd", "momentum": 0.5},
    ],
)
def test_a_script_takes_the_same_steps_whatever_an_event_does_on_the_way(training):
    events = [
        SkipEvent(ids=("add", "gate"), strength=0.5, step=2, variant="learned"),
        SkipEvent(ids=("part",), on=False, step=3),
        LayerEvent(ids=("f4",), gain=0.5, step=4),
        RateEvent(learning_rate=0.02, step=5),
        SkipEvent(ids=("product", "fixed"), strength=1.5, step=6),
        SkipEvent(ids=("part",), on=True, step=6),
    ]
    source = check(experiment(**training), events)
    assert "Strength(0.5, 3.0)" in source


def test_a_script_of_a_long_network_and_one_with_layers_off_takes_the_same_steps():
    net = families.mlp(depth=40, width=6, skip_every=2, norm="layer")
    net = edit.set_skips(net, [skip.id for skip in net.skips], learned=True, strength=0.5, rate=2)
    run = short(Experiment(variants={"deep": net}, task=Task(name="moons", samples=60)))
    ids = [skip.id for skip in net.skips]
    events = [
        LayerEvent(ids=("f4", "f5"), on=False, step=2),
        SkipEvent(ids=(ids[2],), on=False, step=3),
        SkipEvent(ids=(ids[5],), strength=-1, step=4),
        LayerEvent(ids=("f4",), on=True, step=5),
    ]
    assert check(run, events).count("Strength(") < 10  # loops


def test_a_script_of_strengths_of_images_with_projections_takes_the_same_steps():
    layers = [Layer(op=Convolution(width=4)), Layer(op=Convolution(width=6)), Layer(op=Convolution(width=6), norm="batch")]
    skips = [Skip(source=1, target=2, learned=True), Skip(source=0, target=3, merge="gate", learned=True, strength=0.0)]
    net = Network(input=(1, 8, 8), layers=layers, skips=skips, head=Head(outputs=10))
    check(short(Experiment(variants={"a": net}, task=Task(name="digits", samples=40)), steps=4))


def test_a_resumed_run_goes_on_with_the_strengths_and_their_momenta():
    run = experiment(clip_norm=0.5)
    trainer, resumed = Trainer(run), Trainer(run)
    trainer.apply(SkipEvent(ids=("gate",), strength=0.25, variant="learned"))
    for _ in range(3):
        trainer.advance(record=False)
    resumed.load_state(trainer.state_bytes())
    frames = [one.advance(record=True).to_data() for one in (trainer, resumed)]
    assert frames[0]["variants"] == frames[1]["variants"]
    assert trainer.weights("learned").keys() == resumed.weights("learned").keys()


def test_links_and_json_hold_it_and_those_of_fixed_strengths_say_nothing_of_it():
    run = experiment()
    assert link.decode(link.encode(run)) == run
    assert skipviz.experiment_from_json(run.to_json()) == run
    plain = run.replaced(variants={"a": run.variants["fixed"]}).to_json()
    assert '"learned"' not in plain
    assert '"rate"' not in plain


def test_a_strength_becomes_learned_by_an_edit_that_makes_another_run_of_it():
    fixed = families.mlp(depth=4, width=5, skip_every=2)
    learned = edit.set_skip(fixed, fixed.skips[0].id, learned=True)
    assert learned.parameter_count() == fixed.parameter_count() + 1
    model = build(fixed)
    with pytest.raises(NetworkError, match="another network"):
        model.set_network(learned)
    first = {name: value for name, value in build(learned).state_dict().items() if "strength" not in name}
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in first.items())


def test_a_graphs_edge_into_a_sum_learns_and_one_on_the_trunk_or_into_a_branch_is_refused():
    nodes = [{"id": "a", "op": {"kind": "linear", "width": 4}}, {"id": "b", "op": {"kind": "linear", "width": 4}}]
    nodes.append({"id": "sum", "op": {"kind": "add"}})

    def graph(learned: str) -> Network:
        edges = [("x", "a"), ("a", "b"), ("b", "sum"), ("a", "sum")]
        edges = [{"source": a, "target": b, "port": int((a, b) == ("a", "sum")), "learned": a + b == learned} for a, b in edges]
        return Network(inputs={"x": (2,)}, nodes=nodes, edges=edges, output="sum")

    assert [skip.learned for skip in graph("asum").skips] == [True]
    with pytest.raises(ValueError, match="on the trunk"):
        graph("xa")
    squeezed = families.resnet(depth=8, reduction=4)
    product = next(skip for skip in squeezed.skips if skip.via)
    net = edit.set_skip(squeezed, product.id, learned=True)
    assert net.parameter_count() == squeezed.parameter_count() + 1 == sum(p.numel() for p in build(net).parameters())
    with pytest.raises(NetworkError, match="no merge"):
        edit.changed(squeezed, edges=(squeezed.edges[0].replaced(learned=True), *squeezed.edges[1:]))


def _branched(**learned) -> Network:
    """Return a network whose trunk x → a → end has a branch: b(x), then its product with a, its sum with x, its gate by a."""
    tanh = {"op": {"kind": "linear", "width": 4}, "activation": "tanh"}
    nodes = [{"id": name, **tanh} for name in ("a", "b", "c", "d", "end")]
    nodes += [{"id": kind, "op": {"kind": kind}} for kind in ("multiply", "add", "gate", "concat")]
    nodes.append({"id": "sum", "op": {"kind": "add"}})
    ways = (
        "x>a a>c c>d d>end end>sum x>b b>multiply a>multiply multiply>add x>add add>gate a>gate gate>concat b>concat concat>e e>sum"
    )
    nodes.append({"id": "e", **tanh})
    ports, edges = {}, []
    for way in ways.split():
        source, target = way.split(">")
        ports[target] = ports.get(target, -1) + 1
        into = target in ("multiply", "add", "gate", "concat")
        edges.append(
            {"id": f"{source}-{target}", "source": source, "target": target, "port": ports[target], **(learned if into else {})}
        )
    return Network(inputs={"x": (2,)}, nodes=nodes, edges=edges, output="sum")


def test_edges_into_merges_of_branches_learn():
    net = _branched(learned=True, strength=0.5, rate=2)
    assert sum(edge.learned for edge in net.edges) == 8
    model = build(net).double()
    assert sum(p.numel() for p in model.parameters()) == net.parameter_count() == _branched().parameter_count() + 8
    x, fixed = torch.randn(7, 2, dtype=torch.float64), build(_branched(strength=0.5)).double()
    fixed.load_state_dict({name: value for name, value in model.state_dict().items() if "strength" not in name})
    torch.testing.assert_close(model(x), fixed(x))
    for edge in model.edges:
        if edge.strength is None:
            continue
        (found,) = torch.autograd.grad(model(x).square().sum(), edge.strength)
        values = []
        for moved in (1e-6, -1e-6):
            edge.strength.data.fill_(0.5 + moved)
            values.append(model(x).square().sum().item())
        edge.strength.data.fill_(0.5)
        assert found.item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)
    task = Task(name="moons", samples=60)
    run = short(Experiment(variants={"a": net}, task=task, training=Training(optimizer="adamw", weight_decay=0.1, batch_size=20)))
    check(run)
    assert link.decode(link.encode(run)) == run
    frame = next(iter(skipviz.train(run))).variants["a"]
    assert frame.edge_strength.count(0.5) == 8
    assert frame.strength is None
