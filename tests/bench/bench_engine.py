"""Measures the engine and the stream, and prints JSON: `python tests/bench/bench_engine.py`.

Start: from posting a run to its first frame in the stream. Toggle: from posting an event to the frame that carries it.
Updates: of small networks with their decision boundary. Probe: from asking for a network's gradient at initialisation to
having it. Viewers: server CPU a viewer-frame at 50 viewers and 10 frames a second. Memory: a worker's own, and the server's.
All but the probe goes through a real server, over loopback. The load average stands beside the figures: a busy machine makes
every time longer.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import selectors
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from skipviz.engine import Engine  # noqa: E402
from skipviz.network import families  # noqa: E402
from skipviz.tasks.experiment import Experiment, Training  # noqa: E402
from skipviz.tasks.presets import get, vanishing  # noqa: E402
from skipviz.tasks.task import Task  # noqa: E402

VIEWERS, RATE, SECONDS = 50, 10, 10
WARMED = 500
"""Steps after which a run goes as it will go on."""
HEADERS = {"content-type": "application/json", "cookie": "skipviz=" + "a" * 32}


class Server:
    """`streamlit run app.py` on a free port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = ["-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.address", "127.0.0.1"]
        self._process = subprocess.Popen(
            [sys.executable, *command, "--server.port", str(self.port)], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        self.process = psutil.Process(self._process.pid)
        while not self._answers():
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.request("GET", "/skipviz/runs/none")
        except ConnectionRefusedError:
            return False
        return True

    def request(self, method: str, path: str, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, json.dumps(body) if body is not None else None, HEADERS)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def start(self, experiment: Experiment, **options) -> str:
        data = experiment.model_dump(mode="json", exclude_defaults=True)
        return self.request("POST", "/skipviz/runs", {"experiment": data, **options})["run"]

    def post(self, run: str, message) -> None:
        self.request("POST", f"/skipviz/runs/{run}/events", message)

    def listen(self, run: str):
        """Yield the stream's messages."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", f"/skipviz/stream?runs={run}", headers=HEADERS)
        response = connection.getresponse()
        try:
            while line := response.readline():
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            response.close()
            connection.close()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def milliseconds(seconds: list[float]) -> dict:
    ordered = sorted(1000 * value for value in seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": round(statistics.median(ordered), 1), "p95": round(p95, 1), "n": len(ordered)}


def measure_start(server: Server, experiment: Experiment, times: int = 20) -> dict:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run = server.start(experiment)
        next(message for message in server.listen(run) if message["frames"])
        taken.append(time.perf_counter() - began)
        server.post(run, {"kind": "stop"})
    return milliseconds(taken)


def measure_toggle(server: Server, experiment: Experiment, times: int = 40) -> dict:
    run = server.start(experiment)
    messages = server.listen(run)
    next(messages)
    ids, taken = [skip.id for skip in experiment.network.skips], []
    for number in range(times):
        began = time.perf_counter()
        server.post(run, {"kind": "skip", "ids": ids, "on": number % 2 == 0})
        next(message for message in messages if any(frame["events"] for frame in message["frames"]))
        taken.append(time.perf_counter() - began)
    server.post(run, {"kind": "stop"})
    return milliseconds(taken)


def measure_updates(server: Server, experiment: Experiment, seconds: float = 6.0) -> int:
    """Return the updates a second of a run that goes as fast as it can, with its picture, while one viewer follows it."""
    run = server.start(experiment)
    messages = server.listen(run)
    began, first = next((time.perf_counter(), message["step"]) for message in messages if message["step"] > WARMED)
    last, ended = next((message["step"], now) for message in messages if (now := time.perf_counter()) > began + seconds)
    server.post(run, {"kind": "stop"})
    return round((last - first) / (ended - began))


def measure_viewers(server: Server, experiment: Experiment) -> dict:
    """Return the server's CPU a viewer-frame: with viewers, less the same run without."""
    alone, _ = _cpu(server, experiment, 0)
    watched, frames = _cpu(server, experiment, VIEWERS)
    return {
        "viewers": VIEWERS,
        "frames_a_second": RATE,
        "viewer_frames": frames,
        "cpu_ms_a_viewer_frame": round(1000 * (watched - alone) / frames, 3),
        "server_cpu_share": round(watched / SECONDS, 3),
        "server_cpu_share_without_viewers": round(alone / SECONDS, 3),
    }


def _cpu(server: Server, experiment: Experiment, viewers: int) -> tuple[float, int]:
    run = server.start(experiment, speed=RATE)
    next(message for message in server.listen(run) if message["frames"])
    selector = selectors.DefaultSelector()
    for _ in range(viewers):
        viewer = socket.create_connection(("127.0.0.1", server.port))
        viewer.sendall(f"GET /skipviz/stream?runs={run} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        selector.register(viewer, selectors.EVENT_READ)
    _drain(selector, 2)
    before = sum(server.process.cpu_times()[:2])
    received = _drain(selector, SECONDS)
    spent = sum(server.process.cpu_times()[:2]) - before
    server.post(run, {"kind": "stop"})
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return spent, received.count(b'{"step":')


def _drain(selector: selectors.BaseSelector, seconds: float) -> bytes:
    received, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not selector.get_map():
            time.sleep(left)
        for key, _ in selector.select(left):
            received.append(key.fileobj.recv(1 << 20))
    return b"".join(received)


def measure_memory(server: Server, experiment: Experiment) -> dict:
    """Return MB: a worker's own (not shared with the fork server) after 300 steps, and the server's resident size."""
    fork_server = next(child for child in server.process.children() if "skipviz.engine.fork_server" in child.cmdline())
    before = {child.pid for child in fork_server.children()}
    run = server.start(experiment)
    next(message for message in server.listen(run) if message["step"] > 300)
    [worker] = [child for child in fork_server.children() if child.pid not in before]
    own = worker.memory_full_info().uss
    server.post(run, {"kind": "stop"})
    return {"worker_own_mb": round(own / 2**20, 1), "server_rss_mb": round(server.process.memory_info().rss / 2**20, 1)}


def measure_probe(engine: Engine, experiment: Experiment, times: int = 20) -> dict:
    """Return the milliseconds until an edited network's gradient at initialisation is there."""
    taken = []
    for seed in range(times):
        edited = experiment.replaced(training=experiment.training.replaced(seed=seed))
        began = time.perf_counter()
        assert engine.probe(edited, timeout=60)
        taken.append(time.perf_counter() - began)
    return milliseconds(taken)


def main() -> None:
    """Run every measurement against one server and print them as one JSON object."""
    spiral = vanishing(on=True).replaced(training=Training(steps=100_000))
    deep = Experiment(variants={"network": families.mlp(depth=60, width=64, skip_every=2)}, training=Training(steps=100_000))
    updates = {
        f"{depth} × {width}, batch 10": Experiment(
            variants={"network": families.mlp(depth=depth, width=width)}, training=Training(steps=1_000_000, batch_size=10)
        )
        for depth, width in ((6, 8), (20, 16))
    }
    engine = Engine().start()
    engine.wait_until_warm(60)
    measure_probe(engine, deep.replaced(task=Task(name="spiral", seed=1)), times=2)
    probes = {f"{one.network.depth} layers": measure_probe(engine, one) for one in (spiral, deep, get("residual-300"))}
    engine.close()
    server = Server()
    try:
        measure_start(server, spiral, times=3)
        result = {
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
            "load_before": os.getloadavg()[0],
            "start_to_first_frame_ms": {
                name: measure_start(server, one)
                for name, one in {"24 layers": spiral, "60 layers": deep, "300 layers": get("residual-300")}.items()
            },
            "toggle_to_frame_ms": {"24 layers": measure_toggle(server, spiral), "60 layers": measure_toggle(server, deep)},
            "updates_a_second": {name: measure_updates(server, one) for name, one in updates.items()},
            "probe_ms": probes,
            "memory": {"24 layers": measure_memory(server, spiral), "60 layers": measure_memory(server, deep)},
            "stream": measure_viewers(server, spiral),
        }
    finally:
        server.close()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
