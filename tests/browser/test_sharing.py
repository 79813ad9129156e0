"""Several tabs and browsers at once, and links between them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from experiments import small
from pages import LabPage
from playwright.sync_api import expect

from skipviz.sharing import link
from skipviz.tasks import presets


def _run(lab: LabPage) -> str:
    run = lab.start()
    lab.wait_for_step(10)
    return run


def test_tabs_train_runs_of_their_own_and_another_browser_watches_one_until_it_makes_it_its_own(kept, visit):
    mine = kept.put(small(seed=1))
    run = _run(mine)
    second = LabPage(visit(mine.page.context)).open(small(seed=2))
    other = _run(second)
    assert run != other
    second.press("Pause")
    second.expect_state("Paused")
    mine.wait_for_step(mine.step() + 20)
    mine.expect_running()
    assert second.data(other)["state"] == "paused"
    assert mine.experiment().training.seed == 1
    assert second.experiment().training.seed == 2

    mine.click_skip("s3-5")
    theirs = LabPage(visit())
    theirs.page.goto(f"lab?run={run}")
    theirs.ready().expect_running()
    theirs.wait_for_step(mine.step())
    expect(theirs.main).to_be_disabled()
    expect(theirs.page.get_by_label("Stop")).to_be_disabled()
    assert theirs.data(run)["mine"] is False
    assert theirs.page.request.post(f"skipviz/runs/{run}/events", data={"kind": "stop"}).status == 403
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
    mine.expect_running()
    assert [event["ids"] for event in mine.data(run)["events"]] == [["s3-5"]]


def test_a_link_opens_the_same_experiment_elsewhere_and_says_whether_what_was_switched_in_a_run_is_in_it(kept, visit):
    experiment = small(seed=7, depth=9, steps=1_000_000)
    lab, page = kept.put(experiment), kept.page
    lab.click_skip("s1-3")
    started = experiment.with_network(lab.expect_network(lambda network: not network.skip("s1-3").on))
    page.get_by_role("button", name="Share", exact=True).click()
    kinds = page.get_by_role("radiogroup", name="What the link opens").get_by_role("radio")
    lab.until(lambda: kinds.evaluate_all("all => all.map((one) => one.value)") == ["experiment", "classroom"])
    field = page.get_by_label("Link to this experiment")
    address = lab.until(lambda: link.encode(lab.experiment()) in (text := field.input_value()) and text)
    assert len(address) < 2000
    other = visit()
    other.goto(address)
    opened = LabPage(other).ready()
    assert opened.experiment() == lab.experiment() == started
    expect(opened.inspector).to_contain_text("9 layers")
    expect(other.locator("svg.sv-diagram .skip.off")).to_have_count(1)

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


def test_a_hostile_link_gives_one_sentence_and_the_default_lab(page):
    image = "<img src=x onerror=alert(1)>"
    lab = LabPage(page)
    page.goto(f"lab?x={image}&run={image}&follow={image}&hide=<b>,nosuch")
    expect(lab.toast).to_contain_text("This link does not open.")
    lab.ready()
    expect(lab.inspector).to_contain_text("24 layers")
    assert lab.experiment() == presets.get("vanishing-plain")
    assert set(parse_qs(urlsplit(page.url).query)) == {"x"}
    expect(page.locator("img[onerror], [data-testid='stException']")).to_have_count(0)
