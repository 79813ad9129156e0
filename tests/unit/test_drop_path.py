"""Drop-path and zero γ: what a residual branch is while it is left out, and while it has not begun."""

from __future__ import annotations

import pytest
import torch
from scripts import check, short

from skipviz import Experiment, Layer, Linear, NetworkError, Skip, Task, Training, build, families, link
from skipviz.learning.trainer import Trainer
from skipviz.network import edit
from skipviz.tasks.event import SkipEvent

torch.set_num_threads(1)

NET = edit.set_layers(families.mlp(depth=6, width=8, skip_every=2), ("f3", "f5"), drop_path=0.4)


def experiment(network=NET, **training) -> Experiment:
    return Experiment(variants={"network": network}, task=Task(samples=100), training=Training(**{"batch_size": 32, **training}))


def states_of(network, step: int = 3):
    trainer = Trainer(experiment(network))
    variant = trainer._variants["network"]
    done = variant.forward([trainer._batch()], step, recorded=True)
    return [state.detach() for state in done.recording.states], variant.model


def test_some_samples_leave_a_branch_out_and_the_others_are_divided_by_what_is_left():
    states, model = states_of(NET)
    branch = states[3] - states[1]  # h3 = f3(h2)·mask + h1
    full = model.layers[2].function(NET.layers[2], training=False)(states[2]).detach()
    left_out = (branch.abs() < 1e-7).all(1) & (full.abs() > 1e-6).any(1)
    assert 3 <= left_out.sum() <= 25
    assert torch.allclose(branch[~left_out], full[~left_out] / 0.6, atol=1e-6)


def test_masks_depend_on_seed_layer_and_step_alone():
    first, again = states_of(NET)[0], states_of(NET)[0]
    other = states_of(NET, step=4)[0]
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[3], other[3])
    masks = Trainer(experiment())._variants["network"].model.masks
    masks.step = 0
    like = torch.ones(64, 1)
    assert not torch.equal(masks.mask(like, 0.4, "f3", "drop path"), masks.mask(like, 0.4, "f5", "drop path"))
    assert not torch.equal(masks.mask(like, 0.4, "f3", "drop path"), masks.mask(like, 0.4, "f3"))


def test_it_acts_where_an_add_is_in_force_and_rests_where_none_is():
    bare = edit.switch_all(NET, False)
    plain = edit.set_layers(bare, ("f3", "f5"), drop_path=0.0)
    assert all(map(torch.equal, states_of(bare)[0], states_of(plain)[0]))
    weak = edit.set_skips(NET, [skip.id for skip in NET.skips], strength=0.0)
    assert all(map(torch.equal, states_of(weak)[0], states_of(plain)[0]))


def test_evaluation_leaves_nothing_out():
    model, plain = build(NET).eval(), build(edit.set_layers(NET, ("f3", "f5"), drop_path=0.0)).eval()
    x = torch.randn(16, 2)
    assert torch.equal(model(x), plain(x))


def test_a_module_of_ones_own_loop_draws_anew_each_time():
    torch.manual_seed(0)
    model, x = build(NET).train(), torch.randn(64, 2)
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize("training", [{}, {"accumulation": 3}, {"precision": "bfloat16"}], ids=str)
def test_watching_changes_no_bit(training):
    watched, alone = (Trainer(experiment(steps=6, **training)) for _ in range(2))
    while not alone.finished:
        alone.advance(record=False)
        watched.advance(record=True, baseline=True, picture=True)
        watched.finished or watched.measure()
        assert all(map(torch.equal, *(one._variants["network"].model.state_dict().values() for one in (watched, alone))))


def test_a_run_resumed_has_the_same_masks():
    trainer = Trainer(experiment(steps=8))
    for _ in range(4):
        trainer.advance(record=False)
    resumed = Trainer(experiment(steps=8))
    resumed.load_state(trainer.state_bytes())
    while not trainer.finished:
        assert trainer.advance(record=True).variants == resumed.advance(record=True).variants


@pytest.mark.parametrize("training", [{}, {"accumulation": 3}], ids=str)
def test_a_script_leaves_out_the_same_samples_while_skips_go_off_and_on(training):
    events = [SkipEvent(ids=("s1-3",), on=False, step=2), SkipEvent(ids=("s1-3",), on=True, step=5)]
    check(short(experiment(**training)), events)
    source = check(short(experiment(**training)))
    assert "DropPath(0.4, " in source


def test_a_resnet_drops_deeper_branches_more_often_and_begins_as_its_skips():
    net = families.resnet(20, input=(1, 8, 8), head=10, drop_path=0.18, zero_gamma=True)
    ends = [net.layers[skip.target - 1] for skip in net.skips]
    assert [end.drop_path for end in ends] == pytest.approx([0.02 * k for k in range(1, 10)])
    assert all(end.zero_gamma for end in ends)
    assert sum(layer.zero_gamma for layer in net.layers) == len(ends)
    model, x = build(net), torch.randn(4, 1, 8, 8)
    norms = [model.layers[skip.target - 1].norm for skip in net.skips]
    assert all(not norm.weight.any() for norm in norms)
    bare = families.resnet(20, input=(1, 8, 8), head=10)
    assert link.decode(link.encode(Experiment(variants={"n": net}, task=Task(name="digits")))).network == net
    assert net.parameter_count() == bare.parameter_count()
    recording = Trainer(Experiment(variants={"n": net}, task=Task(name="digits"), training=Training(batch_size=4)))
    done = recording._variants["n"].forward([recording._batch()], 0, recorded=True)
    first = net.skips[0]
    assert torch.equal(done.recording.states[first.target], done.recording.states[first.source])
    assert x.shape[1:] == net.input


def test_a_script_of_a_resnet_with_both_trains_to_the_same_losses():
    net = families.resnet(20, input=(1, 8, 8), head=10, drop_path=0.3, zero_gamma=True)
    case = Experiment(variants={"n": net}, task=Task(name="digits"), training=Training(batch_size=8))
    source = check(short(case, steps=3))
    assert "zero_gamma(nn.BatchNorm2d(" in source


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"norm": "none"}, "zero γ is of a norm"),
        ({"norm": "batch", "order": "norm-act-op"}, "zero γ is of a norm"),
        ({"norm": "batch", "activation": "relu"}, "never learn"),
    ],
)
def test_zero_gamma_that_cannot_be_or_never_learns_is_refused(fields, words):
    with pytest.raises((NetworkError, ValueError), match=words):
        Layer(op=Linear(width=4), zero_gamma=True, **fields)


def test_zero_gamma_learns():
    layers = [Layer(op=Linear(width=8), activation="tanh", norm="layer", zero_gamma=k == 2) for k in range(4)]
    net = families.mlp(depth=4, width=8).replaced(layers=layers, skips=[Skip(source=1, target=3)])
    trainer = Trainer(experiment(net, steps=3, learning_rate=0.1))
    norm = trainer._variants["network"].model.layers[2].norm
    assert not norm.weight.any()
    frame = trainer.advance(record=True).variants["network"]
    assert frame.weight_grad[2] > 0
    assert norm.weight.all()
