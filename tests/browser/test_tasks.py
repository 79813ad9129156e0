"""Tasks of tokens and of curves, live: what the network makes of them is shown while it learns."""

import re

import pytest
from playwright.sync_api import expect

from skipviz.tasks import presets

pytestmark = pytest.mark.browser

PICTURE = ".sv-picture-card [role=img]"


def _said(lab, beginning: str) -> str:
    """Return what the picture says once it begins with these words."""
    picture = lab.page.locator(PICTURE)
    expect(picture).to_have_attribute("aria-label", re.compile(f"^{beginning}"))
    return picture.get_attribute("aria-label")


def test_a_transformer_writes_other_words_as_it_learns(kept):
    lab = kept.put(presets.get("transformer-text"))
    first = _said(lab, "The network writes: ")
    lab.start()
    lab.wait_for_step(30)
    lab.until(lambda: lab.page.locator(PICTURE).get_attribute("aria-label") != first)


def test_sequences_follow_the_rule_chosen_and_count_exact_matches(kept):
    lab = kept.put(presets.get("transformer-pre-ln"))
    lab.choose_listed("Rule", "sort")
    lab.until(lambda: lab.experiment().task.rule == "sort")
    lab.start()
    lab.wait_for_step(20)
    expect(lab.page.locator(PICTURE)).to_have_attribute("aria-label", re.compile("held-out sequences"))
    expect(lab.page.locator(".sv-metric").first).to_contain_text("Exact match")


def test_a_curve_is_drawn_anew_while_it_is_fitted_and_its_metric_is_named(kept):
    lab = kept.put(presets.get("curve-plain"))
    first = _said(lab, "Curve: 500 points")
    expect(lab.page.locator(".sv-metric").first).to_contain_text("R²")
    lab.start()
    lab.until(lambda: lab.page.locator(PICTURE).get_attribute("aria-label") != first)
