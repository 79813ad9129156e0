"""Every word can be read, in the light theme and in the dark one."""

from __future__ import annotations

from contrasts import expect_contrast
from pages import FigurePage
from playwright.sync_api import expect

from skipviz.tasks import presets


def test_on_a_projector_every_word_has_a_contrast_of_seven(kept):
    lab, page = kept.put(presets.get("vanishing-plain")), kept.page
    page.get_by_label("Projector: large type, nothing else (P)").click()
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect_contrast(page, 7)
    lab.press("Start")
    lab.wait_for_step(5)
    lab.residual.click()
    lab.event_frame()
    expect_contrast(page, 7)


def test_figure_lab_and_gallery_have_words_with_a_contrast_of_four_and_a_half(visit, kept):
    expect_contrast(FigurePage(visit()).open().page, 4.5)
    lab, page = kept.put(presets.get("vanishing-plain")), kept.page
    lab.start()
    lab.wait_for_step(5)
    lab.click_skip(lab.skip_ids()[0])
    expect_contrast(page, 4.5)
    page.get_by_role("link", name="Gallery").click()
    expect(page.locator(".sv-cards button, .sv-cards > *").first).to_be_visible()
    expect_contrast(page, 4.5)
