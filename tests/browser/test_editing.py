"""What a person does to the network on the diagram itself: by mouse, by keyboard, while it rests and while it trains."""

from __future__ import annotations

import pytest
from experiments import small, values
from playwright.sync_api import expect

from skipviz.network import families
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task


@pytest.fixture
def six(kept):
    """The lab with six layers of 16 and the skips s1-3 and s3-5, both on."""
    return kept.put(small())


def _pairs(network) -> set[tuple[int, int]]:
    return {(skip.source, skip.target) for skip in network.skips}


def test_a_click_on_a_skip_cuts_its_gradient_in_the_running_network_and_undo_restores_it(six):
    six.start()
    six.wait_for_step(20)
    six.click_skip("s1-3")
    cut = six.event_frame()
    assert cut["events"][0]["on"] is False
    assert cut["events"][0]["ids"] == ["s1-3"]
    assert values(cut)["skip_grad"][0] == 0
    assert values(cut)["skip_grad"][1] > 0
    expect(six.marks).to_have_count(1)
    expect(six.page.locator("svg.sv-diagram .skip.off")).to_have_count(1)
    six.expect_network(lambda network: not network.skip("s1-3").on and network.skip("s3-5").on)

    expect(six.undo).to_be_enabled()
    six.undo.click()
    back = six.frame_where(lambda frame: frame.get("events") and frame["step"] > cut["step"])
    assert back["events"][0]["on"] is True
    assert values(back)["skip_grad"][0] > 0
    six.expect_network(lambda network: network.skip("s1-3").on)
    expect(six.marks).to_have_count(2)
    expect(six.redo).to_be_enabled()


def test_a_toggle_while_paused_shows_at_once_and_is_marked_once(kept):
    six = kept.put(small(record_every=1))
    six.start()
    six.wait_for_step(10)
    six.press("Pause")
    six.until(lambda: six.data()["state"] == "paused")
    step = six.data()["step"]
    six.until(lambda: six.step() == step - 1)
    before = six.band_widths()
    six.click_skip("s1-3")
    six.until(lambda: six.band_widths() != before)
    six.until(lambda: six.step() == step)
    assert six.data()["step"] == step
    expect(six.marks).to_have_count(1)
    six.press("Resume")
    six.wait_for_step(step + 20)
    expect(six.marks).to_have_count(1)


def test_dragging_from_state_to_state_adds_a_skip_that_can_be_changed_undone_and_redone(six):
    six.drag(1, 6)
    six.expect_network(lambda network: (1, 6) in _pairs(network))
    expect(six.inspector).to_contain_text("h(1) → h(6)")
    added = six.experiment().network.skips[-1]
    assert added.merge == "add"
    expect(six.skip(added.id)).to_have_count(1)

    six.choose("Merge", "concat")
    six.expect_network(lambda network: network.skip(added.id).merge == "concat")
    six.choose("Adapter", "project")
    six.expect_network(lambda network: network.skip(added.id).adapter.channels == "project")
    expect(six.inspector).to_contain_text("h(1) → h(6)")

    for _ in range(3):
        expect(six.undo).to_be_enabled()
        six.undo.click()
    six.until(lambda: six.experiment() == small())
    expect(six.skip(added.id)).to_have_count(0)
    six.redo.click()
    six.expect_network(lambda network: (1, 6) in _pairs(network))


def test_a_skip_that_is_refused_or_given_up_is_no_step_that_undo_takes_back(six):
    page, mouse, skips = six.page, six.page.mouse, six.page.locator("svg.sv-diagram [data-skip]")
    six.click_skip("s1-3")
    before = six.expect_network(lambda network: not network.skip("s1-3").on)
    six.settle()
    six.drag(5, 2)
    expect(six.toast).to_contain_text("Not done.")
    expect(six.toast).to_contain_text("h(5)")
    expect(six.toast).to_contain_text("forward")
    six.settle()
    expect(skips).to_have_count(2)

    start, end = six.state_place(1), six.state_place(5)
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=4)
    expect(page.locator("svg.sv-diagram.dragging")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("svg.sv-diagram.dragging")).to_have_count(0)
    mouse.up()
    expect(skips).to_have_count(2)

    six.layer("f2").focus()
    for key in ("s", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("svg.sv-diagram.dragging")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("svg.sv-diagram.dragging")).to_have_count(0)
    expect(page.locator(".sv-diagram-host [role=status]")).to_have_text("No skip placed.")
    expect(skips).to_have_count(2)
    assert six.experiment().network == before
    six.undo.click()
    six.until(lambda: six.experiment() == small())


def test_a_skip_between_shapes_that_do_not_add_gets_an_adapter_by_itself(six):
    six.drag(0, 4)
    network = six.expect_network(lambda network: (0, 4) in _pairs(network))
    expect(six.inspector).to_contain_text("h(0) → h(4)")
    assert network.shapes.skips[-1].adapter.channels != "none"


def test_strength_and_gain_act_on_the_running_network(six):
    six.start()
    six.wait_for_step(10)
    six.skip("s1-3").focus()
    six.page.keyboard.press("Enter")
    six.inspector.get_by_label("Strength", exact=True).fill("-0.5")
    frame = six.event_frame()
    assert frame["events"][0]["strength"] == -0.5
    six.expect_network(lambda network: network.skip("s1-3").strength == -0.5)
    expect(six.page.locator("svg.sv-diagram").get_by_text("×−0.5", exact=True)).to_be_visible()
    six.layer("f5").click()
    six.inspector.get_by_label("Gradient gain").fill("0")
    killed = six.frame_where(lambda frame: any(event.get("gain") == 0 for event in frame.get("events", ())))
    gradient = values(killed)["weight_grad"]
    assert gradient[3] == gradient[4] == 0
    assert min(gradient[:3]) > 0


def test_a_box_is_edited_inserted_and_removed_from_the_inspector(six):
    six.layer("f4").click()
    expect(six.inspector).to_contain_text("f(4)")
    six.choose("Activation", "tanh")
    six.expect_network(lambda network: network.layers[3].activation == "tanh")
    six.inspector.locator(".sv-drop > summary").click()
    six.inspector.get_by_label("Bias", exact=True).click()
    six.expect_network(lambda network: [layer.op.bias for layer in network.layers] == [True] * 3 + [False] + [True] * 2)
    six.page.get_by_label("Insert a layer above").click()
    network = six.expect_network(lambda network: network.depth == 7)
    assert network.layers[3].id == "f4"
    assert network.layers[4].activation == "tanh"
    expect(six.page.locator("svg.sv-diagram [data-layer]")).to_have_count(7)
    six.page.get_by_label("Remove this layer").click()
    six.expect_network(lambda network: network.depth == 6 and "f4" not in {layer.id for layer in network.layers})
    expect(six.page.locator("svg.sv-diagram [data-layer]")).to_have_count(6)


def test_dropout_is_set_in_the_inspector_stands_on_the_box_and_is_refused_out_of_bounds(six):
    rates = six.page.locator("svg.sv-diagram .rate")
    dropout = six.inspector.get_by_label("Dropout", exact=True)
    six.layer("f4").click()
    six.inspector.locator(".sv-drop > summary").click()
    dropout.fill("3")
    dropout.press("Enter")
    expect(six.toast).to_contain_text("Dropout: a number from 0 to 0.9")
    expect(dropout).to_have_value("3")
    expect(six.inspector).to_contain_text("It stays 0.")
    dropout.fill("0.3")
    dropout.press("Enter")
    six.expect_network(lambda network: [layer.dropout for layer in network.layers] == [0, 0, 0, 0.3, 0, 0])
    expect(rates).to_have_text(["p .3"])
    expect(dropout).to_have_value("0.3")
    six.page.get_by_label("Table", exact=True).click()
    expect(six.page.locator(".sv-table tbody").nth(0).locator("tr").nth(3)).to_contain_text("linear 16, dropout 0.3")
    six.undo.click()
    six.expect_network(lambda network: not any(layer.dropout for layer in network.layers))
    expect(rates).to_have_count(0)


def _focused(page) -> dict:
    return page.evaluate(
        "() => ({...document.activeElement.dataset, inside: Boolean(document.activeElement.closest('svg.sv-diagram')),"
        " place: ['stTopNav', 'stSidebar'].find((id) => document.activeElement.closest(`[data-testid=${id}]`))})"
    )


def _press_until(page, key: str, condition) -> None:
    for _ in range(80):
        if condition(_focused(page)):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not get there; the focus is on {_focused(page)}")


def test_what_the_tab_key_comes_to_lies_below_the_header(six):
    page = six.page
    size = page.viewport_size
    page.set_viewport_size({"width": 1440, "height": 600})
    main, header, start = (page.get_by_test_id("stMain"), page.get_by_test_id("stHeader"), page.get_by_role("button", name="Start"))
    start.focus()
    page.keyboard.press("Shift+Tab")
    assert main.evaluate("(main) => { main.scrollTop = 61; return main.scrollTop; }") == 61
    page.keyboard.press("Tab")
    expect(start).to_be_focused()
    assert start.bounding_box()["y"] >= header.evaluate("(header) => header.getBoundingClientRect().bottom")
    page.set_viewport_size(size)


def test_everything_on_the_diagram_can_be_done_by_keyboard(six):
    page, keyboard = six.page, six.page.keyboard
    page.get_by_role("link", name="Skip to main content").focus()
    _press_until(page, "Tab", lambda at: at.get("place"))
    assert _focused(page)["place"] == "stTopNav"
    _press_until(page, "Tab", lambda at: at["inside"])
    assert "layer" in _focused(page)
    _press_until(page, "ArrowDown", lambda at: at.get("layer") == "f1")
    _press_until(page, "ArrowUp", lambda at: at.get("layer") == "f2")

    keyboard.press("Enter")
    expect(six.inspector).to_contain_text("f(2)")

    keyboard.press("s")
    expect(page.locator("svg.sv-diagram.dragging")).to_have_count(1)
    spoken = page.locator(".sv-diagram-host [role=status]")
    for key, words in {
        "ArrowDown": "To h(1), after box f(1), from h(2): a skip leads forward, none joins here",
        "ArrowUp": "From h(2), after box f(2): arrow keys choose where it joins, Esc gives it up",
    }.items():
        keyboard.press(key)
        expect(spoken).to_have_text(words)
    for _ in range(4):
        keyboard.press("ArrowUp")
    expect(spoken).to_have_text("To h(6), after box f(6), from h(2), both 16: they fit. Enter places the skip, Esc gives it up")
    keyboard.press("Enter")
    expect(spoken).to_be_empty()
    network = six.expect_network(lambda network: (2, 6) in _pairs(network))
    added = network.skips[-1].id
    expect(six.inspector).to_contain_text("h(2) → h(6)")

    expect(six.skip(added)).to_have_count(1)
    _press_until(page, "ArrowLeft", lambda at: "skip" in at)
    toggled = _focused(page)["skip"]
    keyboard.press(" ")
    six.expect_network(lambda network: not network.skip(toggled).on)
    assert _focused(page)["skip"] == toggled
    keyboard.press("Delete")
    six.expect_network(lambda network: toggled not in {skip.id for skip in network.skips})
    keyboard.press("Control+z")
    six.expect_network(lambda network: toggled in {skip.id for skip in network.skips})
    keyboard.press("Control+Shift+z")
    six.expect_network(lambda network: toggled not in {skip.id for skip in network.skips})


def test_the_table_switches_skips_and_shows_the_numbers_of_the_diagram(six):
    six.page.get_by_label("Table", exact=True).click()
    table = six.page.locator(".sv-table")
    expect(table.locator("tbody").nth(0).locator("tr")).to_have_count(6)
    expect(table.locator("tbody").nth(0).locator("tr").nth(5).locator(".num").nth(3)).to_have_text(six.gradient_shown(6))
    table.get_by_label("Skip h(1) to h(3) on").uncheck()
    six.expect_network(lambda network: not network.skip("s1-3").on)
    expect(six.page.locator("svg.sv-diagram .skip.off")).to_have_count(1)


def test_the_table_says_what_boxes_without_an_operation_do_and_by_which_branch_a_skip_leads(kept):
    network = families.resnet(depth=8, reduction=4, widths=(4, 8, 16), input=(1, 8, 8), head=10)
    lab = kept.put(Experiment(variants={"network": network}, task=Task(name="digits")))
    lab.page.get_by_label("Table", exact=True).click()
    layers, boxes, edges, skips = (lab.page.locator(".sv-table tbody").nth(place) for place in range(4))
    for place, layer in enumerate(network.layers):
        if layer.activation == "relu" and layer.op.kind == "identity":
            expect(layers.locator("tr").nth(place).locator("td").first).to_have_text("ReLU")
    assert boxes.locator("tr").count() == len(network.branches)
    assert edges.locator("tr").count() == len(network.edges)
    for place, skip in enumerate(network.skips):
        if skip.via:
            expect(skips.locator("tr").nth(place).locator("td").nth(1)).to_have_text("SE ÷4")


def test_a_press_during_which_the_diagram_is_drawn_anew_still_switches_its_skip(six):
    box = six.skip("s1-3").evaluate(
        """node => {
            const wire = (node.closest("[data-edge]") || node).querySelector(".hit");
            const point = wire.getPointAtLength(wire.getTotalLength() / 2).matrixTransform(wire.getScreenCTM());
            wire.closest("svg").dataset.old = "1";
            return [point.x, point.y];
        }"""
    )
    six.page.mouse.move(*box)
    six.page.mouse.down()
    six.plain.evaluate("button => button.click()")
    expect(six.page.locator("svg.sv-diagram[data-old]")).to_have_count(0)
    six.page.mouse.up()
    six.expect_network(lambda network: network.skip("s1-3").on and not network.skip("s3-5").on)


SKIP, VALVE, CHECK = ".sv-diagram [data-skip=s1-3]", ".sv-diagram [data-valve=f5]", ".sv-table [aria-label='Skip h(1) to h(3) on']"
PRESSES = [(SKIP, "on"), (VALVE, "gain"), (CHECK, "on")]


def _press_at_once(lab, place: str, then_undo: bool) -> None:
    """Press what stands at `place`, and the keys of undo before the server's drawing of that comes."""
    lab.page.evaluate(
        """([place, undo]) => {
            const press = (node, key, ctrlKey) => node.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true }));
            const pressed = document.querySelector(place);
            if (pressed.type === "checkbox") pressed.click();
            else press(pressed, " ", false);
            if (undo) press(document.body, "z", true);
        }""",
        [place, then_undo],
    )


def _expect_all_as_before(lab) -> None:
    expect(lab.page.locator("svg.sv-diagram .skip.off, svg.sv-diagram .valve.shut")).to_have_count(0)
    expect(lab.page.locator(".sv-table input:not(:checked)")).to_have_count(0)


@pytest.mark.parametrize(("place", "field"), PRESSES)
def test_a_press_that_is_undone_before_it_is_drawn_leaves_everything_as_it_was(six, place, field):
    six.page.get_by_label("Table", exact=True).click()
    six.start()
    six.wait_for_step(10)
    _press_at_once(six, place, then_undo=True)
    six.until(lambda: len({event[field] for frame in six.frames() for event in frame.get("events", ())}) == 2)
    _expect_all_as_before(six)


@pytest.mark.parametrize("place", [place for place, _ in PRESSES])
def test_a_press_that_is_refused_leaves_everything_as_it_was(six, place):
    six.page.get_by_label("Table", exact=True).click()
    six.page.route("**/skipviz/labs/*", lambda route: route.fulfill(status=422, json={"error": "That cannot be."}))
    _press_at_once(six, place, then_undo=False)
    expect(six.toast).to_contain_text("That cannot be.")
    _expect_all_as_before(six)


@pytest.mark.parametrize("by_keys", [True, False])
@pytest.mark.parametrize(("label", "entered"), [("Activation", "tanh"), ("Gradient gain", "0")])
def test_what_a_control_of_the_inspector_changed_is_undone_in_the_control_too(six, label, entered, by_keys):
    six.layer("f4").click()
    field = six.inspector.get_by_label(label, exact=True)
    before = field.input_value()
    field.focus()
    field.select_option(entered) if label == "Activation" else field.fill(entered)
    six.until(lambda: six.experiment() != small())
    six.page.keyboard.press("Control+z") if by_keys else six.undo.click()
    six.until(lambda: six.experiment() == small())
    expect(six.page.locator("svg.sv-diagram .valve.shut")).to_have_count(0)
    expect(field).to_have_value(before)


def test_what_has_the_focus_keeps_it_when_the_diagram_is_drawn_anew(six):
    six.layer("f4").focus()
    six.svg.evaluate("svg => { svg.dataset.old = '1'; }")
    six.plain.evaluate("button => button.click()")
    expect(six.page.locator("svg.sv-diagram[data-old]")).to_have_count(0)
    assert _focused(six.page)["layer"] == "f4"


def test_the_focus_stays_near_a_layer_that_was_deleted(six):
    six.layer("f4").focus()
    six.page.keyboard.press("Delete")
    six.expect_network(lambda network: network.depth == 5)
    expect(six.layer("f4")).to_have_count(0)
    six.until(lambda: six.page.evaluate("() => document.activeElement.dataset.layer") in ("f3", "f5"))


def test_undo_has_its_keys_wherever_the_focus_is_but_in_a_text(six):
    keyboard = six.page.keyboard
    six.click_skip("s1-3")
    six.expect_network(lambda network: not network.skip("s1-3").on)
    six.page.evaluate("() => document.activeElement.blur()")
    keyboard.press("Control+z")
    six.expect_network(lambda network: network.skip("s1-3").on)
    six.page.locator("[data-testid=stMain]").focus()
    keyboard.press("Control+Shift+z")
    six.expect_network(lambda network: not network.skip("s1-3").on)
    seed = six.page.get_by_label("Seed", exact=True)
    seed.fill("7")
    keyboard.press("Control+z")
    expect(seed).to_have_value("0")
    assert not six.experiment().network.skip("s1-3").on
