"""What the page says of a run before it starts."""

import re

from pages import LabPage
from playwright.sync_api import expect

from skipviz.network import families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task


def test_time_and_memory_are_said_before_a_start_and_a_long_step_is_warned_of(page):
    lab = LabPage(page).open()
    words = page.locator(".sv-estimate")
    expect(words).to_have_text(re.compile(r"^About [\d.]+ m?s a step, 20 s for 2,000 steps, \d+ MB$"))
    lab.set_speed(3)
    expect(words).to_have_text(re.compile(r" a step, 3 min for 2,000 steps, "))
    lab.set_speed(6)
    expect(words).to_have_text(re.compile(r" a step, 20 s for 2,000 steps, "))
    lab.start()
    expect(words).to_be_empty()
    deep = families.resnet(110, widths=(32, 64, 128), input=(1, 8, 8))
    slow = Experiment(variants={"network": deep}, task=Task(name="digits"), training=Training(batch_size=512, steps=100))
    LabPage(page).open(slow)
    expect(words).to_have_text(
        re.compile(r"^A step takes about .* s; a change shows at the next one\. .* for 100 steps, [\d.]+ GB$")
    )
    assert _bottom(words) <= lab.slider.bounding_box()["y"] + 1


def _bottom(place) -> float:
    """Return where something ends, in px from the window's top."""
    box = place.bounding_box()
    return box["y"] + box["height"]
