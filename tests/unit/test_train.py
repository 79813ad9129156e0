"""A run repeats bit for bit, is not changed by being watched, and takes events between its steps."""

import json

import pytest
import torch

from skipviz import Experiment, Head, Layer, Linear, Network, NetworkError, Skip, Task, Training, edit, families, train
from skipviz.learning.batches import Batches, JointBatches
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent

torch.set_num_threads(1)  # as a worker does; more threads make such small steps slower

MERGES = {
    "three ways out of one state": Network(
        layers=[Layer(op=Linear(width=6), activation="relu", norm="batch")] * 5,
        skips=[
            Skip(source=1, target=3),
            Skip(source=1, target=4, strength=0.5),
            Skip(source=1, target=5),
            Skip(source=3, target=5),
        ],
    ),
    "dense concats": families.mlp(depth=7, width=5, pattern="dense", norm="batch", order="norm-act-op"),
    "gates and projections": Network(
        layers=[Layer(op=Linear(width=width), activation="tanh") for width in (4, 5, 6, 6)],
        skips=[Skip(source=0, target=2), Skip(source=1, target=3, merge="gate"), Skip(source=1, target=4, gain=0.5)],
    ),
    "nothing but a layer that is off": Network(
        layers=[Layer(op=Linear(width=2), on=False)], skips=[Skip(source=0, target=1)], head=Head(kind="state", outputs=2)
    ),
    "switched-off layers and identities": edit.set_layer(families.mlp(depth=6, width=5, skip_every=2), "f3", on=False),
}


def experiment(network: Network | dict, steps: int = 10, **fields) -> Experiment:
    variants = network if isinstance(network, dict) else {"network": network}
    return Experiment(variants=variants, task=Task(samples=100), training=Training(steps=steps, batch_size=16, **fields))


def parameters(trainer: Trainer) -> list[torch.Tensor]:
    return [tensor.clone() for variant in trainer._variants.values() for tensor in variant.model.state_dict().values()]


def equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def measurements(frames) -> list[dict]:
    return [{key: value for key, value in frame.to_data().items() if key != "seconds"} for frame in frames]


@pytest.mark.parametrize("name", MERGES)
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_watching_every_step_changes_no_bit(name, optimizer):
    case = experiment(MERGES[name], optimizer=optimizer, learning_rate=0.01, weight_decay=0.01)
    watched, alone = Trainer(case), Trainer(case)
    while not alone.finished:
        assert alone.advance(record=False) is None
        assert watched.advance(record=True, baseline=True, picture=True).step == alone.step - 1
        watched.finished or watched.measure()
        assert equal(parameters(watched), parameters(alone))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_a_run_with_events_repeats_bit_for_bit(optimizer):
    network = families.mlp(depth=6, width=8, skip_every=2, norm="batch")
    case = experiment({"plain": edit.switch_all(network, False), "residual": network}, optimizer=optimizer)
    events = [
        SkipEvent(ids=["s1-3"], on=False, step=3, variant="residual"),
        RateEvent(learning_rate=0.1, step=5),
        LayerEvent(ids=["f4"], gain=0.0, step=7),
    ]
    runs = [measurements(train(case, events)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 10


def test_measuring_first_gives_the_frame_of_the_first_step():
    trainer = Trainer(experiment(MERGES["dense concats"]))
    probed = trainer.measure(baseline=False, picture=False).variants["network"]
    taken = trainer.advance(record=True).variants["network"]
    assert (probed.weight_grad, probed.state_grad, probed.skip_grad) == (taken.weight_grad, taken.state_grad, taken.skip_grad)


def test_a_trained_step_is_torchs_own_optimizers_step():
    network = families.mlp(depth=3, width=8)
    trainer = Trainer(experiment(network, optimizer="adam", learning_rate=0.01, weight_decay=0.1))
    model = Trainer(experiment(network))._variants["network"].model
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(5):
        x, y = trainer._batch()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        trainer.advance(record=False)
    mine = trainer._variants["network"].model.parameters()
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(mine, model.parameters(), strict=True))


def test_a_frames_norms_are_those_of_torchs_own_gradients():
    trainer = Trainer(experiment(families.mlp(depth=3, width=8)))
    variant = trainer._variants["network"]
    x, y = trainer._batch()
    torch.nn.functional.cross_entropy(variant.model(x), y).backward()
    layers = [torch.cat([p.grad.flatten() for p in layer.parameters()]).norm().item() for layer in variant.model.layers]
    head = torch.cat([p.grad.flatten() for p in variant.model.head.parameters()]).norm().item()
    before = [torch.cat([p.detach().flatten() for p in layer.parameters()]).clone() for layer in variant.model.layers]
    frame = trainer.advance(record=True).variants["network"]
    after = [torch.cat([p.detach().flatten() for p in layer.parameters()]) for layer in variant.model.layers]
    assert frame.weight_grad == pytest.approx(layers, rel=1e-5)
    assert frame.head_grad == pytest.approx(head, rel=1e-5)
    ratios = [((b - a).norm() / a.norm()).item() for a, b in zip(before, after, strict=True)]
    assert frame.update_ratio == pytest.approx(ratios, rel=1e-4)


def test_vanishing_norms_are_measured_below_what_float32_squares_can_hold():
    network = families.mlp(depth=40, width=8, activation="sigmoid")
    trainer = Trainer(experiment(network))
    frame = trainer.measure(baseline=False, picture=False).variants["network"]
    model = trainer._variants["network"].model.double()
    x, y = trainer._batch()
    torch.nn.functional.cross_entropy(model(x.double()), y).backward()
    exact = [torch.cat([p.grad.flatten() for p in layer.parameters()]).norm().item() for layer in model.layers]
    tiny = [(a, b) for a, b in zip(frame.weight_grad, exact, strict=True) if 1e-33 < b < 1e-20]
    assert len(tiny) > 5
    assert all(a == pytest.approx(b, rel=1e-2) for a, b in tiny)


def test_frames_are_recorded_by_the_schedule_and_after_each_event():
    case = experiment(families.mlp(depth=2, width=4), steps=50, record_every=20)
    events = [RateEvent(learning_rate=0.01, step=7), RateEvent(learning_rate=0.02, step=7)]
    frames = list(train(case, events))
    assert [frame.step for frame in frames] == [0, 7, 20, 40, 49]
    assert [event["learning_rate"] for event in frames[1].events] == [0.01, 0.02]
    assert all(event["step"] == 7 for event in frames[1].events)


def test_an_event_acts_before_the_forward_pass_of_its_step():
    network = families.mlp(depth=4, width=8, skip_every=2)
    trainer = Trainer(experiment(network))
    trainer.apply(SkipEvent(ids=[skip.id for skip in network.skips], on=False))
    frame = trainer.advance(record=True)
    assert set(frame.variants["network"].skip_grad) == {0.0}
    assert frame.variants["network"].trunk_grad == frame.variants["network"].state_grad[:-1]
    assert not any(skip.on for skip in trainer.experiment.network.skips)


def test_an_event_for_a_part_that_is_not_there_is_refused_and_changes_nothing():
    trainer = Trainer(experiment(families.mlp(depth=2, width=4)))
    with pytest.raises(NetworkError, match="no skip"):
        trainer.apply(SkipEvent(ids=["nowhere"], on=False))
    assert trainer.advance(record=True).events == []


@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_a_skips_own_parameters_rest_while_it_is_off(optimizer):
    network = MERGES["gates and projections"]
    trainer = Trainer(experiment(network, optimizer=optimizer, weight_decay=0.1, learning_rate=0.1))
    trainer.advance(record=False)
    projecting = trainer._variants["network"].model.skips[0]
    trainer.apply(SkipEvent(ids=[network.skips[0].id], on=False))
    before = [p.detach().clone() for p in projecting.parameters()]
    frame = trainer.advance(record=True)
    trainer.advance(record=False)
    assert before
    assert equal(before, [p.detach() for p in projecting.parameters()])
    assert frame.variants["network"].skip_weight_grad[0] == 0.0
    trainer.apply(SkipEvent(ids=[network.skips[0].id], on=True))
    trainer.advance(record=False)
    assert not equal(before, [p.detach() for p in projecting.parameters()])


def test_a_layers_parameters_rest_while_it_is_off():
    trainer = Trainer(experiment(families.mlp(depth=4, width=8, skip_every=2), optimizer="adamw", weight_decay=0.1))
    trainer.advance(record=False)
    trainer.apply(LayerEvent(ids=["f3"], on=False))
    layers = trainer._variants["network"].model.layers
    resting, learning = ([p.detach().clone() for p in layers[index].parameters()] for index in (2, 3))
    trainer.advance(record=False)
    assert equal(resting, list(layers[2].parameters()))
    assert not equal(learning, list(layers[3].parameters()))


def test_the_baseline_is_the_gradient_with_every_skip_off():
    network = families.mlp(depth=6, width=8, skip_every=2)
    baseline = Trainer(experiment(network)).measure().variants["network"]
    bare = Trainer(experiment(edit.switch_all(network, False))).measure().variants["network"]
    assert baseline.ghost == bare.weight_grad
    assert baseline.ghost_state == bare.state_grad
    assert baseline.ghost != baseline.weight_grad


def test_a_variant_that_diverges_stops_with_its_step_and_layer_and_the_other_goes_on():
    wild = Network(layers=[Layer(op=Linear(width=8), scale=10.0)] * 30)
    trainer = Trainer(
        experiment({"wild": wild, "tame": families.mlp(depth=2, width=4)}, optimizer="sgd", learning_rate=10.0, steps=40)
    )
    frames = []
    while not trainer.finished:
        frame = trainer.advance(record=False)
        frames += [frame] if frame else []
    assert trainer.step == 40
    assert list(trainer.diverged) == ["wild"]
    assert trainer.diverged["wild"]["layer"] in [layer.id for layer in wild.layers]
    assert [frame.step for frame in frames] == [trainer.diverged["wild"]["step"]]
    assert frames[0].variants["wild"].loss is None
    assert "loss" in frames[0].variants["wild"].nonfinite
    assert frames[0].variants["tame"].loss is not None
    json.dumps(frames[0].to_data(), allow_nan=False)


def test_a_run_ends_when_all_its_variants_have_diverged():
    wild = Network(layers=[Layer(op=Linear(width=8), scale=10.0)] * 30)
    frames = list(train(experiment(wild, optimizer="sgd", learning_rate=10.0, steps=400, record_every=400)))
    assert frames[-1].step < 399
    assert frames[-1].variants["network"].loss is None


def test_batches_are_a_function_of_seed_and_step_and_cover_every_epoch():
    batches = Batches(count=10, size=4, seed=3)
    stream = torch.cat([batches.indices(t) for t in range(10)])
    assert all(sorted(stream[epoch * 10 : epoch * 10 + 10].tolist()) == list(range(10)) for epoch in range(4))
    assert torch.equal(Batches(10, 4, 3).indices(7), batches.indices(7))
    assert not torch.equal(Batches(10, 4, 4).indices(7), batches.indices(7))


def test_the_batches_of_several_seeds_together_are_those_of_each_one_behind_the_other():
    alone = [Batches(count=10, size=4, seed=seed) for seed in (3, 9)]
    together = JointBatches([Batches(count=10, size=4, seed=seed) for seed in (3, 9)])
    for t in (*range(10), 2):
        assert torch.equal(together.indices(t), torch.cat([batches.indices(t) for batches in alone]))


def test_batches_are_never_larger_than_the_data():
    assert len(Batches(count=10, size=64, seed=0).indices(5)) == 10


@pytest.mark.parametrize(
    ("task", "network", "size"),
    [
        ("spiral", families.mlp(depth=2, width=4), [48, 48]),
        ("digits", families.conv(depth=2, width=4), [8, 8]),
        ("shapes", None, [32, 32]),
    ],
)
def test_header_and_picture_say_what_a_viewer_needs(task, network, size):
    if network is None:
        network = families.conv(depth=2, width=4, input=(1, 32, 32), head=Task(name="shapes").head())
    case = Experiment(variants={"network": network}, task=Task(name=task), training=Training(batch_size=8))
    trainer = Trainer(case)
    header, frame = trainer.header(), trainer.measure().to_data()
    picture = frame["variants"]["network"]["picture"]
    json.dumps([header, frame], allow_nan=False)
    assert header["picture"] == picture["kind"]
    assert picture["size"] == size
    counts = header["variants"]["network"]
    assert counts["parameters"] == network.parameter_count()
    assert len(counts["state_count"]) == 3
    assert ("points" in header) == (task == "spiral")


def test_the_held_out_metric_comes_first_last_and_some_times_between():
    frames = list(train(experiment(families.mlp(depth=2, width=4), steps=90, record_every=1)))
    measured = [frame.step for frame in frames if frame.variants["network"].held_out is not None]
    assert measured[0] == 0
    assert measured[-1] == 89
    assert 20 <= len(measured) <= 40


def test_a_gradient_through_a_negative_strength_has_a_norm_above_zero():
    network = families.mlp(depth=4, width=6, skip_every=2)
    names = [skip.id for skip in network.skips]
    found = []
    for strength in (-1.0, -0.5):
        run = Experiment(
            variants={"a": edit.set_skips(network, names, strength=strength)}, task=Task(name="moons"), training=Training(steps=1)
        )
        frame = next(iter(train(run))).variants["a"]
        found.append(frame.skip_grad[0] / frame.state_grad[network.skips[0].target])
    assert found == pytest.approx([1.0, 0.5], rel=1e-5)
