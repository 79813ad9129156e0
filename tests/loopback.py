"""The HTTP routes on a port of this machine, served from a thread of the test's own process, and a browser's side of them."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from skipviz.web.http import routes

COOKIE, STRANGER = "skipviz=" + "a" * 32, "skipviz=" + "b" * 32
OWNER = COOKIE.partition("=")[2]


class Client:
    """Speaks to the server as a browser with a cookie does."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None, cookie=COOKIE, **headers):
        """Return the status and the decoded JSON (or the bytes) of a response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"content-type": "application/json", **({"cookie": cookie} if cookie else {}), **headers}
        connection.request(method, path, body if isinstance(body, bytes | None) else json.dumps(body), given)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, json.loads(data) if "json" in response.headers["content-type"] else data

    def start(self, experiment, **options):
        """Post a run and return its id."""
        data = experiment.model_dump(mode="json", exclude_defaults=True)
        status, answer = self.request("POST", "/skipviz/runs", {"experiment": data, **options})
        assert status == 201, answer
        return answer["run"]

    def post(self, run, message, **options):
        return self.request("POST", f"/skipviz/runs/{run}/events", message, **options)

    def listen(self, query, last_event_id=None, **headers):
        """Yield (id, data) of a stream's messages."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            given = {**headers, **({"last-event-id": last_event_id} if last_event_id else {})}
            connection.request("GET", f"/skipviz/stream?{query}", headers=given)
            response = connection.getresponse()
            assert response.headers["content-type"].startswith("text/event-stream")
            place = None
            while line := response.readline():
                if line.startswith(b"id: "):
                    place = line[4:].strip().decode()
                elif line.startswith(b"data: "):
                    yield place, json.loads(line[6:])
                    place = None
        finally:
            response.close()
            connection.close()


@contextmanager
def served():
    """Serve the routes of the process's own engine, and a page, and yield a browser."""

    async def page(request):
        return HTMLResponse("<p>page</p>")

    app = Starlette(routes=[*routes.routes, Route("/", page)], middleware=routes.middleware)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the lifespan does it
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=600, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield Client(listener.getsockname()[1])
    server.should_exit = True
    thread.join()
    routes._broadcasters.clear()
