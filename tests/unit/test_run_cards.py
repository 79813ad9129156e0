"""What the list of runs shows of each: the same from memory and from the disk, and of one's own runs alone."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from engines import small, wait_for_end

from skipviz.engine import Engine, EngineError
from skipviz.network import edit
from skipviz.settings import Settings
from skipviz.tasks.task import TaskName
from skipviz.web.content import run_cards


@pytest.fixture
def begin(tmp_path):
    """A function that starts an engine on one folder, as a server that is back does."""
    started = []

    def begun() -> Engine:
        for engine in started:
            engine.close()
        started.append(Engine(Settings(max_running=2, data_dir=tmp_path)).start())
        assert started[-1].wait_until_warm(180)
        return started[-1]

    yield begun
    for engine in started:
        engine.close()


def test_a_picture_is_the_same_when_the_run_lies_on_the_disk_and_does_not_bring_it_into_memory(begin, monkeypatch):
    engine = begin()
    experiment = small(steps=200, depth=8, record_every=1)
    run = engine.run(engine.submit(experiment, "me"))
    engine.post(run.id, "me", {"kind": "skip", "ids": [run.experiment.network.skips[0].id], "on": False})
    wait_for_end(engine, run)
    from_memory = run_cards.cards(engine, "me", [run.id])
    assert " off" in from_memory[0]["svg"]
    engine = begin()
    monkeypatch.setattr(run_cards, "_pictures", type(run_cards._pictures)())
    from_disk = run_cards.cards(engine, "me", [run.id])
    assert engine.kept(run.id) is None
    for name in ("svg", "history", "reached", "title", "skips_on", "step", "state"):
        assert from_disk[0][name] == from_memory[0][name], name
    assert engine.used() == from_disk[0]["bytes"] > 1000


def test_a_picture_follows_a_switched_skip_and_is_kept_while_nothing_changes(engine):
    run = engine.run(engine.submit(small(steps=20), "me"))
    wait_for_end(engine, run)
    first = run_cards.picture(engine, run.id)
    assert run_cards.picture(engine, run.id) is first
    run.experiment = run.experiment.with_network(edit.switch_all(run.experiment.network, False))
    run.mark()
    assert " off" in run_cards.picture(engine, run.id)["svg"]


def test_cards_are_of_ones_own_runs_and_of_no_more_than_a_screen(engine):
    mine = engine.submit(small(steps=5), "me")
    wait_for_end(engine, engine.run(mine))
    assert [card["id"] for card in run_cards.cards(engine, "me", [mine, "nosuch"])] == [mine]
    assert run_cards.cards(engine, "you", [mine]) == []
    assert run_cards.cards(engine, "me", ["nosuch"] * run_cards.MOST + [mine]) == []
    assert len(json.dumps(run_cards.cards(engine, "me", [mine]))) < 6000


def test_every_task_that_a_run_may_have_is_said_in_words(engine, monkeypatch):
    run = engine.submit(small(steps=5), "me")
    (listed,) = [one for one in engine.runs_of("me") if one["id"] == run]
    for name in get_args(TaskName):
        monkeypatch.setattr(type(engine), "runs_of", lambda *_, task=name: [{**listed, "task": task}])
        assert len(run_cards.list_of(engine, "me")[0]["task"]) > 2


def test_a_strangers_run_is_neither_stopped_nor_deleted(engine):
    run = engine.run(engine.submit(small(steps=1_000_000, record_every=1000), "me"))
    with pytest.raises(EngineError, match="only the browser that started this run"):
        run_cards.delete(engine, run.id, "you")
    assert not run.ended
    run_cards.delete(engine, run.id, "me")
    assert engine.run(run.id) is None
