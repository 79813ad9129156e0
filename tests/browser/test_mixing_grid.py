"""Streams of a running network: the grid at a skip, its numbers, what is said of it, and the earlier step looked at."""

from __future__ import annotations

import pytest
from experiments import values
from playwright.sync_api import expect

from skipviz import Expand, Experiment, Layer, Linear, Network, Reduce, Skip, Task, Training

CELLS = "() => [...document.querySelectorAll('svg.sv-diagram .mixing .cell')].map((one) => +one.getAttribute('fill-opacity'))"
NUMBERS = ".sv-matrix td"


def _streams() -> Experiment:
    layers = [
        Layer(op=Linear(width=8), activation="tanh"),
        Layer(op=Expand(streams=2)),
        Layer(op=Reduce(streams=2, mixing="free")),
        Layer(op=Linear(width=8), activation="tanh"),
        Layer(op=Expand(streams=2)),
        Layer(op=Reduce(streams=2)),
    ]
    net = Network(input=(2,), layers=layers, skips=[Skip(id="m", source=2, target=5, merge="streams", streams=2)])
    training = Training(steps=40_000, record_every=1, batch_size=16, learning_rate=0.02)
    return Experiment(variants={"network": net}, task=Task(name="spiral", samples=200), training=training)


def _shades(frame: dict):
    return pytest.approx([min(1, abs(weight)) ** 0.5 for weight in values(frame)["mixing"]], abs=0.002)


def _weights(frame: dict):
    return pytest.approx(values(frame)["mixing"], abs=0.0051)


def test_the_grid_and_its_numbers_follow_the_step_looked_at(kept):
    lab = kept.put(_streams())
    shades = lambda: lab.page.evaluate(CELLS)  # noqa: E731
    lab.until(lambda: shades() == [1, 0, 0, 1])
    for on in (False, True):
        lab.click_skip("m")
        lab.expect_network(lambda network, on=on: network.skip("m").on is on)
        lab.settle()
    lab.inspector.locator("summary").click()
    expect(lab.inspector.locator(NUMBERS)).to_have_text(["1.00", "0.00", "0.00", "1.00"])
    lab.start()
    lab.wait_for_step(60)
    lab.press("Pause")
    lab.until(lambda: lab.data()["state"] == "paused")
    last = lab.frames()[-1]
    assert _shades(last) != [1, 0, 0, 1]
    lab.until(lambda: shades() == _shades(last))
    lab.until(lambda: _said(lab) == _weights(last))
    lab.slider.fill("10")
    frame = next(frame for frame in lab.frames() if frame["step"] == lab.step())
    assert values(frame)["mixing"] != _weights(last)
    lab.until(lambda: shades() == _shades(frame))
    lab.until(lambda: _said(lab) == _weights(frame))


def _said(lab) -> list[float]:
    return [float(text.replace("−", "-")) for text in lab.inspector.locator(NUMBERS).all_text_contents()]
