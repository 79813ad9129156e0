"""A link opened elsewhere re-trains to the same numbers: bit for bit, in another process, folder and hash seed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from skipviz import link
from skipviz.network import edit, families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

ROOT = Path(__file__).parents[2]
TRAIN = """
import dataclasses, hashlib, json, sys
import skipviz
frames = [dataclasses.asdict(frame) for frame in skipviz.train(skipviz.link.decode(sys.argv[1]))]
for frame in frames:
    frame.pop("seconds", None)
print(json.dumps(frames, default=lambda value: value.tolist() if hasattr(value, "tolist") else repr(value)))
"""


def trained(text: str, folder: Path, seed: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", TRAIN, text], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_a_link_trains_to_the_same_bits_in_two_other_processes(tmp_path):
    network = edit.set_layer(families.conv(depth=4, width=4, skip_every=2, norm="batch", input=(1, 8, 8), head=10), "f2", gain=0.5)
    task = Task(name="digits", samples=200)
    experiment = Experiment(variants={"a": network}, task=task, training=Training(steps=6, batch_size=16, seed=3, record_every=2))
    text = link.encode(experiment)
    first, second = (trained(text, folder, seed) for folder, seed in ((tmp_path, "1"), (ROOT, "77")))
    frames = json.loads(first)
    assert [frame["step"] for frame in frames] == [0, 2, 4, 5]
    assert all(frame["variants"]["a"]["weight_grad"] for frame in frames)
    assert hashlib.sha256(first.encode()).digest() == hashlib.sha256(second.encode()).digest()
