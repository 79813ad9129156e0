"""What a run takes, measured in a process forked from a warm one, as the engine's workers are."""

from __future__ import annotations

import gc
import json
import os
import time

import torch

from skipviz.engine.nursery import _take_steps
from skipviz.learning.setup import prepare
from skipviz.learning.trainer import Trainer
from skipviz.tasks.experiment import experiment_from_json
from skipviz.tasks.presets import vanishing


def warm_up() -> None:
    """Bring this process to where the nursery forks."""
    threads = torch.get_num_threads()
    prepare()
    _take_steps(vanishing(on=True, depth=4, width=8))
    torch.set_num_threads(threads)


def measured(experiment, steps: int = 2) -> dict:
    """Return `peak_mb`, a worker's own memory at its peak while it takes watched steps, and `step_seconds`, the fastest one's."""
    text = experiment.to_json()
    experiment = None
    gc.collect()
    gc.freeze()  # as the nursery does, so that a collection in the child copies none of its pages
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            began = _anonymous("self")
            seconds = _run(experiment_from_json(text), steps)
            copied = _private() - (_anonymous("self") - began)  # pages of the warm process that were written to
            os.write(writing, json.dumps({"began": began - copied, "step_seconds": min(seconds)}).encode())
        finally:
            os._exit(0)
    os.close(writing)
    peak = 0.0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        peak = max(peak, _anonymous(child))
        time.sleep(0.0005)
    with os.fdopen(reading, "rb") as pipe:
        answer = json.loads(pipe.read())
    return {"peak_mb": peak - answer["began"], "step_seconds": answer["step_seconds"]}


def _run(experiment, steps: int) -> list[float]:
    prepare()
    trainer, seconds = Trainer(experiment, device="cpu"), []
    for _ in range(steps):
        trainer.advance(record=True, ghost=True, picture=True)
    for _ in range(steps):
        began = time.perf_counter()
        trainer.advance(record=True)
        seconds.append(time.perf_counter() - began)
    return seconds


def _anonymous(process) -> float:
    """Return the MB of a process's pages that belong to no file, of its own or still shared with its parent."""
    try:
        with open(f"/proc/{process}/statm") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return 0.0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _private() -> float:
    """Return the MB of such pages that only this process holds."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) / 1024
