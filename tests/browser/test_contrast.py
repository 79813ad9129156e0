"""Every word can be read: contrasts of what is written to what lies behind it, as WCAG 2.2 defines them."""

from __future__ import annotations

import pytest
from pages import FigurePage, LabPage
from playwright.sync_api import expect

CONTRASTS = """() => {
  const parse = (text) => {
    const [red, green, blue, alpha = 1] = (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    return { light: [red, green, blue], alpha };
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (light) => light.reduce((sum, value, at) => sum + linear(value / 255) * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const { light, alpha } = parse(getComputedStyle(at).backgroundColor);
      if (alpha > 0.99) return light;
    }
    return [255, 255, 255];
  };
  const written = (node) => [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && /[\\p{L}\\p{N}]/u.test(one.data));
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const seen = (node) => node.getBoundingClientRect().height > 0 && shown(node);
  return [...document.querySelectorAll(".sv-page *, .sv-watch *")]
    .filter((node) => written(node) && seen(node) && !node.closest(":disabled, [aria-disabled=true]"))
    .map((node) => {
      const style = getComputedStyle(node);
      const colour = parse(node instanceof SVGElement ? style.fill : style.color);
      const [high, low] = [colour.light, behind(node)].map(luminance).sort((a, b) => b - a);
      return [Math.round((100 * (high + 0.05)) / (low + 0.05)) / 100, node.textContent];
    });
}"""


def _too_faint(page, least: float) -> list:
    """Return what is written with less contrast than `least`, with its contrast."""
    found = page.evaluate(CONTRASTS)
    assert len(found) > 50
    return [one for one in found if one[0] < least]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_projector_every_word_has_a_contrast_of_seven(visit, scheme):
    page = visit(color_scheme=scheme)
    lab = LabPage(page).open(projector="1")
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    assert _too_faint(page, 7) == []
    lab.press("Start")
    lab.wait_for_step(5)
    lab.residual.click()
    lab.event_frame()
    assert _too_faint(page, 7) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figure_lab_and_gallery_have_words_with_a_contrast_of_four_and_a_half(visit, scheme):
    figure = FigurePage(visit(color_scheme=scheme)).open()
    assert _too_faint(figure.page, 4.5) == []
    lab = LabPage(visit(color_scheme=scheme)).open()
    lab.start()
    lab.wait_for_step(5)
    lab.click_skip(lab.skip_ids()[0])
    assert _too_faint(lab.page, 4.5) == []
    lab.page.goto("gallery")
    expect(lab.page.locator(".sv-cards button, .sv-cards > *").first).to_be_visible()
    assert _too_faint(lab.page, 4.5) == []
