"""The first page's shared runs where this machine has no memory for them."""

import os
import signal
from contextlib import suppress

import pytest
from engines import wait_for, wait_for_end

from skipviz.engine.capacity import room
from skipviz.web.session_state import shared_demo


@pytest.fixture
def shown(engine, monkeypatch):
    """A shared demo that tries again at once; its runs end with the test."""
    monkeypatch.setattr(shared_demo, "RETRY_SECONDS", 0.0)
    started = shared_demo.SharedDemo()
    seen = set()

    def runs():
        found = started.runs(engine)
        seen.update(found.values())
        return found

    yield runs, lambda: started.absence(engine)
    for run_id in seen:
        end(engine, run_id)


def end(engine, run_id):
    run = engine.run(run_id)
    pid = wait_for(engine, lambda: run.ended or (run.header and engine.worker_pid(run_id)))
    if not run.ended:
        with suppress(ProcessLookupError):  # its 300 steps may be over just now
            os.kill(pid, signal.SIGKILL)
    wait_for_end(engine, run)


def test_a_shared_run_that_cannot_start_again_stays_as_it_was_recorded_and_the_others_go_on(engine, shown, monkeypatch):
    runs, absence = shown
    first = runs()
    assert (len(first), absence()) == (3, None)
    left = engine.run(first["left"])
    wait_for(engine, lambda: left.frames)
    end(engine, left.id)
    with monkeypatch.context() as short:
        short.setattr(room, "free_mb", lambda: 4.0)
        assert runs() == first
        assert absence() is None, "every panel has something to show"
    again = runs()
    assert again["left"] != left.id
    assert {**again, "left": left.id} == first


def test_where_no_shared_run_can_start_a_sentence_says_why_until_one_can(shown, monkeypatch):
    runs, absence = shown
    with monkeypatch.context() as short:
        short.setattr(room, "free_mb", lambda: 4.0)
        assert runs() == {}
        assert absence().startswith("The shared run could not start: this experiment needs about ")
        assert absence().endswith("this machine has 4 MB free now. What is drawn was measured before any training.")
    assert len(runs()) == 3
    assert absence() is None
