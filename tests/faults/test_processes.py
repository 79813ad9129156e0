"""What a person sees when processes die, are too slow or take too much, and that nothing is left behind."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from engines import PATIENCE, endless, frames_of, small, wait_for, wait_for_end
from ports import free_port

from skipviz.engine import Engine
from skipviz.engine.capacity import limits
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

ME = "owner-of-these-tests"
ROOT = Path(__file__).resolve().parents[2]


def children(engine):
    """Return the process ids that the engine's fork server has forked."""
    return {process.pid for process in psutil.Process(engine.fork_server_pid).children()}


@pytest.fixture
def lively(engine):
    """A run that goes on, and its worker's process id."""
    assert engine.probe(small(), timeout=PATIENCE), "the initialisation worker is there"
    before = children(engine)
    run = engine.run(engine.submit(endless(), ME))
    wait_for(engine, lambda: run.step > 0)
    [pid] = children(engine) - before
    yield run, pid
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)


def test_a_killed_worker_fails_its_run_with_a_reason_and_the_next_run_starts(engine, lively):
    run, pid = lively
    os.kill(pid, signal.SIGKILL)
    wait_for_end(engine, run)
    assert run.state == "failed"
    assert re.fullmatch(r"the run's worker was ended by signal 9 \(killed\)(; it held \d+ MB of memory)?", run.reason)
    following = engine.run(engine.submit(small(), ME))
    assert wait_for_end(engine, following).state == "finished"


def test_a_killed_fork_server_is_replaced_and_running_runs_survive(engine, lively):
    run, _ = lively
    old = engine.fork_server_pid
    os.kill(old, signal.SIGKILL)
    wait_for(engine, lambda: engine.fork_server_pid not in (None, old))
    there = run.step
    wait_for(engine, lambda: run.step > there)
    assert run.state == "running"
    following = engine.run(engine.submit(small(), ME))
    assert wait_for_end(engine, following).state == "finished"
    assert engine.probe(small(seed=71), timeout=PATIENCE) is not None


def test_a_worker_that_outlived_its_fork_server_and_is_killed_fails_its_run(engine, lively):
    run, pid = lively
    old = engine.fork_server_pid
    os.kill(old, signal.SIGKILL)
    wait_for(engine, lambda: engine.fork_server_pid not in (None, old))
    os.kill(pid, signal.SIGKILL)
    wait_for_end(engine, run)
    assert (run.state, run.reason) == ("failed", "the run's worker is gone")


def test_a_run_submitted_while_the_fork_server_is_dead_starts_all_the_same(engine):
    old = engine.fork_server_pid
    os.kill(old, signal.SIGKILL)
    run = engine.run(engine.submit(small(), ME))
    assert wait_for_end(engine, run).state == "finished"


def test_a_worker_stuck_in_a_step_is_ended_when_its_run_is_stopped(engine, lively):
    run, pid = lively
    os.kill(pid, signal.SIGSTOP)
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).state == "stopped"
    wait_for(engine, lambda: not psutil.pid_exists(pid))


@pytest.mark.usefixtures("forked")
def test_a_measurement_over_its_time_is_given_up_and_the_next_is_made():
    engine = Engine(Settings(max_running=1, probe_seconds=3)).start()
    try:
        assert engine.wait_until_warm(PATIENCE)
        assert engine.probe(small(), timeout=PATIENCE) is not None
        long = families.conv(depth=80, width=128, input=(1, 8, 8))
        deep = Experiment(variants={"net": long}, task=Task(name="digits"), training=Training(batch_size=100))
        assert engine.probe(deep, timeout=PATIENCE) == {
            "problem": "This network's gradient takes over 3 s to measure: Start shows it."
        }
        assert engine.probe(small(seed=1), timeout=PATIENCE) is not None
    finally:
        engine.close()


@pytest.mark.usefixtures("forked")
def test_a_run_that_takes_more_memory_than_it_may_fails_with_the_bound(monkeypatch):
    monkeypatch.setattr(limits, "refusal", lambda experiment, limit: None)
    engine = Engine(Settings(max_running=1, run_memory_mb=64)).start()
    try:
        wide = Experiment(variants={"net": families.mlp(depth=60, width=512)})
        run = wait_for_end(engine, engine.run(engine.submit(wide, ME)))
        assert (run.state, run.reason) == ("failed", "the run needed more than the 64 MB of memory that a run may take")
    finally:
        engine.close()


def test_a_run_works_alike_in_a_fresh_process():
    engine = Engine(Settings(max_running=1, start="spawn")).start()
    try:
        run = engine.run(engine.submit(small(), ME, paused=True))
        engine.post(run.id, ME, {"kind": "resume"})
        assert wait_for_end(engine, run).state == "finished"
        assert {*range(0, 40, 5), 39} <= {frame["step"] for frame in frames_of(run)}
    finally:
        engine.close()


def test_the_server_process_never_holds_torch_and_takes_its_processes_along_when_killed():
    script = """
import sys
from engines import endless, wait_for
from skipviz.engine import get_engine
import skipviz.web.http.routes

engine = get_engine()
assert engine.probe(endless(), timeout=60)
run = engine.run(engine.submit(endless(), "me"))
wait_for(engine, lambda: run.step > 0)
print("torch" in sys.modules, "sklearn" in sys.modules, engine.fork_server_pid, flush=True)
sys.stdin.read()
"""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    server = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    with server:
        torch, sklearn, fork_server = server.stdout.readline().split()
        helper = psutil.Process(int(fork_server))
        family = [helper, *helper.children()]
        server.kill()
    assert (torch, sklearn) == ("False", "False")
    # The helper, the run's worker and an initialisation worker, or two: what is measured for long goes on in a second one.
    assert len(family) in (3, 4)
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert alive == []


def test_a_worker_never_holds_streamlit():
    script = """
import sys
from skipviz.engine import fork_server
from skipviz.engine.processes import initialisation, worker
for warm_up in fork_server.warm_ups():
    warm_up()
print([name for name in ("streamlit", "pandas", "plotly", "skipviz.web") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_server_answers_streams_a_run_and_stops_at_once_with_a_stream_open(tmp_path):
    port = free_port()
    command = ["-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, *command, "--server.headless", "true"], cwd=ROOT, stdout=log, stderr=log)
    try:
        cookie = _page(port).headers["set-cookie"].split(";")[0]
        body = json.dumps({"experiment": endless().model_dump(mode="json", exclude_defaults=True)})
        headers = {"content-type": "application/json", "cookie": cookie}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("POST", "/skipviz/runs", body, headers)
        run = json.loads(connection.getresponse().read())["run"]
        connection.request("GET", f"/skipviz/stream?runs={run}")
        stream = connection.getresponse()
        while b'"frames":[{' not in stream.readline():
            pass
        family = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=PATIENCE) in (0, -signal.SIGTERM), "uvicorn raises the signal again once it has shut down"
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert alive == []
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def _page(port):
    """Return the response to a browser's first request, asked until the server is up."""
    end = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"accept": "text/html"})
            return connection.getresponse()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the server did not come up"
