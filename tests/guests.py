"""A watched module, and a script's end of the socket by which an engine takes it in, for tests."""

import json
import socket

import torch
from torch import nn

from skipviz.storage.folder import socket_of
from skipviz.watch.watched import Watched


def two_layers(steps=3):
    """Return a module that was watched for so many steps in its own script's memory."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    watched = Watched(model, every=1, title="Two layers", live=False)
    for _ in range(steps):
        loss = model(torch.randn(5, 4)).square().mean()
        loss.backward()
        watched.step(loss)
    watched.close()
    return watched


def greeting_of(watched, **changes):
    header = json.loads(watched.run.header_json)
    about = {name: header[name] for name in ("variants", "batch_size", "threads", "device", "torch")}
    return {"title": watched.title, "experiment": header["experiment"], "header": about, **changes}


def frame_line(payload):
    return b"frame %d 0 %b\n" % (json.loads(payload)["step"], payload)


class Guest:
    """A connection to an engine's socket."""

    def __init__(self, engine):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(socket_of(engine.settings.data_dir)))
        self.lines = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def say(self, *lines):
        self.socket.sendall(b"".join(lines))

    def greet(self, greeting):
        self.say(json.dumps(greeting).encode() + b"\n")
        return json.loads(self.lines.readline())
