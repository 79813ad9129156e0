"""What only the screen shows: rows on one line, the dark theme, nothing that jumps."""

from __future__ import annotations

import pytest
from experiments import small
from playwright.sync_api import expect

from skipviz.network import families
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task

CENTRES = """selectors => selectors.map((selector) => [...document.querySelectorAll(selector)].flatMap((node) => {
    const middle = (one) => {
        const box = one.getBoundingClientRect();
        return box.y + box.height / 2;
    };
    if (node.tagName !== "path") return [middle(node)];
    // Bars of one colour are one path.
    return (node.getAttribute("d").match(/M[^M]+/g) ?? []).map((outline) => {
        const alone = node.parentNode.appendChild(node.cloneNode());
        alone.setAttribute("d", outline);
        const found = middle(alone);
        alone.remove();
        return found;
    });
}))"""


def _centres(page, *selectors: str) -> list[list[float]]:
    """Return, for each selector, where its nodes have their middles, all seen at the same moment."""
    return list(map(sorted, page.evaluate(CENTRES, selectors)))


@pytest.mark.parametrize("preset", ["vanishing-plain", "digits-conv"])
def test_every_bar_stands_beside_its_box_within_a_pixel(kept, preset):
    page = kept.put(presets.get(preset)).page

    def beside():
        boxes, bars = _centres(page, "svg.sv-diagram [data-layer] .face", ".sv-bars .subplot.xy .barlayer path")
        return len(boxes) == len(bars) and (boxes, bars)

    boxes, bars = kept.until(beside)  # the network before may still have its bars there
    assert max(abs(box - bar) for box, bar in zip(boxes, bars, strict=True)) <= 1


def test_a_selection_or_a_toggle_moves_no_row(kept):
    lab, page = kept.put(small()), kept.page
    before = page.locator("svg.sv-diagram").bounding_box()
    [boxes] = _centres(page, "svg.sv-diagram [data-layer] .face")
    lab.click_skip("s1-3")
    expect(lab.inspector).to_contain_text("h(1) → h(3)")
    lab.expect_network(lambda network: not network.skip("s1-3").on)
    lab.layer("f4").click()
    expect(lab.inspector).to_contain_text("f(4)")
    assert page.locator("svg.sv-diagram").bounding_box() == before
    assert _centres(page, "svg.sv-diagram [data-layer] .face") == [boxes]


def test_every_heading_over_the_network_ends_before_the_cards_edge(kept):
    page = kept.put(small()).page
    edge = """() => document.querySelector(".sv-network").getBoundingClientRect().right"""
    ends = """heads => heads.map((head) => head.offsetParent && head.getBoundingClientRect().right).filter(Boolean)"""
    assert max(page.locator(".sv-heads > *").evaluate_all(ends)) <= page.evaluate(edge) - 6


def test_on_a_phone_the_words_over_the_bars_end_before_the_first_row(pocket):
    network = families.unet(3, 4, padded=True, nested=True, input=(1, 32, 32), head=1)
    page = pocket.put(Experiment(variants={"network": network}, task=Task(name="shapes"))).page
    bottoms = page.evaluate(
        """() => [".sv-head-bars", ".sv-heads"].map((name) => document.querySelector(name).getBoundingClientRect().bottom)"""
    )
    assert bottoms[0] <= bottoms[1] + 2


def test_the_bars_axis_stays_where_it_is_whatever_is_shown(kept):
    lab, page = kept.put(small()), kept.page
    ticks = """() => [...document.querySelectorAll(".sv-bars .xtick text")]
        .map((tick) => [tick.textContent, tick.getBoundingClientRect().x])"""
    before = page.evaluate(ticks)
    lab.start()
    lab.wait_for_step(30)
    lab.plain.click()
    lab.event_frame()
    assert page.evaluate(ticks) == before
