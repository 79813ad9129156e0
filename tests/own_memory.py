"""What a run takes, measured in a process forked from a warm one, as the engine's workers are."""

from __future__ import annotations

import json
import os
import time

from skipviz.engine.capacity.duration import Rehearsed
from skipviz.engine.fork_server import settle, warm_ups
from skipviz.learning.rehearsal import REHEARSED
from skipviz.learning.seeds import trainer_of
from skipviz.learning.setup import prepare
from skipviz.tasks.experiment import MOST_STEPS, experiment_from_json

QUICK_SECONDS = 0.05
"""What a step takes at most of a network whose passes may be rehearsed here."""


def warm_up() -> None:
    """Bring this process to where the fork server forks."""
    for step in warm_ups():
        step()


def measured(experiment, steps: int = 2, timed: bool = True) -> dict:
    """Return `peak_mb`, a worker's own memory at its peak while it takes its first watched steps.

    `timed`: and then `step_seconds`, as a run takes them between two pictures; what a rehearsal holds beside them is not counted.
    """
    text = experiment.to_json()
    experiment = None
    settle()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            began = _anonymous()
            trainer = _begun(experiment_from_json(text), steps)
            copied = _private() - (_anonymous() - began)  # pages of the warm process that were written to
            found = {"peak_mb": _anonymous("VmHWM") - (began - copied)}
            if timed:
                found["step_seconds"] = _step_seconds(trainer)
            os.write(writing, json.dumps(found).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = json.loads(pipe.read())
    os.waitpid(child, 0)
    return answer


def _begun(experiment, steps: int):
    """Return a trainer that has taken steps."""
    prepare()
    trainer = trainer_of(experiment.replaced(training=experiment.training.replaced(steps=MOST_STEPS)), device="cpu")
    for _ in range(steps):
        trainer.advance(record=True, baseline=True, picture=True)
    return trainer


def _step_seconds(trainer) -> float:
    """Return what a step takes of the processor on the average while as many are measured as a worker measures.

    Of a network whose steps are quick it is one after its rehearsal.
    """
    began = time.process_time()
    trainer.advance(record=True)
    quick = time.process_time() - began < QUICK_SECONDS
    for _ in range(2 * REHEARSED if quick else 0):
        trainer.advance(record=False)
    count, shown, began = 0, 0.0, time.process_time()
    while count < 3 or time.process_time() - began < QUICK_SECONDS * 10:
        due = time.process_time() - shown >= 1 / Rehearsed.FRAMES
        shown = time.process_time() if due else shown
        trainer.advance(record=due)
        count += 1
    return (time.process_time() - began) / count


def _anonymous(resident: str = "VmRSS") -> float:
    """Return the MB of this process's pages that belong to no file, of its own or still shared with its parent.

    With `VmHWM` at their peak, which the kernel keeps: who looks from outside may miss it. Pages of files only get more.
    """
    with open("/proc/self/status") as file:
        told = dict(line.split(":", 1) for line in file)
    kilobytes = {name: int(told[name].split()[0]) for name in (resident, "RssFile", "RssShmem")}
    return (kilobytes[resident] - kilobytes["RssFile"] - kilobytes["RssShmem"]) / 1024


def _private() -> float:
    """Return the MB of such pages that only this process holds."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) / 1024
