"""Several batches a step: the mean gradient over them, measured as of one batch of all their samples."""

from __future__ import annotations

import pytest
import torch
from scripts import check, short

from skipviz import Experiment, Layer, Linear, Network, Task, Training, families, train
from skipviz.learning.trainer import Trainer
from skipviz.network import edit
from skipviz.tasks.event import SkipEvent

torch.set_num_threads(1)

PLAIN = families.mlp(depth=5, width=8, skip_every=2, merge="gate")
NORMED = families.mlp(depth=5, width=8, skip_every=2, norm="batch")
NOT_COMPARED = {"ghost", "ghost_state", "picture", "held_out", "learning_rate"}


def experiment(network=PLAIN, **training) -> Experiment:
    settings = {"batch_size": 16, "accumulation": 4, "steps": 6, "record_every": 1, **training}
    return Experiment(variants={"network": network}, task=Task(samples=200), training=Training(**settings))


def test_a_step_of_four_batches_is_measured_as_a_step_of_one_batch_of_all_their_samples():
    four, one = (list(train(experiment(**size))) for size in ({}, {"batch_size": 64, "accumulation": 1}))
    for mine, wanted in zip(four, one, strict=True):
        mine, wanted = mine.to_data()["variants"]["network"], wanted.to_data()["variants"]["network"]
        assert mine.keys() == wanted.keys()
        for name in mine.keys() - NOT_COMPARED:
            assert _numbers(mine[name]) == pytest.approx(_numbers(wanted[name]), rel=2e-3, abs=1e-7), name


def _numbers(value) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [-1.0 if number is None else number for number in values]


def test_the_update_is_that_of_torchs_usual_loop_over_micro_batches():
    trainer = Trainer(experiment(NORMED, optimizer="sgd", learning_rate=0.1))
    model = Trainer(experiment(NORMED))._variants["network"].model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        optimizer.zero_grad()
        for x, y in trainer.batches_of_step():
            (torch.nn.functional.cross_entropy(model(x), y) / 4).backward()
        optimizer.step()
        trainer.advance(record=False)
    mine = trainer._variants["network"].model.state_dict()
    assert all(torch.allclose(mine[name], value, rtol=1e-5, atol=1e-6) for name, value in model.state_dict().items())


@pytest.mark.parametrize("network", [PLAIN, edit.set_layer(NORMED, "f2", dropout=0.3)], ids=["gates", "norm and dropout"])
def test_watching_changes_no_bit(network):
    watched, alone = (Trainer(experiment(network, optimizer="momentum")) for _ in range(2))
    while not alone.finished:
        alone.advance(record=False)
        watched.advance(record=True, baseline=True, picture=True)
        watched.finished or watched.measure()
        assert all(map(torch.equal, *(one._variants["network"].model.state_dict().values() for one in (watched, alone))))


def test_every_batch_of_a_step_has_dropout_masks_of_its_own():
    masks = Trainer(experiment())._variants["network"].model.masks
    like, drawn = torch.ones(16, 8), []
    for masks.step in range(8):
        drawn.append(masks.mask(like, 0.5, "f2"))
    assert len({tuple(mask.flatten().tolist()) for mask in drawn}) == 8


def test_a_variant_that_diverges_within_a_step_leaves_the_others_going():
    wild = Network(layers=[Layer(op=Linear(width=8), scale=10.0)] * 30)
    case = experiment(steps=20, optimizer="sgd", learning_rate=10.0).replaced(variants={"wild": wild, "calm": PLAIN})
    frames = list(train(case))
    ends = [frame for frame in frames if "wild" in frame.variants][-1]
    assert ends.variants["wild"].loss is None
    assert ends.variants["wild"].first_broken
    assert frames[-1].step == 19
    assert frames[-1].variants["calm"].loss is not None
    check(short(case, steps=20))


@pytest.mark.parametrize(
    "training", [{}, {"clip_norm": 0.05, "schedule": "cosine"}, {"optimizer": "momentum", "accumulation": 3}], ids=str
)
def test_a_script_sums_the_same_batches(training):
    network = edit.set_layer(NORMED, "f4", dropout=0.2)
    case = short(experiment(network, **training).replaced(variants={"a": network, "b": PLAIN}))
    source = check(case, [SkipEvent(ids=("s1-3",), on=False, step=3)])
    assert f"ACCUMULATION = {case.training.accumulation}" in source


def test_the_header_counts_the_samples_of_all_batches():
    many, one = (Trainer(experiment(accumulation=count)).header() for count in (4, 1))
    assert (many["accumulation"], many["batch_size"]) == (4, 16)
    assert many["variants"]["network"]["state_count"] == [4 * count for count in one["variants"]["network"]["state_count"]]
