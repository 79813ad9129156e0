"""A running server as tests start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from fork_servers import lent
from ports import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 240
"""Seconds after which a server that is not up with a warm engine is given up; on a machine that is not stuck none takes so long."""

BORROWING = """
import sys
from fork_servers import borrow
from streamlit.web.cli import main
borrow(*sys.argv[-2:])
del sys.argv[-2:]
main()
"""


class Server:
    """`streamlit run app.py` in a process of its own, by default of this working tree; `address` ends in a slash.

    What it keeps lies beside its log; `environment` is set for it alone. One that is started again, or has few tests, may have a
    `forked` fork server and store writer.
    """

    def __init__(self, log: Path, root: Path = ROOT, forked: bool = False, **environment: str) -> None:
        self.log, self.port, self._root, self._forked = log, free_port(), root, forked
        self.address = f"http://127.0.0.1:{self.port}/"
        self._environment = {**os.environ, "SKIPVIZ_DATA_DIR": str(log.parent / "data"), **environment}
        if forked:
            self._environment["PYTHONPATH"] = os.pathsep.join([str(root), str(ROOT / "tests")])
        self.start()

    def start(self) -> None:
        """Start it (again, once it has ended) on its port and its folder."""
        options = ["--server.port", str(self.port), "--server.address", "127.0.0.1"]
        started = ["-c", BORROWING] if self._forked else ["-m", "streamlit"]
        command = [sys.executable, *started, "run", "app.py", *options]
        with self.log.open("ab") as output, lent(self._forked) as numbers:
            self._process = subprocess.Popen(
                [*command, *map(str, numbers)],
                cwd=self._root,
                env=self._environment,
                pass_fds=numbers,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait until it has ended."""
        self._process.send_signal(number)
        self._process.wait(PATIENCE)

    def wait_until_warm(self) -> None:
        """Wait until the server answers and a run of one step has gone through its engine."""
        self._wait(lambda: self.ask("_stcore/health")[0] == 200)
        cookie = self.ask("", accept="text/html")[1]["set-cookie"].partition(";")[0]
        experiment = {"variants": {"a": {"layers": [{"op": {"kind": "linear", "width": 2}}]}}, "training": {"steps": 1}}
        run = json.loads(self.ask("skipviz/runs", cookie=cookie, body={"experiment": experiment})[2])["run"]
        self._wait(lambda: json.loads(self.ask(f"skipviz/runs/{run}")[2])["state"] == "finished")

    def _wait(self, condition) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"the server is not up: {self.log.read_text(errors='replace')[-4000:]}")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.1)

    def ask(self, path, accept="*/*", cookie="", body=None):
        """Return status, headers and body of an answer."""
        headers = {"accept": accept, "cookie": cookie, "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()

    def close(self) -> None:
        """End the server as a person would, or by force."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
