"""Several equal servers on one database: whichever a page asks shows every run, and takes every command."""

import json
import time

import pytest
from engines import endless, frames_of, small, wait_for, wait_for_end
from postgres import kept

from skipviz.engine import EngineError
from skipviz.engine.resumption import Resumption
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.experiment import Experiment

ME = "owner-of-these-tests"


def lasting(steps=1_000_000):
    return small(steps=steps, record_every=1)


@pytest.fixture
def two(start, database_url):
    """Two servers' engines on one database."""
    return start(database_url), start(database_url)


def written(database_url, run):
    """Return a run's experiment as it is in the database."""
    return Experiment.kept(json.loads(kept(database_url, run.id, "facts"))["now"])


def deleted(engine, run_id):
    """Return whether a run could be deleted, which one that still goes on cannot."""
    try:
        return engine.delete(run_id, ME)["ok"]
    except EngineError as error:
        if "goes on" in str(error):
            return False
        raise


def shown_at(engine, run_id, reached=1):
    """Return a run as a server shows it, once it stands at a step."""
    wait_for(engine, lambda: (run := engine.run(run_id)) is not None and run.step >= reached)
    return engine.run(run_id)


def test_a_run_is_shown_live_at_another_server_with_the_same_frames_and_sequences(two):
    first, second = two
    run = first.run(first.submit(lasting(), ME, speed=20))
    theirs = shown_at(second, run.id)
    assert theirs.state == "running"
    sequences, leave = [], second.subscribe(lambda run_id: sequences.append(second.kept(run_id).sequence))
    wait_for(second, lambda: len(set(sequences)) > 3)
    first.post(run.id, ME, {"kind": "pause"})
    wait_for(second, lambda: theirs.state == "paused")
    first.post(run.id, ME, {"kind": "stop"})
    wait_for(second, lambda: theirs.ended)
    leave()
    wait_for_end(first, run)
    assert second.kept(run.id) is theirs
    assert theirs.snapshot() == run.snapshot()
    assert frames_of(theirs) == frames_of(run)
    assert sequences == sorted(sequences)
    assert second.worker_pid(run.id) is None


def test_what_is_done_to_a_run_at_another_server_is_done_where_it_trains(two):
    first, second = two
    run = first.run(first.submit(lasting(), ME, speed=20))
    theirs = shown_at(second, run.id)
    skip = run.experiment.network.skips[0].id
    began = time.monotonic()
    answer = second.post(run.id, ME, {"kind": "skip", "ids": [skip], "on": False})
    print(f"\nacknowledged after {1000 * (time.monotonic() - began):.0f} ms", end="")
    assert answer["ok"]
    assert not theirs.experiment.network.skip(skip).on, "it is shown at once"
    wait_for(second, lambda: [event["kind"] for event in theirs.events] == ["skip"])
    assert (run.events, theirs.experiment) == (theirs.events, run.experiment)
    second.rename(run.id, ME, "named from afar")
    assert run.title == "named from afar"
    with pytest.raises(EngineError, match="only the browser that started this run"):
        second.post(run.id, "somebody else", {"kind": "stop"})
    with pytest.raises(EngineError, match="goes on already"):
        second.resume(run.id, ME)
    second.post(run.id, ME, {"kind": "stop"})
    second.resume(run.id, ME)
    for engine in two:  # where it trained, or where it was asked for if its end was known there already
        wait_for(engine, lambda engine=engine: engine.run(run.id).state == "running")
    second.post(run.id, ME, {"kind": "stop"})
    for engine in two:
        wait_for(engine, lambda engine=engine: engine.run(run.id).ended)
    wait_for(second, lambda: deleted(second, run.id))  # it may know the end of the first stop only
    wait_for(first, lambda: first.kept(run.id) is None)
    wait_for(second, lambda: second.run(run.id) is None)


@pytest.mark.parametrize("asked", [0, 1], ids=["where it trains", "at another server"])
def test_a_press_that_is_acknowledged_is_in_the_database(two, database_url, asked):
    run = two[0].run(two[0].submit(lasting(), ME, speed=20))
    shown_at(two[1], run.id)
    skip = run.experiment.network.skips[0].id
    for on in (False, True, False, True):
        two[asked].post(run.id, ME, {"kind": "skip", "ids": [skip], "on": on})
        assert written(database_url, run).network.skip(skip).on is on
    two[asked].label(run.id, ME, {"net": "named"})
    assert written(database_url, run).labels == {"net": "named"}
    two[asked].post(run.id, ME, {"kind": "stop"})
    two[asked].resume(run.id, ME)
    assert kept(database_url, run.id, "state") in ("queued", "running")


def switch(run, on):
    return SkipEvent(ids=[run.experiment.network.skips[0].id], on=on)


@pytest.mark.parametrize("asked", [0, 1], ids=["where it trains", "at another server"])
def test_how_far_a_run_has_heard_of_a_labs_document_is_known_everywhere_and_outlives_its_server(two, database_url, asked):
    run = two[0].run(two[0].submit(lasting(), ME, speed=20))
    theirs = shown_at(two[1], run.id)
    for on, since, version, heard in ((False, 0, 3, 3), (True, 4, 5, 3), (False, 3, 4, 4)):
        two[asked].lead(run.id, ME, [switch(run, on)], "lab", since, version)
        assert json.loads(kept(database_url, run.id, "facts"))["led"] == {"lab": heard}
        assert written(database_url, run).network.skips[0].on is on
        wait_for(two[1], lambda: (theirs.led, theirs.experiment) == (run.led, run.experiment))
    with pytest.raises(EngineError, match="only the browser that started this run"):
        two[asked].lead(run.id, "somebody else", [], "lab", 4, 5)
    two[0].close()
    again = wait_for(two[1], lambda: (found := two[1].run(run.id)).state == "running" and found)
    assert (again.led, again.experiment) == ({"lab": 4}, run.experiment)


def test_a_run_that_changes_its_server_takes_what_is_done_to_it_meanwhile(start, database_url, monkeypatch):
    held, restart = [], Resumption.restart
    monkeypatch.setattr(Resumption, "restart", lambda self, run_ids: held.append((self, run_ids)) if run_ids else None)
    first, *left = [start(database_url) for _ in range(3)]
    run = first.run(first.submit(lasting(), ME, speed=20))
    for engine in left:
        shown_at(engine, run.id)
    first.close()
    wait_for(left[0], lambda: held)
    taken = [engine for engine in left if engine._resumption is held[0][0]]
    for engine in left:
        wait_for(engine, lambda engine=engine: engine.run(run.id).state == "interrupted")
    for engine, on in zip((*taken, *(engine for engine in left if engine not in taken)), (False, True), strict=True):
        engine.lead(run.id, ME, [switch(run, on)], "lab", 0, 1)
    restart(*held[0])
    again = wait_for(taken[0], lambda: (found := taken[0].run(run.id)).state == "running" and found)
    wait_for(taken[0], lambda: [event["on"] for event in again.events] == [False, True])


def test_places_in_line_and_a_browsers_limits_count_its_runs_at_all_servers(start, database_url):
    limits = {"browser_running": 2, "browser_queued": 4}
    first, second = start(database_url, max_running=1, **limits), start(database_url, max_running=2, **limits)
    going = [engine.submit(endless(), ME) for engine in (first, second)]
    for engine, run_id in zip((first, second), going, strict=True):
        wait_for(engine, lambda engine=engine, run_id=run_id: engine.kept(run_id).state == "running")
    waiting = [engine.run(engine.submit(endless(), ME)) for engine in (first, second, first, second)]
    order = {run.id: place for place, run in enumerate(waiting)}
    wait_for(first, lambda: [run.ahead for run in waiting] == [0, 1, 2, 3])
    theirs = shown_at(second, waiting[2].id, reached=0)
    wait_for(second, lambda: theirs.ahead == order[waiting[2].id])
    for engine in (first, second):
        with pytest.raises(EngineError, match="4 runs of this browser wait in line already"):
            engine.submit(endless(), ME)
    other = second.run(second.submit(endless(), "another browser"))
    wait_for(second, lambda: other.state == "running")
    assert waiting[1].state == "queued", "its browser has two under way, one of them at another server"
    first.post(waiting[0].id, ME, {"kind": "stop"})
    wait_for(second, lambda: [run.ahead for run in waiting[1:]] == [1, 0, 2])  # the next has the turn of one that leaves the line
    second.post(other.id, other.owner, {"kind": "stop"})
    first.post(going[0], ME, {"kind": "stop"})
    wait_for(second, lambda: waiting[1].state == "running")
    assert waiting[2].state == "queued", "of what its browser may have the run that came first gets the rest, wherever it waits"


def test_a_run_that_rests_since_nobody_looks_goes_on_for_who_looks_at_another_server(start, database_url):
    first, second = start(database_url, unwatched_minutes=0.01), start(database_url)
    run = first.run(first.submit(lasting(), ME, speed=20))
    wait_for(first, lambda: run.state == "paused")
    theirs = shown_at(second, run.id, reached=0)
    wait_for(second, lambda: theirs.state == "paused")
    leave = second.watch(run.id)
    wait_for(first, lambda: run.state == "running")
    leave()
