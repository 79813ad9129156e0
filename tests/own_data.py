"""What tests of one's own data share: an easily told table and pictures, as files and kept."""

import io

import numpy as np

from skipviz.network import families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read

ROWS = 150
KINDS = ("red", "green", "blue")


def table_file() -> bytes:
    """Return a CSV file: `kind` can be told from `size`, `price` from `size` and `shape`; `size` and `shape` miss values."""
    rng = np.random.default_rng(3)
    lines = ["id,size,shape,noise,kind,price"]
    for i in range(ROWS):
        size, shape = i % 3 + rng.normal() * 0.15, "round" if i % 2 else "flat"
        shown = ["" if i % 29 == 5 else f"{size:.3f}", "?" if i % 31 == 3 else shape]
        lines.append(f"{i},{shown[0]},{shown[1]},{rng.normal():.3f},{KINDS[i % 3]},{10 * size + 5 * (i % 2):.2f}")
    return "\n".join(lines).encode()


def pictures_file(count: int = 60, height: int = 12, width: int = 16) -> bytes:
    """Return an .npz of pictures in colour: a bright square whose channel is the label, with its mask."""
    rng = np.random.default_rng(4)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, height, width, 3), dtype=np.uint8)
    masks = np.zeros((count, height, width), bool)
    for place, label in enumerate(labels):
        top, left = rng.integers(0, height - 6), rng.integers(0, width - 6)
        masks[place, top : top + 6, left : left + 6] = True
        images[place, masks[place], label] = 255
    file = io.BytesIO()
    np.savez_compressed(file, images=images, labels=np.array(KINDS)[labels], masks=masks)
    return file.getvalue()


def task_of(uploads, content: bytes, name: str, target: str, **fields) -> Task:
    """Keep a file's data and return the task of telling `target` of it."""
    data = read(content, name)
    uploads.keep(data)
    return Task(name="pictures" if name.endswith((".npz", ".zip")) else "table", own=described(data, target), **fields)


def experiment_on(task: Task, steps: int = 60, **training) -> Experiment:
    """Return a small network on a task of one's own data: linear layers for a table, convolutions for pictures."""
    make = families.conv if task.own.is_pictures else families.mlp
    network = make(depth=4, width=8, skip_every=2, input=task.input_for(task.own.is_pictures), head=task.head())
    settings = {"steps": steps, "batch_size": 16, "learning_rate": 0.01, **training}
    return Experiment(variants={"net": network}, task=task, training=Training(**settings))
