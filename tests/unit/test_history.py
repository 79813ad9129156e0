"""The picture of what happened in a run: its loss as a line, its gradients as a strip."""

from __future__ import annotations

import base64
import json
import re

from skipviz.drawing.history import COLUMNS, FRAMES, HEIGHT, NOTHING, ROWS, WIDTH, history
from skipviz.learning.training import train
from skipviz.network import families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task


def _frame(step: int, loss: float | None, gradients: list) -> bytes:
    values = {"weight_grad": gradients, **({} if loss is None else {"loss": loss})}
    return json.dumps({"step": step, "variants": {"net": values}}).encode()


def _points(line: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", line)]


def _cells(picture: dict) -> list[list[int]]:
    cells = base64.b64decode(picture["strip"])
    columns = picture["columns"]
    return [list(cells[start : start + columns]) for start in range(0, len(cells), columns)]


def test_a_run_without_frames_has_no_picture():
    assert history([]) is None


def test_the_line_goes_through_the_losses_in_the_pictures_px():
    picture = history([_frame(0, 1.0, [1.0]), _frame(50, 0.5, [1.0]), _frame(100, 0.0, [1.0])])
    assert _points(picture["lines"][0]) == [(0, 1), (WIDTH / 2, HEIGHT / 2), (WIDTH, HEIGHT - 1)]


def test_a_loss_that_leaps_off_leaves_at_the_top_and_one_that_is_no_number_leaves_a_gap():
    picture = history([_frame(0, 1.0, [1.0]), _frame(1, 1e9, [1.0]), _frame(2, None, [None])])
    assert [y for _, y in _points(picture["lines"][0])] == [22, 1]


def test_the_strip_has_the_last_layer_on_top_and_repeats_a_column_until_the_next_frame():
    cells = _cells(history([_frame(0, 1.0, [1e-7, 10.0, None]), _frame(3, 1.0, [0.0, 10.0, None])]))
    assert [len(row) for row in cells] == [4, 4, 4]
    assert set(cells[0]) == {NOTHING}
    assert set(cells[1]) == {64}
    assert cells[2][0] == cells[2][1] == cells[2][2] > 0
    assert cells[2][3] == 0, "an exact zero has the ramp's palest colour"


def test_a_long_and_deep_run_is_a_picture_of_bounded_size():
    frames = [_frame(step, 1 / (1 + step), [0.1] * 300) for step in range(0, 50_000, 20)]
    picture = history(frames)
    assert (picture["rows"], picture["columns"]) == (ROWS, COLUMNS)
    assert len(_points(picture["lines"][0])) == FRAMES
    assert len(json.dumps(picture)) < 5000


def test_the_frames_of_a_real_run_give_a_line_and_a_full_strip():
    variants = {"plain": families.mlp(depth=4, width=8), "residual": families.mlp(depth=4, width=8, skip_every=1)}
    experiment = Experiment(variants=variants, task=Task(samples=100), training=Training(steps=20, batch_size=16))
    picture = history([json.dumps(frame.to_data()).encode() for frame in train(experiment)])
    assert len(picture["lines"]) == 2
    assert all(len(_points(line)) > 10 for line in picture["lines"])
    assert all(cell != NOTHING for row in _cells(picture) for cell in row)
