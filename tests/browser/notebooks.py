"""Notebooks that tests open in a browser: JupyterLab and marimo, each in a process of its own, and what their cells say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ports import free_port
from servers import PATIENCE, ROOT

WATCH = """import pathlib, time, torch, skipviz
from torch import nn

torch.set_num_threads(1)
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(8, 8)
    def forward(self, x):
        return x + torch.relu(self.f(x))
model = nn.Sequential(nn.Linear(2, 8), Block(), Block(), nn.Linear(8, 2))
watched = skipviz.watch(model, every=1, title="<b>two</b> blocks")"""

TRAIN = """optimizer = torch.optim.SGD(model.parameters(), 0.1)
x = torch.randn(32, 2)
y = (x[:, 0] > 0).long()
steps = 0
while not pathlib.Path("enough").exists():
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    watched.step(loss)
    optimizer.step()
    optimizer.zero_grad()
    time.sleep(0.02)
    steps += 1"""
"""Trains until the test has seen enough."""


class NotebookServer:
    """A server of notebooks that lie in `folder`; nothing of it is kept elsewhere."""

    def __init__(self, folder: Path, arguments: list[str], ready: str) -> None:
        self.folder, port = folder, free_port()
        self.address = f"http://127.0.0.1:{port}/"
        places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        homes = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        kept = {name: str(folder.parent / f"{folder.name}-{name.lower()}") for name in (*places, *homes)}
        environment = {**os.environ, **kept, "PYTHONPATH": str(ROOT), "MARIMO_SKIP_UPDATE_CHECK": "1"}
        command = [sys.executable, "-m", *(part.format(port=port) for part in arguments)]
        self._log = (folder.parent / f"{folder.name}.log").open("wb")
        self._process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self._log, stderr=subprocess.STDOUT)
        end = time.monotonic() + PATIENCE
        while not self._answers(ready):
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"no notebook server: {Path(self._log.name).read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def close(self) -> None:
        """End it; kernels that it has started end with it, one that still computes too."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def jupyter_notebook(*cells: str) -> str:
    """Return the text of an `.ipynb` with these cells."""
    made = [
        {"cell_type": "code", "id": f"c{place}", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for place, cell in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def marimo_notebook(*cells: str) -> str:
    """Return the text of a marimo notebook with these cells, which share all their names."""
    texts = ["import marimo\n\napp = marimo.App()\n"]
    for cell in cells:
        body = "\n".join(f"    {line}" for line in cell.splitlines())
        texts.append(f"@app.cell\ndef _():\n{body}\n    return\n")
    return "\n\n".join([*texts, 'if __name__ == "__main__":\n    app.run()\n'])
