"""What tests of the engine share: waiting on conditions, and small experiments."""

import json
import threading
import time
from contextlib import contextmanager

from skipviz.engine import Engine
from skipviz.engine import process_engine as module
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.event import message_from
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

PATIENCE = 120
"""Seconds after which a test gives a condition up; none takes that long on a machine that is not stuck."""


@contextmanager
def process_engine(folder):
    """Start an engine with room for two runs, which is also the process's own until it is closed."""
    started, before = Engine(Settings(max_running=2, data_dir=folder)).start(), module._engine
    module._engine = started
    try:
        assert started.wait_until_warm(180)
        yield started
    finally:
        module._engine = before
        started.close()


def wait_for(engine, condition, patience=PATIENCE):
    """Wait until `condition()` holds, looking again at every news of the engine, and return what it returned."""
    news = threading.Event()
    unsubscribe = engine.subscribe(lambda _: news.set())
    end = time.monotonic() + patience
    try:
        while not (result := condition()):
            assert time.monotonic() < end, "the condition did not come true"
            news.wait(0.1)
            news.clear()
        return result
    finally:
        unsubscribe()


def wait_for_end(engine, run):
    """Wait until a run has ended, with all that its end brings along, and return it."""
    wait_for(engine, lambda: run.ended)
    with engine._lock:  # held while a run ends: its state comes first, its time, sequence and room after that
        return run


def wait_for_rest(engine):
    """Wait until no worker is left of what tests before have stopped, and only then count what is there."""
    wait_for(engine, lambda: not engine.figures()["workers"])


def small(steps=40, depth=6, **training):
    """Return a small experiment on two spirals, with a residual skip over every two layers."""
    network = families.mlp(depth=depth, width=8, skip_every=2)
    training = Training(steps=steps, **{"batch_size": 16, "record_every": 5, **training})
    return Experiment(variants={"net": network}, task=Task(name="spiral", samples=200), training=training)


def endless(**training):
    """Return an experiment that goes on until it is stopped."""
    return small(steps=1_000_000, **{"record_every": 1000, **training})


def explosive():
    """Return an experiment that diverges within a few steps."""
    network = families.mlp(depth=6, width=8, skip_every=1, activation="none", init="he")
    training = Training(optimizer="sgd", learning_rate=10, batch_size=16)
    return Experiment(variants={"net": network}, task=Task(name="spiral", samples=200), training=training)


def frames_of(run):
    """Return a run's frames, decoded."""
    return [json.loads(frame) for frame in run.frames]


TAKEN = {"picture", "held_out", "balanced_accuracy", "recall"}
"""Fields of a picture and what is taken with it, which is when the clock says so, besides the metric's own schedule."""
QUANTITIES = ("loss", "metric", "weight_grad", "state_grad", "trunk_grad", "skip_grad", "head_grad", "update_ratio")


def measured(frames):
    """Return, by step, what frames of one network measured at their step, whatever the clock was."""
    return {frame["step"]: {name: frame["variants"]["net"][name] for name in QUANTITIES} for frame in frames}


def undisturbed(engine, run):
    """Return what a run's frames hold when its experiment is trained once more, up to the same step, with nothing beside it."""
    steps = frames_of(run)[-1]["step"] + 1
    experiment = run.began or run.experiment
    training = experiment.training.replaced(steps=steps, record_every=experiment.training.record_interval())
    events = [message_from(event) for event in run.events]
    alone = engine.run(engine.submit(experiment.replaced(training=training), run.owner, events=events))
    leave = engine.watch(alone.id)  # where nobody watches, a run may rest
    found = measured(frames_of(wait_for_end(engine, alone)))
    leave()
    return {frame["step"]: found[frame["step"]] for frame in frames_of(run)}
