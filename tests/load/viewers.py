"""Many viewers of one run. By hand: `PYTHONPATH=.:tests python tests/load/viewers.py --viewers 200 --seconds 600`.

Every viewer is a plain socket in one asyncio loop and checks each frame's step as it comes: none may be missing, none
may come twice. The run takes ten steps a second and every step is recorded. The server's processor time and memory are
its own process's, without workers; client and worker share the machine with it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import platform
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from engines import small
from servers import Server

RATE = 10
"""Steps a second of the run, each recorded."""
_STEP = re.compile(rb'\{"step":(\d+)')


class Viewer(asyncio.Protocol):
    """One stream; speaks HTTP/1.0 so that the body comes as it is."""

    def __init__(self, run: str) -> None:
        self._request = f"GET /skipviz/stream?runs={run} HTTP/1.0\r\n\r\n".encode()
        self._rest = b""
        self.next = 0
        """The step it expects."""
        self.faults: list[str] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        *messages, self._rest = (self._rest + data).split(b"\n\n")
        for message in messages:
            if b'"resync":true' in message:
                self.faults.append("told to begin anew")
            for step in map(int, _STEP.findall(message)):
                if step != self.next:
                    self.faults.append(f"step {step} came where {self.next} was due")
                self.next = step + 1

    def connection_lost(self, error) -> None:
        self.faults.append("the stream ended")


@dataclass
class Seen:
    """What the viewers saw and what it cost."""

    viewers: int
    seconds: float
    frames: int = 0
    faults: list[str] = field(default_factory=list)
    server_cores: float = 0.0
    memory_mb: list[float] = field(default_factory=list)
    """The server's resident memory, in equal intervals from when all watch to the end."""

    @property
    def growth_mb(self) -> float:
        return self.memory_mb[-1] - self.memory_mb[0]


def begun(port: int, steps: int) -> tuple[str, dict]:
    """Start the run that is watched, and return its id and its owner's headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers={"accept": "text/html"})
    answer = connection.getresponse()
    answer.read()
    headers = {"cookie": answer.headers["set-cookie"].partition(";")[0], "content-type": "application/json"}
    experiment = small(steps=steps, depth=24, record_every=1).model_dump(mode="json", exclude_defaults=True)
    connection.request("POST", "/skipviz/runs", json.dumps({"experiment": experiment, "speed": RATE}), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["run"], headers


async def watch(port: int, process: psutil.Process, run: str, seen: Seen) -> None:
    """Let the viewers watch for the given time and fill `seen`."""
    loop = asyncio.get_running_loop()
    viewers = []
    for _ in range(seen.viewers):
        _, viewer = await loop.create_connection(lambda: Viewer(run), "127.0.0.1", port)
        viewers.append(viewer)
    while min(viewer.next for viewer in viewers) == 0:
        await asyncio.sleep(0.05)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    first = sum(viewer.next for viewer in viewers)
    seen.memory_mb.append(process.memory_info().rss / 2**20)
    for _ in range(10):
        await asyncio.sleep(seen.seconds / 10)
        seen.memory_mb.append(process.memory_info().rss / 2**20)
    seen.server_cores = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    seen.frames = sum(viewer.next for viewer in viewers) - first
    seen.faults = [fault for viewer in viewers for fault in viewer.faults]
    for viewer in viewers:
        viewer.transport.abort()


def measured(server: Server, viewers: int, seconds: float) -> Seen:
    """Return what `viewers` saw of one run in `seconds`."""
    seen = Seen(viewers, seconds)
    run, headers = begun(server.port, steps=1_000_000)
    try:
        asyncio.run(watch(server.port, psutil.Process(server.pid), run, seen))
    finally:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", f"/skipviz/runs/{run}/events", json.dumps({"kind": "stop"}), headers)
        connection.getresponse().read()
        connection.close()
    return seen


def main() -> None:
    """Measure by hand and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "log.txt")
        try:
            server.wait_until_warm()
            load = os.getloadavg()[0]
            seen = measured(server, asked.viewers, asked.seconds)
        finally:
            server.close()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, load before {load:.1f}"
    facts = {
        "machine": machine,
        "viewers": seen.viewers,
        "seconds": seen.seconds,
        "frames_a_viewer_and_second": round(seen.frames / seen.viewers / seen.seconds, 2),
        "faults": len(seen.faults),
        "server_cores": round(seen.server_cores, 2),
        "memory_mb": [round(one, 1) for one in seen.memory_mb],
    }
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
