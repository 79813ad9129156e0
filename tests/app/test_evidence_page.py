"""The script of the page of evidence: the wall, a claim's page, what Run, Stop and Open do, what a finished run leaves for all."""

from __future__ import annotations

import pytest
from test_sweep_page import ended

from skipviz.evidence.claims import CLAIMS
from skipviz.evidence.recording import recordings

QUICK = "backward_bug"


@pytest.fixture
def page(opened):
    """The page of evidence, on which any measurement is stopped afterwards."""
    page = opened("evidence")
    yield page
    job = page.data().get("job")
    if job and job["state"] in ("queued", "running"):
        page.send("stop", job=job["id"])


def test_the_wall_has_every_claim_as_it_was_recorded_until_this_server_has_measured_it(page):
    cards = page.data()["claims"]
    assert [card["name"] for card in cards] == list(CLAIMS)
    for card in cards:
        assert card["title"] == CLAIMS[card["name"]].title
        assert card["band"]
        assert 'class="measured"' in card["svg"] or 'class="bar"' in card["svg"] or 'class="square"' in card["svg"]
        assert card["verdict"]["sentence"].endswith((".", ")"))
    card = next(card for card in cards if card["name"] == "vanishing")
    assert card["torch"] == recordings()["vanishing"].torch
    assert card["verdict"] == recordings()["vanishing"].verdict


def test_a_claims_page_has_its_recording_until_it_is_measured_here(page, engine):
    recording = page.send("claim", name="rank_collapse")["recording"]
    assert recording["rows"] == [*recordings()["rank_collapse"].rows, recordings()["rank_collapse"].verdict]
    assert recording["torch"] == recordings()["rank_collapse"].torch
    data = page.send("run", claim="rank_collapse", controls={})
    assert data["recording"] is None
    ended(engine, data["job"]["id"])
    data = page.run()
    assert data["recording"] is None
    assert data["job"]["rows"][-1]["holds"] is True


def test_a_claim_is_measured_by_its_usual_controls_and_then_stands_on_everybodys_wall(page, engine, opened):
    data = page.send("claim", name=QUICK)
    assert data["claim"]["title"] == CLAIMS[QUICK].title
    assert [field["name"] for field in data["claim"]["fields"]] == ["blocks", "gain"]
    assert data["claim"]["fields"][0]["bounds"] == [12, 24]
    data = page.send("run", claim=QUICK, controls={"blocks": "24", "gain": "0"})
    assert data["message"] is None
    assert data["job"]["controls"] == {}
    job = ended(engine, data["job"]["id"])
    assert job.state == "finished", job.reason
    data = page.run()
    *rows, verdict = data["job"]["rows"]
    assert {row["series"] for row in rows} == {"both residuals", "second forgotten"}
    assert verdict["holds"] is True
    assert opened("evidence", claim=QUICK).data()["job"]["id"] == job.id
    card = next(card for card in opened("evidence").data()["claims"] if card["name"] == QUICK)
    assert card["verdict"]["sentence"] == verdict["sentence"]
    assert card["date"] == data["job"]["date"]
    assert "torch" not in card, "it is no recording"
    assert 'class="measured"' in card["svg"]


def test_other_controls_are_a_measurement_of_their_own_that_a_link_shows(page, engine, opened):
    page.send("claim", name=QUICK)
    data = page.send("run", claim=QUICK, controls={"blocks": "12", "gain": "0,5"})
    job = ended(engine, data["job"]["id"])
    assert job.spec == {"claim": QUICK, "controls": {"blocks": 12, "gain": 0.5}}
    other = opened("evidence", claim=QUICK, job=job.id)
    assert other.data()["job"]["controls"] == {"blocks": 12, "gain": 0.5}
    assert other.data()["job"]["rows"][-1]["holds"] is None
    assert other.test.query_params["job"] == job.id
    assert (opened("evidence", claim=QUICK).data()["job"] or {}).get("id") != job.id


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        ({"blocks": "2"}, "Blocks: input should be greater than or equal to 12"),
        ({"blocks": "many"}, "Blocks: input should be a valid integer"),
        ({"nothing": "2"}, "Nothing: there is no such field here"),
    ],
)
def test_controls_out_of_bounds_are_said_and_nothing_begins(page, controls, sentence):
    page.send("claim", name=QUICK)
    before = page.data()["job"]
    data = page.send("run", claim=QUICK, controls=controls)
    assert data["message"][1].startswith(sentence)
    assert data["job"] == before


def test_a_claim_opens_in_the_lab_with_its_controls(page):
    page.send("open_lab", claim=QUICK, controls={"blocks": "12", "gain": "0"})
    assert page.test.session_state["lab_state"].editors["lab"].experiment == CLAIMS[QUICK].experiment(12, 0.0)


def test_a_measurement_is_stopped_by_its_browser_alone(page, engine, opened, monkeypatch):
    page.send("claim", name="vanishing")
    job = page.send("run", claim="vanishing", controls={"depth": "300", "width": 256})["job"]["id"]
    with monkeypatch.context() as patched:
        patched.setattr("skipviz.web.session_state.session.owner_from", lambda cookies: "another-browser-of-these-tests")
        other = opened("evidence", claim="vanishing", job=job)
        assert other.data()["job"]["mine"] is False
        assert other.send("stop", job=job)["message"][1].startswith("Only the browser that started this job")
    page.send("stop", job=job)
    assert ended(engine, job).state == "stopped"


def test_a_measurement_that_is_gone_or_of_another_claim_is_not_shown(opened):
    assert opened("evidence", claim=QUICK, job="nothing").data()["message"][0] == "This measurement is not here."
    assert "claims" in opened("evidence", claim="perpetual_motion").data()
