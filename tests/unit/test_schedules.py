"""Schedules and clipping against torch's own: the same learning rate and the same update at every step."""

from __future__ import annotations

import math

import pytest
import torch
from scripts import check, short
from torch.optim import lr_scheduler

from skipviz import Experiment, Task, Training, families, train
from skipviz.learning.clipping import clip
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import ClipEvent, RateEvent
from skipviz.tasks.schedule import learning_rate

torch.set_num_threads(1)

NET = families.mlp(depth=4, width=8, skip_every=2, merge="gate")


def experiment(network=NET, **training) -> Experiment:
    return Experiment(variants={"network": network}, task=Task(samples=100), training=Training(**{"batch_size": 16, **training}))


def torchs(optimizer, training: Training):
    """Return torch's scheduler of the same training."""
    steps, warmup = training.steps, training.warmup_steps
    if training.schedule == "one_cycle":
        rise = warmup / steps if warmup else 0.3
        return lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps, pct_start=rise, cycle_momentum=False)
    left = steps - warmup
    fall = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, 1.0),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, left),
        "step": lambda: lr_scheduler.MultiStepLR(optimizer, [left // 2, 3 * left // 4], 0.1),
    }[training.schedule]()
    if not warmup:
        return fall
    rise = lr_scheduler.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
    return lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("steps", [7, 100])
@pytest.mark.parametrize("warmup", [0, 5])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "one_cycle"])
def test_the_learning_rate_of_every_step_is_that_of_torchs_scheduler(schedule, warmup, steps):
    training = Training(learning_rate=0.1, schedule=schedule, warmup_steps=warmup, steps=steps)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torchs(optimizer, training)
    for step in range(steps):
        assert learning_rate(training, step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-15)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("steps", [1, 2, 3, 30])
@pytest.mark.parametrize("warmup", [0, 1, 2, 30, 31, 1000])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "one_cycle"])
def test_no_schedule_leaves_zero_to_its_largest_rate(schedule, warmup, steps):
    training = Training(learning_rate=0.5, schedule=schedule, warmup_steps=warmup, steps=steps)
    assert all(0 < learning_rate(training, step) <= 0.5 for step in range(steps))


CLIPPED = {"clip_norm": 0.05}, {"clip_value": 0.002}, {"clip_norm": 0.02, "clip_value": 0.004}, {"clip_norm": 100.0}


@pytest.mark.parametrize("clipping", CLIPPED, ids=str)
def test_clipping_is_torchs_own_on_the_same_network_step_by_step(clipping):
    training = {"optimizer": "sgd", "learning_rate": 0.5, "schedule": "cosine", "warmup_steps": 3, "steps": 10}
    trainer = Trainer(experiment(**training, **clipping))
    model = Trainer(experiment())._variants["network"].model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    cut = []
    for step in range(10):
        x, y = trainer._batch()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        whole = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()]).item()
        if "clip_value" in clipping:
            torch.nn.utils.clip_grad_value_(model.parameters(), clipping["clip_value"])
        if "clip_norm" in clipping:
            cut.append(torch.nn.utils.clip_grad_norm_(model.parameters(), clipping["clip_norm"]).item() > clipping["clip_norm"])
        optimizer.param_groups[0]["lr"] = learning_rate(trainer.experiment.training, step)
        optimizer.step()
        frame = trainer.advance(record=True).variants["network"]
        assert frame.total_grad == pytest.approx(whole, rel=1e-5)
        assert frame.learning_rate == learning_rate(trainer.experiment.training, step)
    mine = trainer._variants["network"].model.parameters()
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(mine, model.parameters(), strict=True))
    assert all(cut) if clipping.get("clip_norm", 0) < 1 else not any(cut)


def test_frames_show_the_gradient_before_it_is_clipped():
    bare, clipped = (next(iter(train(experiment(steps=1, **more)))) for more in ({}, {"clip_norm": 1e-3, "clip_value": 1e-4}))
    assert bare.variants["network"].weight_grad == clipped.variants["network"].weight_grad
    assert bare.variants["network"].total_grad == clipped.variants["network"].total_grad > 1e-2
    assert bare.variants["network"].update_ratio != clipped.variants["network"].update_ratio


def test_the_whole_gradient_has_the_norm_of_all_its_parts():
    frame = next(iter(train(experiment(steps=1)))).variants["network"]
    parts = [*frame.weight_grad, frame.head_grad, *frame.scale_grad, *frame.skip_weight_grad]
    assert frame.total_grad == pytest.approx(math.hypot(*(part for part in parts if part is not None)))


def test_a_gradient_whose_squares_overflow_float32_is_clipped_and_not_lost():
    pieces = [torch.full((4,), 3e25), torch.full((2,), -3e25)]
    clip(pieces, 1.0, None)
    assert torch.cat(pieces).norm().item() == pytest.approx(1.0)


SCRIPTED = (
    {"schedule": "cosine"},
    {"schedule": "step", "warmup_steps": 2, "optimizer": "adamw"},
    {"schedule": "one_cycle", "clip_norm": 0.05},
    {"warmup_steps": 5, "clip_value": 0.01, "optimizer": "sgd", "learning_rate": 0.1},
)


@pytest.mark.parametrize("training", SCRIPTED, ids=str)
def test_a_script_trains_to_the_same_losses_with_events_among_them(training):
    events = [
        RateEvent(learning_rate=0.02, step=3),
        ClipEvent(clip_norm=0.5, step=4),
        ClipEvent(clip_value=0.01, clip_norm=0.03, step=6),
    ]
    check(short(experiment(**training)))
    check(short(experiment(**training)), events)


def test_a_clipping_event_sets_both_thresholds_from_its_step_on():
    trainer = Trainer(experiment(clip_norm=1.0))
    trainer.apply(ClipEvent(clip_value=0.5))
    assert (trainer.experiment.training.clip_norm, trainer.experiment.training.clip_value) == (None, 0.5)
