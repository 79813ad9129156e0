"""A browser that has not heard yet what its last choice changed: what it still sends of what is gone counts as nothing."""

from __future__ import annotations

import pytest
from blocked import cut_off
from experiments import small
from pages import PHONE, LabPage
from playwright.sync_api import expect


class FairQueue:
    """The line between a page and Streamlit, on which the server's words can be held back."""

    def __init__(self, page) -> None:
        self._held: list | None = None
        self._page = None
        page.route_web_socket("**/_stcore/stream", self._opened)

    def hold(self) -> None:
        """Keep what the server says from the page."""
        self._held = []

    def heard(self) -> int:
        """Return how many words of the server are held back."""
        return len(self._held)

    def release(self) -> None:
        """Let the page hear all of it, and what is said from then on."""
        held, self._held = self._held, None
        for word in held:
            self._page.send(word)

    def _opened(self, page) -> None:
        self._page, server = page, page.connect_to_server()
        server.on_message(lambda word: page.send(word) if self._held is None else self._held.append(word))


def settled(page, line: FairQueue) -> bool:
    """Return whether the server has said nothing for half a second."""
    before = line.heard()
    page.wait_for_timeout(500)
    return line.heard() == before


def test_a_task_chosen_while_the_last_one_is_still_drawn_stays_chosen(page):
    line = FairQueue(page)
    lab = LabPage(page).open(small(width=8, depth=4))
    lab.choose_task("Digits")
    lab.until(lambda: lab.experiment().task.name == "digits")
    page.get_by_test_id("stSidebar").get_by_text("Size", exact=True).first.wait_for()
    line.hold()
    lab.choose_task("Shapes")
    lab.until(line.heard)
    lab.until(lambda: settled(page, line))
    lab.choose_task("XOR")
    lab.until(lambda: settled(page, line))
    line.release()
    lab.until(lambda: lab.experiment().task.name == "xor")
    assert lab.experiment().task.samples is None


def test_two_steps_back_in_a_row_go_two_steps_back(page):
    line = FairQueue(page)
    lab = LabPage(page).open(small(width=8, depth=4))
    for label, key in (("Activation", "GELU"), ("Norm", "layer")):
        lab.choose_listed(label, key)
    lab.until(lambda: lab.experiment().network.layers[0].norm == "layer")
    line.hold()
    for _ in range(2):
        lab.undo.click()
        lab.until(line.heard)
        lab.until(lambda: settled(page, line))
    line.release()

    def first():
        layer = lab.experiment().network.layers[0]
        return layer.activation, layer.norm

    lab.until(lambda: first() == ("relu", "none"))
    expect(lab.redo).to_be_enabled()
    expect(lab.undo).to_be_disabled()


def test_a_start_before_the_page_heard_of_a_change_trains_what_was_changed(page):
    line = FairQueue(page)
    lab = LabPage(page).open(small(width=8, depth=4))
    lab.choose_task("Digits")
    lab.until(lambda: lab.experiment().task.name == "digits")
    line.hold()
    lab.choose_task("Shapes")
    lab.until(line.heard)
    lab.until(lambda: settled(page, line))
    lab.press("Start")
    lab.until(lambda: settled(page, line))
    line.release()
    lab.wait_for_step(1)
    header = lab.until(lambda: (lab.data() or {}).get("header"))
    assert header["experiment"]["task"]["name"] == "shapes"
    assert lab.experiment().task.name == "shapes"


BUSY = """() => {
    const begin = window.setTimeout;
    window.told = 0;
    window.setTimeout = (call, wait, ...more) => {
        window.told += String(call).includes("sendUpdateWidgetsMessage");
        return begin(call, (wait || 0) + 1500, ...more);
    };
}"""
"""Timers are late from now on, as where a page is busy: a click comes before what waits. Counts when Streamlit is about to send."""


@pytest.mark.parametrize("told", [0, 1])
def test_a_link_is_followed_whatever_the_page_is_about_to_tell_and_however_late_the_next_one_comes(page, told):
    page.clock.install()
    line = FairQueue(page)
    lab = LabPage(page).open(small(width=8, depth=4))
    page.evaluate(BUSY)
    line.hold()
    with page.expect_response("**/skipviz/labs/*"):
        lab.plain.click()
    lab.until(lambda: page.evaluate("() => window.told") == told)
    page.get_by_role("link", name="Gallery").click()
    for _ in range(4):
        page.clock.fast_forward(5000)
        lab.until(lambda: settled(page, line))
    line.release()
    expect(page.locator(".sv-gallery")).to_be_visible()


def test_a_button_to_another_page_is_followed_though_an_answer_comes_behind_it(visit):
    page = visit(viewport=PHONE)
    line, held = FairQueue(page), []
    lab = LabPage(page).open(small(width=8, depth=4))
    page.route("**/skipviz/labs/*", lambda route: held.append(route))
    lab.plain.click()
    lab.until(lambda: held)
    line.hold()
    page.get_by_role("navigation", name="Pages").get_by_role("button", name="Gallery").click()
    lab.until(lambda: settled(page, line))
    with page.expect_response("**/skipviz/labs/*"):
        held[0].continue_()
    lab.until(lambda: settled(page, line))
    line.release()
    expect(page.locator(".sv-gallery")).to_be_visible()


ORDER = """() => {
    const begin = window.setTimeout, send = WebSocket.prototype.send;
    window.order = [];
    window.setTimeout = (call, ...more) => {
        if (String(call).includes("sayAll")) window.order.push("silence");
        return begin(call, ...more);
    };
    WebSocket.prototype.send = function (data) {
        const [, op] = /op[^a-z]+(file|open_run)\\b/.exec(new TextDecoder().decode(data)) || [];
        if (op) window.order.push(op);
        return send.call(this, data);
    };
}"""
"""Notes when the page begins to keep still, and when it asks for a file or a run."""


def test_a_link_that_saves_a_file_or_answers_its_click_itself_keeps_nothing_back(visit):
    page = cut_off(visit())
    lab = LabPage(page).open(small(width=8, depth=4, steps=2))
    lab.start()
    lab.expect_state("Finished")
    page.evaluate(ORDER)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download():
        page.get_by_role("dialog", name="Export").get_by_text("CSV", exact=True).click()
    page.get_by_role("link", name="My runs").click()
    opens = page.locator(".sv-run:visible").get_by_role("link", name="Open")
    opens.wait_for()
    page.evaluate("() => window.order.push('listed')")
    opens.click()
    lab.expect_state("Finished")
    order = page.evaluate("() => window.order")
    assert order[0] == "file"
    assert order[order.index("listed") + 1] == "open_run"
