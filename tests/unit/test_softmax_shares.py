"""Learned strengths as shares of the state where they land: values, gradients, switches, scripts, frames."""

import pytest
import torch
from scripts import check, short

from skipviz import Experiment, Head, Layer, Linear, Network, Skip, Task, Training, edit, families, link
from skipviz.learning.build import build
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, SkipEvent

LAYERS = [Layer(op=Linear(width=6), activation="tanh") for _ in range(4)]
SKIPS = [
    Skip(id="near", source=2, target=3, strength=0.5, learned=True, softmax=True, rate=3),
    Skip(id="far", source=0, target=3, strength=-1.0, learned=True, softmax=True),
    Skip(id="added", source=1, target=3, strength=0.5),
    Skip(id="free", source=1, target=4, strength=0.5, learned=True),
]
NET = Network(layers=LAYERS, skips=SKIPS, head=Head(outputs=2))


def experiment(network: Network = NET, **training) -> Experiment:
    task = Task(name="moons", samples=60)
    return short(Experiment(variants={"a": network}, task=task, training=Training(batch_size=20, learning_rate=0.02, **training)))


def written_out(model, x, far: bool = True):
    """Return the outputs of `NET` with the equation of its shares."""
    f, s = model.layers, {name: model.skips.get(name).strength for name in ("near", "far", "free")}
    h1 = f["f1"](x)
    h2 = f["f2"](h1)
    logits = torch.stack([torch.zeros((), dtype=x.dtype), s["near"], *([s["far"]] if far else [])])
    w = logits.exp() / logits.exp().sum()
    h3 = w[0] * f["f3"](h2) + w[1] * h2 + 0.5 * h1
    if far:
        h3 = h3 + w[2] * model.skips.get("far").project(x)
    return model.head(f["f4"](h3) + s["free"] * h1)


@pytest.mark.parametrize("far", [True, False])
def test_values_and_gradients_are_those_of_the_equation_and_one_that_is_off_has_no_share(far):
    model, x = build(edit.set_skip(NET, "far", on=far)).double(), torch.randn(7, 2, dtype=torch.float64)
    used = [p for name, p in model.named_parameters() if far or not name.startswith("skips.far")]
    made = [model(x), written_out(model, x, far)]
    torch.testing.assert_close(*made)
    for mine, theirs in zip(*(torch.autograd.grad(y.square().sum(), used) for y in made), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_recording_changes_no_bit_and_a_frame_has_the_shares():
    runs = [Trainer(experiment()) for _ in range(2)]
    for step in range(5):
        frame = runs[0].advance(record=True).variants["a"]
        runs[1].advance(record=step == 4)
    for name, value in runs[0].weights("a").items():
        assert torch.equal(value, runs[1].weights("a")[name]), name
    near, far, *rest = frame.strength
    shares = torch.softmax(torch.tensor([0.0, near, far]), 0).tolist()
    assert frame.share == [pytest.approx(shares[1]), pytest.approx(shares[2]), None, None]
    assert rest[0] is None
    assert len({*frame.strength[:2], 0.5, -1.0}) == 4


def test_the_parts_of_a_states_gradient_are_those_of_a_backward_pass():
    trainer = Trainer(experiment())
    x, y = trainer._batch()
    model = build(NET)
    h1 = model.layers["f1"](x).detach().requires_grad_()
    h2 = model.layers["f2"](h1).detach().requires_grad_()
    through = h2.view_as(h2)
    s = {name: model.skips.get(name) for name in ("near", "far", "free")}
    w = torch.softmax(torch.stack([torch.zeros(()), s["near"].strength, s["far"].strength]), 0)
    h3 = w[0] * model.layers["f3"](h2) + w[1] * through + w[2] * s["far"].project(x) + 0.5 * h1
    loss = torch.nn.functional.cross_entropy(model.head(model.layers["f4"](h3) + s["free"].strength * h1), y)
    whole, part = torch.autograd.grad(loss, [h2, through])
    frame = trainer.advance(record=True).variants["a"]
    assert frame.skip_grad[0] == pytest.approx(part.norm().item(), rel=1e-5)
    assert frame.trunk_grad[2] == pytest.approx((whole - part).norm().item(), rel=1e-5)
    assert frame.state_grad[2] == pytest.approx(whole.norm().item(), rel=1e-5)


@pytest.mark.parametrize(
    "training", [{}, {"optimizer": "momentum", "precision": "bfloat16"}, {"optimizer": "sgd", "clip_norm": 0.1}]
)
def test_a_script_takes_the_same_steps_whatever_is_switched_off_on_the_way(training):
    events = [
        SkipEvent(ids=("far",), on=False, step=2),
        SkipEvent(ids=("near", "free"), strength=-2, step=3),
        SkipEvent(ids=("near",), on=False, step=4),
        LayerEvent(ids=("f3",), on=False, step=5),
        SkipEvent(ids=("near", "far"), on=True, step=6),
    ]
    source = check(experiment(**training), events)
    assert "w = shares(" in source


def test_a_script_of_a_long_network_takes_the_same_steps():
    net = families.mlp(depth=40, width=6, skip_every=2)
    net = edit.set_skips(net, [skip.id for skip in net.skips], learned=True, softmax=True)
    assert check(experiment(net)).count("w = shares(") < 5  # loops


def test_a_link_holds_it_and_what_is_no_sum_or_not_learned_is_refused():
    run = experiment()
    assert link.decode(link.encode(run)) == run
    for changes in ({"merge": "concat"}, {"learned": False}):
        with pytest.raises(ValueError, match="what a sum adds"):
            edit.set_skip(NET, "near", **changes)
