"""The script of the page of sweeps: what can be varied, what a start, a stop and a resumption do, what a cell opens."""

from __future__ import annotations

import json
import threading
import time

import pytest
from engines import PATIENCE, small

from skipviz.network import edit

OWNER = "a-browser-of-these-tests"


@pytest.fixture
def page(opened):
    """The page of sweeps, on which any sweep is stopped afterwards."""
    page = opened("sweep")
    yield page
    job = page.data()["job"]
    if job and job["state"] in ("queued", "running"):
        page.send("stop", job=job["id"])


def ended(engine, job):
    """Wait until a job has ended, and return it."""
    news, end = threading.Event(), time.monotonic() + PATIENCE
    forget = engine.jobs.subscribe(lambda _: news.set())
    try:
        while engine.jobs.find(job).under_way:
            assert time.monotonic() < end
            news.wait(1)
            news.clear()
        return engine.jobs.find(job)
    finally:
        forget()


def test_the_page_offers_what_the_lab_holds_and_every_preset_with_depth_and_skips_as_axes(page):
    data = page.data()
    assert [name for name, _ in data["bases"]][:2] == ["lab", "vanishing-plain"]
    assert data["axes"] == [["depth", "4, 8, 16, 32"], ["skips", "off, on"]]
    assert data["title"] == "Two spirals, 24 layers"
    fields = {field["name"]: field for field in data["fields"]}
    assert fields["depth"]["bounds"] == "a whole number from 1 to 2,500"
    assert fields["depth"]["value"] == "24"
    assert fields["skips"]["value"] == "off"
    assert {field["group"] for field in data["fields"]} == {"the family", "the data", "training", "all parts of a kind"}
    heads = page.send("base", name="vit-digits")["fields"]
    assert "heads" in {field["name"] for field in heads}


def test_a_sweep_is_begun_shown_with_its_rows_and_a_cell_opens_in_the_lab(page, engine, opened):
    data = page.send("start", axes=[["depth", "2, 3"], ["skips", "off, on"]], steps="4")
    assert data["message"] is None
    job = data["job"]
    assert (job["cells"], job["mine"], job["title"]) == (4, True, "Two spirals, 24 layers")
    assert [axis["values"] for axis in job["axes"]] == [["2", "3"], ["off", "on"]]
    assert ended(engine, job["id"]).state == "finished"
    data = page.run()
    assert [(row["depth"], row["skips"], row["state"]) for row in data["job"]["rows"]] == [
        (depth, on, "finished") for depth in (2, 3) for on in (False, True)
    ]
    assert opened("sweep", job=job["id"]).data()["job"]["id"] == job["id"]
    page.send("open_lab", job=job["id"], cell=3)
    experiment = page.test.session_state["lab_state"].editors["lab"].experiment
    assert (experiment.network.depth, experiment.training.steps) == (3, 4)
    assert all(skip.on for skip in experiment.network.skips)


@pytest.mark.parametrize("base", ["lab", "vit-digits"])
def test_a_page_opened_anew_has_what_its_sweep_varies_in_the_form(page, opened, base):
    page.send("base", name=base)
    begun = page.send("start", axes=[["width", "8"], ["learning_rate", "0.5, 0.25"]], steps="2")
    job, message = begun["job"], begun["message"]
    assert message is None
    again = opened("sweep", job=job["id"])
    found = again.data()
    assert (found["job"]["id"], found["base"], found["steps"]) == (job["id"], base, 2)
    assert found["axes"] == [["width", "8"], ["learning_rate", "0.5, 0.25"]]
    found = again.send("base", name="lab" if base != "lab" else "vit-digits")
    assert found["steps"] == 300
    assert all(field != "learning_rate" for field, _ in found["axes"])


def test_a_sweep_of_what_the_lab_holds_is_of_its_first_network(opened, engine):
    held = small(steps=3)
    held = held.replaced(variants={"net": held.network, "off": edit.switch_all(held.network, False)})
    page = opened("sweep")
    page.test.session_state["lab_state"].editors["lab"].show(held)
    data = page.send("start", axes=[["seed", "1"]], steps="2")
    spec = ended(engine, data["job"]["id"]).spec
    assert list(spec["base"]["variants"]) == ["net"]
    assert spec["base"]["training"]["steps"] == 2


def test_a_sweep_is_stopped_and_resumed_by_its_browser_alone(page, engine, opened, monkeypatch):
    job = page.send("start", axes=[["depth", "100, 101"], ["", ""]][:1], steps="2000")["job"]["id"]
    page.send("stop", job=job)
    assert ended(engine, job).state == "stopped"
    assert page.send("resume", job=job)["job"]["state"] in ("queued", "running")
    monkeypatch.setattr("skipviz.web.session_state.session.owner_from", lambda cookies: "another-browser-of-these-tests")
    other = opened("sweep", job=job)
    assert other.data()["job"]["mine"] is False
    assert other.send("stop", job=job)["message"][1].startswith("Only the browser that started this job may change it")
    assert engine.jobs.find(job).under_way
    monkeypatch.setattr("skipviz.web.session_state.session.owner_from", lambda cookies: OWNER)


@pytest.mark.parametrize(
    ("axes", "steps", "sentence"),
    [
        ([["depth", "0"]], "4", "Depth is a whole number from 1 to 2,500, not 0"),
        ([["depth", "2,2"]], "4", "Depth has the same value twice"),
        ([["depth", "2"], ["depth", "3"]], "4", "Both axes are depth"),
        ([["depth", "2"]], "0", "Steps: input should be greater than or equal to 1"),
        ([["depth", "2"]], "many", "Steps is a whole number from 1 to 1,000,000, not 'many'"),
        ([], "4", "Axes: 0 values, and it takes at least 1"),
        ([["nothing", "2"]], "4", "'nothing' is nothing that can be varied here"),
    ],
)
def test_what_cannot_be_swept_is_said_and_nothing_begins(page, axes, steps, sentence):
    before = page.data()["job"]
    data = page.send("start", axes=axes, steps=steps)
    assert data["message"][1].startswith(sentence), data["message"]
    assert (data["job"] or {}).get("id") == (before or {}).get("id")


def test_a_cell_that_cannot_exist_says_why_and_a_sweep_that_is_gone_too(page, engine, opened):
    page.send("base", name="transformer-pre-ln")
    job = page.send("start", axes=[["width", "8"], ["heads", "16"]], steps="1")["job"]["id"]
    (row,) = map(json.loads, ended(engine, job).rows)
    assert row["state"] == "impossible"
    assert page.send("open_lab", job=job, cell=0)["message"][1].startswith("This cell cannot exist: ")
    assert opened("sweep", job="nothing").data()["message"][0] == "This sweep is not here."
