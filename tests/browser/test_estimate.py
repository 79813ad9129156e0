"""What the page says of a run before it starts."""

import re

from pages import LabPage
from playwright.sync_api import expect

from skipviz.engine.capacity.limits import memory_mb, written
from skipviz.learning.trainer import Trainer
from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task


def test_time_and_memory_are_said_before_a_start(page):
    # Of a shape that no run of this server has had: of one that had, it is said as it was measured.
    lab = LabPage(page).open(
        Experiment(variants={"network": families.mlp(depth=5, width=9)}, training=Training(batch_size=11, steps=2000))
    )
    words = page.locator(".sv-estimate")
    expect(words).to_have_text(re.compile(r"^About [\d.]+ m?s a step, 20 s for 2,000 steps, \d+ MB$"))
    lab.set_speed(3)
    expect(words).to_have_text(re.compile(r" a step, 3 min for 2,000 steps, "))
    lab.set_speed(6)
    expect(words).to_have_text(re.compile(r" a step, 20 s for 2,000 steps, "))
    lab.start()
    expect(words).to_have_text(re.compile(r"^[\d.]+ m?s a step, measured; .* steps left, \d+ MB$"))
    page.get_by_label("Back to step 0, same seed").click()
    expect(lab.main).to_have_text("Start")
    expect(words).to_have_text(re.compile(r"^[\d.]+ m?s a step, measured; .* for 2,000 steps, \d+ MB$"))


def test_a_long_step_is_warned_of_though_nothing_was_measured(page):
    # More than a run may take here: it is said without a pass of the network, however fast the machine is.
    large = families.resnet(8, widths=(1024, 1024, 1024), input=(1, 8, 8))
    slow = Experiment(variants={"network": large}, task=Task(name="digits"), training=Training(batch_size=1024, steps=100))
    page.goto(f"lab?x={link.encode(slow)}")
    words = page.locator(".sv-estimate")
    needs = written(memory_mb(slow))
    assert needs.endswith("GB")
    expect(words).to_have_text(f"A step takes about 4 min; a change shows at the next one. 6.8 h for 100 steps, {needs}")
    expect(page.locator(".sv-queue-notice")).to_contain_text(f"This experiment needs about {needs} of memory")
    assert _bottom(words) <= page.get_by_label("Step shown").bounding_box()["y"] + 1


def test_what_cannot_be_learned_is_said_before_a_start(page):
    broken = families.mlp(depth=60, width=16, init="normal")
    broken = broken.replaced(layers=[layer.replaced(init_factor=20.0) for layer in broken.layers])
    lab, said = LabPage(page), page.locator(".sv-warning")
    experiment = Experiment(variants={"network": broken}, task=Task(name="spiral"), training=Training(batch_size=1))
    frame = Trainer(experiment).measure(baseline=False, picture=False).variants["network"]
    first = f"{broken.place(frame.first_broken)} is the first whose output is not finite"
    page.goto(f"lab?x={link.encode(experiment)}")
    expect(said).to_have_text(f"{first}: nothing can be learned. Smaller initial weights or a norm keep it finite.")
    expect(page.locator(".sv-summary .sv-badge")).to_have_text(first)
    expect(page.locator(".sv-lab")).to_contain_text("N(0, 1/n) init ×20, no norm")
    alone = families.mlp(depth=4, width=8, norm="batch")
    lab.open(Experiment(variants={"network": alone}, task=Task(name="spiral"), training=Training(batch_size=1)))
    expect(said).to_contain_text("The batch norm at f(1) and 3 more has one value to normalise, so its output is its bias")
    expect(page.locator(".sv-summary .sv-badge")).to_have_text("The batch norm at f(1) and 3 more has one value to normalise")


def _bottom(place) -> float:
    """Return where something ends, in px from the window's top."""
    box = place.bounding_box()
    return box["y"] + box["height"]
