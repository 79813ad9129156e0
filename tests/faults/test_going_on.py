"""Runs whose worker or archive is in trouble: they go on from a checkpoint bit for bit, and disturb no other run."""

import contextlib
import io
import os
import random
import resource
import signal
import sqlite3
import subprocess
import time

import numpy as np
import pytest
from engines import PATIENCE, TAKEN, endless, frames_of, measured, small, undisturbed, wait_for, wait_for_end

from skipviz.engine import Engine
from skipviz.network import edit, families
from skipviz.settings import Settings
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

pytestmark = pytest.mark.usefixtures("forked")  # what is in trouble here is a worker or what it writes to
ME = "owner-of-these-tests"
LOCKED_SECONDS = float(os.environ.get("SKIPVIZ_LOCKED", "0"))
"""How long the table of runs is locked at least; by hand 30."""
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
    network = edit.set_layer(families.mlp(depth=5, width=8, skip_every=2, norm="batch"), "f3", dropout=0.3)
    gates = families.mlp(depth=4, width=8, skip_every=2, merge="gate", activation="tanh")
    training = Training(steps=100_000, batch_size=16, optimizer=optimizer, learning_rate=0.01, record_every=1, device="cpu")
    return Experiment(variants={"batch": network, "gates": gates}, task=Task(samples=200), training=training)


def kill_worker(engine, run):
    """Kill a run's worker and wait until the run has failed."""
    pid = wait_for(engine, lambda: engine.worker_pid(run.id))
    os.kill(pid, signal.SIGKILL)
    wait_for_end(engine, run)


def numbers(frame):
    """Return what a frame measured; when pictures are made, with the held-out metric, depends on the clock."""
    return {name: {key: value for key, value in values.items() if key not in TAKEN} for name, values in frame["variants"].items()}


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_run_killed_again_and_again_and_resumed_is_the_run_that_never_stopped(kept, tmp_path, optimizer):
    from skipviz.learning.setup import as_in_a_run
    from skipviz.learning.trainer import Trainer

    experiment = two_variants(optimizer)
    run, trained = kept.run(kept.submit(experiment, ME, events=EVENTS)), 0.0
    for _ in range(3):
        reach = run.step + random.randint(20, 80)
        wait_for(kept, lambda reach=reach: run.step >= reach)
        kill_worker(kept, run)
        assert (run.state, run.resumable) == ("failed", True)
        assert run.trained > trained, "its time counts on"
        edition, trained = run.edition, run.trained
        assert kept.resume(run.id, ME)["step"] == (run.checkpoint or 0)
        wait_for(kept, lambda edition=edition: run.edition > edition)
    wait_for(kept, lambda: run.step >= 200)
    kept.post(run.id, ME, {"kind": "pause"})
    wait_for(kept, lambda: run.state == "paused" and run.checkpoint == run.step)

    with as_in_a_run():
        alone = Trainer(experiment)
        events, shown = list(EVENTS), []
        while alone.step < run.step:
            while events and events[0].step == alone.step:
                alone.apply(events.pop(0))
            shown.append(alone.advance(record=True))
    with np.load(tmp_path / "runs" / run.id / run.checkpoint_file) as saved, np.load(io.BytesIO(alone.state_bytes())) as mine:
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


STAGES = ("starting", "first step", "mid-run", "while a checkpoint is written", "paused", "ending", "resuming", "gone on")
"""Of a worker's life; a run in line without one, and one that rests unwatched, have tests of their own."""


def arrange(kept, stage):
    """Return a run at a stage of its life."""
    run = kept.run(kept.submit(endless(record_every=50), ME, paused=stage == "paused"))
    if stage == "first step":
        wait_for(kept, lambda: run.header)
    elif stage in ("mid-run", "while a checkpoint is written", "ending", "resuming", "gone on"):
        wait_for(kept, lambda: run.checkpoint)
    elif stage == "paused":
        wait_for(kept, lambda: run.header and run.checkpoint is not None)
    if stage == "while a checkpoint is written":
        kept._loop.call_soon_threadsafe(kept._workers.send, run, {"kind": "checkpoint"})
    if stage == "ending":
        kept.post(run.id, ME, {"kind": "stop"})
    if stage in ("resuming", "gone on"):
        kill_worker(kept, run)
        reached = kept.resume(run.id, ME)["step"]
        wait_for(kept, lambda: kept.worker_pid(run.id))
    if stage == "gone on":
        wait_for(kept, lambda: run.state == "running" and run.step > reached)
    return run


def test_a_worker_killed_at_any_stage_leaves_a_run_that_goes_on_and_disturbs_no_other(kept):
    other = kept.run(kept.submit(small(steps=1_000_000, record_every=1), ME, speed=50))
    for stage in STAGES:
        run = arrange(kept, stage)
        pid = wait_for(kept, lambda run=run: run.ended or kept.worker_pid(run.id))
        if not run.ended:
            with contextlib.suppress(ProcessLookupError):  # one that was told to end may have done so before it is told here
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
    is_as_if_alone(kept, other)


def is_as_if_alone(engine, run):
    """End a run and see that it has every frame once, and in each the numbers that it has with nothing beside it."""
    engine.post(run.id, ME, {"kind": "stop"})
    frames = frames_of(wait_for_end(engine, run))
    assert [frame["step"] for frame in frames] == list(range(len(frames)))
    assert measured(frames) == undisturbed(engine, run)


def test_a_worker_killed_in_line_and_one_killed_before_those_in_line_let_everybody_have_a_turn(tmp_path):
    engine = Engine(Settings(max_running=1, data_dir=tmp_path, checkpoint_seconds=0.05)).start()
    try:
        assert engine.wait_until_warm(PATIENCE)
        back = engine.run(engine.submit(endless(), ME, paused=True))
        wait_for(engine, lambda: back.header and back.checkpoint is not None)
        ahead = engine.run(engine.submit(small(steps=1_000_000, record_every=1), ME, speed=50))
        behind = engine.run(engine.submit(small(), ME))
        wait_for(engine, lambda: ahead.step > 20)
        engine.post(back.id, ME, {"kind": "resume"})
        assert (back.state, behind.state) == ("queued", "queued")
        assert engine.worker_pid(back.id), "it rested, and waits for a core with its worker"
        kill_worker(engine, back)
        assert (back.state, back.resumable, ahead.state, behind.state) == ("failed", True, "running", "queued")
        reached = engine.resume(back.id, ME)["step"]
        there = ahead.step
        wait_for(engine, lambda: ahead.step > there + 20)
        kill_worker(engine, ahead)
        assert wait_for_end(engine, behind).state == "finished"
        wait_for(engine, lambda: back.state == "running" and back.step > reached)
        engine.post(back.id, ME, {"kind": "stop"})
        wait_for_end(engine, back)
        frames = frames_of(ahead)
        assert [frame["step"] for frame in frames] == list(range(len(frames)))
        assert measured(frames) == undisturbed(engine, ahead)
    finally:
        engine.close()


def test_a_worker_killed_while_its_run_rests_unwatched_goes_on_from_there(tmp_path):
    engine = Engine(Settings(max_running=2, data_dir=tmp_path, checkpoint_seconds=0.05, unwatched_minutes=0.02)).start()
    try:
        assert engine.wait_until_warm(PATIENCE)
        other = engine.run(engine.submit(small(steps=1_000_000, record_every=1), ME, speed=50))
        leave = engine.watch(other.id)
        run = engine.run(engine.submit(endless(), ME))
        wait_for(engine, lambda: run.state == "paused" and run.checkpoint == run.step)
        assert run.reason.startswith("nobody watched")
        rested = run.step
        kill_worker(engine, run)
        assert (run.state, run.resumable) == ("failed", True)
        engine.watch(run.id)
        assert run.state == "failed", "whoever looks sees what happened, and lets it go on"
        assert engine.resume(run.id, ME)["step"] == rested
        wait_for(engine, lambda: run.state == "running" and run.step > rested)
        engine.post(run.id, ME, {"kind": "stop"})
        wait_for_end(engine, run)
        is_as_if_alone(engine, other)
        leave()
    finally:
        engine.close()


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
    locked = time.monotonic()
    wait_for(kept, lambda: run.unsaved)
    assert run.unsaved == "not being saved: the database is locked by another program"
    assert run.snapshot()[1].count(b'"unsaved":"not being saved') == 1
    there = run.step
    wait_for(kept, lambda: run.step > there + 20 and time.monotonic() > locked + LOCKED_SECONDS)
    short = wait_for_end(kept, kept.run(kept.submit(small(), ME)))
    assert (short.state, run.unsaved is not None) == ("finished", True), "runs begin and end meanwhile"
    unlocked, behind = time.monotonic(), run.step
    lock.rollback()
    lock.close()
    wait_for(kept, lambda: run.unsaved is None)
    saved = time.monotonic()
    print(f"\nlocked {unlocked - locked:.1f} s, {behind} steps; saved again {saved - unlocked:.1f} s after", end="")
    is_as_if_alone(kept, run)
    assert same_later(kept, run, tmp_path)


class SmallDisk:
    """A disk of 3 MB; where only root may have one, a bound on how long a file of the store writer's may be."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder]
        self.mounted = not subprocess.run(command, capture_output=True, check=False).returncode

    def fill(self, store_writer):
        """Let it take no more."""
        if not self.mounted:
            resource.prlimit(store_writer, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        with (self.folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def empty(self, store_writer):
        """Let it take more again."""
        if not self.mounted:
            resource.prlimit(store_writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            (self.folder / "filler").unlink()

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk that can be full."""
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()


def test_a_run_goes_on_while_the_disk_is_full_and_is_saved_afterwards(small_disk):
    engine = Engine(Settings(max_running=2, data_dir=small_disk.folder, checkpoint_seconds=0.05)).start()
    try:
        run = engine.run(engine.submit(small(steps=1_000_000, record_every=1), ME, speed=100))
        wait_for(engine, lambda: run.step > 20 and (small_disk.folder / "runs" / run.id).is_dir())
        small_disk.fill(engine._store.store_writer_pid)
        wait_for(engine, lambda: run.unsaved)
        assert run.unsaved == "not being saved: the disk is full"
        assert run.snapshot()[1].count(b'"unsaved":"not being saved: the disk is full"') == 1
        there = run.step
        wait_for(engine, lambda: run.step > there + 20)
        late = wait_for_end(engine, engine.run(engine.submit(small(), ME)))
        assert late.state == "finished"
        assert wait_for(engine, lambda: late.unsaved) == "not being saved: the disk is full"
        small_disk.empty(engine._store.store_writer_pid)
        wait_for(engine, lambda: run.unsaved is None and late.unsaved is None)
        is_as_if_alone(engine, run)
        assert same_later(engine, run, small_disk.folder)
    finally:
        engine.close()
