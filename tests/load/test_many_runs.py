"""Many runs at once through few slots: all finish, browsers take turns, the memory stays within what is allowed.

The long form, `SKIPVIZ_LOAD=100 bash tests/run tests/load/test_many_runs.py -s`, prints its figures.
"""

import os
import statistics
import threading
import time
from itertools import pairwise

import pytest
from engines import PATIENCE, small

from skipviz.engine import Engine
from skipviz.engine.figures import own_memory_mb
from skipviz.settings import Settings

RUNS = int(os.environ.get("SKIPVIZ_LOAD", "12"))
BROWSERS, SLOTS = 4, 2


@pytest.fixture
def crowded():
    """An engine with two slots, and room in memory for them."""
    engine = Engine(Settings(max_running=SLOTS, max_queued=RUNS, total_memory_mb=256)).start()
    assert engine.wait_until_warm(PATIENCE)
    yield engine
    engine.close()


def test_runs_submitted_at_once_all_finish_in_turns_and_within_memory(crowded):
    news = threading.Event()
    began: dict[str, float] = {}
    took: dict[str, float] = {}

    def note(run_id):
        news.set()
        run = crowded.run(run_id)
        if run is not None and run.state == "running":
            began.setdefault(run_id, time.monotonic())
        elif run is not None and run.ended:
            took.setdefault(run_id, time.monotonic() - began.get(run_id, time.monotonic()))

    unsubscribe = crowded.subscribe(note)
    submitted = time.monotonic()
    runs = [crowded.run(crowded.submit(small(steps=150, seed=n), f"browser-{n % BROWSERS}")) for n in range(RUNS)]
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
    assert {run.state for run in runs} == {"finished"}
    assert most_workers <= SLOTS
    assert most_memory <= 256
    order = [run.owner for run in sorted(runs, key=lambda run: began[run.id])]
    for browser in set(order):
        places = [place for place, owner in enumerate(order) if owner == browser]
        assert max(later - earlier for earlier, later in pairwise(places)) <= BROWSERS + SLOTS - 1
