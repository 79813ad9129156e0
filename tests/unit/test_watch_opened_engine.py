"""A person's own module through the engine: its own processes, events, checkpoints, and what is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from skipviz.engine import Engine, EngineError
from skipviz.settings import Settings
from skipviz.tasks.event import Control, SkipEvent
from skipviz.tasks.presets import get
from skipviz.watch.opened.__main__ import experiment_of
from skipviz.watch.opened.spec import ELSEWHERE, Opened, write

OWN = Path(__file__).resolve().parents[1] / "own" / "train.py"
PATIENCE = 240


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """An engine of a server that was opened on the U-Net."""
    opened = Opened(f"{OWN}:make_unet", f"{OWN}:masks")
    write(tmp_path / "opened.json", opened, experiment_of(opened))
    monkeypatch.setenv("SKIPVIZ_OPEN", str(tmp_path / "opened.json"))  # for the processes that it starts
    started = Engine(Settings(data_dir=tmp_path / "data", probe_seconds=120)).start()
    yield started
    started.close()


def until(condition):
    """Wait until `condition()` holds, and return what it returned."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("it never came to be")


def test_a_run_of_it_is_measured_switched_finished_and_goes_on(lab):
    chosen = lab.opened.replaced(training=lab.opened.training.replaced(steps=8))
    answer = until(lambda: lab.probe(chosen, timeout=1))
    assert answer["frame"]["variants"]["model"]["loss"] > 0
    run = lab.submit(chosen, "me", paused=True, baseline=True)
    until(lambda: lab.run(run).state == "paused")
    skip = chosen.network.skips[0].id
    lab.post(run, "me", SkipEvent(ids=(skip,), on=False))
    lab.post(run, "me", Control(kind="resume"))
    until(lambda: lab.run(run).ended)
    assert (lab.run(run).state, lab.run(run).step) == ("finished", 8)
    assert [event["ids"] for event in lab.run(run).events] == [[skip]]
    assert lab.run(run).title == "train.py:make_unet"
    lab.extend(run, "me", [])
    until(lambda: lab.run(run).ended)
    assert (lab.run(run).state, lab.run(run).step) == ("finished", 16)


def test_another_server_refuses_it_with_one_sentence(engine):
    chosen = experiment_of(Opened(f"{OWN}:make_unet", f"{OWN}:masks"))
    with pytest.raises(EngineError, match=ELSEWHERE):
        engine.submit(chosen, "me")
    assert engine.probe(chosen) == {"problem": ELSEWHERE}
    assert not engine.trains(chosen)
    assert engine.trains(get("digits-conv"))
