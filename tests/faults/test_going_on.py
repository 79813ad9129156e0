"""Runs whose worker or archive is in trouble: they go on from a checkpoint bit for bit, and disturb no other run."""

import contextlib
import io
import os
import random
import signal
import sqlite3
import subprocess

import numpy as np
import pytest
from engines import PATIENCE, endless, frames_of, small, wait_for, wait_for_end

from skipviz.engine import Engine
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.storage.folder import checkpoint_name
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

ME = "owner-of-these-tests"
EVENTS = (
    SkipEvent(ids=("s1-3",), on=False, step=40),
    RateEvent(learning_rate=0.02, step=90),
    LayerEvent(ids=("f2",), gain=0.5, step=91),
    SkipEvent(ids=("s1-3",), on=True, step=170),
)


@pytest.fixture
def kept(tmp_path):
    """An engine that makes a checkpoint as often as it may, and keeps its runs in this test's folder."""
    engine = Engine(Settings(max_running=4, data_dir=tmp_path, checkpoint_seconds=0.05)).start()
    assert engine.wait_until_warm(PATIENCE)
    yield engine
    engine.close()


def two_variants(optimizer):
    network = families.mlp(depth=5, width=8, skip_every=2, norm="batch")
    gates = families.mlp(depth=4, width=8, skip_every=2, merge="gate", activation="tanh")
    training = Training(steps=100_000, batch_size=16, optimizer=optimizer, learning_rate=0.01, record_every=1, device="cpu")
    return Experiment(variants={"batch": network, "gates": gates}, task=Task(samples=200), training=training)


def kill_worker(engine, run):
    """Kill a run's worker and wait until the run has failed."""
    pid = wait_for(engine, lambda: engine.worker_pid(run.id))
    os.kill(pid, signal.SIGKILL)
    wait_for_end(engine, run)


def numbers(frame):
    """Return what a frame measured; when pictures are made depends on the clock."""
    return {name: {key: value for key, value in values.items() if key != "picture"} for name, values in frame["variants"].items()}


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_run_killed_again_and_again_and_resumed_is_the_run_that_never_stopped(kept, tmp_path, optimizer):
    from skipviz.learning.setup import prepare
    from skipviz.learning.trainer import Trainer

    experiment = two_variants(optimizer)
    run = kept.run(kept.submit(experiment, ME, events=EVENTS))
    for _ in range(3):
        reach = run.step + random.randint(20, 80)
        wait_for(kept, lambda reach=reach: run.step >= reach)
        kill_worker(kept, run)
        assert (run.state, run.resumable) == ("failed", True)
        assert kept.resume(run.id, ME)["step"] == (run.checkpoint or 0)
    wait_for(kept, lambda: run.state == "running" and run.step >= 200)
    kept.post(run.id, ME, {"kind": "pause"})
    wait_for(kept, lambda: run.state == "paused" and run.checkpoint == run.step)

    prepare()
    alone = Trainer(experiment)
    events, shown = list(EVENTS), []
    while alone.step < run.step:
        while events and events[0].step == alone.step:
            alone.apply(events.pop(0))
        shown.append(alone.advance(record=True))
    with np.load(tmp_path / "runs" / run.id / checkpoint_name(run.step)) as saved, np.load(io.BytesIO(alone.state_bytes())) as mine:
        names = set(saved.files)
        assert names == set(mine.files)
        assert all(np.array_equal(saved[name], mine[name]) for name in names - {"facts"})
    frames = frames_of(run)
    assert [frame["step"] for frame in frames] == list(range(run.step)), "none is lost, none doubled"
    for frame, here in zip(frames, shown, strict=True):
        for name, values in numbers(frame).items():
            assert values["weight_grad"] == pytest.approx(here.to_data()["variants"][name]["weight_grad"], rel=1e-5)
    assert [event["step"] for event in run.events] == [event.step for event in EVENTS]
    assert run.waiting == []


def arrange(kept, stage):
    """Return a run at a stage of its life."""
    run = kept.run(kept.submit(endless(record_every=50), ME, paused=stage == "paused"))
    if stage == "first step":
        wait_for(kept, lambda: run.header)
    elif stage in ("mid-run", "while a checkpoint is written", "ending"):
        wait_for(kept, lambda: run.checkpoint)
    elif stage == "paused":
        wait_for(kept, lambda: run.header and run.checkpoint is not None)
    if stage == "while a checkpoint is written":
        kept._loop.call_soon_threadsafe(kept._workers.send, run, {"kind": "checkpoint"})
    if stage == "ending":
        kept.post(run.id, ME, {"kind": "stop"})
    return run


def test_a_worker_killed_at_any_stage_leaves_a_run_that_goes_on_and_disturbs_no_other(kept):
    other = kept.run(kept.submit(small(steps=1_000_000, record_every=1), ME, speed=50))
    for stage in ("starting", "first step", "mid-run", "while a checkpoint is written", "paused", "ending"):
        run = arrange(kept, stage)
        pid = wait_for(kept, lambda run=run: run.ended or kept.worker_pid(run.id))
        if not run.ended:
            os.kill(pid, signal.SIGKILL)
        wait_for(kept, lambda run=run, pid=pid: run.ended or kept.worker_pid(run.id) not in (pid, None))
        reached, frames = run.checkpoint or 0, frames_of(run)
        if run.ended and run.resumable:
            kept.resume(run.id, ME)
        assert run.ended is False or stage in ("starting", "first step"), (stage, run.state, run.reason)
        if not run.ended:
            wait_for(kept, lambda run=run, reached=reached: run.state == "running" and run.step > reached)
            steps = [frame["step"] for frame in frames_of(run)]
            assert steps == sorted(set(steps)), stage
            assert {frame["step"] for frame in frames if frame["step"] < reached} <= set(steps), stage
            kept.post(run.id, ME, {"kind": "stop"})
            wait_for_end(kept, run)
    assert other.state == "running"
    assert [frame["step"] for frame in frames_of(other)] == list(range(len(frames_of(other))))


def test_a_worker_told_to_end_makes_a_checkpoint_first(kept):
    run = kept.run(kept.submit(endless(), ME))
    wait_for(kept, lambda: run.step > 100)
    os.kill(kept.worker_pid(run.id), signal.SIGTERM)
    wait_for_end(kept, run)
    assert (run.state, run.reason) == ("interrupted", "the run's worker was told to end")
    assert run.checkpoint == run.step


def same_later(kept, run, folder):
    """Return whether the next server finds the run as this one has it."""
    kept.close()
    with_folder = Engine(Settings(max_running=1, data_dir=folder)).start()
    try:
        return with_folder.run(run.id).snapshot() == run.snapshot()
    finally:
        with_folder.close()


def test_a_run_goes_on_while_the_database_is_locked_and_is_saved_afterwards(kept, tmp_path):
    run = kept.run(kept.submit(small(steps=1_000_000, record_every=1), ME, speed=100))
    wait_for(kept, lambda: run.step > 20 and (tmp_path / "runs" / run.id).is_dir())
    lock = sqlite3.connect(tmp_path / "runs.sqlite")
    lock.execute("BEGIN EXCLUSIVE")
    wait_for(kept, lambda: run.unsaved)
    assert run.unsaved == "not being saved: the database is locked by another program"
    assert run.snapshot()[1].count(b'"unsaved":"not being saved') == 1
    there = run.step
    wait_for(kept, lambda: run.step > there + 20)
    lock.rollback()
    lock.close()
    wait_for(kept, lambda: run.unsaved is None)
    kept.post(run.id, ME, {"kind": "stop"})
    wait_for_end(kept, run)
    steps = [frame["step"] for frame in frames_of(run)]
    assert steps == list(range(len(steps)))
    assert same_later(kept, run, tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    """Write a file until the disk takes no more."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_run_goes_on_while_the_disk_is_full_and_is_saved_afterwards(small_disk):
    engine = Engine(Settings(max_running=1, data_dir=small_disk, checkpoint_seconds=0.05)).start()
    try:
        run = engine.run(engine.submit(small(steps=1_000_000, record_every=1), ME, speed=100))
        wait_for(engine, lambda: run.step > 20 and (small_disk / "runs" / run.id).is_dir())
        filler = small_disk / "filler"
        fill(filler)
        wait_for(engine, lambda: run.unsaved)
        assert run.unsaved == "not being saved: the disk is full"
        there = run.step
        wait_for(engine, lambda: run.step > there + 20)
        filler.unlink()
        wait_for(engine, lambda: run.unsaved is None)
        engine.post(run.id, ME, {"kind": "stop"})
        wait_for_end(engine, run)
        steps = [frame["step"] for frame in frames_of(run)]
        assert steps == list(range(len(steps)))
        assert same_later(engine, run, small_disk)
    finally:
        engine.close()
