"""What a picture paints is what the run recorded: every pixel of a mask and of an attention map, and the numbers beside them."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from experiments import values
from playwright.sync_api import expect

from skipviz.tasks import presets

CANVAS = ".sv-picture-card canvas"
PIXELS = """(canvas) => {
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { width, height, data: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join("")) };
}"""


def _finished(lab, preset: str, steps: int = 20) -> dict:
    """Train a preset for a few steps and return the picture that its run recorded last."""
    experiment = presets.get(preset)
    lab.put(experiment.replaced(training=experiment.training.replaced(steps=steps)))
    lab.set_speed(9)
    lab.start()
    lab.expect_state("Finished")
    return next(found for frame in reversed(lab.frames()) if (found := values(frame).get("picture")))


def _painted(page) -> np.ndarray:
    """Return the colours of the picture's canvas `(height, width, 3)`."""
    image = page.locator(CANVAS).evaluate(PIXELS)
    colours = np.frombuffer(base64.b64decode(image["data"]), np.uint8)
    return colours.reshape(image["height"], image["width"], 4)[..., :3].astype(float)


def _recorded(text: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape).astype(float)


def _at_cells(painted: np.ndarray, left: float, top: float, side: float, shape: tuple[int, int]) -> np.ndarray:
    """Return the colour in the middle of every cell of an image that is drawn `side` px large."""
    rows, columns = ((np.arange(count) + 0.5) * side / max(shape) for count in shape)
    return painted[(top + rows).astype(int)[:, None], (left + columns).astype(int)[None, :]]


def _is_mixed_by(colours: np.ndarray, amounts: np.ndarray) -> bool:
    """Return whether each colour lies between the same two as far as its amount says, to the rounding of a byte."""
    design = np.stack([np.ones(amounts.size), amounts.ravel()], 1)
    wanted = colours.reshape(-1, 3)
    fitted, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    return bool(np.abs(design @ fitted - wanted).max() < 1.5 and np.abs(fitted[1] * 255).max() > 50)


def test_masks_are_painted_as_they_were_recorded_with_their_scores(kept):
    picture = _finished(kept, "unet-shapes")
    count, shape = picture["count"], tuple(picture["size"])
    parts = {name: _recorded(picture[name], count, *shape) for name in ("images", "truth", "predicted")}
    kept.until(lambda: kept.page.locator(CANVAS).bounding_box()["height"] > 100)

    def is_painted() -> bool:
        painted = _painted(kept.page)
        side = (painted.shape[1] + 6) / count - 6
        return all(
            _is_mixed_by(_at_cells(painted, index * (side + 6), row * (side + 17) + 15, side, shape), parts[name][index])
            for row, name in enumerate(parts)
            for index in range(count)
            if np.ptp(parts[name][index]) > 30
        )

    kept.until(is_painted)
    assert np.ptp(parts["predicted"]) > 30
    words = kept.page.locator(".sv-picture-card").inner_text()
    found, true = parts["predicted"] > 127, parts["truth"] > 127
    both, either = (found & true).sum((1, 2)), (found | true).sum((1, 2))
    assert _numbers(words, "IoU") == pytest.approx(both / np.maximum(either, 1), abs=0.006)
    assert _numbers(words, "Dice") == pytest.approx(2 * both / np.maximum(both + either, 1), abs=0.03)


def _numbers(words: str, name: str) -> list[float]:
    """Return the numbers that stand in a line behind a name."""
    return [float(part) for part in re.search(rf"{name} ([\d., ]+)", words)[1].split(", ")]


def test_attention_is_painted_as_it_was_recorded_a_map_for_each_head(kept):
    picture = _finished(kept, "transformer-pre-ln")
    (count, length), heads = picture["size"], picture["heads"]
    weights = _recorded(picture["attention"], heads, length, length)

    def is_painted() -> bool:
        painted = _painted(kept.page)
        columns = min(heads, 4)
        side = int(min(92, (painted.shape[1] - 6 * (columns - 1)) / columns))
        top = count * (3 * 17 + 8) + 16
        cells = (
            _at_cells(painted, head % columns * (side + 6), top + head // columns * (side + 6), side, (length, length))
            for head in range(heads)
        )
        return all(_is_mixed_by(colours, weights[head]) for head, colours in enumerate(cells))

    kept.until(is_painted)


def test_the_table_tells_how_far_each_gate_is_open(kept):
    _finished(kept, "highway-50", steps=10)
    opened = values(kept.frames()[-1])["gate_opening"]
    kept.page.get_by_role("button", name="Table", exact=True).click()
    cells = kept.page.locator(".sv-table table").nth(1).locator("tbody tr td:last-child")
    expect(cells).to_have_count(len(opened))
    kept.until(lambda: [float(text) for text in cells.all_inner_texts()] == pytest.approx(opened, rel=0.01))
    assert all(0 < opening < 0.5 for opening in opened)
