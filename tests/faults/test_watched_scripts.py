"""Scripts that watch their module, with the server that they start or find: it dies, they die, nobody is left."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from engines import PATIENCE

from skipviz.engine import Engine
from skipviz.settings import Settings
from skipviz.storage.folder import socket_of
from skipviz.storage.run import step_of

ROOT = Path(__file__).resolve().parents[2]
ME = "a-browser-of-a-test-1234"
LIVE = re.compile(r"skipviz: 2 residual skips over 6 layers.*; live at (http://127\.0\.0\.1:\d+/lab)\?run=([\w-]+)\n")


@pytest.fixture
def folder(tmp_path):
    """A folder of runs; a server that still serves it afterwards is ended."""
    yield tmp_path / "data"
    for process in servers_of(tmp_path / "data"):
        process.kill()


def servers_of(folder):
    """Return the processes that serve a folder: only tests' own have just this one."""
    found = []
    for process in psutil.process_iter():
        try:
            serves = "app.py" in " ".join(process.cmdline()) and process.environ().get("SKIPVIZ_DATA_DIR") == str(folder)
        except psutil.Error:
            continue
        found += [process] if serves else []
    return found


def begun(folder, *arguments, **settings):
    environment = {**os.environ, "SKIPVIZ_DATA_DIR": str(folder), "SKIPVIZ_WATCH": "1", "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, str(ROOT / "tests" / "watched_script.py"), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.05)
    return found


def kept(folder, run_id):
    """Return a run as the next server finds it."""
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        return engine.look_up(run_id)
    finally:
        engine.close()


def test_a_script_starts_a_lab_that_shows_its_run_outlives_it_and_ends_when_nobody_is_left(folder):
    script = begun(folder, 30, SKIPVIZ_IDLE_MINUTES="0.25")
    _, said = script.communicate(timeout=PATIENCE * 2)
    address, run_id = LIVE.match(said).groups()
    assert script.returncode == 0
    with urllib.request.urlopen(f"{address.removesuffix('lab')}skipviz/runs/{run_id}") as answer:
        assert b'"state":"finished"' in answer.read()
    until(lambda: not servers_of(folder))
    assert not socket_of(folder).exists()
    run = kept(folder, run_id)
    assert (run.state, run.step, run.steps, len(run.frames)) == ("finished", 30, 30, 30)


def test_a_script_whose_lab_is_killed_trains_on_starts_another_and_its_run_goes_on_there(folder):
    alone = begun(folder, 400, SKIPVIZ_WATCH="0").communicate(timeout=PATIENCE)[0]
    script = begun(folder, 400, "meet")
    said = script.stderr.readline()
    _, run_id = LIVE.fullmatch(said).groups()
    for server in servers_of(folder):
        server.kill()
    out, rest = script.communicate(timeout=PATIENCE * 2)
    assert script.returncode == 0
    assert out == alone  # the loss, to the last digit
    gone, again, end = rest.splitlines(keepends=True)
    assert gone == "skipviz: the lab's server is gone: what is recorded waits in this script until one is there\n"
    assert LIVE.fullmatch(again)[2] == run_id
    assert end.startswith("skipviz: 400 steps, loss ")
    assert end.endswith("; 400 recorded, the last of them too\n")
    for server in servers_of(folder):
        server.send_signal(signal.SIGTERM)
    until(lambda: not servers_of(folder))
    run = kept(folder, run_id)
    assert (run.state, run.step, [step_of(frame) for frame in run.frames]) == ("finished", 400, [*range(400)])


def test_an_error_of_the_script_is_the_runs_reason(folder):
    script = begun(folder, 5, "raise")
    _, said = script.communicate(timeout=PATIENCE * 2)
    assert script.returncode == 1
    run_id = LIVE.search(said)[2]
    for server in servers_of(folder):
        server.send_signal(signal.SIGTERM)
    until(lambda: not servers_of(folder))
    run = kept(folder, run_id)
    assert (run.state, run.reason, len(run.frames)) == ("failed", "its script ended with RuntimeError: out of luck", 5)


def test_two_scripts_that_begin_at_once_share_one_lab(folder):
    scripts = [begun(folder, 20) for _ in range(2)]
    found = [LIVE.match(script.communicate(timeout=PATIENCE * 2)[1]).groups() for script in scripts]
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]
    assert len(servers_of(folder)) == 1
