"""Several servers on one database: a run is one server's at a time, and whoever is gone is relieved by another."""

import os
import signal
import time

import psycopg
import pytest
from engines import endless, frames_of, wait_for, wait_for_end
from lives import is_as_if_alone, lasting, submitted
from machines import Machine
from postgres import kept

from skipviz.engine import EngineError
from skipviz.storage.database import Database
from skipviz.storage.folder import new_checkpoint
from skipviz.storage.servers import GRACE, Servers

ME = "a" * 32
"""Whose cookie a machine's pages have."""


@pytest.fixture
def machine(tmp_path, database_url):
    """A server that may be killed; it shares its database, and where checkpoints lie by a URL, with others."""
    machine = Machine(tmp_path / "theirs", forked=True)
    machine.environment |= {"SKIPVIZ_DATABASE_URL": database_url, "SKIPVIZ_BLOBS": f"local://{tmp_path}/blobs"}
    machine.start()
    yield machine
    if machine.process.poll() is None:
        machine.end(signal.SIGKILL)


def test_what_a_killed_server_left_goes_on_at_another_bit_for_bit(machine, start, database_url, tmp_path):
    engine = start(database_url, blobs=f"local://{tmp_path}/blobs")
    run_id = submitted(machine, lasting(), speed=100)
    paused = submitted(machine, endless(), paused=True)
    wait_for(engine, lambda: machine.run(run_id).get("resumes") is not None or machine.run(run_id)["step"] > 100)
    machine.ask("POST", f"/skipviz/runs/{run_id}/events", {"kind": "rate", "learning_rate": 0.02})
    there = machine.run(run_id)["step"]
    wait_for(engine, lambda: machine.run(run_id)["step"] > there + 50)
    seen = machine.run(run_id)
    machine.end(signal.SIGKILL)
    killed = time.monotonic()
    run = wait_for(engine, lambda: (found := engine.kept(run_id)) and found.state == "running" and found)
    print(f"\ngoes on {time.monotonic() - killed:.1f} s after its server was killed", end="")
    wait_for(engine, lambda: run.step > seen["step"] + 50)
    assert wait_for(engine, lambda: engine.kept(paused)).state in ("queued", "paused")
    wait_for(engine, lambda: engine.kept(paused).state == "paused")
    assert [event["kind"] for event in run.events] == ["rate"]
    assert len(run.moved) == 1, "which has a mark on the time axis"
    assert run.moved[0] > 0, "from its last checkpoint"
    is_as_if_alone(engine, run)
    theirs = {frame["step"]: frame["variants"]["net"]["loss"] for frame in seen["frames"]}
    ours = {frame["step"]: frame["variants"]["net"]["loss"] for frame in frames_of(run)}
    assert theirs.items() <= ours.items(), "what was shown before is there again"


def test_what_a_server_left_that_was_told_to_stop_goes_on_at_another(machine, start, database_url, tmp_path):
    engine = start(database_url, blobs=f"local://{tmp_path}/blobs")
    run_id = submitted(machine, lasting(), speed=100)
    wait_for(engine, lambda: machine.run(run_id)["step"] > 30)
    machine.end(signal.SIGTERM)
    run = wait_for(engine, lambda: (found := engine.kept(run_id)) and found.state == "running" and found)
    wait_for(engine, lambda: run.step > 80)
    is_as_if_alone(engine, run)


def test_a_run_stays_with_its_server_while_that_lives_even_without_its_store_writer(start, database_url):
    first, second = start(database_url), start(database_url)
    run = first.run(first.submit(lasting(), ME, speed=50))
    wait_for(first, lambda: run.step > 10)
    old = first._store.store_writer_pid
    os.kill(old, signal.SIGKILL)
    wait_for(first, lambda: first._store.store_writer_pid != old)
    began, there = time.monotonic(), run.step
    wait_for(first, lambda: time.monotonic() > began + 2 * GRACE)
    assert (second.kept(run.id), run.state) == (None, "running")
    assert run.step > there
    is_as_if_alone(first, run)


def test_a_server_that_comes_back_too_late_leaves_its_run_to_the_one_that_has_it(start, database_url, frozen):
    first, second = start(database_url), start(database_url)
    run = first.run(first.submit(lasting(), ME, speed=100))
    wait_for(first, lambda: kept(database_url, run.id, "checkpoint"))
    worker = first.worker_pid(run.id)
    writer = first._store.store_writer_pid
    thaw = frozen(writer)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            [f"skipviz {first._store._server}"],
        )
    taken = wait_for(second, lambda: (found := second.kept(run.id)) and found.state == "running" and found)
    second.post(run.id, ME, {"kind": "rate", "learning_rate": 0.02})  # so that its numbers are others than the late one's
    wait_for(second, lambda: taken.events)
    first.post(run.id, ME, {"kind": "pause"})
    wait_for(first, lambda: run.state == "paused" and run.checkpoint == run.step)
    wait_for(second, lambda: taken.step > run.step + 20)
    thaw()
    wait_for(first, lambda: first.worker_pid(run.id) is None and first.kept(run.id) is not run)
    assert (run.state, run.reason) == ("interrupted", "another server has taken this run over")
    wait_for(first, lambda: not _alive(worker))
    second.post(run.id, ME, {"kind": "stop"})
    wait_for_end(second, taken)
    assert second.resume(run.id, ME)["step"] > run.checkpoint
    there = taken.step
    wait_for(second, lambda: taken.step > there + 20)
    is_as_if_alone(second, taken)
    third = start(database_url)
    found = wait_for(third, lambda: third.run(run.id))
    assert found.snapshot() == taken.snapshot(), "what the late one had is written nowhere"


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_ended_run_goes_on_at_whichever_server_is_asked_first(start, database_url, tmp_path):
    first, second = start(database_url), start(database_url)
    run = first.run(first.submit(lasting(), ME, speed=100))
    wait_for(first, lambda: run.checkpoint)
    first.post(run.id, ME, {"kind": "stop"})
    wait_for_end(first, run)
    wait_for(first, lambda: kept(database_url, run.id, "state") == "stopped")
    first.used()  # answered once what the end leaves over is removed
    newer = tmp_path / "runs" / run.id / new_checkpoint(run.step + 1)
    newer.write_bytes(b"as of a third server that lets it go on just now")
    assert second.run(run.id).state == "stopped"
    assert newer.exists(), "who only looks at a run removes nothing"
    second.resume(run.id, ME)
    theirs = second.kept(run.id)
    wait_for(second, lambda: theirs.state == "running" and theirs.step > run.step)
    third = start(database_url)
    wait_for(third, lambda: third.run(run.id))
    with pytest.raises(EngineError, match="goes on already") as refused:
        third.resume(run.id, ME)
    assert refused.value.status == 409
    with pytest.raises(EngineError, match="goes on"):
        third.delete(run.id, ME)
    is_as_if_alone(second, theirs)


def row(run_id, server, **more):
    about = {"owner": "me", "title": "t", "created": 1.0, "state": "running", "summary": "{}", "facts": "{}", "experiment": b"{}"}
    return {"id": run_id, **about, "server": server, **more}


@pytest.fixture
def databases(database_url):
    """Opens the database as the server of a key."""
    opened = []

    def open_as(key):
        opened.append(Database(database_url, 1, key))
        return opened[-1]

    yield open_as
    for database in opened:
        database.close()


def test_a_server_is_dead_once_its_lock_was_free_at_every_look_for_a_while(databases, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("skipviz.storage.servers.time.monotonic", lambda: now[0])
    first, second = databases(2**61 + 1), databases(2)
    second.write([row("a", 2**61 + 1), row("b", 7, state="finished", ended=2.0), row("c", 2)])
    servers = Servers(second, 2)

    def looks(seconds):
        found = set()
        for _ in range(round(seconds / 0.5)):
            now[0] += 0.5
            found |= set(servers.dead())
        return found

    assert looks(10) == set(), "it lives, and nobody else left anything that is to go on"
    first.close()
    assert looks(GRACE - 0.5) == set()
    now[0] += 60
    assert looks(GRACE - 0.5) == set(), "a server that was away itself begins to count anew"
    assert looks(1) == {2**61 + 1}
    databases(2**61 + 1)
    assert looks(10) == set()


def test_what_a_dead_server_left_is_claimed_by_one(databases):
    first, second = databases(1), databases(2)
    first.write([row("a", 3), row("b", 3, state="interrupted", restart=1, ended=2.0), row("c", 3, state="stopped", ended=2.0)])
    with first.transaction():
        assert [found["id"] for found in Servers(first, 1).left_by(3)] == ["a", "b"]
        with second.transaction():
            assert Servers(second, 2).left_by(3) == []
        first.write([{"id": "a", "server": 1}, {"id": "b", "server": 1}])
    with second.transaction():
        assert Servers(second, 2).left_by(3) == []
        assert Servers(second, 2).others(["a", "b", "new"]) == {"a", "b"}


def test_a_server_takes_its_lock_from_a_session_of_its_own_that_was_cut_off(databases, database_url):
    first = databases(5)
    first.write([row("a", 5)])
    with pytest.raises(Exception, match="the database cannot be"):
        Database(database_url, 1, 5)
    again = databases(5)
    assert again.row("a")["server"] == 5
