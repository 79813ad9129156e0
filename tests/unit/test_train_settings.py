"""`skipviz.train` computes as every run and every written script do, and leaves the caller's settings alone."""

from __future__ import annotations

import pytest
import torch
from scripts import assert_same, losses_of, short

import skipviz
from skipviz import Experiment, Task, Training, families, presets
from skipviz.learning import setup
from skipviz.learning.trainer import Trainer
from skipviz.sharing.script.experiment import script
from skipviz.tasks.event import LayerEvent


@pytest.fixture(params=[(2, False), (1, True), (3, True)], ids=str)
def caller(request):
    """A caller's threads and whether it flushes denormals; afterwards what the tests had."""
    before = torch.get_num_threads(), setup.flushes_denormals()
    torch.set_num_threads(request.param[0])
    torch.set_flush_denormal(request.param[1])
    yield request.param
    torch.set_num_threads(before[0])
    torch.set_flush_denormal(before[1])


def settings() -> tuple[int, bool]:
    return torch.get_num_threads(), setup.flushes_denormals()


def small(**training) -> Experiment:
    network = families.mlp(depth=3, width=8)
    return Experiment(variants={"a": network}, task=Task(name="moons", samples=90), training=Training(steps=9, **training))


def test_the_callers_settings_stand_between_frames_and_after_the_last(caller):
    for _ in skipviz.train(small(record_every=4)):
        assert settings() == caller
    assert settings() == caller


def test_the_callers_settings_stand_after_a_training_that_is_given_up_or_refused(caller):
    frames = skipviz.train(small())
    next(frames)
    assert settings() == caller
    frames.close()
    assert settings() == caller
    with pytest.raises(skipviz.NetworkError):
        list(skipviz.train(small(), [LayerEvent(ids=("nobody",), on=False, step=2)]))
    assert settings() == caller


def _as_the_lab_trains(experiment: Experiment) -> list[dict]:
    """Return the losses of a process that was made ready as a worker is, once for all steps."""
    with setup.as_in_a_run():
        trainer = Trainer(experiment)
        found = []
        while not trainer.finished:
            frame = trainer.advance(record=True)
            found.append({name: measured.loss for name, measured in frame.variants.items()})
    return found


@pytest.mark.parametrize("caller", [(3, False)], indirect=True)
def test_resnet_20_has_the_same_losses_in_library_script_and_lab_whatever_the_callers_threads(caller):
    experiment = short(presets.get("resnet-20-cifar"), steps=12)
    library = [{name: one.loss for name, one in frame.variants.items()} for frame in skipviz.train(experiment)]
    assert library == _as_the_lab_trains(experiment)
    assert_same(losses_of(script(experiment))[0], library)
