"""What becomes of runs as time passes, on a clock that the test moves."""

import pytest
from engines import endless

from skipviz.engine.scheduler import PERIOD, Callbacks, Scheduler
from skipviz.settings import Settings
from skipviz.storage import Run


class Stage:
    """A scheduler whose workers do nothing but hear what they are told."""

    def __init__(self, **settings):
        self.now, self.sent = 0.0, []
        hands = Callbacks(
            begin=lambda run, needs: self._change(run, "running"),
            send=lambda run, data: self.sent.append((run.id, data["kind"])),
            change=self._change,
            tell=lambda run: None,
            abandon=lambda run, reason: self._change(run, "failed", reason),
            hold=lambda run, cores: None,
            pid=lambda run: None,
        )
        self.scheduler = Scheduler(
            lambda: Settings(**{"max_running": 1, **settings}), hands, lambda: self.now, lambda: self.beside_mb
        )

    def _change(self, run, state, reason=None):
        run.state, run.reason = state, reason
        if run.ended:
            self.scheduler.leave(run)

    def enter(self, run):
        self.scheduler.enter(run, 10.0)
        self.scheduler.admit()
        return run

    def pass_time(self, seconds):
        """Let time pass while every worker says something now and then."""
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            for live in list(self.runs):
                live.step += 1
                self.scheduler.heard(live)
            self.scheduler.tick()

    runs = ()
    beside_mb = 0.0


def a_run(name, **facts):
    return Run(name, "ann", endless(), **facts)


def test_a_resumed_run_has_the_time_left_that_it_had_when_it_ended():
    stage = Stage(run_minutes=1)
    run = stage.enter(a_run("x"))
    stage.runs = (run,)
    stage.pass_time(40)
    stage._change(run, "failed", "the run's worker is gone")
    assert run.trained == pytest.approx(40)
    run.state = "queued"
    stage.enter(run)
    stage.pass_time(19)
    assert stage.sent == []
    stage.pass_time(2)
    assert stage.sent == [("x", "stop")]
    assert run.reason == "stopped after 1 minute of training, this server's limit for a run"


def test_time_in_line_and_paused_is_no_time_of_training():
    stage = Stage()
    first, second = stage.enter(a_run("x")), stage.enter(a_run("y"))
    stage.runs = (first,)
    stage.pass_time(10)
    stage.scheduler.changed(first, "paused")
    stage.pass_time(10)
    assert (first.trained, second.state) == (pytest.approx(10), "running")
    assert second.trained == pytest.approx(10, abs=PERIOD)


def test_why_a_run_is_stopped_is_not_forgotten_where_its_worker_says_late_that_it_runs():
    stage = Stage(run_minutes=0.01)
    run = stage.enter(a_run("x"))
    stage.pass_time(1)
    assert stage.sent == [("x", "stop")]
    assert stage.scheduler.changed(run, "running") == run.reason == "stopped after 0.6 s of training, this server's limit for a run"


def test_a_run_waits_while_jobs_beside_the_runs_take_the_memory_that_it_needs():
    stage = Stage(total_memory_mb=64)
    stage.beside_mb = 60.0
    run = stage.enter(a_run("x"))
    assert run.state == "queued"
    stage.beside_mb = 50.0
    stage.scheduler.tick()
    assert run.state == "running"
