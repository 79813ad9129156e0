"""What one learner costs a server, and what crowds of them come to: run by hand, prints JSON.

`PYTHONPATH=.:tests:tests/load python tests/bench/bench_capacity.py` opens `PAGES` scripted sessions on the lab and keeps them open:
the server's own processor time and memory for one page. Some of them start the run that the lab offers, as fast as it goes: their
workers' processor time, the bytes of its stream, the server's time for all of it. Processor time and memory are the
processes' own, so other work on the machine counts in neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import tempfile
import time
from pathlib import Path

import psutil
from servers import Server
from sessions import Session

PAGES, RUNS = 40, 10
CROWDS = (1_000, 10_000, 100_000)
COMES, BETWEEN = 3600.0, 60.0
"""Seconds over which a crowd opens its pages, and between two runs that one learner starts."""


def processor(process: psutil.Process) -> float:
    """Return the seconds of processor time that a process has taken."""
    times = process.cpu_times()
    return times.user + times.system


async def watched(session: Session, port: int) -> dict:
    """Start a session's run and follow it to its end; what it came to."""
    answer = await session.post(f"/skipviz/labs/{session.data['lab']['id']}", {"op": "start"})
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    received = frames = 0
    with contextlib.closing(writer):
        writer.write(f"GET /skipviz/stream?runs={answer['run']} HTTP/1.0\r\n\r\n".encode())
        while line := await reader.readline():
            received += len(line)
            frames += line.count(b'{"step":')
            if any(f'"state":"{state}"'.encode() in line for state in ("finished", "failed", "diverged")):
                break
    return {"run": answer["run"], "frames": frames, "bytes": received}


async def measured(server: Server) -> dict:
    """Return the costs of a page and of a run."""
    process = psutil.Process(server.pid)
    async with contextlib.AsyncExitStack() as stack:
        warm = Session(server.port, 0)
        await stack.enter_async_context(warm.opened())
        began, held = processor(process), process.memory_info().rss
        sessions = [Session(server.port, number + 1) for number in range(PAGES)]
        for session in sessions:
            await stack.enter_async_context(session.opened())
        page = {
            "server_seconds": (processor(process) - began) / PAGES,
            "server_mb": (process.memory_info().rss - held) / PAGES / 2**20,
        }
        helpers = [child for child in process.children(recursive=True) if "fork_server" in " ".join(child.cmdline())]
        began, workers = processor(process), sum(map(_with_ended, helpers))
        runs = [await watched(session, server.port) for session in sessions[:RUNS]]
        await asyncio.sleep(1.0)
        run = {
            "server_seconds": (processor(process) - began) / RUNS,
            "worker_seconds": (sum(map(_with_ended, helpers)) - workers) / RUNS,
            "frames": sum(one["frames"] for one in runs) / RUNS,
            "bytes": sum(one["bytes"] for one in runs) / RUNS,
        }
    return {"page": page, "run": run}


def _with_ended(process: psutil.Process) -> float:
    """Return the processor time of a process and of its children that have ended."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def crowds(page: dict, run: dict) -> dict:
    """Return what so many learners take, each with a page open and a run every `BETWEEN` seconds."""
    return {
        f"{learners:,}": {
            "cores for pages that open": round(learners / COMES * page["server_seconds"], 1),
            "cores of servers for runs": round(learners / BETWEEN * run["server_seconds"], 1),
            "cores of workers": round(learners / BETWEEN * run["worker_seconds"], 1),
            "GB of servers": round(learners * page["server_mb"] / 1024, 1),
            "frames written a second": round(learners / BETWEEN * run["frames"]),
            "Mbit/s to browsers": round(learners / BETWEEN * run["bytes"] * 8 / 1e6, 1),
        }
        for learners in CROWDS
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder, "log.txt"), SKIPVIZ_BROWSER_STARTS_PER_MINUTE="100000", SKIPVIZ_STARTS_PER_MINUTE="100000")
        try:
            server.wait_until_warm()
            time.sleep(5)
            found = asyncio.run(measured(server))
        finally:
            server.close()
    machine = {"cores": psutil.cpu_count(), "machine": platform.processor() or platform.machine()}
    print(json.dumps({**machine, **found, "crowds": crowds(**found)}, indent=2))


if __name__ == "__main__":
    main()
