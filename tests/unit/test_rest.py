"""What is off rests: parameters, momentum and step count stay as torch's own optimizers leave a parameter without gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from skipviz import Experiment, Task, Training, edit, families
from skipviz.learning.build import build
from skipviz.learning.checkpoint import pack, unpack
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, SkipEvent

OPTIMIZERS = {
    "sgd": ({"momentum": 0.8}, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, weight_decay=0.1)),
    "momentum": ({}, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.1)),
    "adam": ({}, lambda p: torch.optim.Adam(p, lr=0.02, weight_decay=0.1)),
    "adamw": ({}, lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1)),
}
STEPS = 40


def network(**changes):
    """Return a network with a residual branch of f3 and f4, and an adapter with parameters from h0 to h1."""
    net = edit.add_skip(families.mlp(depth=5, width=7, skip_every=2, activation="tanh"), 0, 1)
    return edit.set_layer(net, "f3", **{"scale": 0.5, "scale_learned": True, **changes})


def experiment(net, optimizer: str) -> Experiment:
    training = Training(optimizer=optimizer, learning_rate=0.02, weight_decay=0.1, batch_size=16, steps=STEPS, device="cpu")
    training = training.replaced(**OPTIMIZERS[optimizer][0])
    return Experiment(variants={"net": net}, task=Task(name="moons", samples=90), training=training)


EVENTS = {
    "a layer": [LayerEvent(ids=("f3",), on=False, step=3), LayerEvent(ids=("f3",), on=True, step=30)],
    "a skip": [SkipEvent(ids=("s0-1",), on=False, step=4), SkipEvent(ids=("s0-1",), on=True, step=29)],
    "a skip's strength": [SkipEvent(ids=("s0-1",), strength=0.0, step=4), SkipEvent(ids=("s0-1",), strength=1.0, step=29)],
    "neighbours": [LayerEvent(ids=("f2", "f3"), on=False, step=1), LayerEvent(ids=("f3",), on=True, step=9)],
    "twice": [LayerEvent(ids=("f3",), on=step % 4 == 0, step=step) for step in range(2, 33, 2)],
    "from the start": [
        LayerEvent(ids=("f3",), on=False, step=0), SkipEvent(ids=("s0-1",), on=False, step=0),
        LayerEvent(ids=("f3",), on=True, step=20), SkipEvent(ids=("s0-1",), on=True, step=22),
    ],
}  # fmt: skip


def advance(trainer: Trainer, events, steps: int) -> None:
    while trainer.step < steps and not trainer.finished:
        for event in events:
            if event.step == trainer.step:
                trainer.apply(event)
        trainer.advance(record=False)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_a_run_in_which_parts_rest_is_that_of_torchs_own_optimizer_parameter_by_parameter(events, optimizer):
    trainer, model = Trainer(experiment(network(), optimizer)), build(network())
    theirs = OPTIMIZERS[optimizer][1](model.parameters())
    for _ in range(STEPS):
        for event in events:
            if event.step == trainer.step:
                trainer.apply(event)
                model.set_network(trainer.experiment.network)
        x, y = trainer._batch()
        theirs.zero_grad()
        F.cross_entropy(model(x), y).backward()
        theirs.step()
        trainer.advance(record=False)
    mine = trainer._variants["net"].model
    for (name, a), b in zip(mine.named_parameters(), model.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-4), name


def test_adam_counts_for_every_part_the_steps_that_it_took():
    trainer = Trainer(experiment(network(), "adam"))
    advance(trainer, EVENTS["a layer"] + EVENTS["a skip"], STEPS)
    updater, flat = trainer._variants["net"].updater, trainer._variants["net"].flat

    def count(start: int) -> int:
        index = next(index for index, (first, last) in enumerate(updater.spans) if first <= start < last)
        return int(updater.optimizer.state[updater.pieces[index]]["step"])

    assert [count(start) for start, _ in flat.layers] == [STEPS, STEPS - 27, STEPS - 27, STEPS, STEPS]  # f2 only leads to f3
    assert count(flat.scales[2][0]) == STEPS - 27
    assert count(flat.skips[-1][0]) == STEPS - 25
    assert count(flat.head[0]) == STEPS


def test_a_layer_that_never_rests_is_updated_with_all_others_in_one_piece():
    trainer = Trainer(experiment(network(), "adam"))
    advance(trainer, EVENTS["a skip"], STEPS)
    assert trainer._variants["net"].updater.spans == trainer._variants["net"].flat.pieces


@pytest.mark.parametrize("stop", [2, 3, 17, 30, 31])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["a layer", "from the start"])
def test_a_run_whose_parts_rested_goes_on_from_its_checkpoint_bit_for_bit(name, optimizer, stop):
    events = EVENTS[name]
    whole, half, resumed = (Trainer(experiment(network(), optimizer)) for _ in range(3))
    advance(whole, events, STEPS)
    advance(half, events, stop)
    resumed.load_state(half.state_bytes())
    advance(resumed, events, STEPS)
    assert torch.equal(resumed._variants["net"].flat.values, whole._variants["net"].flat.values)


def test_a_checkpoint_of_before_layers_had_pieces_of_their_own_is_gone_on_from():
    trainer, resumed = (Trainer(experiment(network(), "adam")) for _ in range(2))
    advance(trainer, [], 5)
    facts, tensors = unpack(trainer.state_bytes())
    old = {name: value for name, value in tensors.items() if "/state/" not in name and "/starts" not in name}
    updater = trainer._variants["net"].updater
    for index, piece in enumerate(updater.pieces):
        old |= {f"0/optimizer/{index}/{field}": value for field, value in updater.optimizer.state[piece].items()}
    resumed.load_state(pack(facts, old))
    advance(trainer, [], STEPS)
    advance(resumed, [], STEPS)
    assert torch.equal(resumed._variants["net"].flat.values, trainer._variants["net"].flat.values)
