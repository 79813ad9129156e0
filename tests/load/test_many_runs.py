"""Many runs at once through few slots: all finish, browsers take turns, the memory stays within what is allowed.

The long form, `SKIPVIZ_LOAD=100 bash tests/run tests/load/test_many_runs.py -s`, prints its figures.
"""

import os
import statistics
import threading
import time
from itertools import zip_longest

import pytest
from engines import PATIENCE, endless, small, wait_for

from skipviz.engine import Engine
from skipviz.engine.capacity.limits import memory_mb
from skipviz.engine.figures import own_memory_mb
from skipviz.settings import Settings

RUNS = int(os.environ.get("SKIPVIZ_LOAD", "12"))
BROWSERS, SLOTS = 4, 2
RUN_MB = 40
"""More than one of these runs takes: what is said before it starts is 10, and what a worker begins with comes on top."""


@pytest.fixture
def crowded(tmp_path):
    """An engine with two slots, and room in memory for them."""
    engine = Engine(Settings(max_running=SLOTS, max_queued=RUNS, total_memory_mb=256, data_dir=tmp_path)).start()
    assert engine.wait_until_warm(PATIENCE)
    yield engine
    engine.close()


def test_runs_submitted_at_once_all_finish_in_turns_and_within_memory(crowded):
    news = threading.Event()
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    said: dict[str, tuple[float, int]] = {}

    def note(run_id):
        news.set()
        run = crowded.run(run_id)
        if run is not None and run.state == "queued" and run.wait is not None:
            said.setdefault(run_id, (time.monotonic(), run.wait))
        elif run is not None and run.state == "running":
            began.setdefault(run_id, time.monotonic())
        elif run is not None and run.ended:
            took.setdefault(run_id, time.monotonic() - began.get(run_id, time.monotonic()))

    first = [crowded.run(crowded.submit(endless(), "who-came-before")) for _ in range(SLOTS)]
    wait_for(crowded, lambda: all(run.state == "running" for run in first))
    unsubscribe = crowded.subscribe(note)
    submitted = time.monotonic()
    owners = sorted(f"browser-{n % BROWSERS}" for n in range(RUNS))  # all of one browser's before any of the next one's
    runs = [crowded.run(crowded.submit(small(steps=150, seed=n), owner)) for n, owner in enumerate(owners)]
    assert {run.state for run in runs} == {"queued"}
    for run in first:
        crowded.post(run.id, run.owner, {"kind": "stop"})
    most_workers, most_memory = 0, 0.0
    while not all(run.ended for run in runs):
        assert time.monotonic() - submitted < 20 * PATIENCE
        pids = [pid for run in runs if (pid := crowded.worker_pid(run.id))]
        most_workers = max(most_workers, len(pids))
        most_memory = max(most_memory, sum(map(own_memory_mb, pids)))
        news.wait(0.2)
        news.clear()
    seconds = time.monotonic() - submitted
    unsubscribe()
    waits = sorted(began[run.id] - submitted for run in runs)
    middle, longest, usual = statistics.median(waits), waits[-1], statistics.median(took.values())
    print(f"\n{RUNS} runs of {BROWSERS} browsers through {SLOTS} slots in {seconds:.1f} s, one in {usual:.2f} s (median)")
    print(f"in line {middle:.1f} s (median), {longest:.1f} s (longest); at most {most_workers} workers with {most_memory:.0f} MB")
    ratios = sorted(wait / (began[run_id] - at) for run_id, (at, wait) in said.items() if began[run_id] - at >= 1)
    if ratios:
        words = f"{statistics.median(ratios):.2f} (median), {ratios[0]:.2f} to {ratios[-1]:.2f}"
        print(f"wait as first said ÷ as waited from then on: {words}, of {len(ratios)} runs that waited a second or more")
    assert {run.state for run in runs} == {"finished"}
    assert most_workers <= SLOTS
    assert 0 < most_memory <= SLOTS * RUN_MB
    turns = [[run for run in runs if run.owner == browser] for browser in dict.fromkeys(owners)]
    fair = [run.id for turn in zip_longest(*turns) for run in turn if run is not None]
    assert sorted(began.keys() & {run.id for run in runs}, key=began.get) == fair


def test_runs_wait_while_those_before_them_hold_the_memory_there_is(tmp_path):
    engine = Engine(Settings(max_running=64, total_memory_mb=64, data_dir=tmp_path)).start()
    try:
        assert engine.wait_until_warm(PATIENCE)
        needed = memory_mb(small())
        fit = int(64 // needed)
        runs = [engine.run(engine.submit(small(steps=60, seed=n), "a-browser", paused=True)) for n in range(fit + 3)]
        wait_for(engine, lambda: all(run.header for run in runs[:fit]))
        assert [run.state for run in runs] == ["paused"] * fit + ["queued"] * 3
        held = sum(own_memory_mb(engine.worker_pid(run.id)) for run in runs[:fit])
        assert 0 < held <= 64 * 1.25  # they are let in by what was said of them, which is true within a quarter
        for run in runs:
            engine.post(run.id, "a-browser", {"kind": "resume"})
        wait_for(engine, lambda: all(run.ended for run in runs))
        assert {run.state for run in runs} == {"finished"}
        print(f"\n{fit} runs of {needed:.1f} MB fit into 64 MB and held {held:.1f} MB")
    finally:
        engine.close()
