"""The page of evidence: the wall, a claim measured again with its picture and verdict, what it leaves for all, on a phone too."""

import re

from pages import PHONE, wait_until
from playwright.sync_api import expect
from test_late_browser import FairQueue

from skipviz.evidence.claims import CLAIMS

NAME = "backward_bug"


def test_a_claim_is_measured_again_and_opens_in_the_lab(visit):
    page = visit()
    page.goto("evidence")
    cards = page.locator(".sv-claim-card")
    expect(cards).to_have_count(len(CLAIMS))
    card = cards.filter(has_text=CLAIMS[NAME].title)
    expect(card).to_contain_text(re.compile(r"As expected\. .+A recording, made with torch [\d.]+ on \d+ \w+ \d{4}\."))
    card.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CLAIMS[NAME].title)
    verdict = page.locator(".sv-claim-verdict")
    state = page.locator(".sv-claim-setup [role=status]")
    traces = page.locator(".sv-claim-plot .scatterlayer .trace")
    expect(state).to_have_text(re.compile(r"^A recording, made with torch .+\. Run measures it here\.$"))
    expect(verdict).to_contain_text("As expected. The loss is the same to the bit.")
    expect(traces).to_have_count(4)  # two series, each with its band
    page.get_by_role("button", name="Run", exact=True).click()
    expect(state).to_have_text(re.compile(r"^Measured by this server on .+, in [\d.]+ s\.$"))
    expect(verdict).to_contain_text("As expected. The loss is the same to the bit.")
    expect(traces).to_have_count(4)
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV").click()
    columns = table.value.path().read_text().partition("\n")[0].split(",")
    assert columns[:2] == ["x", "series"]
    assert {"measured", "low", "high", "holds", "sentence"} <= {*columns}
    address = page.url
    page.get_by_role("button", name="All claims").click()
    expect(card).to_contain_text("Measured by this server on")
    page.goto(address)
    expect(verdict).to_contain_text("As expected.")
    page.get_by_role("button", name="Open in the lab").click()
    depth = CLAIMS[NAME].experiment(**CLAIMS[NAME].checked()).network.depth
    expect(page.locator(".sv-summary")).to_contain_text(f"{depth} layers")


def test_a_measurement_is_stopped_and_a_wrong_control_is_said_on_a_phone(visit):
    page = visit(viewport=PHONE)
    page.goto("evidence?claim=vanishing")
    page.get_by_label("Depth").fill("9")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Depth: input should be greater than or equal to 10")
    page.get_by_label("Depth").fill("300")
    page.get_by_label("Width").select_option("256")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".sv-claim-setup [role=status]")).to_have_text(re.compile(r"^Stopped at "))
    assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="All claims").click()
    expect(page.locator(".sv-claim-card")).to_have_count(len(CLAIMS))
    assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


def test_what_is_typed_while_a_measurement_is_being_started_stays_for_the_next(visit):
    page = visit()
    line = FairQueue(page)
    page.goto("evidence?claim=vanishing")
    depth = page.get_by_label("Depth")
    depth.fill("11")
    line.hold()
    page.get_by_role("button", name="Run", exact=True).click()
    depth.fill("12")
    wait_until(page, line.heard)
    line.release()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".sv-claim-setup [role=status]")).to_have_text(re.compile(r"^(Stopped at|Measured by) "))
    expect(depth).to_have_value("12")
    page.reload()
    expect(depth).to_have_value("11")
