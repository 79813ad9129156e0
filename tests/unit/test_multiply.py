"""A skip that multiplies: what it computes, what off and strengths mean, and all that counts or writes it."""

import re

import pytest
import torch
from scripts import check, short
from torch import nn

import skipviz
from skipviz import Convolution, Experiment, Head, Layer, Network, NetworkError, Skip, Task, Training, edit, link
from skipviz.drawing import diagram
from skipviz.learning.build import build
from skipviz.network.paths import path_counts
from skipviz.tasks.event import LayerEvent, SkipEvent

LAYERS = [
    Layer(op=Convolution(width=4), norm="batch", activation="relu"),
    Layer(op=Convolution(width=4), activation="sigmoid"),
    Layer(op=Convolution(width=4), norm="batch"),
    Layer(op=Convolution(width=4)),
]
SKIPS = [
    Skip(source=1, target=3, merge="add"),
    Skip(source=2, target=3, merge="multiply", strength=0.5),
    Skip(source=0, target=4, merge="multiply"),
]


def network(**changes) -> Network:
    """Return h_3 = f_3 ⊙ (1 + (h_2 − 1)/2) + h_1 and h_4 = f_4 ⊙ A(h_0)."""
    return edit.set_skips(Network(input=(1, 8, 8), layers=LAYERS, skips=SKIPS, head=Head(outputs=10)), ("s2",), **changes)


def test_outputs_and_gradients_are_those_of_the_same_network_written_out():
    model, x = build(network()).double(), torch.randn(5, 1, 8, 8, dtype=torch.float64)
    f = [model.layers[f"f{k}"] for k in range(1, 5)]

    def written(x):
        h1 = f[0](x)
        h2 = f[1](h1)
        h3 = f[2](h2) * (0.5 + 0.5 * h2) + h1
        project = model.skips["s3"].project
        h4 = f[3](h3) * nn.functional.conv2d(x, project.weight, project.bias)
        return model.head(h4.mean((2, 3)))

    results = [(y := made(x), *torch.autograd.grad(y.square().sum(), list(model.parameters()))) for made in (model, written)]
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("off", [{"on": False}, {"strength": 0.0}])
def test_one_that_is_off_is_no_factor(off):
    x = torch.randn(5, 1, 8, 8)
    without = edit.remove_skips(network(), ("s2",))
    model = build(without)
    changed = build(network())
    changed.load_state_dict(model.state_dict())
    changed.set_network(network(**off))
    assert torch.equal(changed(x), model(x))
    assert path_counts(network(**off)) == path_counts(without)


def test_the_gradient_comes_back_through_factor_and_layer():
    assert path_counts(network()) == [1, 0, 1, 1, 1]  # past f_4; and through it from h_3, which has the ways by h_1, h_2 and f_3
    frame = next(iter(skipviz.train(experiment()))).variants["net"]
    assert all(frame.skip_grad)
    assert frame.skip_weight_grad[2] > 0


def test_a_layer_under_a_product_alone_rests_as_the_identity():
    with pytest.raises(NetworkError, match="cannot be off"):
        edit.set_layer(Network(input=(1, 8, 8), layers=LAYERS, skips=SKIPS[2:], head=Head(outputs=10)), "f1", on=False)
    skips = [Skip(source=1, target=3, merge="multiply")]
    resting = edit.set_layer(Network(input=(1, 8, 8), layers=LAYERS, skips=skips, head=Head(outputs=10)), "f3", on=False)
    model, x = build(resting), torch.randn(2, 1, 8, 8)
    h1 = model.layers["f1"](x)
    h3 = model.layers["f2"](h1) * h1
    assert torch.equal(model(x), model.head(model.layers["f4"](h3).mean((2, 3))))


def experiment(steps: int = 6) -> Experiment:
    training = Training(batch_size=20, weight_decay=0.01)
    return short(Experiment(variants={"net": network()}, task=Task(name="digits", samples=60), training=training), steps=steps)


def test_a_script_takes_the_same_steps_and_a_link_gives_the_same_network():
    run = experiment()
    assert link.decode(link.encode(run)) == run
    events = [
        SkipEvent(ids=("s2",), strength=1.0, step=1), SkipEvent(ids=("s2",), on=False, step=2),
        LayerEvent(ids=("f3",), on=False, step=3), SkipEvent(ids=("s2",), on=True, strength=1.5, step=4),
    ]  # fmt: skip
    assert "multiply(" in check(run, events)


def test_its_mark_in_the_diagram_is_a_cross():
    drawn = diagram.draw(network()).svg
    lines = re.search(r'class="joint multiply".*?<path class="plus" d="M\S+ \S+l(\S+) ([\d.]+)M\S+ \S+l(\S+) -([\d.]+)"', drawn)
    assert len(set(lines.groups())) == 1


def test_beside_a_gate_it_cannot_land():
    with pytest.raises(ValueError, match="a gate and a multiply cannot both land"):
        Network(input=(1, 8, 8), layers=LAYERS, skips=[*SKIPS[:2], Skip(source=0, target=3, merge="gate")][1:])
