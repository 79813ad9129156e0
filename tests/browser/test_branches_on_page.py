"""Branches in the lab: open where there is room, folded by their toggle, switched edge by edge while it trains, set box by box."""

from __future__ import annotations

from experiments import values
from playwright.sync_api import expect

from skipviz import Experiment, Task, Training, families

NETWORK = families.resnet(depth=8, reduction=4, widths=(4, 8, 16), input=(1, 8, 8), head=10)
SQUEEZE = NETWORK.edge("e2")
PLACE = [edge.id for edge in NETWORK.edges].index("e2")
LAST = "se3.3"


def squeezed(steps: int = 40_000) -> Experiment:
    training = Training(steps=steps, record_every=1, batch_size=16)
    return Experiment(variants={"network": NETWORK}, task=Task(name="digits", samples=200), training=training)


def toggle(lab):
    return lab.page.locator(f'svg.sv-diagram [data-branch="{LAST}"]')


def expect_open(lab) -> None:
    expect(toggle(lab)).to_have_attribute("aria-expanded", "true")
    expect(lab.layer("se3.2")).to_be_visible()


def test_an_edge_of_a_branch_is_switched_while_it_trains_and_its_gradient_goes_until_it_is_undone(kept):
    lab = kept.put(squeezed())
    expect_open(lab)
    expect(lab.skip(SQUEEZE.id)).to_have_attribute("aria-pressed", "true")
    lab.start()
    lab.wait_for_step(3)
    lab.click_skip(SQUEEZE.id)
    frame = lab.event_frame()
    assert (frame["events"][0]["ids"], frame["events"][0]["on"]) == ([SQUEEZE.id], False)
    assert values(frame)["edge_grad"][PLACE] == 0
    assert values(lab.frames()[0])["edge_grad"][PLACE] > 0
    lab.expect_network(lambda network: not network.edge(SQUEEZE.id).on)
    expect(lab.skip(SQUEEZE.id)).to_have_attribute("aria-pressed", "false")
    expect(lab.inspector).to_contain_text("Edge mean → lin")
    expect(lab.inspector.get_by_role("switch", name="Edge on")).not_to_be_checked()

    lab.settle()
    lab.undo.click()
    lab.expect_network(lambda network: network == NETWORK)
    back = lab.frame_where(lambda frame: any(event.get("on") for event in frame.get("events") or []))
    assert values(back)["edge_grad"][PLACE] > 0
    expect(lab.layer("se3.2")).to_be_visible()  # it is unfolded still


def test_an_edge_is_switched_in_the_menu_of_the_box_it_leads_into_and_undone_there(kept):
    lab = kept.put(squeezed())
    expect_open(lab)
    lab.layer("se3.2").focus()
    lab.page.keyboard.press("Enter")
    lab.inspector.locator(".sv-drop > summary").click()
    switch = lab.inspector.get_by_role("switch", name="Edge mean → lin 1 on")
    switch.click()
    expect(switch).not_to_be_checked()
    lab.expect_network(lambda network: not network.edge(SQUEEZE.id).on)
    lab.page.keyboard.press("Control+z")
    lab.expect_network(lambda network: network == NETWORK)
    expect(switch).to_be_checked()


def test_a_strength_is_set_by_the_slider_and_said_on_the_line_and_by_the_transports_mark(kept):
    lab = kept.put(squeezed())
    expect_open(lab)
    for on in (False, True):  # a click switches it, too
        lab.click_skip(SQUEEZE.id)
        lab.expect_network(lambda network, on=on: network.edge(SQUEEZE.id).on is on)
        lab.settle()
    lab.inspector.get_by_label("Strength", exact=True).fill("0.5")
    lab.expect_network(lambda network: network.edge(SQUEEZE.id).strength == 0.5)
    expect(lab.page.locator("svg.sv-diagram [data-edge-label]", has_text="×0.5")).to_have_count(1)


def test_a_branchs_box_is_set_as_a_layer_is_by_mouse_and_by_keyboard(kept):
    lab = kept.put(squeezed())
    expect_open(lab)
    for expanded in ("false", "true"):
        toggle(lab).focus()
        lab.page.keyboard.press("Enter")
        expect(toggle(lab)).to_have_attribute("aria-expanded", expanded)
    lab.layer("se3.2").focus()
    lab.page.keyboard.press("Enter")
    expect(lab.inspector).to_contain_text("Box lin")
    lab.settle()
    lab.inspector.get_by_label("Activation").select_option("tanh")
    lab.expect_network(lambda network: network.branches[1].activation == "tanh")
    lab.settle()
    lab.layer("se3.2").focus()
    lab.page.keyboard.press("Delete")
    expect(lab.toast).to_contain_text("goes with the skip that carries what it makes")
    lab.settle()
    toggle(lab).focus()
    lab.page.keyboard.press("Enter")
    expect(lab.layer("se3.2")).to_have_count(0)
    expect(toggle(lab)).to_have_attribute("aria-expanded", "false")


def test_what_is_folded_stays_so_where_the_page_is_loaded_anew(kept):
    lab = kept.put(squeezed())
    expect_open(lab)
    toggle(lab).click()
    expect(lab.layer("se3.2")).to_have_count(0)
    lab.page.reload()
    lab.ready()
    expect(toggle(lab)).to_have_attribute("aria-expanded", "false")
    expect(lab.layer("se7.2")).to_be_visible()
    toggle(lab).click()
    expect_open(lab)
