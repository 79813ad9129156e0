"""`python -m skipviz open`: the lab on a person's own torch module, on this machine alone. Imports no torch, nothing of theirs.

The module is captured once in a process of its own, which says what is wrong with it; then a server starts that knows where it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from dataclasses import asdict
from pathlib import Path

from .watch.errors import WatchError
from .watch.lab_server import ROOT, free_port
from .watch.opened.spec import Opened

STARTING_SECONDS = 120.0
"""Within which the server answers; on a busy machine its libraries alone take half a minute."""
SETTINGS = {
    "SKIPVIZ_STEP_SECONDS": "3600", "SKIPVIZ_PROBE_SECONDS": "120", "SKIPVIZ_UNWATCHED_MINUTES": "1440",
    "SKIPVIZ_RUN_MEMORY_MB": "1000000",
}  # fmt: skip
"""Of a server that one person has for their own module, where they set none: it may be large, and its first step slow."""


def add_options(command) -> None:
    """Add what `open` takes to its parser."""
    command.add_argument("model", metavar="FILE.py:NAME", help="a function that makes the module, its class, or the module")
    command.add_argument("--data", metavar="FILE.py:NAME", help="a function that gives batches (x, y), as a DataLoader does")
    command.add_argument(
        "--held-out", metavar="FILE.py:NAME", help="as --data: batches that it is not trained on, for loss and accuracy on them"
    )
    command.add_argument("--loss", metavar="FILE.py:NAME", help="a function of output and target; left out: by the target")
    command.add_argument("--input", metavar="3x224x224", help="a sample's shape, of random data where there is no --data")
    command.add_argument("--tokens", type=int, metavar="N", help="with --input: samples are whole numbers below N")
    command.add_argument("--port", type=int, default=0, help="of the lab; any free one if left out")
    command.add_argument("--no-browser", action="store_true", help="print the address only")


def opened_from(options) -> Opened:
    """Return what is to be opened; raises `WatchError` with a sentence."""
    if options.data is None and options.input is None:
        raise WatchError("say what the module is trained on: --data FILE.py:NAME, or --input 3x224x224 for random data")
    shape = None
    if options.input is not None:
        sizes = options.input.lower().replace("×", "x").split("x")
        if not all(size.isdigit() and int(size) for size in sizes):
            raise WatchError(f"--input is a sample's shape as 3x224x224, not {options.input[:80]!r}")
        shape = tuple(map(int, sizes))
    if options.tokens is not None and (shape is None or options.tokens < 2):
        raise WatchError("--tokens is how many different ones there are, with --input for how many a sample has")
    if options.held_out is not None and options.data is None:
        raise WatchError("--held-out goes with --data: random data has nothing that could be learned but itself")
    places = [_place(getattr(options, name), name.replace("_", "-")) for name in ("model", "data", "loss", "held_out")]
    return Opened(*places, shape=shape, tokens=options.tokens, folder=os.getcwd())


def _place(text: str | None, option: str) -> str | None:
    """Return `FILE:NAME` with the file's whole path; raises `WatchError` where it names none."""
    if text is None:
        return None
    path, _, name = text.rpartition(":")
    what = text if option == "model" else f"--{option} {text}"
    if not path or not all(part.isidentifier() for part in name.split(".")):
        raise WatchError(f"{what} does not name a file and what is in it, as train.py:make_model")
    if not Path(path).is_file():
        raise WatchError(f"there is no file {path}")
    return f"{Path(path).resolve()}:{name}"


def open_lab(options) -> None:
    """Serve the lab on the module until the person ends it; raises `WatchError` where it cannot be opened."""
    opened = opened_from(options)
    with tempfile.TemporaryDirectory(prefix="skipviz-") as folder:
        target = Path(folder) / "opened.json"
        _capture(opened, target)
        port = options.port or free_port()
        server = _server(target, port)
        address = f"http://127.0.0.1:{port}/lab"
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _wait_until_up(server, port)
            print(f"{opened.title} is open at {address} (Ctrl-C ends it)", flush=True)
            if not options.no_browser:
                webbrowser.open(address)
            server.wait()
        except KeyboardInterrupt:
            pass
        finally:
            _end(server)


def _capture(opened: Opened, target: Path) -> None:
    """Have the module captured in a process of its own; raises `WatchError` with what it says."""
    command = [sys.executable, "-m", "skipviz.watch.opened", json.dumps(asdict(opened)), str(target)]
    done = subprocess.run(command, env=_environment(), stdin=subprocess.DEVNULL)
    try:
        said = json.loads(target.read_text())
    except (OSError, ValueError):
        said = {"problem": f"the process that ran {opened.title} ended with status {done.returncode}"}
    if "problem" in said:
        raise WatchError(said["problem"])


def _server(target: Path, port: int) -> subprocess.Popen:
    flags = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    data = os.environ.get("SKIPVIZ_DATA_DIR") or ".data"
    own = {"SKIPVIZ_OPEN": str(target), "SKIPVIZ_PUBLIC": "0", "SKIPVIZ_DATA_DIR": str(Path(data).resolve())}
    return subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *flags],
        cwd=ROOT,
        env=_environment({**SETTINGS, **os.environ, **own}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _environment(base: dict | None = None) -> dict[str, str]:
    base = dict(os.environ if base is None else base)
    return {**base, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), base.get("PYTHONPATH")]))}


def _wait_until_up(server: subprocess.Popen, port: int) -> None:
    end = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise WatchError(f"the lab's server ended with status {server.returncode}: is port {port} free?")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
            return
        time.sleep(0.1)
    raise WatchError("the lab's server takes too long to start")


def _end(server: subprocess.Popen) -> None:
    """End the server and wait for its runs' checkpoints; Ctrl-C reached it, too."""
    with contextlib.suppress(KeyboardInterrupt):
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=15)
    if server.poll() is None:
        server.kill()
        server.wait()
