"""A lesson in three browsers whose server dies and comes back: every page says so and finds the lesson again by itself."""

from __future__ import annotations

import json
import re
import signal

import pytest
from experiments import small
from pages import PHONE, LabPage
from playwright.sync_api import expect
from servers import Server
from test_fallback import _cut_off


@pytest.fixture
def machine(tmp_path):
    """A server of this test's own, which may be ended and started again."""
    started = Server(tmp_path / "log.txt", SKIPVIZ_CHECKPOINT_SECONDS="0.3")
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
    desktop = visit(base_url=machine.address)
    gallery = visit(base_url=machine.address)
    gallery.goto("gallery")
    followers = [LabPage(phone), LabPage(desktop)]
    for follower in followers:
        follower.page.goto(address)
        follower.ready()
    everybody = [owner.page, phone, desktop, gallery]
    run = owner.start()
    for follower in followers:
        follower.wait_for_step(20)

    machine.end(signal.SIGKILL)
    machine.start()
    owner.expect_state(re.compile("Interrupted"))
    expect(owner.page.locator(".sv-reach")).to_be_hidden(timeout=120_000)
    assert owner.run() == run
    again = LabPage(_told(visit(owner.page.context)))
    again.page.goto(f"lab?run={run}")
    again.ready().press("Resume")
    again.expect_running()
    everybody += [again.page, *_other_pages(visit, owner)]
    _goes_on(owner, followers, "s1-3", 1)
    for page in everybody:
        expect(page.locator(".sv-reach")).to_be_attached(timeout=120_000)
    for page in (again.page, *everybody[-2:]):
        expect(page.locator("html")).to_have_attribute("data-sv-reach", "blocked", timeout=120_000)
        page.wait_for_function("() => window.fed", timeout=120_000)

    machine.end(signal.SIGTERM)
    expect(phone.locator(".sv-reach")).to_be_visible()
    expect(phone.get_by_text("Connection error")).to_be_attached()
    expect(phone.get_by_text("Connection error")).to_be_hidden()
    foot, dock = phone.evaluate(
        "() => ['.sv-reach', '.sv-transport-card'].map((part) => document.querySelector(part).getBoundingClientRect().toJSON())"
    )
    assert foot["bottom"] <= dock["top"]
    for page in everybody:
        expect(page.locator(".sv-reach")).to_have_text("The server restarts; runs go on afterwards.", timeout=120_000)
    machine.start()
    for page in everybody:
        expect(page.locator(".sv-reach")).to_be_hidden(timeout=120_000)
    _goes_on(owner, followers, "s3-5", 2)
    assert owner.run() == run
    again.expect_running()
    again.wait_for_step(owner.step())


def _other_pages(visit, owner: LabPage) -> list:
    """Return a page of every other kind, and two whose host passes on Streamlit's own paths only; they load meanwhile."""
    context = owner.page.context
    body = {"experiment": json.loads(small(steps=100_000).to_json()), "paused": True}
    other = context.request.post("skipviz/runs", data=body).json()["run"]
    figure, runs, compare, cut_off, cut_off_runs = (visit(context) for _ in range(5))
    addresses = {figure: ".", runs: "runs", compare: f"compare?runs={owner.run()},{other}"}
    for page, address in {**addresses, _told(cut_off): "gallery", _told(cut_off_runs): "runs"}.items():
        page.goto(address, wait_until="commit")
    return [figure, runs, compare, cut_off, cut_off_runs]


def _told(page):
    """Cut a page off; `window.fed` tells that it asks the server through Streamlit."""
    page.add_init_script("addEventListener('skipviz-feed', () => { window.fed = true; })")
    return _cut_off(page)


def _goes_on(owner: LabPage, followers: list[LabPage], skip: str, off: int) -> None:
    """The owner's next toggle reaches every follower, whose numbers move."""
    owner.expect_running()
    owner.click_skip(skip)
    for follower in followers:
        expect(follower.page.locator(".sv-watch")).to_contain_text("You are following a live lesson.", timeout=120_000)
        expect(follower.page.locator("svg.sv-diagram .skip.off")).to_have_count(off, timeout=120_000)
        follower.wait_for_step(follower.step() + 10)
