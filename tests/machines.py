"""A server of the routes alone, which is ended and started again on one port and one folder."""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from engines import PATIENCE
from fork_servers import lent
from ports import free_port

ROOT = Path(__file__).resolve().parents[1]
COOKIE = "skipviz=" + "a" * 32
SCRIPT = """
import sys
import uvicorn
from starlette.applications import Starlette
if sys.argv[2:]:
    from fork_servers import borrow
    borrow(*sys.argv[2:])
from skipviz.web.http import routes
app = Starlette(routes=routes.routes, middleware=routes.middleware, lifespan=routes.lifespan)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


class Machine:
    """Starts one server after the other on one port and one folder, with forked fork servers and store writers if wanted."""

    def __init__(self, folder, forked=False):
        self.port, self._forked = free_port(), forked
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self.environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "SKIPVIZ_DATA_DIR": str(folder),
            "SKIPVIZ_CHECKPOINT_SECONDS": "0.3",
        }
        self.process = None

    def start(self):
        with lent(self._forked) as numbers:
            command = [sys.executable, "-c", SCRIPT, *map(str, (self.port, *numbers))]
            self.process = subprocess.Popen(command, env=self.environment, pass_fds=numbers)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask("GET", "/skipviz/runs")
            except ConnectionRefusedError:
                assert time.monotonic() < end, "the server did not come up"
                time.sleep(0.05)

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(PATIENCE)

    def ask(self, method, path, body=None, cookie=COOKIE):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"content-type": "application/json", "cookie": cookie})
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def run(self, run):
        return self.ask("GET", f"/skipviz/runs/{run}")[1]
