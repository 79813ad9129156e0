"""A run that goes on from its checkpoint is the run that never stopped."""

import io
import re
from pathlib import Path

import numpy as np
import pytest

from skipviz import Experiment, Task, Training, families
from skipviz.learning.checkpoint import CheckpointError, pack, unpack
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import ClipEvent, RateEvent, SkipEvent


def experiment(optimizer: str = "adam", width: int = 6, **more) -> Experiment:
    network = families.mlp(depth=5, width=width, skip_every=2, norm="batch")
    gates = families.mlp(depth=4, width=width, skip_every=2, merge="gate", activation="tanh")
    training = Training(steps=12, batch_size=16, optimizer=optimizer, momentum=0.5, learning_rate=0.05, **more)
    return Experiment(variants={"batch": network, "gates": gates}, task=Task(samples=100), training=training)


def frames(trainer: Trainer) -> list[dict]:
    found = []
    while not trainer.finished:
        data = trainer.advance(record=True).to_data()
        del data["seconds"]
        found.append(data)
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(optimizer):
    trainer = Trainer(experiment(optimizer))
    for _ in range(4):
        trainer.advance(record=True)
    trainer.apply(SkipEvent(ids=["s1-3"], on=False))
    trainer.apply(RateEvent(learning_rate=0.01))
    saved = trainer.state_bytes()
    resumed = Trainer(experiment(optimizer))
    resumed.load_state(saved)
    assert resumed.step == 4
    assert resumed.experiment == trainer.experiment
    assert frames(resumed) == frames(trainer)


def test_a_checkpoint_that_names_parts_by_their_place_as_earlier_versions_did_goes_on():
    trainer = Trainer(experiment())
    trainer.advance(record=True)
    facts, tensors = unpack(trainer.state_bytes())
    places = {"f1": 0, "f2": 1, "f3": 2, "f4": 3, "f5": 4}
    named = {
        re.sub(r"(buffer/layers)\.(f\d)\.", lambda found: f"{found[1]}.{places[found[2]]}.", name): tensor
        for name, tensor in tensors.items()
    }
    assert "0/buffer/layers.2.norm.running_mean" in named
    resumed = Trainer(experiment())
    resumed.load_state(pack(facts, named))
    assert frames(resumed) == frames(trainer)


EVERYTHING = {"schedule": "one_cycle", "warmup_steps": 3, "clip_norm": 0.1, "accumulation": 3, "precision": "bfloat16"}


@pytest.mark.parametrize("clipped", [ClipEvent(clip_value=0.01), ClipEvent()])
def test_so_does_one_with_everything_that_a_training_may_have(clipped):
    trainer = Trainer(experiment(**EVERYTHING))
    for _ in range(4):
        trainer.advance(record=False)
    trainer.apply(clipped)
    trainer.advance(record=False)
    resumed = Trainer(experiment(**EVERYTHING))
    resumed.load_state(trainer.state_bytes())
    assert frames(resumed) == frames(trainer)


def test_a_checkpoint_of_another_network_is_refused():
    with pytest.raises(CheckpointError, match="does not fit"):
        Trainer(experiment()).load_state(Trainer(experiment(width=7)).state_bytes())


class Trap:
    """What writes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self._path = path

    def __reduce__(self):
        return Path.write_text, (self._path, "caught")


def test_a_checkpoint_that_holds_a_pickle_is_refused_and_runs_nothing(tmp_path):
    with np.load(io.BytesIO(Trainer(experiment()).state_bytes())) as archive:
        arrays = dict(archive)
    caught = tmp_path / "caught"
    arrays["0/values"] = np.array([Trap(caught)], dtype=object)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(CheckpointError, match="hold no checkpoint"):
        Trainer(experiment()).load_state(buffer.getvalue())
    assert not caught.exists()
    with np.load(io.BytesIO(buffer.getvalue()), allow_pickle=True) as archive:
        archive["0/values"]
    assert caught.exists()


def test_bytes_that_are_no_checkpoint_are_refused():
    for data in (b"", b"no archive", Trainer(experiment()).state_bytes()[:200]):
        with pytest.raises(CheckpointError):
            Trainer(experiment()).load_state(data)
