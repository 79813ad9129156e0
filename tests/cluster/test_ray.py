"""Runs, measurements and sweeps on the nodes of a Ray cluster: as on one machine, to the bit."""

import json
import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from engines import PATIENCE, endless, frames_of, measured, small, undisturbed, wait_for, wait_for_end
from own_data import experiment_on, table_file, task_of
from ports import free_port

from skipviz.engine import Engine, EngineError
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.sweep import sweep_of

ME = "me"
STARTING = 300
"""Seconds after which a test gives up what has to start first: an interpreter that imports Ray or torch, on a busy machine."""


def test_the_way_to_a_cluster_that_does_not_answer_ends_with_its_server():
    server, end = socket.socketpair()
    command = [sys.executable, "-m", "skipviz.engine.processes.cluster", str(end.fileno()), f"127.0.0.1:{free_port()}"]
    started = subprocess.Popen(command, pass_fds=[end.fileno()], stderr=subprocess.DEVNULL)
    end.close()
    server.close()
    assert started.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """An engine on this machine alone."""
    engine = Engine(Settings(data_dir=tmp_path_factory.mktemp("alone"))).start()
    assert engine.wait_until_warm(120)
    yield engine
    engine.close()


def finished(engine, experiment, events=()):
    run = wait_for_end(engine, engine.run(engine.submit(experiment, ME, events=events)))
    assert run.state == "finished", run.reason
    return run


def going(engine):
    """Return a run that has a checkpoint and frames behind it."""
    run = engine.run(engine.submit(endless(record_every=5), ME, speed=60))
    wait_for(engine, lambda: run.checkpoint and len(run.frames) > 30 and run.step > run.checkpoint, STARTING)
    return run


def stopped(engine, run):
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).state == "stopped", run.reason


def actors():
    """Return the processes of the nodes' actors."""
    return [one for one in psutil.Process().children(recursive=True) if "ray::Node" in (one.name(), *one.cmdline()[:1])]


def place(engine, run):
    """Return the name of the node that a run is on, or None."""
    with engine._lock:
        live = engine._scheduler._live.get(run.id)
        return live and live.place


def has_nodes(engine, count):
    wait_for(engine, lambda: len(engine._launcher.nodes) == count, STARTING)


def is_one_record(engine, run):
    """Check that a run has every frame of its schedule once, each as an undisturbed run has it."""
    steps = [frame["step"] for frame in frames_of(run)]
    assert steps == sorted(set(steps))
    assert set(range(0, steps[-1], run.experiment.training.record_interval())) <= set(steps)
    assert measured(frames_of(run)) == undisturbed(engine, run)


def test_a_run_on_a_node_has_the_frames_of_one_on_this_machine(spread, alone):
    experiment = small(steps=60)
    off = SkipEvent(ids=[experiment.variants["net"].skips[0].id], on=False, step=20)
    there, here = finished(spread, experiment, [off]), finished(alone, experiment, [off])
    assert measured(frames_of(there)) == measured(frames_of(here))
    assert [frame["events"] for frame in frames_of(there)] == [frame["events"] for frame in frames_of(here)]


def test_a_node_has_peoples_own_data_from_the_url_and_keeps_checkpoints_there(spread, nodes):
    experiment = experiment_on(task_of(spread.uploads, table_file(), "table.csv", "kind"))
    assert spread.probe(experiment, 60)["frame"]["variants"]["net"]["weight_grad"]
    run = finished(spread, experiment)
    kept = spread.checkpoint(run)
    assert kept.place == f"{spread.settings.blobs}/runs/{run.id}"
    assert kept.exists()
    assert not list(spread.settings.data_dir.rglob("*.npz"))
    assert not nodes.data_dir.exists(), "a node needs no folder of the server's, and fills none of its own"


def test_a_toggle_reaches_a_run_on_a_node(spread):
    run = spread.run(spread.submit(endless(), ME, speed=20))
    wait_for(spread, lambda: run.frames)
    spread.post(run.id, ME, {"kind": "skip", "ids": [run.experiment.variants["net"].skips[0].id], "on": False})
    wait_for(spread, lambda: any(frame["events"] for frame in frames_of(run)))
    stopped(spread, run)


def test_a_network_is_measured_on_a_node_as_on_this_machine(spread, alone):
    there, here = spread.probe(small(), 60), alone.probe(small(), 60)
    assert there["frame"]["variants"]["net"]["weight_grad"] == here["frame"]["variants"]["net"]["weight_grad"]


def test_a_run_whose_actor_is_killed_goes_on_from_its_checkpoint_to_the_bit(spread):
    run = going(spread)
    for actor in actors():
        actor.kill()
    wait_for(spread, lambda: run.moved, STARTING)
    reached = run.moved[-1]
    wait_for(spread, lambda: run.state == "running" and run.frames and run.step > reached + 50, STARTING)
    stopped(spread, run)
    is_one_record(spread, run)
    assert b'"moved":[%d]' % reached in run.snapshot()[1]


def test_a_run_goes_on_when_the_process_that_joins_the_cluster_is_killed(spread):
    run = going(spread)
    os.kill(spread.fork_server_pid, signal.SIGKILL)
    wait_for(spread, lambda: run.moved, STARTING)
    wait_for(spread, lambda: run.state == "running" and run.frames and run.step > run.moved[-1] + 50, STARTING)
    stopped(spread, run)
    is_one_record(spread, run)


def test_a_worker_that_is_killed_on_a_node_fails_its_run_as_on_this_machine(spread):
    run = going(spread)
    workers = [child for actor in actors() for server in actor.children() for child in server.children()]
    busiest = max(workers, key=lambda worker: sum(worker.cpu_times()[:2]))
    busiest.kill()
    assert wait_for_end(spread, run).reason.startswith("the run's worker was ended by signal 9 (killed)")
    assert not run.moved


def test_runs_begin_on_all_nodes_and_wait_in_line_for_the_cores_of_the_cluster(spread):
    has_nodes(spread, 2)
    runs = [spread.run(spread.submit(endless(), f"browser {number}", speed=20)) for number in range(5)]
    wait_for(spread, lambda: sum(run.state == "running" and bool(run.frames) for run in runs) == 4)
    assert [run.state for run in runs] == ["running"] * 4 + ["queued"]
    places = [place(spread, run) for run in runs[:4]]
    assert {places.count(name) for name in places} == {2}
    spread.post(runs[0].id, "browser 0", {"kind": "pause"})  # a paused run holds no core
    wait_for(spread, lambda: runs[4].state == "running")
    assert place(spread, runs[4]) == places[0]
    spread.post(runs[0].id, "browser 0", {"kind": "resume"})
    wait_for(spread, lambda: runs[0].state == "queued")
    for number, run in enumerate(runs):
        spread.post(run.id, f"browser {number}", {"kind": "stop"})
    for run in runs:
        wait_for_end(spread, run)


def test_what_runs_take_is_held_in_the_cluster_and_let_go_of(spread, nodes):
    run = going(spread)
    wait_for(spread, lambda: nodes.free("CPU") == 3, 60)
    assert nodes.free("memory") < 2 * nodes.memory_mb * 2**20
    spread.post(run.id, ME, {"kind": "pause"})
    wait_for(spread, lambda: nodes.free("CPU") == 4, 60)
    stopped(spread, run)
    wait_for(spread, lambda: nodes.free("memory") == 2 * nodes.memory_mb * 2**20, 60)


def test_two_servers_take_turns_for_the_cores_of_the_cluster(spread, tmp_path):
    other = Engine(spread.settings.model_copy(update={"data_dir": tmp_path})).start()
    has_nodes(other, 2)
    runs = [spread.run(spread.submit(endless(), ME, speed=20)) for _ in range(4)]
    wait_for(spread, lambda: all(run.frames for run in runs))
    wait_for(other, lambda: sum(cores for _, cores, *_ in other._launcher.nodes) == 0, 60)
    behind = [spread.run(spread.submit(endless(), ME, speed=20)) for _ in range(3)]
    late = other.run(other.submit(endless(), "another browser", speed=20))
    with pytest.raises(AssertionError):
        wait_for(other, lambda: late.state != "queued", 3)
    ended = 0
    while late.state == "queued" and ended < 3:  # a server that is slow may miss a turn
        stopped(spread, runs[ended])
        ended += 1
        wait_for(spread, lambda ended=ended: sum(run.state == "running" for run in (*behind, late)) == ended)
    wait_for(other, lambda: late.state == "running" and late.frames)
    assert "queued" in [run.state for run in behind], "whoever comes from the other server goes before some of them"
    other.post(late.id, late.owner, {"kind": "stop"})
    wait_for_end(other, late)
    other.close()
    for run in (*behind, *runs[ended:]):
        stopped(spread, run)


def test_a_run_on_a_gpu_has_an_actor_of_its_own_that_holds_its_share(spread, nodes):
    """The nodes say that they have a GPU each; here torch finds none, so the run ends with torch's own word."""
    run = spread.run(spread.submit(small(device="cuda"), ME))
    wait_for(spread, lambda: nodes.free("GPU") == 1.75, STARTING)
    assert wait_for_end(spread, run).state == "failed"
    assert "CUDA" in run.reason or "NVIDIA" in run.reason
    wait_for(spread, lambda: nodes.free("GPU") == 2 and nodes.free("CPU") == 4)


def test_a_run_that_no_node_can_hold_is_refused_with_a_sentence(spread):
    wide = families.mlp(depth=8, width=4000)
    with pytest.raises(EngineError, match="no node of the cluster has more than"):
        spread.submit(endless().replaced(variants={"net": wide}), ME)


def test_a_node_that_dies_loses_and_doubles_no_frame_and_no_cell(spread, nodes):
    has_nodes(spread, 2)
    _kill_a_node_in_the_middle(spread, nodes, cells=12, steps=150)


@pytest.mark.cluster_long
def test_a_sweep_of_64_cells_loses_and_doubles_none_when_a_node_dies(spread, nodes):
    has_nodes(spread, 2)
    _kill_a_node_in_the_middle(spread, nodes, cells=64, steps=400)


def _kill_a_node_in_the_middle(engine, nodes, cells, steps):
    """Kill the second node while a run computes on each and cells of a sweep on both."""
    runs = [going(engine), going(engine)]
    seeds = ", ".join(str(seed) for seed in range(cells))
    swept = sweep_of(small(steps=steps), [("seed", seeds.split(", "))])
    job = engine.jobs.find(engine.jobs.submit("sweep", swept.model_dump(mode="json", exclude_defaults=True), ME))
    wait_for(engine.jobs, lambda: len(job.rows) >= 2)
    doomed = nodes.nodes.pop()
    lost = [run for run in runs if place(engine, run) == doomed.node_id]
    assert len(lost) == 1
    nodes.kill(doomed)
    wait_for(engine, lambda: lost[0].moved, STARTING)
    nodes.nodes.append(nodes.add(2))
    wait_for(engine.jobs, lambda: not job.under_way, STARTING)
    assert job.state == "finished", job.reason
    rows = [json.loads(row) for row in job.rows]
    assert sorted(row["cell"] for row in rows) == list(range(cells))
    assert {row["state"] for row in rows} == {"finished"}
    wait_for(engine, lambda: all(run.state == "running" and run.frames for run in runs), STARTING)
    for run in runs:
        stopped(engine, run)
        is_one_record(engine, run)
    assert [bool(run.moved) for run in runs] == [run in lost for run in runs]
