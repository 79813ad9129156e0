"""Frames as a fragment's data: nothing is lost between readings, whatever a page misses."""

import json

import pytest

from skipviz.storage import Run
from skipviz.tasks import presets
from skipviz.web.component.tape import KEPT, Tape

EXPERIMENT = presets.get("vanishing-plain")


class Engine:
    """Knows some runs by name."""

    def __init__(self, *runs):
        self.runs = {run.id: run for run in runs}

    def run(self, run_id):
        return self.runs.get(run_id)


def running(name="a") -> Run:
    run = Run(name, "owner", EXPERIMENT, state="running")
    run.header_json = b'{"batch_size":8}'
    return run


def advance(run) -> None:
    run.add_frame(b'{"step":%d,"variants":{}}' % run.step)
    run.step += 1


def steps(batches) -> list[int]:
    return [frame["step"] for batch in batches for frame in json.loads(batch["text"])["frames"]]


def test_batches_begin_with_the_whole_run_and_go_on_from_one_another():
    run, tape = running(), Tape()
    advance(run)
    for _ in range(3):
        tape.take(Engine(run), ["a"])
        advance(run)
    assert steps(tape.batches) == [0, 1, 2]
    assert json.loads(tape.batches[0]["text"])["snapshot"] is True
    assert [batch["from"] for batch in tape.batches] == [None, 1, 2]
    assert [json.loads(batch["text"])["seq"] for batch in tape.batches] == [1, 2, 3]


def test_nothing_new_adds_nothing_and_only_the_last_batches_are_offered():
    run, tape = running(), Tape()
    for _ in range(KEPT + 3):
        advance(run)
        tape.take(Engine(run), ["a"])
        tape.take(Engine(run), ["a"])
    assert [batch["n"] for batch in tape.batches] == list(range(4, KEPT + 4))


def test_a_step_without_a_frame_is_told():
    run, tape = running(), Tape()
    tape.take(Engine(run), ["a"])
    run.step = 7
    tape.take(Engine(run), ["a"])
    assert json.loads(tape.batches[-1]["text"])["step"] == 7


def test_a_rewound_tape_begins_with_the_whole_run_again():
    run, tape = running(), Tape()
    for _ in range(9):
        advance(run)
        tape.take(Engine(run), ["a"])
    tape.rewind()
    tape.take(Engine(run), ["a"])
    assert steps(tape.batches) == list(range(9))


def test_a_run_that_goes_on_from_a_checkpoint_begins_anew_on_the_tape():
    run, tape = running(), Tape()
    for _ in range(5):
        advance(run)
        tape.take(Engine(run), ["a"])
    run.rewind(3, events=0)
    tape.take(Engine(run), ["a"])
    last = json.loads(tape.batches[-1]["text"])
    assert (tape.batches[-1]["from"], last["snapshot"], steps(tape.batches[-1:])) == (None, True, [0, 1, 2])


@pytest.mark.parametrize("times", [1, 3])
def test_a_run_that_is_gone_is_told_so_once(times):
    tape = Tape()
    for _ in range(times):
        tape.take(Engine(), ["a"])
    assert [json.loads(batch["text"]) for batch in tape.batches] == [{"run": "a", "gone": True}]


def test_other_runs_than_the_ones_asked_for_are_forgotten():
    first, second, tape = running("a"), running("b"), Tape()
    tape.take(Engine(first, second), ["a"])
    tape.take(Engine(first, second), ["b"])
    assert {batch["run"] for batch in tape.batches} == {"b"}
