"""The deepest Transformer in the browser, opened by a link: folded, readable, with the form that gives it."""

from __future__ import annotations

import time

from pace import slowness
from pages import LabPage
from playwright.sync_api import expect

from skipviz.tasks.experiment import Experiment
from skipviz.tasks.forms.form_values import built, usual_values
from skipviz.tasks.task import Task

OPENS_WITHIN = 20
"""Seconds on a machine busy with other tests; else it takes three or four."""


def test_a_hundred_blocks_open_within_seconds_folded_and_with_their_form(page):
    lab, began = LabPage(page), time.monotonic()
    task = Task(name="sequences")
    network = built(usual_values("transformer").changed(depth=100, norm="post"), task)
    lab.open(Experiment(variants={"net": network}, task=task))
    assert time.monotonic() - began < OPENS_WITHIN * slowness()
    expect(lab.svg.get_by_text("×98")).to_be_visible()
    assert lab.svg.bounding_box()["height"] < 760
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_label("Blocks", exact=True)).to_have_value("100")
    expect(sidebar.get_by_text("Drawn here for 8 inputs")).to_be_visible()
