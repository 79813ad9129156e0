"""What an engine keeps of runs: found again by another engine on the same folder, listed, renamed, deleted, gone on with."""

import os
import signal
import threading

import psutil
import pytest
from engines import PATIENCE, endless, frames_of, small, wait_for, wait_for_end

from skipviz.engine import EngineError, resumption, workers

ME, OTHER = "owner-of-these-tests", "somebody-else"


def shown(run):
    """Return all that a viewer is told of a run."""
    return run.snapshot()


def read_by(engine, run):
    """Return a run of an earlier engine as this one reads it, once it has the folder."""
    return wait_for(engine, lambda: engine.run(run.id))


def test_an_ended_run_is_the_same_for_the_next_server(start):
    first = start()
    run = wait_for_end(first, first.run(first.submit(small(steps=60), ME)))
    first.close()
    found = read_by(start(), run)
    assert found is not run
    assert shown(found) == shown(run)
    assert frames_of(found) == frames_of(run)
    assert (found.experiment, found.owner, found.sequence) == (run.experiment, ME, run.sequence)
    assert found.trained == run.trained > 0


def test_a_list_shows_an_owners_runs_alike_before_and_after_a_restart(start):
    first = start()
    runs = [wait_for_end(first, first.run(first.submit(small(steps=3), owner))) for owner in (ME, OTHER, ME)]
    listed = first.runs_of(ME)
    assert [row["id"] for row in listed] == [runs[2].id, runs[0].id]
    row = listed[0]
    assert (row["title"], row["state"], row["step"], row["steps"]) == ("Two spirals, 6 layers", "finished", 3, 3)
    assert (row["depth"], row["skips_on"], row["skips_total"], row["variants"]) == (6, 2, 2, ["net"])
    assert row["loss"]["net"] == frames_of(runs[2])[-1]["variants"]["net"]["loss"]
    assert 0 <= row["held_out"]["net"] <= 1
    first.close()
    again = start().runs_of(ME)
    assert [{**row, "bytes": 0} for row in again] == [{**row, "bytes": 0} for row in listed]
    assert all(row["bytes"] > 0 for row in again)


def test_a_run_is_renamed_and_deleted_by_its_owner_only(start, tmp_path):
    engine = start()
    run = wait_for_end(engine, engine.run(engine.submit(small(steps=3), ME)))
    for stranger in (OTHER, "", None):
        for act in (lambda who: engine.rename(run.id, who, "mine now"), lambda who: engine.delete(run.id, who)):
            with pytest.raises(EngineError, match="only the browser") as refused:
                act(stranger)
            assert refused.value.status == 403
    assert engine.runs_of(OTHER) == engine.runs_of(None) == []
    assert engine.rename(run.id, ME, "  my\nfirst   run ")["title"] == "my first run"
    assert engine.runs_of(ME)[0]["title"] == "my first run"
    assert (tmp_path / "runs" / run.id).is_dir()
    engine.delete(run.id, ME)
    assert engine.runs_of(ME) == []
    assert engine.run(run.id) is None
    assert not (tmp_path / "runs" / run.id).exists()
    with pytest.raises(EngineError) as refused:
        engine.delete(run.id, ME)
    assert refused.value.status == 404


def test_a_finished_run_keeps_its_last_checkpoint_alone_and_its_bytes_count(start, tmp_path):
    engine = start(checkpoint_seconds=0.05)
    run = wait_for_end(engine, engine.run(engine.submit(small(steps=2000), ME)))
    assert (run.state, run.checkpoint, run.resumable) == ("finished", 2000, False)
    engine.close()
    sizes = {file.name: file.stat().st_size for file in (tmp_path / "runs" / run.id).iterdir()}
    assert [name for name in sizes if name.endswith(".npz")] == [run.checkpoint_file]
    again = start()
    read_by(again, run)
    (row,) = again.runs_of(ME)
    assert row["weights"]
    assert 0 <= again.used() - sum(sizes.values()) <= len(run.experiment.to_json())


@pytest.mark.parametrize("title", ["", " \n ", "x" * 81, None, 3])
def test_a_title_that_is_none_is_refused_with_a_sentence(start, engine, title):
    run = wait_for_end(engine, engine.run(engine.submit(small(steps=1), ME)))
    with pytest.raises(EngineError, match="title") as refused:
        engine.rename(run.id, ME, title)
    assert refused.value.status == 422


def test_a_run_that_goes_on_is_neither_deleted_nor_resumed(engine):
    run = engine.run(engine.submit(endless(), ME, paused=True))
    for act in (engine.delete, engine.resume):
        with pytest.raises(EngineError, match="goes on") as refused:
            act(run.id, ME)
        assert refused.value.status == 409
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)


@pytest.fixture
def patient(monkeypatch):
    """A run that is told to stop makes its checkpoint, however long a busy machine takes for that."""
    monkeypatch.setattr(workers, "STOPPING_SECONDS", PATIENCE)
    monkeypatch.setattr(resumption, "STOP_WITHIN", PATIENCE)


@pytest.mark.usefixtures("patient")
def test_a_run_that_is_being_deleted_is_not_resumed(engine, monkeypatch):
    run = engine.run(engine.submit(endless(), ME))
    wait_for(engine, lambda: run.step > 0)
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).resumable
    store, refused = engine._store, []
    delete = store.delete

    def slow(run_id):
        with pytest.raises(EngineError) as refusal:
            engine.resume(run.id, ME)
        refused.append(refusal.value.status)
        delete(run_id)

    monkeypatch.setattr(store, "delete", slow)
    engine.delete(run.id, ME)
    assert (refused, engine.run(run.id), run.state) == ([404], None, "stopped")


def test_a_run_that_is_read_while_it_is_deleted_is_gone_afterwards(start, monkeypatch):
    first = start()
    run_id = first.submit(small(steps=3), ME)
    wait_for_end(first, first.run(run_id))
    first.close()
    engine = start()
    archive, deleting = engine._store._store_client, threading.Thread(target=lambda: engine.delete(run_id, ME))
    ask = archive.ask

    def slow(head, *given):
        answer = ask(head, *given)
        if head["word"] == "load":
            deleting.start()
            deleting.join(0.3)
        return answer

    monkeypatch.setattr(archive, "ask", slow)
    assert engine.run(run_id) is not None
    deleting.join()
    assert engine.kept(run_id) is None
    assert engine.runs_of(ME) == []


@pytest.fixture
def stopping(engine):
    """A run of twenty steps a second, which is told to stop by the test and in the end."""
    run = engine.run(engine.submit(endless(), ME, speed=20))
    wait_for(engine, lambda: run.step > 0)
    yield run
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)


@pytest.mark.usefixtures("patient")
def test_a_run_resumed_before_its_stop_has_come_about_goes_on(engine, stopping):
    engine.post(stopping.id, ME, {"kind": "stop"})
    engine.resume(stopping.id, ME)
    reached = stopping.step
    wait_for(engine, lambda: stopping.state == "running" and stopping.step > reached)


def test_a_run_resumed_at_once_outlives_the_patience_with_its_stop(engine, stopping, monkeypatch):
    held, insist = [], engine._workers._insist
    monkeypatch.setattr(workers, "STOPPING_SECONDS", 0.0)
    monkeypatch.setattr(engine._workers, "_insist", lambda *given: held.append(given))
    engine.post(stopping.id, ME, {"kind": "stop"})
    wait_for_end(engine, stopping)
    reached = engine.resume(stopping.id, ME)["step"]
    wait_for(engine, lambda: stopping.step > reached and held)
    insist(*held[0])
    assert stopping.state == "running"
    reached = stopping.step
    wait_for(engine, lambda: stopping.step > reached or stopping.ended)
    assert stopping.state == "running"


def test_a_finished_run_cannot_be_resumed(engine):
    run = wait_for_end(engine, engine.run(engine.submit(small(steps=1), ME)))
    with pytest.raises(EngineError, match="nothing to go on from"):
        engine.resume(run.id, ME)


@pytest.mark.usefixtures("patient")
def test_a_run_that_has_used_its_time_up_cannot_be_resumed(engine, monkeypatch):
    run = engine.run(engine.submit(endless(), ME))
    wait_for(engine, lambda: run.step > 0)
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).resumable
    monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update={"run_minutes": run.trained / 61}))
    with pytest.raises(EngineError, match=r"has trained for .*, this server's limit for a run: start it anew") as refused:
        engine.resume(run.id, ME)
    assert refused.value.status == 409


@pytest.mark.parametrize("run_id", ["nothing", "../../etc", "a/b", "", "x" * 1000, "\x00"])
def test_what_is_no_runs_id_finds_nothing(engine, run_id):
    assert engine.run(run_id) is None
    with pytest.raises(EngineError) as refused:
        engine.rename(run_id, ME, "title")
    assert refused.value.status == 404


def test_runs_that_an_orderly_stop_interrupted_go_on_by_themselves(start):
    first = start()
    running = first.run(first.submit(endless(), ME))
    paused = first.run(first.submit(endless(), ME))
    waiting = first.run(first.submit(endless(), ME))
    wait_for(first, lambda: running.step > 50 and paused.step > 50)
    first.post(paused.id, ME, {"kind": "pause"})
    wait_for(first, lambda: paused.state == "paused")
    first.close()
    assert {run.state for run in (running, paused, waiting)} == {"interrupted"}
    second = start()
    again = {run.id: read_by(second, run) for run in (running, paused, waiting)}
    wait_for(second, lambda: again[running.id].state == "running" and again[running.id].step > running.step)
    wait_for(second, lambda: again[paused.id].state == "paused" and again[paused.id].header is not None)
    assert again[paused.id].step == paused.step
    wait_for(second, lambda: again[waiting.id].state == "running" and again[waiting.id].step > waiting.step)
    steps = [frame["step"] for frame in frames_of(again[running.id])]
    assert steps == sorted(set(steps))


def test_a_run_that_is_about_to_go_on_by_itself_takes_what_is_done_to_it_meanwhile(start, monkeypatch):
    first = start()
    run = first.run(first.submit(endless(), ME))
    wait_for(first, lambda: run.step > 50)
    first.close()
    held, restart = [], resumption.Resumption.restart
    monkeypatch.setattr(resumption.Resumption, "restart", lambda *given: held.append(given))
    second = start()
    wait_for(second, lambda: held)
    again = read_by(second, run)
    assert again.state == "interrupted"
    second.post(run.id, ME, {"kind": "rate", "learning_rate": 0.5})
    with pytest.raises(EngineError, match="has ended"):
        second.post(run.id, ME, {"kind": "pause"})
    restart(*held[0])
    wait_for(second, lambda: [event["kind"] for event in again.events] == ["rate"])
    assert again.experiment.training.learning_rate == 0.5


def test_a_killed_store_writer_is_replaced_and_nothing_is_lost_or_doubled(start):
    first = start()
    run = first.run(first.submit(small(steps=400, record_every=1), ME, speed=400))
    wait_for(first, lambda: run.step > 100)
    old = first._store.store_writer_pid
    os.kill(old, signal.SIGKILL)
    wait_for(first, lambda: first._store.store_writer_pid != old)
    wait_for_end(first, run)
    first.close()
    found = read_by(start(), run)
    assert shown(found) == shown(run)
    assert [frame["step"] for frame in frames_of(found)] == list(range(400))
    assert not psutil.pid_exists(old) or psutil.Process(old).status() == psutil.STATUS_ZOMBIE
