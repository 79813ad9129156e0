"""Streamlit sessions as a script: they speak the page's own protocol over its websocket, without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

PATIENCE = 120
"""Seconds after which a session gives up; none waits that long on a machine that is not stuck."""


class Session:
    """One browser with a cookie and an address of its own, on the lab; `served`, `started` and `done` are in seconds."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._address = f"10.1.{number // 250}.{number % 250 + 1}"
        self._page = ""
        self.name = ""
        """What the server calls it; files are sent under it."""
        self.data: dict = {}
        """What Python told the component last."""
        self.told: dict = {}
        """What the stream said of its run first."""
        self.served = self.started = self.done = float("nan")

    async def live(self, query: str = "") -> Session:
        """Open the lab, start its run, hear from the stream how the run stands, and draw the page anew."""
        async with asyncio.timeout(PATIENCE):
            began = time.perf_counter()
            async with self.opened(query):
                self.served = time.perf_counter() - began
                began = time.perf_counter()
                answer = await self.post(f"/skipviz/labs/{self.data['lab']['id']}", {"op": "start", "speed": 20})
                self.told = await self._first_news(answer["run"])
                self.started = time.perf_counter() - began
                began = time.perf_counter()
                await self._run_script(query)
                self.done = time.perf_counter() - began
                await self.post(f"/skipviz/runs/{answer['run']}/events", {"kind": "stop"})
        return self

    @contextlib.asynccontextmanager
    async def opened(self, query: str = "") -> AsyncIterator[None]:
        """Have the lab open."""
        self._cookie = (await self._ask("GET", "/lab", accept="text/html"))[0]["set-cookie"].partition(";")[0]
        headers = {"Cookie": self._cookie, "X-Forwarded-For": self._address}
        where = f"ws://127.0.0.1:{self._port}/_stcore/stream"
        async with connect(where, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as self._socket:
            await self._run_script(query)
            yield

    async def _run_script(self, query: str) -> None:
        """Ask for a run of the script, as a page does, and take what it draws."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = query, "lab", self._page
        await self._socket.send(message.SerializeToString())
        while True:
            heard = ForwardMsg()
            heard.ParseFromString(await self._socket.recv())
            kind = heard.WhichOneof("type")
            if kind == "new_session":
                self.name = heard.new_session.initialize.session_id
            elif kind == "navigation":
                self._page = heard.navigation.page_script_hash
            elif kind == "delta" and heard.delta.new_element.WhichOneof("type") == "bidi_component":
                [self.data] = json.loads(heard.delta.new_element.bidi_component.json)
            elif kind == "delta" and heard.delta.new_element.WhichOneof("type") == "exception":
                raise AssertionError(heard.delta.new_element.exception.message)
            elif kind == "script_finished" and self.data:
                return

    async def _first_news(self, run: str) -> dict:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        with contextlib.closing(writer):
            writer.write(f"GET /skipviz/stream?runs={run} HTTP/1.0\r\n\r\n".encode())
            while not (line := await reader.readline()).startswith(b"data: "):
                assert line, "the stream ended"
            return json.loads(line[6:])

    async def post(self, path: str, body: dict) -> dict:
        headers, answer = await self._ask("POST", path, json.dumps(body).encode(), cookie=self._cookie)
        answer = json.loads(answer)
        assert headers[":status"] in ("200", "201"), answer
        return answer

    async def _ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[dict, bytes]:
        given = {"content-type": "application/json", "x-forwarded-for": self._address, "content-length": len(body), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.closing(writer):
            writer.write(f"{method} {path} HTTP/1.0\r\n{head}\r\n".encode() + body)
            raw, _, content = (await reader.read()).partition(b"\r\n\r\n")
        status, *lines = raw.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return {":status": status.split()[1], **found}, content


async def crowd(port: int, count: int, together: int, query: str = "") -> list[Session | BaseException]:
    """Let `count` sessions live, `together` at once; a session that failed is its exception."""
    gate = asyncio.Semaphore(together)

    async def one(number: int) -> Session:
        async with gate:
            return await Session(port, number).live(query)

    return await asyncio.gather(*(one(number) for number in range(count)), return_exceptions=True)
