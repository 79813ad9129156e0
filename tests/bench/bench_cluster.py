"""What a Ray cluster costs: start → first frame and toggle → its frame, on two nodes of this machine and on the machine itself.

python tests/bench/bench_cluster.py [toggles]
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "cluster"), str(TESTS.parent)]

from engines import small, wait_for, wait_for_end  # noqa: E402
from ray_cluster import RayCluster  # noqa: E402

from skipviz.engine import Engine  # noqa: E402
from skipviz.settings import Settings  # noqa: E402

ME = "me"
STARTS = 20
PAUSE = 0.1
"""Seconds between two toggles."""


def experiment():
    """Return 24 layers of 16 that train until they are stopped."""
    return small(steps=1_000_000, depth=24, record_every=1000)


def main() -> None:
    """Print both, alternating between the two engines."""
    toggles = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    cluster = RayCluster(2, 2)
    engines = {}
    for name, ray in (("embedded", ""), ("Ray", cluster.address)):
        engines[name] = Engine(Settings(data_dir=tempfile.mkdtemp(), ray=ray)).start()
        assert engines[name].wait_until_warm(300)
    time.sleep(20)  # the other node warms up
    starts, answers = {name: [] for name in engines}, {name: [] for name in engines}
    for _ in range(STARTS):
        for name, engine in engines.items():
            starts[name].append(start(engine))
    for name, engine in engines.items():
        answers[name] = toggle(engine, toggles)
    for name in engines:
        print(f"{name:>8}: start → first frame {told(starts[name])} of {STARTS}; toggle → frame {told(answers[name])} of {toggles}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for engine in engines.values():
        engine.close()
    cluster.close()


def start(engine) -> float:
    """Return the seconds from a submission to the first frame."""
    began = time.perf_counter()
    run = engine.run(engine.submit(experiment(), ME))
    came = first(engine, run, lambda: run.frames)
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)
    return came - began


def toggle(engine, times: int) -> list[float]:
    """Return the seconds from toggles of a skip to the frames that show them, while the run trains."""
    run = engine.run(engine.submit(experiment(), ME))
    wait_for(engine, lambda: run.frames)
    skip, taken = run.experiment.variants["net"].skips[0].id, []
    for number in range(times):
        time.sleep(PAUSE)
        began = time.perf_counter()
        engine.post(run.id, ME, {"kind": "skip", "ids": [skip], "on": bool(number % 2)})
        taken.append(first(engine, run, lambda number=number: len(run.events) > number) - began)
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)
    return taken


def first(engine, run, condition) -> float:
    """Return when `condition()` first held, looked at with each news of the run."""
    came = threading.Event()
    at = []

    def look(run_id):
        if run_id == run.id and not at and condition():
            at.append(time.perf_counter())
            came.set()

    leave = engine.subscribe(look)
    look(run.id)
    assert came.wait(60)
    leave()
    return at[0]


def told(seconds: list[float]) -> str:
    """Return median and 95th percentile."""
    return f"{statistics.median(seconds) * 1000:.0f} / {statistics.quantiles(seconds, n=20)[-1] * 1000:.0f} ms (median / p95)"


if __name__ == "__main__":
    main()
