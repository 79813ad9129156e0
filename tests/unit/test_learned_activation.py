"""A slope that a layer learns: its gradient, its update without weight decay, and all that writes it down."""

import pytest
import torch
from scripts import check, short
from torch import nn

import skipviz
from skipviz import Experiment, Head, Identity, Layer, Linear, Network, Task, Training, families, link
from skipviz.learning.build import build
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, RateEvent

LAYERS = [
    Layer(op=Linear(width=6, bias=False), activation="prelu", norm="batch"),
    Layer(op=Identity(), activation="prelu"),
    Layer(op=Linear(width=6), activation="prelu", norm="layer", order="norm-act-op", scale=0.5, scale_learned=True),
    Layer(op=Linear(width=6), activation="relu"),
]
NET = Network(layers=LAYERS, skips=[skipviz.Skip(source=1, target=3)], head=Head(outputs=2))


def experiment(**training) -> Experiment:
    training = Training(**{"optimizer": "adamw", "weight_decay": 0.1, "learning_rate": 0.01, "batch_size": 20, **training})
    plain = families.mlp(depth=2, width=5)
    return short(Experiment(variants={"prelu": NET, "relu": plain}, task=Task(name="moons", samples=60), training=training))


def test_values_gradients_and_count_are_those_of_torchs_own_module():
    model, theirs, x = build(NET).double(), nn.PReLU().double(), torch.randn(7, 6, dtype=torch.float64, requires_grad=True)
    layer = model.layers["f2"]
    assert sum(p.numel() for p in model.parameters()) == NET.parameter_count()
    assert NET.shapes.layers[1].parameters == 1
    assert theirs.weight.item() == layer.activation.weight.item() == 0.25
    found = [torch.autograd.grad(made(x).square().sum(), [x, *made.parameters()]) for made in (layer, theirs)]
    for mine, wanted in zip(*found, strict=True):
        torch.testing.assert_close(mine, wanted)
    assert torch.autograd.gradcheck(
        lambda x, a: torch.func.functional_call(layer, {"activation.weight": a}, (x,)), (x, theirs.weight)
    )


def test_the_frames_gradient_of_a_slope_alone_is_a_finite_difference():
    torch.manual_seed(0)
    x, y = torch.randn(9, 2), torch.randint(2, (9,))
    frame = next(iter(skipviz.train(experiment()))).variants["prelu"]
    assert frame.weight_grad[1] > 0
    assert frame.weight_grad_mean[1] is None  # a slope is no weight matrix, as a norm's γ is none
    model = build(NET).double()
    slope, step = model.layers["f2"].activation.weight, 1e-6
    losses = []
    for moved in (step, -step):
        with torch.no_grad():
            slope.fill_(0.25 + moved)
        losses.append(nn.functional.cross_entropy(model(x.double()), y))
    with torch.no_grad():
        slope.fill_(0.25)
    (wanted,) = torch.autograd.grad(nn.functional.cross_entropy(model(x.double()), y), slope)
    assert ((losses[0] - losses[1]) / (2 * step)).item() == pytest.approx(wanted.item(), rel=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_weight_decay_shrinks_every_parameter_but_slopes(optimizer):
    run = experiment(optimizer=optimizer)
    trainer = Trainer(run)
    batch = trainer.batches
    theirs = build(NET)
    slopes = [p for name, p in theirs.named_parameters() if "activation" in name]
    others = [p for name, p in theirs.named_parameters() if "activation" not in name]
    made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    updater = made([{"params": others, "weight_decay": 0.1}, {"params": slopes, "weight_decay": 0.0}], lr=0.01)
    for step in range(5):
        chosen = batch.indices(step)
        updater.zero_grad()
        nn.functional.cross_entropy(theirs(trainer._x[chosen]), trainer._y[chosen]).backward()
        updater.step()
        trainer.advance(record=False)
    for name, mine in trainer.weights("prelu").items():
        torch.testing.assert_close(mine, theirs.state_dict()[name], msg=name)
    assert {name for name in trainer.weights("prelu") if "activation" in name} == {
        f"layers.f{k}.activation.weight" for k in (1, 2, 3)
    }


@pytest.mark.parametrize(
    "training", [{}, {"optimizer": "momentum", "clip_norm": 0.1}, {"optimizer": "adam", "precision": "bfloat16"}]
)
def test_a_script_takes_the_same_steps_whatever_is_switched_off_on_the_way(training):
    source = check(experiment(**training), [LayerEvent(ids=("f2",), on=False, step=2), RateEvent(learning_rate=0.02, step=4)])
    assert "nn.PReLU()" in source


def test_a_link_and_a_resumed_run_have_the_slopes():
    run = experiment(clip_norm=0.5)
    assert link.decode(link.encode(run)) == run
    trainer, resumed = Trainer(run), Trainer(run)
    for _ in range(3):
        trainer.advance(record=False)
    resumed.load_state(trainer.state_bytes())
    frames = [one.advance(record=True).to_data() for one in (trainer, resumed)]
    assert frames[0]["variants"] == frames[1]["variants"]
