"""What strains the page: nonsense in every field, 300 layers, a phone, a visit that asks other hosts for nothing."""

from __future__ import annotations

import re

import pytest
from blocked import PLOTLY, block
from experiments import small
from pages import FigurePage, LabPage
from playwright.sync_api import expect

from skipviz.sharing import link
from skipviz.tasks import presets

NONSENSE = ("-5", "1e99", "0", "999999999999", "")


def test_nonsense_in_any_field_of_the_sidebar_never_breaks_the_page(kept):
    lab, page = kept.put(small()), kept.page
    sidebar = page.get_by_test_id("stSidebar")
    for label in ("Every", "Batch size", "Steps", "Seed", "Weight decay"):
        for text in NONSENSE:
            field = sidebar.get_by_label(label, exact=True)
            field.fill(text)
            field.press("Enter")
    for label in ("Activation", "Norm", "Order", "Init", "Skips", "Optimizer", "Device", "Start from"):
        field = sidebar.get_by_role("combobox", name=label, exact=True)
        field.press_sequentially("zzz <b>")
        field.press("Escape")
    lab.ready()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    lab.choose_task("Moons")
    lab.until(lambda: lab.experiment().task.name == "moons")
    lab.press("Start")
    lab.expect_state(re.compile("Running|Finished"))
    lab.until(lambda: lab.data()["frames"])


def test_every_task_and_pattern_can_be_chosen_and_shows_its_gradient_at_once(kept):
    lab = kept.put(small(width=8, depth=4))
    for title, name in (("Digits", "digits"), ("Shapes", "shapes"), ("XOR", "xor")):
        lab.choose_task(title)
        lab.until(lambda name=name: lab.experiment().task.name == name)
        expect(lab.page.locator(".sv-title", has_text="Loss")).to_have_text(re.compile(r"Loss \d"))
        expect(lab.toast).to_have_count(0)


@pytest.fixture
def deep(kept):
    """The lab with 300 layers, folded."""
    return kept.put(presets.get("residual-300"))


def test_300_layers_open_folded_and_a_click_opens_blocks(deep):
    expect(deep.inspector).to_contain_text("300 layers")
    groups = deep.page.locator("svg.sv-diagram [data-collapsed]")
    expect(groups).to_have_count(1)
    expect(deep.layer("f150")).to_have_count(0)
    assert deep.page.locator("svg.sv-diagram [data-layer]").count() < 60
    groups.click()
    expect(groups).to_have_count(2)
    opened = deep.page.locator("svg.sv-diagram [data-layer]").evaluate_all("boxes => boxes.map((box) => box.dataset.layer)")
    inside = [int(layer[1:]) for layer in opened if 100 < int(layer[1:]) < 200]
    assert len(inside) == 4
    expect(groups.first).to_have_attribute("aria-label", re.compile(r"\d+"))


def test_300_layers_are_redrawn_step_by_step_while_they_train(deep):
    deep.set_speed(9)
    deep.start()
    deep.wait_for_step(5)
    drawn = deep.page.evaluate(
        """() => new Promise((resolve) => {
            const seen = new Set();
            const look = () => {
                seen.add(document.querySelector(".sv-transport .sv-step").textContent);
                seen.size < 12 ? requestAnimationFrame(look) : resolve(seen.size);
            };
            look();
        })"""
    )
    assert drawn == 12
    assert deep.data()["state"] == "running"


def _is_inside(locator) -> bool:
    box = locator.bounding_box()
    within = box and box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
    return bool(within)


def _overflow(page) -> int:
    return page.evaluate("() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - 390")


def test_the_lab_fits_a_phone_with_its_transport_in_sight_and_its_inspector_as_a_sheet(pocket):
    lab, phone = pocket.put(small()), pocket.page
    phone.wait_for_function("() => document.querySelector('svg.sv-diagram .face')?.getBoundingClientRect().width < 60")
    lab.until(lambda: _overflow(phone) <= 0 and _is_inside(lab.main))
    lab.layer("f4").tap()
    sheet = phone.locator(".sv-controls")
    expect(sheet).to_contain_text("f(4)")
    lab.until(lambda: _is_inside(sheet) and _is_inside(phone.get_by_label("Remove this layer")))
    lab.main.tap()
    lab.wait_for_step(5)
    lab.until(lambda: _overflow(phone) <= 0)


def test_a_whole_visit_logs_no_error_asks_no_other_host_for_anything_and_finds_the_figure_as_it_was(page, server):
    figure = FigurePage(page).open()
    figure.start_held(3)
    figure.wait_for_step(5)
    valve = figure.panel("left").locator('[data-valve="f5"]')
    valve.click()
    expect(valve).to_have_class(re.compile(r"\bshut\b"))
    page.get_by_role("link", name="Lab").click()
    expect(page.locator(".sv-lab")).to_be_visible()
    lab = LabPage(page).ready()
    lab.start()
    lab.wait_for_step(20)
    lab.residual.click()
    lab.event_frame()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_label("Table", exact=True).click()
    page.get_by_role("link", name="Figure 4.9").click()
    expect(valve).to_have_class(re.compile(r"\bshut\b"))
    figure.expect_running()
    foreign = [address for address in page.asked if not address.startswith((server.address, "data:", "blob:"))]
    assert foreign == []
    assert page.complaints == []


def test_where_plotly_cannot_be_loaded_each_plot_says_so_and_the_diagram_works_on(page):
    block(page, "*/skipviz/plotly.js", PLOTLY)
    lab = LabPage(page)
    page.goto("lab?x=" + link.encode(small()))
    said = page.locator(".sv-no-plot")
    expect(said).to_have_count(4)
    expect(page.locator(".sv-bars .sv-no-plot")).to_contain_text("plotly.js could not be loaded")
    before = lab.band_widths()
    lab.start()
    lab.wait_for_step(5)
    lab.until(lambda: lab.band_widths() != before)
    expect(said).to_have_count(4)


def test_the_page_opens_and_trains_where_its_script_cannot_be_fetched_from_our_routes(page):
    block(page, "*/skipviz/page.js*")
    lab = LabPage(page).open(small())
    lab.start()
    lab.wait_for_step(5)
