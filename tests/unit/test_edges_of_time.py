"""What holds only at an edge of time: a run taken back, looked at last, kept on, told late, or found again too late."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace

import pytest
from engines import small

from skipviz.engine.live import Live
from skipviz.engine.resumption import GO_ON_WITHIN, Resumption
from skipviz.learning.trainer import Trainer
from skipviz.settings import Settings
from skipviz.storage import Run
from skipviz.storage.retention import DAY, Retention

FRAME = b'{"step":%d,"variants":{}}'


def run(**fields) -> Run:
    return Run("a-run", "its-owner", small(steps=60), **fields)


def held_out_steps(measures: bool) -> list[int]:
    """Return the steps whose frames have the held-out metric; `measures`: the run is measured at rest before every step."""
    trainer, steps = Trainer(small(steps=60)), []
    while not trainer.finished:
        if measures:
            trainer.measure(baseline=False, picture=False)
        frame = trainer.advance(record=True)
        steps += [frame.step] * (frame.variants["net"].held_out is not None)
    return steps


def test_measuring_at_rest_leaves_the_schedule_of_the_held_out_metric_alone():
    assert held_out_steps(measures=True) == held_out_steps(measures=False) == [*range(0, 60, 2), 59]


def test_a_run_taken_back_forgets_a_divergence_that_is_yet_to_come_again():
    taken = run(
        diverged={"early": {"step": 4, "layer": "f1"}, "now": {"step": 5, "layer": "f1"}, "late": {"step": 9, "layer": "f2"}}
    )
    for step in range(10):
        taken.add_frame(FRAME % step)
    taken.rewind(5, 0)
    assert set(taken.diverged) == {"early"}
    assert set(json.loads(taken.snapshot()[1])["diverged"]) == {"early"}


def test_a_header_that_comes_after_the_snapshot_is_sent_with_the_next_news_and_once():
    told = run(state="running")
    reached, first = told.snapshot()
    assert json.loads(first)["header"] is None
    told.header_json = b'{"threads":1}'
    told.mark()
    reached, news = told.update(reached)
    assert json.loads(news)["header"] == {"threads": 1}
    told.add_frame(FRAME % 0)
    reached, news = told.update(reached)
    assert json.loads(news)["frames"]
    told.add_frame(FRAME % 1)
    assert "header" not in json.loads(told.update(reached)[1])


@pytest.mark.parametrize(("minutes", "verdict"), [(29, None), (31, "unwatched")])
def test_a_run_is_unwatched_counting_from_the_last_look_not_from_its_beginning(minutes, verdict):
    looked = 5 * 3600.0
    now = looked + minutes * 60
    live = Live(run(), 10.0, 0.001, working=True, computing=True, changed=0.0, seen=looked, heard=now)
    settings = Settings(unwatched_minutes=30, run_minutes=10_000)
    assert live.verdict(settings, watched=False, now=now) == verdict
    assert live.verdict(settings, watched=True, now=now) is None


@pytest.mark.parametrize(
    ("live", "gone"), [(0, []), (5, []), (6, ["first"]), (9, ["first", "second"]), (50, ["first", "second", "third"])]
)
def test_what_runs_that_go_on_take_counts_for_what_is_kept_of_ended_ones(live, gone):
    megabyte, now = 2**20, 100 * DAY
    ended = [("first", now - 30, 3 * megabyte), ("second", now - 20, megabyte), ("third", now - 10, megabyte)]
    assert Retention(days=2, megabytes=10).overdue(ended, now, live * megabyte) == gone


class _Heard:
    """A register that notes what became of a run."""

    def __init__(self) -> None:
        self.told, self.done = [], threading.Event()

    def change(self, run: Run, state: str, reason: str) -> None:
        self.told.append((state, reason))
        self.done.set()

    def line_up(self, run: Run, device: str) -> None:
        self.told.append(("in line", device))
        self.done.set()


@pytest.mark.parametrize(("away", "goes_on"), [(GO_ON_WITHIN - 600, True), (GO_ON_WITHIN + 600, False)])
def test_a_run_goes_on_by_itself_only_where_the_server_was_away_for_less_than_a_day(away, goes_on):
    stopped = run(state="interrupted", restart=True, ended_at=time.time() - away)
    heard, anything = _Heard(), lambda *_: None
    catalogue = SimpleNamespace(refresh=lambda run_id: stopped)
    submission_checks = SimpleNamespace(
        check_open=anything, check_size=anything, check_trainable=anything, device=lambda experiment, before: "cpu"
    )
    Resumption(threading.RLock(), heard, catalogue, submission_checks, heard.line_up, anything, anything).restart([stopped.id])
    assert heard.done.wait(10)
    assert heard.told == ([("in line", "cpu")] if goes_on else [("interrupted", "the server was away for more than a day")])
    assert not stopped.restart
