"""Several seeds on the page: their median in bars and lines, their bands beside them, and in words of how many."""

from __future__ import annotations

import pytest
from experiments import small
from playwright.sync_api import expect

FILLED = """() => [...document.querySelectorAll(".sv-plot-loss .scatterlayer .js-fill")].filter((one) => one.getBBox().width > 20)
    .map((one) => [getComputedStyle(one).fill, getComputedStyle(one).fillOpacity])"""

CUT = """node => [node.scrollWidth > node.clientWidth, node.scrollHeight > node.clientHeight + 1]"""


def test_seeds_are_shown_as_median_and_band(kept):
    experiment = small()
    kept.put(experiment.replaced(training=experiment.training.replaced(seeds=3, steps=40)))
    expect(kept.page.locator(".sv-sentence")).to_contain_text("Median of 3 seeds; the picture is the first’s.")
    expect(kept.page.locator(".sv-estimate")).to_contain_text("3 seeds at once")
    kept.start()
    frame = kept.frame_where(lambda frame: frame["step"] >= 20)
    values = next(iter(frame["variants"].values()))
    assert values["members"] == 3
    assert values["bands"]["loss"][0] < values["loss"] < values["bands"]["loss"][1]
    kept.until(lambda: len(kept.page.evaluate(FILLED)) >= 1)
    assert {float(opacity) for _, opacity in kept.page.evaluate(FILLED)} == {0.18}
    plot = kept.page.locator(".sv-plot-loss:visible").first.bounding_box()
    kept.page.mouse.move(plot["x"] + 60, plot["y"] + plot["height"] / 2)
    expect(kept.page.locator(".sv-tip").filter(has_text="median of 3, 10–90 %:")).to_be_visible()


@pytest.mark.parametrize("lent", ["kept", "pocket"])
def test_what_is_said_of_several_seeds_is_read_to_its_end_with_what_there_is_to_try(lent, request):
    lab, experiment = request.getfixturevalue(lent), small()
    lab.put(experiment.replaced(training=experiment.training.replaced(seeds=16, steps=40)))
    said = lab.page.locator(".sv-sentence")
    expect(said).to_contain_text("Median of 16 seeds")
    lab.start()
    lab.expect_state("Finished")
    expect(said).to_contain_text("Try: ")
    for part in (said, said.locator(".sv-sentence-line"), said.locator(".sv-sentence-why")):
        assert part.evaluate(CUT) == [False, False], part
