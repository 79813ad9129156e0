"""The diagram under a finger: a skip is drawn from state to state, and the page still scrolls everywhere else."""

from __future__ import annotations

import pytest
from experiments import small
from pages import at_rest
from playwright.sync_api import expect

STEPS = 6


@pytest.fixture
def six(pocket):
    """The lab on a phone, with six layers and the skips s1-3 and s3-5."""
    return pocket.put(small())


def _drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", start)
    for step in range(1, STEPS + 1):
        share = step / STEPS
        touch("touchMove", tuple(a + (b - a) * share for a, b in zip(start, end, strict=True)))
    touch("touchEnd")


def _box(node) -> dict:
    return node.evaluate("node => node.getBoundingClientRect().toJSON()")


def _middle(node) -> tuple[float, float]:
    box = at_rest(node.page, node.bounding_box)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _scrolled(page) -> float:
    return page.get_by_test_id("stMain").evaluate("main => main.scrollTop")


def test_a_finger_draws_a_skip_from_state_to_state_and_undo_takes_it_back(six):
    page = six.page
    start, end = six.state_place(2), six.state_place(5)
    before = _scrolled(page)
    start = six.state_place(2)
    _drag(page, start, end)
    six.expect_network(lambda network: (2, 5) in {(skip.source, skip.target) for skip in network.skips})
    assert _scrolled(page) == before
    expect(six.inspector).to_contain_text("h(2) → h(5)")
    six.undo.click()
    six.expect_network(lambda network: len(network.skips) == 2)


def test_a_finger_beside_the_states_scrolls_the_page(six):
    page = six.page
    box = six.layer("f4").bounding_box()
    place = box["x"] + 4, box["y"] + box["height"] / 2
    _drag(page, place, (place[0], place[1] - 160))
    six.until(lambda: _scrolled(page) > 60)
    expect(page.locator("svg.sv-diagram [data-skip]")).to_have_count(2)


def test_a_tap_in_the_middle_of_any_box_opens_it_where_its_states_are_near(six):
    expect(six.page.locator(".sv-try")).to_have_text("Tap a skip to switch it; drag along the trunk to add one.")
    lowest = six.layer("f1").locator(".face")
    lowest.evaluate("""face => face.scrollIntoView({block: "end"})""")
    six.page.touchscreen.tap(*_middle(lowest))
    six.until(lambda: _box(lowest)["y"] + _box(lowest)["height"] <= _box(six.page.locator(".sv-controls"))["y"])
    for number in range(1, 7):
        box = six.layer(f"f{number}").locator(".face")
        box.evaluate("""face => face.scrollIntoView({block: "center"})""")
        six.page.touchscreen.tap(*_middle(box))
        expect(six.inspector).to_contain_text(f"Layer f({number})")
    assert len(six.experiment().network.skips) == 2


def test_a_finger_switches_a_skip_and_a_valve_while_the_network_trains(six):
    phone = six.page
    six.start()
    six.wait_for_step(5)
    phone.touchscreen.tap(*six.skip_place("s1-3"))
    frame = six.event_frame()
    assert [(event["kind"], event["ids"], event["on"]) for event in frame["events"]] == [("skip", ["s1-3"], False)]
    phone.locator('svg.sv-diagram [data-valve="f4"]').tap()
    frame = six.frame_where(lambda one: any(event["kind"] == "layer" for event in one.get("events", ())))
    assert [(event["ids"], event["gain"]) for event in frame["events"]] == [(["f4"], 0)]


def test_a_notice_leaves_the_controls_of_what_is_selected_free_and_goes_at_a_tap(pocket):
    lab = pocket.put(small(steps=5))
    lab.start()
    lab.expect_state("Finished")
    lab.click_skip("s1-3")
    expect(lab.toast).to_contain_text("goes on")
    notice, controls = _box(lab.toast), _box(lab.inspector.locator(".sv-controls"))
    assert notice["bottom"] <= controls["top"] or controls["bottom"] <= notice["top"]
    lab.toast.tap()
    expect(lab.toast).to_have_count(0)
