"""Runs that are kept no longer, end to end: by age, then by the size of all; a run that goes on stays whatever it takes."""

import signal
import sqlite3
import time
from contextlib import closing

from engines import PATIENCE, small

HOUR, DAY = 3600.0, 24 * 3600.0
ENDED = 5


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.05)
    return found


def submit(machine, speed=None, **training):
    experiment = small(depth=24, record_every=1, **training).model_dump(mode="json", exclude_defaults=True)
    return machine.ask("POST", "/skipviz/runs", {"experiment": experiment, "speed": speed})[1]["run"]


def test_old_runs_go_first_by_age_and_then_by_size_and_a_running_one_never(machine, tmp_path):
    machine.start()
    going = submit(machine, speed=5, steps=1_000_000)
    runs = [submit(machine, steps=150 + 20 * number, seed=number) for number in range(ENDED)]
    wait_until(lambda: all(machine.run(run)["state"] == "finished" for run in runs))
    machine.end(signal.SIGTERM)

    with closing(sqlite3.connect(tmp_path / "data" / "runs.sqlite")) as table, table:
        now = time.time()
        for number, run in enumerate(runs):
            ended = now - 31 * DAY if number == 1 else now - (ENDED - number) * HOUR
            table.execute("UPDATE runs SET ended = ?, created = ? WHERE id = ?", (ended, ended - HOUR, run))
        table.execute("UPDATE runs SET created = ? WHERE id = ?", (now - 60 * DAY, going))
        sizes = dict(table.execute("SELECT id, bytes FROM runs"))
    total = sum(sizes.values()) - sizes[runs[1]]
    gone = {runs[1]}
    for run in runs:
        if run not in gone and total > 2**20:
            gone.add(run)
            total -= sizes[run]
    kept = [run for run in runs if run not in gone]
    assert len(gone) > 1, f"they are too small for this test: {sizes}"
    assert kept

    machine.environment |= {"SKIPVIZ_KEEP_DAYS": "30", "SKIPVIZ_KEEP_MB": "1"}
    machine.start()
    wait_until(lambda: machine.ask("GET", f"/skipviz/runs/{runs[1]}")[0] == 404)
    status, answer = machine.ask("GET", "/skipviz/runs")
    assert (status, {run["id"] for run in answer["runs"]}) == (200, {going, *kept})
    assert answer["retention"] == (
        "Runs are kept for 30 days after their end, and while all runs here take less than 1 MB; then the oldest go first."
    )
    for run in gone:
        assert not (tmp_path / "data" / "runs" / run).exists()
        for path in (f"/skipviz/runs/{run}", f"/skipviz/runs/{run}.parquet"):
            assert machine.ask("GET", path)[0] == 404
    for run in kept:
        assert list((tmp_path / "data" / "runs" / run).glob("*.parquet"))
        assert machine.run(run)["state"] == "finished"
    wait_until(lambda: machine.run(going)["state"] == "running")
    reached = machine.run(going)["step"]
    wait_until(lambda: machine.run(going)["step"] > reached)
