"""A lesson whose server dies and comes back: its pages say so and find the lesson again by themselves."""

from __future__ import annotations

import json
import re
import signal

import pytest
from blocked import cut_off
from experiments import small
from pages import PHONE, LabPage
from playwright.sync_api import expect
from servers import Server

from skipviz.web.http.shutdown_notice import RESTARTS


@pytest.fixture
def machine(tmp_path):
    """A server of this test's own, which may be ended and started again."""
    started = Server(tmp_path / "log.txt", forked=True, SKIPVIZ_CHECKPOINT_SECONDS="0.3")
    started.wait_until_warm()
    yield started
    started.close()


def _classroom(lab: LabPage) -> str:
    page = lab.page
    page.get_by_role("button", name="Share", exact=True).click()
    page.locator(".sv-kinds label", has_text="Classroom").click()
    page.get_by_role("button", name="Open a classroom").click()
    field = page.get_by_label("Link to this classroom")
    lab.until(lambda: "follow=" in field.input_value())
    page.keyboard.press("Escape")
    return field.input_value()


def test_a_lesson_goes_on_by_itself_after_its_server_was_killed_and_after_it_was_stopped(machine, visit):
    owner = LabPage(visit(base_url=machine.address)).open(small(steps=100_000, record_every=5))
    address = _classroom(owner)
    phone = visit(base_url=machine.address, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.goto(address)
    follower = LabPage(phone).ready()
    run = owner.start()
    follower.wait_for_step(20)

    machine.end(signal.SIGKILL)
    machine.start()
    owner.expect_state(re.compile("Interrupted"))
    expect(owner.page.locator(".sv-reach")).to_be_hidden()
    assert owner.run() == run
    again = LabPage(_told(visit(owner.page.context)))
    again.page.goto(f"lab?run={run}")
    again.ready().press("Resume")
    again.expect_running()
    _goes_on(owner, follower, "s1-3", 1)
    expect(again.page.locator("html")).to_have_attribute("data-sv-reach", "blocked")
    again.page.wait_for_function("() => window.fed")

    everybody = [owner.page, phone, again.page]
    machine.end(signal.SIGTERM)
    expect(phone.locator(".sv-reach")).to_be_visible()
    expect(phone.get_by_text("Connection error")).to_be_attached()
    expect(phone.get_by_text("Connection error")).to_be_hidden()
    foot, dock = phone.evaluate(
        "() => ['.sv-reach', '.sv-transport-card'].map((part) => document.querySelector(part).getBoundingClientRect().toJSON())"
    )
    assert foot["bottom"] <= dock["top"]
    for page in everybody:
        expect(page.locator(".sv-reach")).to_have_text(RESTARTS)
    machine.start()
    for page in everybody:
        expect(page.locator(".sv-reach")).to_be_hidden()
    _goes_on(owner, follower, "s3-5", 2)
    assert owner.run() == run
    again.expect_running()
    again.wait_for_step(owner.step())


def _told(page):
    """Cut a page off; `window.fed` tells that it asks the server through Streamlit."""
    page.add_init_script("addEventListener('skipviz-feed', () => { window.fed = true; })")
    return cut_off(page)


def _goes_on(owner: LabPage, follower: LabPage, skip: str, off: int) -> None:
    """The owner's next toggle reaches the follower, whose numbers move."""
    owner.expect_running()
    owner.click_skip(skip)
    expect(follower.page.locator(".sv-watch")).to_contain_text("You are following a live lesson.")
    expect(follower.page.locator("svg.sv-diagram .skip.off")).to_have_count(off)
    follower.wait_for_step(follower.step() + 10)


def test_every_kind_of_page_says_that_the_server_restarts_until_it_is_back(page, server):
    body = {"experiment": json.loads(small(steps=2, depth=2, width=2).to_json())}
    page.request.get("", headers={"accept": "text/html"})
    for _ in range(2):
        assert page.request.post("skipviz/runs", data=body).ok
    reach, kind = page.locator(".sv-reach"), page.locator("html")
    stream = f"retry: 100\ndata: {json.dumps({'notice': RESTARTS})}\n\n"

    def says_so(name, go) -> None:
        page.route("**/skipviz/stream?**", lambda route: route.fulfill(body=stream, content_type="text/event-stream"))
        go()
        expect(kind).to_have_attribute("data-sv-page", name)
        expect(reach).to_have_text(RESTARTS)
        expect(kind).to_have_attribute("data-sv-away", "")  # Streamlit's own dialog would lie over it
        page.unroute("**/skipviz/stream?**")
        expect(reach).to_be_hidden()
        expect(kind).not_to_have_attribute("data-sv-away", "")

    def compare() -> None:
        for box in page.locator(".sv-run:visible").get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Compare side by side").click()

    links = {"gallery": "Gallery", "guide": "Guide", "lab": "Lab", "figure": "Figure 4.9"}
    says_so("runs", lambda: page.goto("runs"))
    says_so("compare", compare)
    for name, words in links.items():
        says_so(name, page.get_by_role("link", name=words).click)

    cut_off(page)
    page.evaluate("() => addEventListener('skipviz-feed', () => { window.fed = true; })")
    for name, words in {"runs": "My runs", "gallery": "Gallery", "guide": "Guide"}.items():
        page.evaluate("() => { window.fed = false; }")
        page.get_by_role("link", name=words).click()
        expect(kind).to_have_attribute("data-sv-page", name)
        expect(kind).to_have_attribute("data-sv-reach", "blocked")
        page.wait_for_function("() => window.fed")
        said = page.evaluate(
            """(notice) => {
                dispatchEvent(new CustomEvent("skipviz-feed", { detail: { batches: [], notice, again() {} } }));
                const reach = document.querySelector(".sv-reach");
                return reach.checkVisibility() && reach.textContent;
            }""",
            RESTARTS,
        )
        assert said == RESTARTS, name
