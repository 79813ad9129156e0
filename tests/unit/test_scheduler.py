"""What becomes of runs as time passes, on a clock that the test moves."""

from collections import Counter

import pytest
from engines import endless

from skipviz.engine.capacity.admission import Place
from skipviz.engine.capacity.elsewhere import Elsewhere
from skipviz.engine.scheduler import LEAVING_SECONDS, PERIOD, Callbacks, Scheduler
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
        given = lambda: Settings(**{"max_running": 1, **settings}), hands, lambda: self.now, lambda: self.beside_mb
        self.scheduler = Scheduler(*given, lambda: self.places)

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
    places = None


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


def test_a_worker_that_was_slow_to_begin_is_not_waited_for_any_longer_in_a_step():
    stage = Stage(step_seconds=10)
    run = stage.enter(a_run("x"))
    stage.pass_time(30)
    stage.scheduler.heard(run)
    run.header_json = b"{}"
    stage.scheduler.began(run)
    stage.now += 0.2
    stage.scheduler.heard(run)
    run.step = 1
    stage.pass_time(9)
    assert run.state == "running"
    stage.pass_time(2)
    assert (run.state, run.reason) == ("failed", "a step took longer than 10 s, and its worker was ended")


def test_a_run_waits_while_jobs_beside_the_runs_take_the_memory_that_it_needs():
    stage = Stage(total_memory_mb=64)
    stage.beside_mb = 60.0
    run = stage.enter(a_run("x"))
    assert run.state == "queued"
    stage.beside_mb = 50.0
    stage.scheduler.tick()
    assert run.state == "running"


def told(stage):
    """Return what a server's others are told of its runs."""
    waiting = [(*run.turn, run.created, run.owner) for run in stage.runs if run.state == "queued"]
    return waiting, Counter(run.owner for run in stage.runs if run.state == "running").items()


def test_servers_of_a_cluster_take_turns_however_many_runs_one_browser_has_in_line_at_one_of_them():
    """What one sees of the other is as old as a look; whose run ends sees the core that it leaves at once."""
    stages, begun = {name: Stage() for name in "ab"}, []
    for name, stage in stages.items():
        stage.runs = [Run(f"{name}{number}", f"browser of {name}", endless()) for number in range(10)]

    def look():
        running = {name: sum(run.state == "running" for run in stage.runs) for name, stage in stages.items()}
        for stage, (other, there) in zip(stages.values(), reversed(stages.items()), strict=True):
            stage.places = [Place("node", 2 - running[other], 1e6)]
            stage.scheduler.elsewhere = Elsewhere(*told(there))
        for stage in stages.values():
            stage.pass_time(PERIOD)
            begun.extend(run.id for run in stage.runs if run.state == "running" and run.id not in begun)

    for name, stage in stages.items():
        stage.places = [Place("node", 2, 1e6) if name == "a" else Place("node", 0, 1e6)]
        for run in stage.runs:
            stage.enter(run)
    look()
    for _ in range(8):
        stage, run = next((stage, run) for stage in stages.values() for run in stage.runs if run.state == "running")
        stage._change(run, "stopped")
        stage.scheduler.admit()
        for _ in range(3):
            look()
    assert begun[:2] == ["a0", "a1"]
    assert "".join(run[0] for run in begun[2:10]) == "abababab"


def test_what_is_left_to_other_servers_of_a_cluster_is_taken_where_they_do_not():
    stage = Stage()
    stage.places = [Place("node", 1, 1e6)]
    stage.scheduler.elsewhere = Elsewhere([(0, 1.0, 1.0, "whose run needs more memory than is free")])
    run, further = a_run("x"), a_run("y")
    stage.runs = (run, further)
    stage.enter(run)
    stage.enter(further)
    stage.pass_time(LEAVING_SECONDS - PERIOD)
    assert run.state == "queued"
    stage.pass_time(2 * PERIOD)
    assert (run.state, further.state) == ("running", "queued")
    stage._change(run, "stopped")
    stage.scheduler.admit()
    assert further.state == "running", "nothing more is left to a run that did not take it"


def test_a_turn_comes_after_all_that_is_known_of_other_lines_however_late_their_clocks_are():
    stage = Stage()
    stage.scheduler.elsewhere = Elsewhere([(0, 4e9, 1.0, "of a server whose clock is far ahead")])
    stage.scheduler.admit()
    going, run = stage.enter(a_run("x")), stage.enter(a_run("y"))
    assert (going.state, run.ahead) == ("running", 1)
    assert run.turn > (0, 4e9)


def test_a_browser_may_have_as_many_runs_as_the_limits_say_wherever_they_are():
    """One under way and one in line at another server, of two and two that may be, on a server with two cores."""
    stage = Stage(max_running=2, browser_running=2, browser_queued=2)
    stage.scheduler.elsewhere = Elsewhere([(0, 1.0, 1.0, "ann")], [("ann", 1)])
    runs = []
    while stage.scheduler.refusal("ann") is None:
        runs.append(stage.enter(a_run(str(len(runs)))))
    assert [run.state for run in runs] == ["queued", "queued"], "what came first elsewhere has the one core more that she may have"
    stage.scheduler.elsewhere = Elsewhere([], [("ann", 1)])
    stage.scheduler.admit()
    assert [run.state for run in runs] == ["running", "queued"]
    assert stage.scheduler.refusal("ann") is None
    assert stage.scheduler.refusal("bob") is None
