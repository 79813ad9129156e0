"""Viewers of one run over two servers of a database, each of which goes on at the other when its stream ends.

By hand: `PYTHONPATH=.:tests:tests/cluster python tests/cluster/replicas.py --viewers 200 --seconds 600 URL`, with the URL of an
empty database. A viewer keeps frames as a page does: a snapshot is in the place of all before it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from engines import small
from machines import Machine

RATE = 10
"""Steps a second of the run, each recorded."""
AGAIN_SECONDS = 0.5
"""After which a stream that ended is opened anew: what the servers ask pages to wait."""
_STEP = re.compile(rb'\{"step":(\d+)')
_SEQUENCE = re.compile(rb'"seq":(\d+)')


@dataclass
class Viewer:
    """One page's stream; `ports` are asked in turn."""

    run: str
    ports: list[int]
    steps: list[int] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    """When the frame of each step came first."""
    faults: list[str] = field(default_factory=list)
    _reached: str = ""

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            for port in self.ports:
                try:
                    await self._listen(port)
                except OSError:
                    continue
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        try:
            seen = f"Last-Event-ID: {self._reached}\r\n" if self._reached else ""
            writer.write(f"GET /skipviz/stream?runs={self.run} HTTP/1.0\r\n{seen}\r\n".encode())
            while message := await reader.readuntil(b"\n\n"):
                self._take(message)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    def _take(self, message: bytes) -> None:
        if b'"resync":true' in message or b'"gone":true' in message:
            self._reached = ""
            return
        if found := _SEQUENCE.search(message):
            self._reached = f"{self.run}:{found[1].decode()}"
        steps = list(map(int, _STEP.findall(message)))
        if b'"snapshot":true' in message:
            self.steps = []
        for step in steps:
            if step != len(self.steps):
                self.faults.append(f"step {step} came where {len(self.steps)} was due")
            self.steps.append(step)
            if step >= len(self.arrivals):
                self.arrivals.append(time.monotonic())


@dataclass
class Seen:
    """What the viewers had of it."""

    frames: int
    """Frames of the viewer that has the fewest."""
    faults: list[str]
    away: float
    """The longest time in which a viewer saw nothing new, around the kill."""


async def watched(machines: list[Machine], viewers: int, seconds: float) -> Seen:
    """Let viewers watch a run of the first server for some seconds, kill that server, and let them watch as long again."""
    body = {"experiment": small(steps=1_000_000, record_every=1).model_dump(mode="json", exclude_defaults=True), "speed": RATE}
    run = (await asyncio.to_thread(machines[0].ask, "POST", "/skipviz/runs", body))[1]["run"]
    ports = [machine.port for machine in machines]
    pages = [Viewer(run, ports if number % 2 else ports[::-1]) for number in range(viewers)]
    watching = [asyncio.create_task(page.watch()) for page in pages]
    await _until(pages, watching, lambda page: len(page.steps) > RATE * seconds)
    machines[0].end(signal.SIGKILL)
    killed, there = time.monotonic(), max(len(page.arrivals) for page in pages)
    await _until(pages, watching, lambda page: len(page.steps) > there + RATE * seconds)
    for task in watching:
        task.cancel()
    away = max(page.arrivals[there] for page in pages) - killed
    return Seen(min(len(page.steps) for page in pages), [fault for page in pages for fault in page.faults], away)


async def _until(pages, watching, holds) -> None:
    end = time.monotonic() + 600
    while not all(map(holds, pages)):
        for task in watching:
            assert not task.done(), task.exception()
        assert time.monotonic() < end, [len(page.steps) for page in pages]
        await asyncio.sleep(0.05)


def main() -> None:
    """Measure by hand and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machines = [Machine(Path(folder)), Machine(Path(folder))]
        for machine in machines:
            machine.environment["SKIPVIZ_DATABASE_URL"] = asked.url
            machine.start()
        try:
            seen = asyncio.run(watched(machines, asked.viewers, asked.seconds))
        finally:
            for machine in machines:
                machine.end(signal.SIGKILL)
    print(json.dumps({"frames": seen.frames, "faults": seen.faults[:5], "away_seconds": round(seen.away, 2)}, indent=2))


if __name__ == "__main__":
    main()
