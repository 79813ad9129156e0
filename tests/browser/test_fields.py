"""What is typed into a field: numbers are read as people write them, and nonsense stays there with a sentence beneath."""

from __future__ import annotations

import re

import pytest
from experiments import small
from playwright.sync_api import expect

from skipviz import Experiment, Task, Training
from skipviz.network import families


@pytest.fixture
def six(kept):
    """The lab with six layers of 16 and the skips s1-3 and s3-5."""
    return kept.put(small())


def _type(field, text: str) -> None:
    field.fill(text)
    field.press("Enter")


def test_the_sidebars_fields_answer_nonsense_and_take_numbers_however_they_are_written(six):
    steps = six.page.get_by_label("Steps", exact=True)
    beneath = six.page.get_by_test_id("stSidebar").get_by_text("It stays")
    for text in ("-5", "", "1e99"):
        _type(steps, text)
        expect(six.toast).to_have_text("Not changed. Steps: a whole number from 1 to 1,000,000.")
        expect(steps).to_have_value(text)
        expect(beneath).to_have_text("Steps: a whole number from 1 to 1,000,000. It stays 400000.")
        assert six.experiment().training.steps == 400_000
        six.toast.evaluate("toast => toast.hidden = true")
    _type(steps, "1e3")
    six.until(lambda: six.experiment().training.steps == 1000)
    expect(steps).to_have_value("1000")
    expect(beneath).to_have_count(0)


def test_a_skip_that_attends_has_the_fields_of_its_attention(kept):
    network = families.transformer(depth=1, encoder=1, width=8, heads=2, feed_forward=8, input=(8, 8))
    [skip] = [skip.id for skip in network.skips if skip.merge == "attend"]
    lab = kept.put(Experiment(variants={"network": network}, task=Task(name="digits"), training=Training(steps=5)))
    lab.skip(skip).focus()
    lab.page.keyboard.press("Enter")
    lab.inspector.locator("summary").click()
    _type(lab.inspector.get_by_label("Heads", exact=True), "4")
    lab.expect_network(lambda network: network.skip(skip).heads == 4)
    lab.inspector.get_by_role("switch", name="Causal").click()
    lab.expect_network(lambda network: network.skip(skip).causal)
    _type(lab.inspector.get_by_label("Heads", exact=True), "3")
    expect(lab.toast).to_contain_text("Not done.")
    assert lab.experiment().network.skip(skip).heads == 4


def test_the_inspectors_fields_answer_nonsense_and_what_cannot_be(six):
    six.click_skip("s1-3")
    expect(six.inspector).to_contain_text("h(1) → h(3)")
    six.inspector.locator("summary").click()
    joins = six.inspector.get_by_label("Joins at state")
    for text in ("", "-3", "99", "2,5"):
        _type(joins, text)
        expect(six.toast).to_have_text("Not changed. Joins at state: a whole number from 1 to 6.")
        expect(joins).to_have_value(text)
        expect(six.inspector.locator(".sv-typed", has=six.page.get_by_label("Joins at state"))).to_contain_text(
            "from 1 to 6. It stays 3."
        )
        six.toast.evaluate("toast => toast.hidden = true")
    six.plain.click()
    expect(six.inspector.get_by_role("switch", name="Skip on")).to_have_attribute("aria-checked", "false")
    expect(joins).to_have_value("2,5")
    expect(six.inspector.locator(".sv-typed", has=six.page.get_by_label("Joins at state"))).to_contain_text("It stays 3.")
    six.residual.click()
    _type(joins, "1")
    expect(six.toast).to_contain_text("Not done. A skip only runs forward")
    expect(joins).to_have_value("3")
    assert {(skip.source, skip.target) for skip in six.experiment().network.skips} == {(1, 3), (3, 5)}


def _elsewhere(lab, command: dict) -> None:
    """Send a command to the lab, which this page has sent one before, as another tab of this browser does."""
    answer = lab.page.request.post(next(address for address in lab.page.asked if "/skipviz/labs/" in address), data=command)
    assert answer.ok, answer.text()


def test_what_an_inspectors_field_could_not_take_stays_however_often_the_page_is_drawn_anew(six):
    six.click_skip("s1-3")
    six.inspector.locator("summary").click()
    joins = six.inspector.get_by_label("Joins at state")
    beneath = six.inspector.locator(".sv-typed", has=six.page.get_by_label("Joins at state"))
    _type(joins, "4")
    six.expect_network(lambda network: network.skip("s1-3").target == 4)
    for text, on in (("", False), ("2,5", True)):
        _type(joins, text)
        expect(six.toast).to_have_text("Not changed. Joins at state: a whole number from 1 to 6.")
        _elsewhere(six, {"op": "skips", "ids": ["s1-3"], "changes": {"on": on}})
        expect(six.skip("s1-3")).to_have_class(re.compile(r"^(?!.*\boff\b)" if on else r"\boff\b"))
        expect(joins).to_have_value(text)
        expect(beneath).to_contain_text("It stays 4.")
        six.plain.click()
        expect(six.plain).to_have_attribute("aria-pressed", "true")
        six.residual.click()
        expect(six.residual).to_have_attribute("aria-pressed", "true")
        expect(joins).to_have_value(text)
        expect(beneath).to_contain_text("It stays 4.")


def test_what_is_being_typed_outlasts_the_refusal_of_what_was_typed_before(six):
    six.click_skip("s1-3")
    six.inspector.locator("summary").click()
    joins, leaves = (six.inspector.get_by_label(label) for label in ("Joins at state", "Leaves from state"))
    held = []
    six.page.route("**/skipviz/labs/*", lambda route: held.append(route))
    _type(joins, "1")
    leaves.press_sequentially("0,")
    six.until(lambda: held)
    held[0].continue_()
    expect(six.toast).to_contain_text("Not done. A skip only runs forward")
    expect(joins).to_have_value("3")
    expect(leaves).to_have_value("0,1")
    expect(leaves).to_be_focused()


def test_what_is_marked_in_a_field_is_written_over_though_another_tab_changes_its_skip_meanwhile(six):
    six.click_skip("s1-3")
    six.inspector.locator("summary").click()
    joins, strength = (six.inspector.get_by_label(label, exact=True) for label in ("Joins at state", "Strength"))
    joins.select_text()
    for changes, text, value in (({"strength": 0.5}, "0.5", "4"), ({"target": 6}, "0.5", "5")):
        _elsewhere(six, {"op": "skips", "ids": ["s1-3"], "changes": changes})
        expect(strength).to_have_value(text)
        six.until(lambda changes=changes: joins.input_value() == str(changes.get("target", 3)))
        six.page.keyboard.insert_text(value)
        expect(joins).to_have_value(value)
        joins.press("Enter")
        six.expect_network(lambda network, value=value: network.skip("s1-3").target == int(value))
        joins.select_text()


def test_an_open_list_stays_and_is_chosen_from_though_another_tab_changes_its_layer(six):
    six.layer("f4").click()
    six.choose("Activation", "gelu")
    six.expect_network(lambda network: network.layers[3].activation == "gelu")
    activation = six.inspector.get_by_label("Activation", exact=True)
    activation.click()
    opened = activation.element_handle()
    _elsewhere(six, {"op": "layers", "ids": ["f4"], "changes": {"gain": 0.5}})
    expect(six.page.locator("svg.sv-diagram [aria-label^='Gradient gain of f(4): 0.5']")).to_have_count(1)
    six.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 200)))")
    assert opened.evaluate("list => list.isConnected"), "the list that is open was taken away"
    activation.select_option("tanh")
    six.expect_network(lambda network: network.layers[3].activation == "tanh" and network.layers[3].gain == 0.5)
    expect(six.inspector.get_by_label("Gradient gain", exact=True)).to_have_value("0.5")


def test_a_slider_moves_with_the_pointer_that_holds_it_while_another_tab_changes_its_layer(six):
    six.layer("f4").click()
    six.choose("Activation", "gelu")
    six.expect_network(lambda network: network.layers[3].activation == "gelu")
    activation, gain = (six.inspector.get_by_label(label, exact=True) for label in ("Activation", "Gradient gain"))
    box, mouse = gain.bounding_box(), six.page.mouse
    middle, right = (box["x"] + box["width"] / 2, box["y"] + 90), (box["x"] + box["width"] + 90, box["y"])
    mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    mouse.down()
    for name, place, value in (("tanh", middle, "0.5"), ("silu", right, "1")):
        _elsewhere(six, {"op": "layers", "ids": ["f4"], "changes": {"activation": name}})
        expect(six.layer("f4")).to_have_accessible_name(re.compile(name, re.IGNORECASE))
        mouse.move(*place, steps=3)
        expect(gain).to_have_value(value)
    mouse.up()
    six.page.keyboard.press("Control+z")
    six.expect_network(lambda network: network.layers[3].activation == "tanh" and network.layers[3].gain == 1)
    expect(activation).to_have_value("tanh")
    expect(gain).to_have_value("1")


def test_a_networks_name_is_written_on_while_another_tab_puts_one_more_beside_it(six):
    heads, page = six.page.locator(".sv-variant-head"), six.page
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator(".sv-compare-menu").get_by_role("button", name="Duplicate").click()
    expect(heads).to_have_count(2)
    heads.nth(1).get_by_role("button", name="What can be done to this network").click()
    heads.nth(1).get_by_role("button", name="Rename").click()
    field = page.locator(".sv-variant-input:visible")
    field.press_sequentially("Ha")
    _elsewhere(six, {"op": "compare", "how": "copy"})
    expect(heads).to_have_count(3)
    expect(field).to_have_value("Ha")
    expect(field).to_be_focused()
    assert six.experiment().labels == {}, "a name that is half written is none"
    page.keyboard.type("lf")
    page.keyboard.press("Enter")
    six.until(lambda: [*six.experiment().labels.values()] == ["Half"])
    assert len(six.experiment().variants) == 3


def test_a_run_keeps_its_name_where_the_new_one_is_empty(six):
    six.start()
    six.wait_for_step(5)
    six.page.get_by_role("link", name="My runs").click()
    title = six.page.locator(".sv-run-title").first
    expect(title).to_contain_text("6 layers")
    before = title.text_content()
    title.click()
    _type(six.page.get_by_label("New name of this run"), "   ")
    expect(six.toast).to_contain_text("A run needs a name")
    expect(title).to_have_text(before)
