"""Running a written script: in a process of its own that knows no skipviz, or in this one."""

from __future__ import annotations

import subprocess
import sys

import torch

import skipviz
from skipviz.sharing.script.experiment import script

EXACT, PRINTED, RECORDED = 17, 9, 9
"""Significant digits: those that tell every float from every other, those that a script prints, those of a kept frame."""


def short(experiment, steps: int = 8):
    """Return an experiment of few steps, each of them recorded."""
    training = experiment.training.replaced(steps=steps, record_every=1, device="cpu")
    return experiment.replaced(training=training)


def losses_of(source: str) -> tuple[list[dict], dict]:
    """Run a script here; return its losses, step by step, and the held-out metrics it ends with."""
    space: dict = {"__name__": "a_script"}
    exec(compile(source, "a_script.py", "exec"), space)
    try:
        rows = list(space["train"]())
    finally:
        torch.set_flush_denormal(False)  # hypothesis refuses to work with it
    assert [step for step, _, _ in rows] == list(range(len(rows)))
    return [losses for _, losses, _ in rows], rows[-1][2]


def losses_of_process(source: str, folder) -> list[dict]:
    """Run a script as a person does, isolated from skipviz, and return the losses it prints."""
    path = folder / "experiment.py"
    path.write_text(source, encoding="utf-8")
    return _losses(_isolated(folder, str(path)))


def losses_of_one_process(sources: list[str], folder) -> list[list[dict]]:
    """Run scripts one after the other as programs of one process, isolated from skipviz, and return what each prints of losses."""
    paths = [folder / f"experiment_{number}.py" for number in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        path.write_text(source, encoding="utf-8")
    program = "import runpy, sys\nfor path in sys.argv[1:]: print('a script'), runpy.run_path(path, run_name='__main__')"
    _, *printed = _isolated(folder, "-c", program, *map(str, paths)).split("a script\n")
    return [_losses(text) for text in printed]


def _isolated(folder, *arguments: str) -> str:
    """Return what a process without skipviz prints."""
    command = [sys.executable, "-I", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _losses(printed: str) -> list[dict]:
    rows = [line.split("\t") for line in printed.splitlines() if "\t" in line]
    return [{part.rsplit(" ", 1)[0]: float(part.rsplit(" ", 1)[1]) for part in parts} for _, *parts in rows]


def trained(experiment, events=()) -> tuple[list[dict], dict]:
    """Train with skipviz itself; return the same two things."""
    torch.set_flush_denormal(True)
    try:
        frames = list(skipviz.train(experiment, events))
    finally:
        torch.set_flush_denormal(False)
    losses = [{name: measured.loss for name, measured in frame.variants.items()} for frame in frames]
    return losses, {name: measured.held_out for name, measured in frames[-1].variants.items()}


def assert_same(ours: list[dict], theirs: list[dict], digits: int = EXACT) -> None:
    """Fail unless the script's losses `ours` are those of skipviz, bit for bit, or in as many digits as were written down.

    Where skipviz has none, the script has none that is finite.
    """
    assert len(ours) == len(theirs)
    for step, (mine, wanted) in enumerate(zip(ours, theirs, strict=True)):
        assert mine.keys() == wanted.keys()
        for name, loss in wanted.items():
            if loss is None:
                assert not abs(mine[name]) < float("inf")
            else:
                assert f"{mine[name]:.{digits}g}" == f"{loss:.{digits}g}", (step, name)


def check(experiment, events=()) -> str:
    """Hold the script of an experiment to what skipviz trains it to, in this process; return its source."""
    source = script(experiment, events)
    losses, held_out = losses_of(source)
    wanted, wanted_held_out = trained(experiment, events)
    assert_same(losses, wanted)
    assert held_out == wanted_held_out
    return source
