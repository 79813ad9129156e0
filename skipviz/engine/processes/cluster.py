"""A server's way to a Ray cluster: `python -m skipviz.engine.processes.cluster FD ADDRESS`, started in place of a fork server.

It is a process of its own, so that the server neither imports Ray nor ends with it. It speaks the fork server's words over the Unix
socket FD; the child of a `fork` is one of a node, and what comes and goes over the socket passed along is carried there and back.
Beyond the fork server's words it takes `{"hold": ticket, "cores": number}`, and tells `nodes [[name, cores, MB, GPUs], …]`: of
each node what is not held by others. The status of an `exit` may be a word: `LOST`, a child's node is gone; `FULL`, it has no room.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ...version import __version__
from .launcher import FULL, LOST
from .node import BEAT_SECONDS, SILENT_SECONDS, Node
from .requests import Requests

LOOK_SECONDS = 0.5
"""Between two looks at the cluster's nodes."""
HOLD_SECONDS = 5.0
"""For which a node may be too full to hold what a child needs: another server was quicker to take it."""
AGAIN_SECONDS = 5.0
"""Between two starts of an actor on a node on which it keeps ending."""
GPU_SECONDS = 60.0
"""After which an actor that is to hold a GPU, and gets none, is given up: another server was quicker."""
MB = 2**20


class Link:
    """The words to and from one actor, which begins within `seconds`; `lost()` is called once, when it is gone."""

    def __init__(self, actor, seconds: float | None, hear: Callable[[str, int, object], None], lost: Callable[[], None]) -> None:
        self._actor, self._seconds, self._hear, self._lost = actor, seconds, hear, lost
        self._words: list[tuple[str, int, object]] = []
        self._news = asyncio.Event()
        self.warm = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, verb: str, ticket: int, what: object = None) -> None:
        """Have something done there, behind all that was put before."""
        self._words.append((verb, ticket, what))
        self._news.set()

    def close(self) -> None:
        """End the actor and all that it started."""
        self._task.cancel()
        with contextlib.suppress(Exception):
            ray.kill(self._actor)

    async def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                version = await asyncio.wait_for(self._actor.begin.remote(), self._seconds)
                if version != __version__:
                    raise RuntimeError(f"a node has skipviz {version} and this server {__version__}: install the same on both")
                self.warm = True
                await _first_to_end(self._send(), self._receive())
            except Exception as error:
                print(f"skipviz: a node of the cluster is left: {' '.join(str(error).split())[:300]}", file=sys.stderr)
            self.warm = False
            self.close()
            self._lost()

    async def _send(self) -> None:
        """Carry words there, one call at a time: calls of an actor may overtake each other."""
        while True:
            if not self._words:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), BEAT_SECONDS)
            words, self._words = self._words, []
            await asyncio.wait_for(self._actor.take.remote(words), SILENT_SECONDS)

    async def _receive(self) -> None:
        said = self._actor.said.options(num_returns="streaming").remote()
        while True:
            words = await asyncio.wait_for(_next(said), SILENT_SECONDS)
            for word in words:
                self._hear(*word)


async def _next(said) -> list:
    return await (await said.__anext__())


async def _first_to_end(*works: Awaitable[None]) -> None:
    """Wait until one of `works` ends, and end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for task in tasks:
            task.cancel()


class Remote(asyncio.Protocol):
    """A child as this process sees it: the server's end of it, and the link to where it is."""

    def __init__(self, ticket: int, node: str, link: Link, gpus: float) -> None:
        """`gpus` is what the actor behind `link` holds, which is then the child's own."""
        self.ticket, self.node, self.link, self.gpus = ticket, node, link, gpus
        self.transport: asyncio.Transport | None = None
        self.status: object = None
        self.held, self.holding = Held(node, 0, 0), asyncio.Lock()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.link.put("data", self.ticket, data)

    def pause_writing(self) -> None:
        self.link.put("hush", self.ticket)

    def resume_writing(self) -> None:
        self.link.put("hear", self.ticket)

    def connection_lost(self, error: Exception | None) -> None:
        self.link.put("kill", self.ticket)


class Held:
    """What a child holds of its node: a placement group of one bundle there, which takes no process."""

    def __init__(self, node: str, cores: float, memory_mb: float) -> None:
        self.cores, self.memory_mb = cores, memory_mb
        bundle = {name: amount for name, amount in (("CPU", cores), ("memory", round(memory_mb * MB))) if amount}
        here = [{"ray.io/node-id": node}]
        self._group = placement_group([bundle], bundle_label_selector=here) if bundle else None
        self.there = False

    def wait(self) -> bool:
        """Return whether the node holds it, once that is known."""
        self.there = self._group is None or self._group.wait(HOLD_SECONDS)
        return self.there

    def release(self) -> None:
        """Let go of it."""
        self.there = False
        if self._group is not None:
            with contextlib.suppress(Exception):  # the cluster is gone
                remove_placement_group(self._group)


class Cluster:
    """The nodes, and the children on them. Ray's calls that wait are made by threads; the rest is one event loop's."""

    def __init__(self, server: socket.socket) -> None:
        self._requests = Requests(server)
        self.tell = self._requests.tell
        self._links: dict[str, Link] = {}
        self._totals: dict[str, dict[str, float]] = {}
        self._begun: dict[str, float] = {}
        """When an actor was last begun on a node."""
        self._children: dict[int, Remote] = {}
        self._calls, self._ready = ThreadPoolExecutor(64, "skipviz-ray"), False
        self._tasks: set[asyncio.Task] = set()

    async def serve(self) -> None:
        """Serve until the server is gone."""
        asyncio.get_running_loop().add_reader(self._requests.server, self._receive)
        while True:
            nodes, available = await asyncio.to_thread(_look)
            self._meet(nodes)
            self._tell_nodes(available)
            await asyncio.sleep(LOOK_SECONDS)

    def _receive(self) -> None:
        for request in self._requests.receive():
            if "fork" in request:
                self._in_background(self._fork(socket.socket(fileno=self._requests.sockets.popleft()), **request))
            elif "hold" in request:
                self._in_background(self._hold_again(request["hold"], request["cores"]))
            elif request["kill"] in self._children:
                self._children[request["kill"]].link.put("kill", request["kill"])

    async def _fork(self, end: socket.socket, fork: int, role: str, place=None, cores=0.0, memory_mb=0.0, gpus=0.0) -> None:
        """Have a child forked on the node `place`, or where the fewest are; what it needs is held while it lives.

        It begins before that is sure: who asks for it has looked whether there is room, and others are seldom quicker.
        """
        node = place or self._emptiest()
        if node not in self._links or not self._links[node].warm:
            end.close()
            self.tell("exit", [fork, LOST])
            return
        link = self._links[node]
        if gpus:
            link = self._begin(node, GPU_SECONDS, num_gpus=gpus)
        end.setblocking(False)
        remote = self._children[fork] = Remote(fork, node, link, gpus)
        await asyncio.get_running_loop().create_connection(lambda: remote, sock=end)
        link.put("fork", fork, role)
        await self._hold(remote, cores, memory_mb)

    async def _hold(self, remote: Remote, cores: float, memory_mb: float) -> None:
        """Let a child hold so much of its node, in place of what it held; one that cannot ends, unless it held something before."""
        async with remote.holding:
            before = remote.held
            remote.held = await self._call(Held, remote.node, cores, memory_mb)
            await self._call(before.release)
            there = await self._call(remote.held.wait)
        if remote.ticket not in self._children:
            await self._call(remote.held.release)
        elif not there and not before.memory_mb:
            remote.status = FULL
            remote.link.put("kill", remote.ticket)

    async def _hold_again(self, ticket: int, cores: float) -> None:
        remote = self._children.get(ticket)
        if remote is None:
            return
        async with remote.holding:
            held = remote.held
        if held.memory_mb and held.cores != cores:
            await self._hold(remote, cores, held.memory_mb)

    def _emptiest(self) -> str | None:
        """Return the warm node with the fewest children for each of its cores."""
        crowd = {node: 0 for node, link in self._links.items() if link.warm}
        for remote in self._children.values():
            if remote.node in crowd:
                crowd[remote.node] += 1
        return min(crowd, key=lambda node: crowd[node] / self._totals[node]["CPU"], default=None)

    def _hear(self, verb: str, ticket: int, what) -> None:
        remote = self._children.get(ticket)
        if remote is None:
            return
        if verb == "data":
            if remote.transport is not None:
                remote.transport.write(what)
        else:
            self._end(remote, remote.status or what)

    def _end(self, remote: Remote, status: object) -> None:
        del self._children[remote.ticket]
        if remote.transport is not None:
            remote.transport.close()
        self._calls.submit(remote.held.release)
        self.tell("exit", [remote.ticket, status])
        if remote.link is not self._links.get(remote.node):
            remote.link.close()

    def _meet(self, nodes: dict[str, dict[str, float]]) -> None:
        """Begin an actor on every new node, and leave those that are gone."""
        self._totals = nodes
        now = time.monotonic()
        for node in nodes.keys() - self._links.keys():
            if now - self._begun.get(node, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                self._links[node], self._begun[node] = self._begin(node), now
        for node in self._links.keys() - nodes.keys():
            self._links[node].close()
            self._leave(self._links[node])

    def _begin(self, node: str, seconds: float | None = None, **needs: float) -> Link:
        """Return a link to a new actor on a node: one that forks workers, or has one worker and holds what that needs."""
        here = NodeAffinitySchedulingStrategy(node, soft=False)
        actor = ray.remote(Node).options(scheduling_strategy=here, num_cpus=0, max_concurrency=1000, **needs).remote(not needs)
        link = Link(actor, seconds, self._hear, lambda: self._leave(link))
        return link

    def _leave(self, link: Link) -> None:
        """Take it that all children behind a link are gone; the next look begins another actor where the node is there."""
        for node, other in list(self._links.items()):
            if other is link:
                del self._links[node]
        for remote in [remote for remote in self._children.values() if remote.link is link]:
            self._end(remote, LOST)

    def _tell_nodes(self, available: dict[str, dict[str, float]]) -> None:
        """Tell what of each warm node others leave: what is free there, and what the children here hold."""
        told = []
        for node, link in self._links.items():
            if link.warm and node in self._totals:
                total, free = self._totals[node], available.get(node, {})
                held = [remote.held for remote in self._children.values() if remote.node == node and remote.held.there]
                cores = min(total["CPU"], free.get("CPU", 0) + sum(one.cores for one in held))
                memory = min(total.get("memory", 0) / MB, free.get("memory", 0) / MB + sum(one.memory_mb for one in held))
                ours = sum(remote.gpus for remote in self._children.values() if remote.node == node and remote.link.warm)
                told.append([node, cores, memory, min(total.get("GPU", 0), free.get("GPU", 0) + ours)])
        self.tell("nodes", told)
        if told and not self._ready:
            self._ready = True
            self.tell("ready", True)

    async def _call(self, function, *arguments):
        return await asyncio.get_running_loop().run_in_executor(self._calls, function, *arguments)

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _look() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Return what each living node that has cores has in all, and what of it is free."""
    nodes = {one["NodeID"]: one["Resources"] for one in ray.nodes() if one["Alive"] and one["Resources"].get("CPU")}
    return nodes, ray._private.state.available_resources_per_node()


def _end_with(server: socket.socket) -> None:
    """End the process when the server is gone, also where Ray waits for a cluster that does not answer."""
    gone = select.poll()
    gone.register(server, 0)  # to hear of its end alone
    gone.poll()
    os._exit(0)


def main() -> None:
    """Join the cluster, and serve until the server is gone."""
    server = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_end_with, args=[server], daemon=True).start()
    try:
        ray.init(sys.argv[2], namespace="skipviz", logging_level="ERROR", log_to_driver=True)
        for number in (signal.SIGINT, signal.SIGTERM):  # the server tells when it is over
            signal.signal(number, signal.SIG_IGN)
        asyncio.run(Cluster(server).serve())
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        sys.exit(f"skipviz: the Ray cluster {sys.argv[2]} is not reached: {' '.join(str(error).split())[:300]}")


if __name__ == "__main__":
    main()
