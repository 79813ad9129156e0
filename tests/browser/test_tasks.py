"""Tasks of tokens and of curves, live: what the network makes of them is shown while it learns."""

import pytest

from skipviz.tasks import presets

pytestmark = pytest.mark.browser

PICTURE = ".sv-picture-card [role=img]"


def test_a_transformer_writes_other_words_as_it_learns(lab):
    lab.open(presets.get("transformer-text"))
    first = lab.page.locator(PICTURE).get_attribute("aria-label")
    assert first.startswith("The network writes: ")
    lab.start()
    lab.wait_for_step(30)
    lab.until(lambda: lab.page.locator(PICTURE).get_attribute("aria-label") != first)


def test_sequences_follow_the_rule_chosen_and_count_exact_matches(lab):
    lab.open(presets.get("transformer-pre-ln"))
    lab.page.get_by_role("combobox", name="Rule").click()
    lab.page.get_by_role("option", name="sort", exact=True).click()
    lab.until(lambda: lab.experiment().task.rule == "sort")
    lab.start()
    lab.wait_for_step(20)
    assert "held-out sequences" in lab.page.locator(PICTURE).get_attribute("aria-label")
    assert "Exact match" in lab.page.locator(".sv-metric").first.inner_text()


def test_a_curve_is_drawn_anew_while_it_is_fitted_and_its_metric_is_named(lab):
    lab.open(presets.get("curve-plain"))
    first = lab.page.locator(PICTURE).get_attribute("aria-label")
    assert first.startswith("Curve: 500 points")
    assert "R²" in lab.page.locator(".sv-metric").first.inner_text()
    lab.start()
    lab.until(lambda: lab.page.locator(PICTURE).get_attribute("aria-label") != first)
