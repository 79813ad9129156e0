"""Several tabs and browsers at once, and links between them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from experiments import small
from pages import LabPage
from playwright.sync_api import expect

from skipviz.sharing import link
from skipviz.tasks import presets


def _running(page, **settings) -> tuple[LabPage, str]:
    lab = LabPage(page).open(small(**settings))
    run = lab.start()
    lab.wait_for_step(10)
    return lab, run


def test_two_tabs_of_one_browser_train_two_runs_that_do_not_touch(visit):
    page = visit()
    first, run = _running(page, seed=1)
    second, other = _running(visit(page.context), seed=2)
    assert run != other
    second.press("Pause")
    second.expect_state("Paused")
    first.wait_for_step(first.step() + 20)
    first.expect_running()
    assert second.data(other)["state"] == "paused"
    assert first.experiment().training.seed == 1
    assert second.experiment().training.seed == 2


def test_another_browser_watches_a_run_by_its_address_and_cannot_steer_it(visit):
    mine, run = _running(visit())
    theirs = LabPage(visit())
    theirs.open(run=run)
    theirs.expect_running()
    theirs.wait_for_step(mine.step())
    expect(theirs.main).to_be_disabled()
    expect(theirs.page.get_by_label("Stop")).to_be_disabled()
    assert theirs.data(run)["mine"] is False
    answer = theirs.page.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"})
    assert answer.status == 403
    mine.wait_for_step(mine.step() + 10)
    mine.expect_running()


def test_a_watcher_changes_nothing_until_it_is_made_theirs_and_undo_watches_again(visit):
    mine, run = _running(visit())
    mine.click_skip("s3-5")
    theirs = LabPage(visit())
    theirs.page.goto(f"lab?run={run}")
    theirs.ready().wait_for_step(5)
    line = theirs.page.locator(".sv-watch")
    expect(line).to_contain_text("You are watching a live run.")
    theirs.click_skip("s1-3")
    expect(theirs.toast).to_contain_text("Make it mine")
    expect(theirs.residual).to_be_disabled()
    expect(theirs.page.locator("svg.sv-diagram .skip.off")).to_have_count(1)
    line.get_by_role("button", name="Make it mine").click()
    expect(line).to_be_hidden()
    switched = theirs.expect_network(lambda network: not network.skip("s3-5").on)
    assert switched.skip("s1-3").on
    expect(theirs.main).to_have_text("Start")
    theirs.undo.click()
    expect(line).to_be_visible()
    theirs.wait_for_step(mine.step())
    line.get_by_role("button", name="Make it mine").click()
    expect(theirs.main).to_have_text("Start")
    own = theirs.start()
    assert own != run
    theirs.click_skip("s1-3")
    theirs.expect_network(lambda network: not network.skip("s1-3").on)
    mine.wait_for_step(mine.step() + 20)
    assert [event["ids"] for event in mine.data(run)["events"]] == [["s3-5"]]
    assert mine.data(run)["state"] == "running"


def test_a_shared_link_opens_the_same_experiment_in_another_browser(visit):
    experiment = small(seed=7, depth=9)
    lab = LabPage(visit()).open(experiment)
    lab.click_skip("s3-5")
    lab.expect_network(lambda network: not network.skip("s3-5").on)
    lab.page.get_by_role("button", name="Share", exact=True).click()
    field = lab.page.get_by_label("Link to this experiment")
    address = lab.until(lambda: link.encode(lab.experiment()) in (text := field.input_value()) and text)
    assert len(address) < 2000
    other = visit()
    other.goto(address)
    opened = LabPage(other).ready()
    assert opened.experiment() == lab.experiment()
    assert opened.experiment().training.seed == 7
    expect(opened.inspector).to_contain_text("9 layers")
    expect(other.locator("svg.sv-diagram .skip.off")).to_have_count(1)


def test_a_link_says_whether_what_was_switched_during_the_run_is_in_it(page):
    lab, started = LabPage(page).open(small(steps=1_000_000)), small(steps=1_000_000)
    page.get_by_role("button", name="Share", exact=True).click()
    kinds = page.get_by_role("radiogroup", name="What the link opens").get_by_role("radio")
    lab.until(lambda: kinds.evaluate_all("all => all.map((one) => one.value)") == ["experiment", "classroom"])
    page.keyboard.press("Escape")
    lab.start()
    lab.wait_for_step(5)
    lab.click_skip("s3-5")
    lab.expect_network(lambda network: not network.skip("s3-5").on)
    page.get_by_role("button", name="Share", exact=True).click()
    panel = page.get_by_role("dialog", name="Share")
    for title, label, note, on in (
        ("As it started", "Link to this experiment as it started", "during the run is not in it", True),
        ("As it is now", "Link to this experiment", "With what was switched or set during the run", False),
    ):
        panel.get_by_label(title, exact=True).check()
        expect(panel).to_contain_text(note)
        address = panel.get_by_label(label, exact=True).input_value()
        shared = link.decode(parse_qs(urlsplit(address).query)["x"][0])
        assert shared.network.skip("s3-5").on is on
        assert (shared == started) is on


@pytest.mark.parametrize(
    "query",
    [
        f"x={link.encode(small())[:60]}",
        f"x={link.encode(small())[:-1]}!",
        "x=9.AAAA",
        "x=<img src=x onerror=alert(1)>",
        f"x={'1.' + 'A' * 9000}",
        "follow=<img src=x onerror=alert(1)>",
        "run=<img src=x onerror=alert(1)>&hide=<b>,nosuch",
    ],
    ids=["cut short", "a strange character", "a version to come", "HTML", "too long", "HTML as a classroom", "HTML as a run"],
)
def test_a_damaged_or_hostile_link_gives_one_sentence_and_the_default_lab(page, query):
    lab = LabPage(page)
    page.goto(f"lab?{query}")
    expect(lab.toast).to_contain_text(re.compile(r"This (link does not open|run is no longer kept)\."))
    lab.ready()
    expect(lab.inspector).to_contain_text("24 layers")
    assert lab.experiment() == presets.get("vanishing-plain")
    assert set(parse_qs(urlsplit(page.url).query)) == {"x"}
    expect(page.locator("img[onerror], [data-testid='stException']")).to_have_count(0)


def test_a_run_that_is_not_kept_any_more_leaves_the_experiment_of_its_address(page):
    lab = LabPage(page)
    page.goto(f"lab?x={link.encode(small(depth=5))}&run=nosuchrun")
    expect(lab.toast).to_contain_text("This run is no longer kept.")
    lab.ready()
    expect(lab.inspector).to_contain_text("5 layers")
    expect(lab.main).to_have_text("Start")
