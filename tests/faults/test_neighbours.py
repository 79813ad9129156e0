"""What one run does to its worker touches no other run: its frames are those of a run alone, to the last bit."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from engines import PATIENCE, QUANTITIES, endless, frames_of, small, wait_for, wait_for_end

from skipviz.engine import Engine
from skipviz.engine.capacity import limits
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.experiment import Experiment

ANN, BOB = "a-browser-named-ann", "a-browser-named-bob"


@pytest.fixture(scope="module")
def hazardous():
    """An engine whose workers can be made to loop for ever, which gives a step ten seconds and a run 64 MB."""
    patched = pytest.MonkeyPatch()
    patched.setenv("PYTHONPATH", str(Path(__file__).parent / "never_returns"))
    patched.setattr(limits, "refusal", lambda experiment, limit: None)
    engine = Engine(Settings(max_running=2, run_memory_mb=64, step_seconds=10)).start()
    assert engine.wait_until_warm(PATIENCE)
    yield engine
    engine.close()
    patched.undo()


def neighbour():
    """An experiment that takes about as long as the hazards beside it."""
    return small(steps=600, record_every=50)


def measured(run):
    """Return the numbers of a run's scheduled frames."""
    frames = {frame["step"]: frame["variants"]["net"] for frame in frames_of(run)}
    return {step: {name: frames[step][name] for name in QUANTITIES} for step in (*range(0, 600, 50), 599)}


@pytest.fixture(scope="module")
def alone(hazardous):
    """The numbers of the neighbour's run while nothing else goes on."""
    return measured(wait_for_end(hazardous, hazardous.run(hazardous.submit(neighbour(), BOB))))


def test_an_endless_loop_is_ended_and_touches_nobody_else(hazardous, alone):
    looping = Experiment(variants={"never-returns": endless().network}, task=endless().task, training=endless().training)
    stuck = hazardous.run(hazardous.submit(looping, ANN))
    wait_for(hazardous, lambda: stuck.header)
    worker = psutil.Process(hazardous.worker_pid(stuck.id))
    beside = hazardous.run(hazardous.submit(neighbour(), BOB))
    wait_for_end(hazardous, stuck)
    assert (stuck.state, stuck.reason) == ("failed", "a step took longer than 10 s, and its worker was ended")
    assert measured(wait_for_end(hazardous, beside)) == alone
    wait_for(hazardous, lambda: not worker.is_running())


def test_a_memory_overrun_fails_its_own_run_and_touches_nobody_else(hazardous, alone):
    beside = hazardous.run(hazardous.submit(neighbour(), BOB))
    wide = Experiment(variants={"net": families.mlp(depth=60, width=512)})
    greedy = wait_for_end(hazardous, hazardous.run(hazardous.submit(wide, ANN)))
    assert (greedy.state, greedy.reason) == ("failed", "the run needed more than the 64 MB of memory that a run may take")
    assert measured(wait_for_end(hazardous, beside)) == alone
    following = hazardous.run(hazardous.submit(small(), ANN))
    assert wait_for_end(hazardous, following).state == "finished"


def test_a_fork_server_killed_while_one_run_trains_and_another_starts_touches_neither(hazardous, alone):
    beside = hazardous.run(hazardous.submit(neighbour(), BOB, speed=100))
    wait_for(hazardous, lambda: beside.step > 50)
    fork_server = hazardous.fork_server_pid
    starting = hazardous.run(hazardous.submit(neighbour(), ANN))
    os.kill(fork_server, signal.SIGKILL)
    assert beside.step < 500, "it is killed while that run trains"
    for run in (beside, starting):
        assert wait_for_end(hazardous, run).state == "finished"
        assert measured(run) == alone
    wait_for(hazardous, lambda: hazardous.fork_server_pid not in (None, fork_server))


def test_a_slow_run_is_not_taken_for_a_stuck_one(hazardous):
    run = hazardous.run(hazardous.submit(small(steps=2, record_every=1), ANN, speed=0.3))
    assert wait_for_end(hazardous, run).state == "finished"
