"""The U by scale in the browser: switched in the card, it is painted, clicked and reached by keyboard as the column is."""

from experiments import values
from pages import PHONE
from playwright.sync_api import expect

from skipviz import Experiment, Task, Training, families
from skipviz.tasks import presets


def _as_u(lab):
    lab.page.get_by_role("button", name="U by scale").click()
    expect(lab.page.locator(".sv-rows.u svg.sv-diagram .level").first).to_be_attached()
    return lab


BOXES = "selectors => selectors.map((selector) => document.querySelector(selector).getBoundingClientRect().toJSON())"


def _boxes(page, *selectors):
    """Return where the first node of each selector stands, all at the same moment."""
    return page.evaluate(BOXES, selectors)


def test_a_u_trains_and_its_skips_are_switched_as_in_the_column(kept):
    lab, page = _as_u(kept.put(presets.get("unet-shapes"))), kept.page

    def is_laid_out() -> bool:
        first, last, names, bars = _boxes(page, '[data-layer="f1"]', '[data-layer="f20"]', ".sv-names", ".sv-bars")
        return abs(first["y"] - last["y"]) < 40 and last["x"] > first["right"] and names["right"] <= bars["x"] + 1

    lab.until(is_laid_out)
    lab.start()
    lab.wait_for_step(2)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.sv-diagram .skip .band')].every((band) => parseFloat(band.style.strokeWidth) > 1.3)"
    )
    lab.click_skip("s2-18")
    lab.expect_network(lambda network: not network.skip("s2-18").on)
    assert lab.event_frame()["events"][0]["ids"] == ["s2-18"]
    expect(lab.inspector).to_contain_text("h(2) → h(18)")
    lab.skip("s5-15").press(" ")
    lab.expect_network(lambda network: not network.skip("s5-15").on)
    page.locator('[data-valve="f10"]').click()
    lab.expect_network(lambda network: network.layer("f10").gain == 0)
    page.get_by_role("button", name="Column").click()
    expect(page.locator(".sv-rows.u")).to_have_count(0)
    expect(lab.skip("s2-18")).to_have_class("edge skip off")


def test_a_gate_between_both_ways_is_folded_opened_and_switched(kept):
    task = Task(name="shapes", samples=60)
    network = families.unet(1, 2, padded=True, gates=True, input=task.sample_shape(), head=task.head())
    experiment = Experiment(variants={"network": network}, task=task, training=Training(steps=40_000, record_every=1, batch_size=4))
    lab, page, edge = kept.put(experiment), kept.page, network.edges[1]
    page.get_by_role("button", name="U by scale").click()
    toggle = page.locator(f'.sv-rows.u svg.sv-diagram [data-branch="{network.skips[0].via}"]')
    for expanded in ("true", "false", "true"):
        expect(toggle).to_have_attribute("aria-expanded", expanded)
        if expanded == "true":
            expect(lab.layer(edge.target)).to_be_visible()
        toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.click()
    lab.start()
    lab.wait_for_step(2)
    lab.skip(edge.id).press(" ")
    lab.expect_network(lambda network: not network.edge(edge.id).on)
    assert values(lab.event_frame())["edge_grad"][1] == 0


def test_two_us_stand_side_by_side_over_their_bars_and_each_is_switched_alone(kept):
    lab = kept.put(presets.get("unet-shapes"))
    lab.page.get_by_role("button", name="Compare", exact=True).click()
    lab.page.locator(".sv-compare-menu").get_by_role("button", name="Without skips").click()
    lab.page.get_by_role("button", name="U by scale").click()
    drawings = lab.page.locator(".sv-columns .sv-diagram-host")
    expect(drawings.locator(".level-layer")).to_have_count(2)

    def is_laid_out() -> bool:
        hosts, bars, names = (
            [box for one in lab.page.locator(f".sv-columns {part}").all() if (box := one.bounding_box())]
            for part in (".sv-diagram-host", ".sv-bars", ".sv-names svg")
        )
        beside = hosts[1]["x"] >= hosts[0]["x"] + hosts[0]["width"] and hosts[0]["y"] == hosts[1]["y"]
        return beside and bars[0]["y"] > hosts[0]["y"] + hosts[0]["height"] and names[0]["x"] < bars[0]["x"]

    lab.until(is_laid_out)
    drawings.nth(1).locator('[data-skip="s2-18"]').focus()
    lab.page.keyboard.press("Space")
    lab.until(lambda: [one.skip("s2-18").on for one in lab.experiment().variants.values()] == [True, True])
    assert [one.skip("s5-15").on for one in lab.experiment().variants.values()] == [True, False]


def test_a_phone_shows_the_u_in_its_width_with_the_bars_below(pocket):
    lab, page = _as_u(pocket.put(presets.get("unet-2015"))), pocket.page

    def fits() -> bool:
        drawing, bars = _boxes(page, "svg.sv-diagram", ".sv-bars")
        return drawing["x"] >= 0 and drawing["right"] <= PHONE["width"] and bars["y"] >= drawing["bottom"] - 1

    lab.until(fits)
    lab.until(lambda: page.evaluate("document.documentElement.scrollWidth") == PHONE["width"])
    expect(page.locator(".sv-bars .textpoint").get_by_text("no weights")).to_have_count(4)


def test_a_network_of_one_scale_has_no_choice_of_drawing(kept):
    expect(kept.put(presets.get("vanishing-plain")).page.locator(".sv-shape")).to_be_hidden()
