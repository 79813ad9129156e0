"""The layered layout in the browser: drawn unasked for a grid, painted, switched by mouse and keyboard, exchanged for a column."""

from __future__ import annotations

from experiments import values
from playwright.sync_api import expect

from skipviz import Experiment, Task, Training, families

TASK = Task(name="shapes", samples=60)
NETWORK = families.unet(3, 2, padded=True, nested=True, input=TASK.sample_shape(), head=TASK.head())
SKIP = next(skip for skip in NETWORK.skips if not skip.via)
EDGE = NETWORK.edges[1]
WIDE = '(id) => parseFloat(document.querySelector(`.sv-diagram [data-skip="${id}"] .band`).style.strokeWidth) > 1.3'


def nested() -> Experiment:
    training = Training(steps=40_000, record_every=1, batch_size=4)
    return Experiment(variants={"network": NETWORK}, task=TASK, training=training)


def test_a_skip_and_an_edge_drawn_by_ranks_are_switched_while_it_trains_and_show_their_gradient(kept):
    lab, page = kept.put(nested()), kept.page
    expect(page.get_by_role("button", name="Layers")).to_have_attribute("aria-pressed", "true")
    for node in NETWORK.branches:
        expect(lab.layer(node.id)).to_be_visible()
    lab.start()
    lab.wait_for_step(2)
    for part in (SKIP, EDGE):
        page.wait_for_function(WIDE, arg=part.id)
    lab.click_skip(SKIP.id)
    frame = lab.event_frame()
    assert (frame["events"][0]["ids"], frame["events"][0]["on"]) == ([SKIP.id], False)
    assert values(frame)["skip_grad"][NETWORK.skips.index(SKIP)] == 0
    assert values(lab.frames()[0])["skip_grad"][NETWORK.skips.index(SKIP)] > 0
    expect(lab.skip(SKIP.id)).to_have_attribute("aria-pressed", "false")
    lab.skip(EDGE.id).press(" ")
    lab.expect_network(lambda network: not network.edge(EDGE.id).on)
    off = lab.frame_where(lambda frame: any(event.get("ids") == [EDGE.id] for event in frame.get("events") or []))
    assert values(off)["edge_grad"][NETWORK.edges.index(EDGE)] == 0


def test_the_arrows_lead_from_box_to_box_and_a_branchs_box_is_set_as_a_layer_is(kept):
    lab, page = kept.put(nested()), kept.page
    lab.layer("f12").focus()
    page.keyboard.press("ArrowUp")
    expect(lab.layer("f13")).to_be_focused()
    branch = NETWORK.branches[0].id
    lab.layer(branch).focus()
    page.keyboard.press("Enter")
    expect(lab.inspector).to_contain_text("Box up")


def test_a_column_folds_the_branches_and_layers_open_them_again(kept):
    lab, page = kept.put(nested()), kept.page
    branch = lab.layer(NETWORK.branches[0].id)
    expect(branch).to_be_visible()
    page.get_by_role("button", name="Column").click()
    expect(branch).to_have_count(0)
    page.get_by_role("button", name="Layers").click()
    expect(branch).to_be_visible()
