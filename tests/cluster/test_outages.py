"""A database that is stopped or killed, servers that are killed at every stage of a run's life, and clocks that jump.

`SKIPVIZ_AWAY=30 SKIPVIZ_RUNS=10` is the long form of the outages.
"""

import os
import signal
import time

import pytest
from engines import endless, frames_of, small, wait_for, wait_for_end
from lives import is_as_if_alone, lasting, submitted
from machines import Machine
from postgres import kept

from skipviz.storage import store_client
from skipviz.storage.chunk_rows import ChunkRows
from skipviz.storage.chunks import Frames
from skipviz.storage.database import Database
from skipviz.web.component.tape import Tape

ME = "a" * 32
"""Whose cookie a machine's pages have."""
AWAY_SECONDS = float(os.environ.get("SKIPVIZ_AWAY", "1"))
RUNS = int(os.environ.get("SKIPVIZ_RUNS", "3"))
JUMP = 3600.0


def written(url, run_ids):
    """Return the frames that the database has of runs."""
    database = Database(url, 1)
    rows = {run_id: Frames(ChunkRows(database, run_id)).rows(database.row(run_id)["edition"]) for run_id in run_ids}
    database.close()
    return {run_id: [row.payload for row in found] for run_id, found in rows.items()}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_runs_go_on_while_the_database_is_away_and_no_frame_that_it_took_is_lost(own_postgres, start, frozen, tmp_path, how):
    url = own_postgres.make("away")
    engine = start(url, max_running=RUNS, checkpoint_seconds=5)
    second = start(url, data_dir=tmp_path / "other")
    runs = [engine.run(engine.submit(lasting(seed=seed), ME, speed=30)) for seed in range(RUNS)]
    wait_for(engine, lambda: all(run.step > 30 and kept(url, run.id, "header") for run in runs))
    shown, messages = wait_for(second, lambda: second.run(runs[0].id)), Tape()
    messages.take(second, [shown.id])
    thaw = frozen(engine._store.store_writer_pid)  # so that nothing is written between what is read here and the end
    before = written(url, [run.id for run in runs])
    assert all(before.values())
    getattr(own_postgres, how)()
    thaw()
    gone, there = time.monotonic(), [run.step for run in runs]
    wait_for(engine, lambda: all(run.unsaved for run in runs))
    assert {run.unsaved for run in runs} == {"not being saved: the database cannot be reached"}
    wait_for(second, lambda: shown.unsaved)
    assert shown.unsaved == "trained by another server and stands still here: the database cannot be reached"
    messages.take(second, [shown.id])
    assert '"unsaved":"trained by another server' in messages.batches[-1]["text"], (
        "its page there is told, though nothing else comes"
    )
    wait_for(engine, lambda: all(run.step > step + 20 for run, step in zip(runs, there, strict=True)))
    late = wait_for_end(engine, engine.run(engine.submit(small(), ME)))
    assert late.state == "finished", "runs begin and end meanwhile"
    wait_for(engine, lambda: time.monotonic() > gone + AWAY_SECONDS)
    thaw = frozen(engine._store.store_writer_pid)
    own_postgres.start()
    assert written(url, before) == before, "the database has all that it took"
    thaw()
    wait_for(engine, lambda: not any(run.unsaved for run in (*runs, late)))
    wait_for(second, lambda: second.kept(shown.id).unsaved is None and second.kept(shown.id).step > there[0] + 20)
    is_as_if_alone(engine, runs[0])
    for run in runs[1:]:
        engine.post(run.id, ME, {"kind": "stop"})
        wait_for_end(engine, run)
    engine.close()
    for run in (*runs, late):
        found = wait_for(second, lambda run=run: second.run(run.id))
        assert found.snapshot() == run.snapshot()
    for run in runs:
        steps = [frame["step"] for frame in frames_of(run)]
        assert steps == list(range(len(steps))), "none is lost, none doubled"


def test_a_database_that_answers_nothing_is_told_of_and_nothing_is_lost(own_postgres, start, monkeypatch):
    monkeypatch.setattr(store_client, "SILENT_SECONDS", 1.0)
    url = own_postgres.make("frozen")
    engine, second = start(url), start(url)
    run = engine.run(engine.submit(lasting(), ME, speed=50))
    wait_for(engine, lambda: kept(url, run.id, "header"))
    shown = wait_for(second, lambda: second.run(run.id))
    processes = own_postgres.freeze()
    try:
        wait_for(engine, lambda: run.unsaved)
        assert run.unsaved == "not being saved: the disk or the database does not answer"
        there = run.step
        wait_for(engine, lambda: run.step > there + 50)
        wait_for(second, lambda: shown.unsaved)
        assert shown.unsaved == "trained by another server and stands still here: the disk or the database does not answer"
    finally:
        own_postgres.thaw(processes)
    wait_for(engine, lambda: run.unsaved is None)
    wait_for(second, lambda: second.kept(run.id).unsaved is None and second.kept(run.id).step > there + 50)
    is_as_if_alone(engine, run)
    engine.close()
    assert written(url, [run.id])[run.id] == run.frames


CLOCK = """
import os, time
_time, _file = time.time, os.environ["SKIPVIZ_TEST_CLOCK"]
def _jumped():
    try:
        return _time() + float(open(_file).read() or 0)
    except OSError:
        return _time()
time.time = _jumped
"""
"""Python's clock in every process of a server, moved by what a file says."""


@pytest.fixture
def machine(tmp_path, database_url):
    """A server that may be killed and whose clock may jump, on the database and the folder of the others."""
    machine = Machine(tmp_path / "data")
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    paths = os.pathsep.join([str(tmp_path / "clock"), machine.environment["PYTHONPATH"]])
    own = {"SKIPVIZ_DATABASE_URL": database_url, "SKIPVIZ_MAX_RUNNING": "2", "SKIPVIZ_TEST_CLOCK": str(tmp_path / "clock" / "jump")}
    machine.environment |= {**own, "PYTHONPATH": paths}
    machine.jump = lambda seconds: (tmp_path / "clock" / "jump").write_text(str(seconds))
    machine.start()
    yield machine
    if machine.process.poll() is None:
        machine.end(signal.SIGKILL)


def test_runs_at_every_stage_of_their_lives_outlive_their_server(machine, start, database_url, tmp_path):
    engine = start(database_url, data_dir=tmp_path / "data")
    ended = submitted(machine, small(steps=20))
    wait_for(engine, lambda: machine.run(ended)["state"] == "finished")
    before = machine.run(ended)
    paused = submitted(machine, endless(), paused=True)
    wait_for(engine, lambda: machine.run(paused)["state"] == "paused")
    running = submitted(machine, lasting(), speed=100)
    wait_for(engine, lambda: machine.run(running)["step"] > 50)
    starting = submitted(machine, lasting(seed=1), speed=100)
    queued = submitted(machine, lasting(seed=2), speed=100)
    assert machine.run(queued)["state"] == "queued"
    machine.end(signal.SIGKILL)
    there = {running: "running", starting: "running", queued: "running", paused: "paused"}
    for run_id, state in there.items():
        wait_for(engine, lambda run_id=run_id, state=state: (run := engine.kept(run_id)) and run.state == state)
    runs = {run_id: engine.kept(run_id) for run_id in there}
    wait_for(engine, lambda: all(run.step > 20 for run_id, run in runs.items() if run_id != paused))
    is_as_if_alone(engine, runs[queued])
    for run_id in (running, starting):
        engine.post(run_id, ME, {"kind": "stop"})
        frames = frames_of(wait_for_end(engine, runs[run_id]))
        assert [frame["step"] for frame in frames] == list(range(len(frames)))
    found = engine.run(ended)
    assert (found.state, frames_of(found)) == ("finished", before["frames"])


def test_a_clock_that_jumps_decides_nothing(machine, start, database_url, tmp_path):
    engine = start(database_url, data_dir=tmp_path / "data")
    run_id = submitted(machine, lasting(), speed=100)
    wait_for(engine, lambda: machine.run(run_id)["step"] > 20)
    for seconds in (JUMP, -JUMP):
        machine.jump(seconds)
        there, jumped = machine.run(run_id)["step"], time.monotonic()
        wait_for(engine, lambda jumped=jumped: time.monotonic() > jumped + 4)
        found = machine.run(run_id)
        assert found["state"] == "running"
        assert found["step"] > there + 20
        assert engine.kept(run_id) is None, "its server lives, whatever its clock says"
    machine.end(signal.SIGKILL)
    run = wait_for(engine, lambda: (found := engine.kept(run_id)) and found.state == "running" and found)
    wait_for(engine, lambda: run.step > found["step"] + 20)
    is_as_if_alone(engine, run)
