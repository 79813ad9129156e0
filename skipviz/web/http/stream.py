"""Server-Sent Events: one stream a page for all its runs and its job. Imports no streamlit.

Whatever a run's viewers lack is encoded once for all viewers that stand at the same place, and the server's loop is
woken once a batch, however many watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator

from ...engine import Engine, EngineError
from ..document.labs import labs
from ..session_state.classroom import Classroom, classrooms

TURN = 0.00025
"""Seconds between two messages for each stream that is open: with 200 of them 0.05, so that they leave the loop time."""
KEEP_ALIVE = 10.0
"""Seconds after which a silent stream says that it lives."""
MAX_LAG = 4_000_000
"""Bytes of frames that a viewer may lack before it is told to start anew from a snapshot."""
SLICE = 1 << 16
"""Bytes sent at a time of a long message."""
MAX_RUNS = 16
LISTENING = b'data: {"listening": true}\n\n'
"""The first word to a page that shows no run: events do come through."""
AGAIN = b"retry: 500\n\n"
"""After how many ms a page whose stream ends asks again where another server may answer; else browsers wait for some seconds."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]


def cursors_from(text: str) -> dict[str, int]:
    """Return run → sequence from `run:sequence,…`, leaving out what is malformed."""
    cursors = {}
    for part in text.split(","):
        run_id, _, sequence = part.strip().rpartition(":")
        if run_id and sequence.isascii() and sequence.isdigit() and len(sequence) < 16:
            cursors[run_id] = int(sequence)
    return cursors


class Viewer:
    """One open stream: which runs, and up to where it has them (None: nothing yet).

    With the token of a classroom it has whatever run that shows, and hears of each change of it. Without runs and room it
    only hears what is sent to all, each of `labs` whose document is of another version than it has, and each of `jobs`, of whose
    rows it has so many; `owner` is whose page it is.
    """

    def __init__(
        self,
        run_ids: list[str],
        known: dict[str, int],
        room: str | None = None,
        labs: dict[str, int] | None = None,
        jobs: dict[str, int] | None = None,
        owner: str | None = None,
    ) -> None:
        self.cursors: dict[str, int | None] = {run_id: known.get(run_id) for run_id in run_ids}
        self.known = known
        self.beside: dict[str, tuple] = {}
        self.room = room
        self.version: int | None = None
        self.labs = labs or {}
        self.jobs = {name: {"count": count} for name, count in (jobs or {}).items()}
        """Of each job what was told last."""
        self.owner = owner
        self.leaves: list[Callable[[], None]] = []
        self.wake = asyncio.Event()
        self.wake.set()
        self.gone = False
        self.notice: str | None = None

    def close(self, notice: str | None = None) -> None:
        """Let its stream end, with a sentence where there is one."""
        self.gone, self.notice = True, notice
        self.wake.set()


class Broadcaster:
    """Carries an engine's news to the viewers of one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._loop = engine, asyncio.get_running_loop()
        self._viewers: dict[str, set[Viewer]] = {}
        self._all: set[Viewer] = set()
        self._dirty: set[str] = set()
        self._lock = threading.Lock()
        self._last = 0.0
        self._closed, self._notice = False, None
        self._encoded: dict[tuple, tuple[int, bytes, int]] = {}
        self._ends = [
            engine.subscribe(self._changed),
            engine.jobs.subscribe(self._changed),
            classrooms.subscribe(lambda token: self._moved(lambda viewer: viewer.room == token)),
            labs.subscribe(lambda lab: self._moved(lambda viewer: lab in viewer.labs)),
        ]
        self._pulse = self._loop.call_later(KEEP_ALIVE, self._keep_alive)

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return len(self._all)

    def close(self, notice: str | None = None) -> None:
        """End every stream, with a sentence for its page, so that the server can stop; one that is opened later ends at once."""
        self._closed, self._notice = True, self._notice or notice
        self._pulse.cancel()
        for end in self._ends:
            end()
        for viewer in self._all:
            viewer.close(notice)

    async def stream(self, viewer: Viewer, receive, send) -> None:
        """Send the response that keeps `viewer` up to date until it goes."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if self._engine.shared is not None:
            await send({"type": "http.response.body", "body": AGAIN, "more_body": True})
        if not await self._reads(viewer.cursors):
            viewer.close()
        for name in viewer.jobs:
            try:
                await asyncio.to_thread(self._engine.jobs.find, name)
            except EngineError as error:
                if error.status != 404:  # of one that is no longer kept nothing comes; else the page asks again
                    viewer.close()
        if self._engine.shared is not None:
            await asyncio.to_thread(labs.learn, viewer.labs)
            if viewer.room is not None:
                await asyncio.to_thread(classrooms.look_up, viewer.room)
        if self._closed:
            viewer.close(self._notice)
        self._all.add(viewer)
        self._join(viewer)
        watch = asyncio.create_task(_until_gone(viewer, receive))
        try:
            sent = self._loop.time()
            if not viewer.cursors and viewer.room is None:
                await send({"type": "http.response.body", "body": LISTENING, "more_body": True})
            while not viewer.gone:
                viewer.wake.clear()
                parts = self._room_news(viewer) + _lab_news(viewer) + self._job_news(viewer)
                parts += [part for run_id in viewer.cursors for part in self._news(viewer, run_id)]
                if not parts and self._loop.time() - sent >= KEEP_ALIVE:
                    parts = [b": still here\n\n"]
                if parts:
                    sent = self._loop.time()
                    for piece in _pieces(parts):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await viewer.wake.wait()
            last = b"".join(_message(None, json.dumps({"notice": viewer.notice}).encode())) if viewer.notice else b""
            with contextlib.suppress(OSError):
                await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            watch.cancel()
            self._all.discard(viewer)
            self._part(viewer)

    async def _reads(self, run_ids: Iterable[str]) -> bool:
        """Bring runs into memory that are there no longer; False where that cannot be done yet and the page is to ask again."""
        for run_id in run_ids:
            if self._engine.kept(run_id) is None:
                try:
                    await asyncio.to_thread(self._engine.look_up, run_id)
                except EngineError as error:
                    if error.status != 404:
                        return False
        return True

    def _join(self, viewer: Viewer) -> None:
        viewer.leaves = [self._engine.watch(run_id) for run_id in viewer.cursors]
        for name in (*viewer.cursors, *viewer.jobs):
            self._viewers.setdefault(name, set()).add(viewer)

    def _part(self, viewer: Viewer) -> None:
        for leave in viewer.leaves:
            leave()
        for name in (*viewer.cursors, *viewer.jobs):
            viewers = self._viewers.get(name, set())
            viewers.discard(viewer)
            if not viewers:
                self._viewers.pop(name, None)

    def _room_news(self, viewer: Viewer) -> list[bytes]:
        """Return what a follower is to know of its classroom, and let it see that classroom's run from now on."""
        if viewer.room is None:
            return []
        room = classrooms.get(viewer.room)
        version = room.version if room else 0
        if version == viewer.version:
            return []
        viewer.version = version
        self._part(viewer)
        viewer.cursors = {room.run: viewer.known.get(room.run)} if room and room.run else {}
        self._join(viewer)
        return _message(None, json.dumps(room.news() if room else Classroom.unknown(viewer.room)).encode())

    def _job_news(self, viewer: Viewer) -> list[bytes]:
        """Return how jobs stand that are not as the viewer was told last, with the rows that came, and take them as told."""
        parts = []
        for name, told in viewer.jobs.items():
            job = self._engine.jobs.known(name)
            facts = job and job.facts(viewer.owner is not None and viewer.owner == job.owner)
            if facts and facts != told:
                viewer.jobs[name] = facts
                parts += _message(None, b'{"since":%d,"job":%b}' % (told["count"], job.to_json(told["count"], facts)))
        return parts

    def _moved(self, concerned: Callable[[Viewer], bool]) -> None:
        """Note a classroom's or a lab's change; called from whichever thread made it."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake, concerned)

    def _wake(self, concerned: Callable[[Viewer], bool]) -> None:
        for viewer in self._all:
            if concerned(viewer):
                viewer.wake.set()

    def _news(self, viewer: Viewer, run_id: str) -> list[bytes]:
        """Return the messages that bring `viewer` up to date on one run, in parts, and take them as sent."""
        cursor = viewer.cursors[run_id]
        run = self._engine.kept(run_id)
        if run is None:
            if cursor == -1:
                return []
            viewer.cursors[run_id] = -1
            reason = "there is no such run, or it is no longer kept"
            return _message(None, json.dumps({"run": run_id, "gone": True, "reason": reason}).encode())
        if cursor is not None and run.sequence == cursor and viewer.beside.get(run_id, (run.step, None)) == run.beside:
            return []
        resync = []
        if cursor is not None and (cursor > run.sequence or cursor < run.base or run.lag(cursor) > MAX_LAG):
            resync = _message(None, json.dumps({"run": run_id, "resync": True}).encode())
            cursor = None
        viewer.beside[run_id] = run.beside
        key = (run_id, cursor, run.sequence, run.beside)
        if key not in self._encoded:
            if len(self._encoded) >= 32:
                self._encoded.clear()
            reached, body = run.snapshot() if cursor is None else run.update(cursor)
            self._encoded[key] = reached, body, len(run.frames_between(cursor or 0, reached))
        viewer.cursors[run_id], body, frames = self._encoded[key]
        self._engine.sent(frames)
        place = ",".join([f"{name}:{at}" for name, at in viewer.cursors.items() if at is not None and at >= 0])
        return [*resync, *_message(place, body)]

    def _changed(self, run_id: str) -> None:
        """Note a run's or a job's news; called from the engine's thread. What an event did is sent at once."""
        with self._lock:
            first = not self._dirty
            self._dirty.add(run_id)
        run = self._engine.kept(run_id)
        urgent = run is not None and run.urgent
        if urgent:
            run.urgent = False
        if first or urgent:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tick if urgent else self._schedule)

    def _schedule(self) -> None:
        """Wake the viewers when it is time: a page that cannot draw as often draws the newest, and a slow line is sent no more."""
        wait = self._last + max(1 / self._engine.settings.frames_per_second, TURN * self.viewers) - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._tick)
        else:
            self._tick()

    def _tick(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        self._last = self._loop.time()
        self._encoded.clear()
        for run_id in dirty:
            for viewer in self._viewers.get(run_id, ()):
                viewer.wake.set()

    def _keep_alive(self) -> None:
        for viewer in self._all:
            viewer.wake.set()
        self._pulse = self._loop.call_later(KEEP_ALIVE, self._keep_alive)


def _lab_news(viewer: Viewer) -> list[bytes]:
    """Return that a lab's document is another than the viewer has, and take it as told."""
    parts = []
    for identifier, known in viewer.labs.items():
        version = labs.version_of(identifier)
        if version is not None and version != known:
            viewer.labs[identifier] = version
            parts += _message(None, json.dumps({"lab": identifier, "version": version}).encode())
    return parts


async def _until_gone(viewer: Viewer, receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()


def _message(place: str | None, body: bytes) -> list[bytes]:
    head = f"id: {place}\ndata: " if place else "data: "
    return [head.encode(), body, b"\n\n"]


def _pieces(parts: list[bytes]) -> Iterator[bytes | memoryview]:
    """Yield `parts` joined, but large ones in slices: a slow reader then holds a slice in memory, not a whole run."""
    small: list[bytes] = []
    for part in parts:
        if len(part) <= SLICE:
            small.append(part)
            continue
        yield b"".join(small)
        small.clear()
        view = memoryview(part)
        yield from (view[start : start + SLICE] for start in range(0, len(part), SLICE))
    yield b"".join(small)
