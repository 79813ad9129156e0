"""How much a run hears at most: what waits for a step that is far away, and what it keeps of its events."""

import pytest
from engines import endless, small, wait_for, wait_for_end

from skipviz.engine import EngineError
from skipviz.engine.capacity import budget

ME = "owner-of-these-tests"
FAR = {"kind": "rate", "learning_rate": 0.5, "step": 900_000}


@pytest.fixture
def run(engine):
    """A run that rests before its first step."""
    run = engine.run(engine.submit(endless(), ME, paused=True))
    wait_for(engine, lambda: run.header)
    yield run
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)


def refused(engine, run, message):
    """Return the sentence with which a message is refused."""
    with pytest.raises(EngineError) as refusal:
        engine.post(run.id, ME, message)
    assert refusal.value.status == 413
    return str(refusal.value)


def test_events_wait_for_a_far_step_up_to_a_bound_and_the_run_can_still_be_stepped(engine, run):
    for _ in range(budget.MOST_WAITING):
        engine.post(run.id, ME, FAR)
    assert refused(engine, run, FAR) == "1,000 events of this run wait to act already: let it go on first"
    assert len(run.waiting) == budget.MOST_WAITING
    engine.post(run.id, ME, {"kind": "step"})
    wait_for(engine, lambda: run.step == 1)


def test_a_run_keeps_its_events_up_to_a_bound_and_still_stops(engine, run, monkeypatch):
    monkeypatch.setattr(budget, "MOST_EVENT_BYTES", 1000)
    while run.event_bytes <= 1000:
        engine.post(run.id, ME, {"kind": "rate", "learning_rate": 0.5})
    words = refused(engine, run, {"kind": "rate", "learning_rate": 0.5})
    assert words == "this run has been switched as often as one run keeps: start it again to go on switching"
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).state == "stopped"


def test_a_run_in_line_keeps_a_bounded_number_of_controls(engine, monkeypatch):
    monkeypatch.setattr(budget, "MOST_WAITING", 20)
    before = [engine.run(engine.submit(endless(), ME)) for _ in range(2)]
    waiting = engine.run(engine.submit(small(), ME))
    assert waiting.state == "queued"
    for _ in range(19):  # beside its request
        engine.post(waiting.id, ME, {"kind": "speed", "steps_per_second": 50})
    assert refused(engine, waiting, {"kind": "speed", "steps_per_second": 50}).startswith("20 events of this run wait")
    for run in (waiting, *before):
        engine.post(run.id, ME, {"kind": "stop"})
        wait_for_end(engine, run)
