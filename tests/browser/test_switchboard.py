"""A dense block's skips share their lines: each is still clicked, focused and switched by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from skipviz.network import families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task


@pytest.fixture
def dense(kept):
    """The lab with a dense block of six layers, whose ten skips are all on."""
    network = families.mlp(depth=6, width=8, skip_every=6, pattern="dense")
    training = Training(steps=4000, record_every=1, batch_size=16)
    return kept.put(Experiment(variants={"network": network}, task=Task(name="spiral", samples=200), training=training))


def _off(network) -> set[str]:
    return {skip.id for skip in network.skips if not skip.on}


def test_each_of_them_is_switched_alone_by_a_click_and_by_the_keyboard(dense):
    page = dense.page
    clicked = dense.experiment().network.skips[4].id
    dense.click_skip(clicked)
    dense.expect_network(lambda network: _off(network) == {clicked})
    expect(page.locator("svg.sv-diagram .skip.off")).to_have_count(1)
    expect(dense.inspector).to_contain_text("Skip")

    dense.skip(clicked).focus()
    page.keyboard.press("ArrowRight")
    other = page.evaluate("() => document.activeElement.dataset.skip")
    assert other
    assert other != clicked
    page.keyboard.press(" ")
    dense.expect_network(lambda network: _off(network) == {clicked, other})
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    dense.expect_network(lambda network: _off(network) == set())


def test_a_click_on_any_part_of_a_line_reaches_the_skip_whose_dot_is_next(dense):
    reached = dense.page.evaluate(
        """() => [...document.querySelectorAll("svg.sv-diagram .dotted")].map((skip) => {
            const hit = skip.querySelector(".hit");
            const length = hit.getTotalLength();
            return [0.3, 0.5, 0.7].map((share) => {
                const point = hit.getPointAtLength(share * length).matrixTransform(hit.getScreenCTM());
                const found = document.elementFromPoint(point.x, point.y).closest("[data-skip]");
                return [skip.dataset.skip, found && found.dataset.skip];
            });
        })"""
    )
    assert len(reached) == 10
    wrong = [pair for skip in reached for pair in skip if pair[0] != pair[1]]
    assert wrong == []
