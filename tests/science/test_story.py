"""The story in seconds: 24 layers that do not learn, until their skips are switched on."""

import pytest
import torch

from skipviz import presets, train
from skipviz.learning.setup import prepare
from skipviz.tasks.event import SkipEvent

SWITCHED_ON = 200


@pytest.fixture(autouse=True)
def as_in_a_worker():
    threads = torch.get_num_threads()
    prepare()
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


def first_over_last(frame) -> float:
    weights = frame.variants["network"].weight_grad
    return weights[0] / weights[-1]


def run(name: str, steps: int, events=()):
    experiment = presets.get(name)
    training = experiment.training.replaced(steps=steps, record_every=50)
    return list(train(experiment.replaced(training=training), events))


def test_switching_the_skips_on_revives_a_plain_network_within_one_step():
    skips = [skip.id for skip in presets.get("vanishing-plain").network.skips]
    frames = run("vanishing-plain", 900, [SkipEvent(ids=skips, on=True, step=SWITCHED_ON)])
    before = [frame for frame in frames if frame.step < SWITCHED_ON]
    assert all(first_over_last(frame) < 1e-7 for frame in before)
    assert before[-1].variants["network"].loss == pytest.approx(0.693, abs=0.02)
    switched = next(frame for frame in frames if frame.step == SWITCHED_ON)
    assert first_over_last(switched) > 1e-2
    assert frames[-1].variants["network"].held_out > 0.99


def test_the_plain_network_stays_at_chance():
    last = run("vanishing-plain", 500)[-1].variants["network"]
    assert last.held_out == pytest.approx(0.5, abs=0.05)
    assert last.loss == pytest.approx(0.693, abs=0.02)


def test_the_residual_network_learns_the_spirals():
    assert run("vanishing-residual", 900)[-1].variants["network"].held_out > 0.99
